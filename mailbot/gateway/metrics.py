"""Figures for Prometheus as text (extra `metrics`): for a file that its node exporter reads. No port is opened.

Counts and moments only; no reference, no address.
"""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mailbot.errors import ConfigurationError


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What is told."""

    tickets: Mapping[str, int]  # by status
    overdue: int
    due_this_week: int
    waiting_mails: int
    remembered: int
    audit_entries: int
    polled_at: datetime | None  # aware


def text(figures: Figures) -> str:
    """The figures in the text format of Prometheus.

    Raises ConfigurationError when the extra is not installed.
    """
    library = _library()
    registry = library.CollectorRegistry()
    statuses = library.Gauge("mailbot_tickets", "Tickets by status", ["status"], registry=registry)
    for status, count in sorted(figures.tickets.items()):
        statuses.labels(status=status).set(count)
    plain = {
        "mailbot_tickets_overdue": ("Tickets past their due date", figures.overdue),
        "mailbot_tickets_due_this_week": ("Running tickets due within seven days", figures.due_this_week),
        "mailbot_outbox_waiting": ("Mails that wait to be sent", figures.waiting_mails),
        "mailbot_remembered_messages": ("Hashes of unrelated mail", figures.remembered),
        "mailbot_audit_entries": ("Entries of the audit chain", figures.audit_entries),
        "mailbot_last_poll_timestamp_seconds": (
            "When the mailbox was last read",
            figures.polled_at.timestamp() if figures.polled_at else 0,
        ),
    }
    for name, (meaning, value) in plain.items():
        library.Gauge(name, meaning, registry=registry).set(value)
    made: bytes = library.generate_latest(registry)
    return made.decode()


def _library() -> Any:
    try:
        return importlib.import_module("prometheus_client")
    except ImportError as error:
        raise ConfigurationError(
            ["metrics: needs the extra metrics; install it: pip install 'mailbot[metrics]'"]
        ) from error

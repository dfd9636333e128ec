"""Figures for Prometheus: counts and moments, and nobody's name."""

from datetime import UTC, datetime

from prometheus_client.parser import text_string_to_metric_families

from mailbot.gateway.metrics import Figures, text


def test_the_figures_are_read_back_by_prometheus_own_parser() -> None:
    """Each figure stands under its name with its value."""
    at = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
    made = text(
        Figures(
            tickets={"open": 2, "answered": 5},
            overdue=1,
            due_this_week=3,
            waiting_mails=4,
            remembered=100,
            audit_entries=77,
            polled_at=at,
        )
    )
    found = {
        (sample.name, sample.labels.get("status", "")): sample.value
        for family in text_string_to_metric_families(made)
        for sample in family.samples
    }
    assert found[("mailbot_tickets", "open")] == 2
    assert found[("mailbot_tickets_overdue", "")] == 1
    assert found[("mailbot_last_poll_timestamp_seconds", "")] == at.timestamp()
    assert found[("mailbot_audit_entries", "")] == 77

"""Who really sent it counts only from the topmost header of the configured server."""

from datetime import UTC, datetime

import pytest

from mailbot.core.message import Message
from mailbot.mail.authenticity import judge, trusted_received
from mailbot.mail.parse import read_message
from mailbot.mail.patterns import ReadingPatterns

PASS = (
    "mx.example.com; dkim=pass header.d=example.org; spf=pass smtp.mailfrom=veli@example.org; "
    "dmarc=pass header.from=example.org"
)
M365 = (
    "spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=example.org; dkim=none; "
    "dmarc=bestguesspass action=none header.from=example.org;compauth=pass reason=109"
)


def received(*results: str, extra: str = "") -> Message:
    lines = "".join(f"Authentication-Results: {one}\n" for one in results)
    return read_message(f"{lines}From: Veli <veli@example.org>\n{extra}\nhei".encode(), ReadingPatterns())


def test_the_configured_servers_topmost_header_counts() -> None:
    """Results of the configured host are taken."""
    found = judge(received(PASS), "mx.example.com")
    assert (found.spf, found.dkim, found.dmarc, found.aligned) == ("pass", "pass", "pass", True)


@pytest.mark.parametrize(
    ("results", "host", "why"),
    [
        ((PASS,), None, "no_authserv_id"),
        ((), "mx.example.com", "no_results"),
        (("mx.thief.example; spf=pass smtp.mailfrom=example.org",), "mx.example.com", "other_host"),
        (("mx.thief.example; spf=fail", PASS), "mx.example.com", "other_host"),
        ((M365,), "mx.example.com", "no_host"),
        (("mx.example.com.thief.example; spf=pass",), "mx.example.com", "other_host"),
        (("",), "mx.example.com", "other_host"),
    ],
)
def test_nothing_else_counts(results: tuple[str, ...], host: str | None, why: str) -> None:
    """Another host's, a lower or a nameless header proves nothing, and the reason is told."""
    found = judge(received(*results), host)
    assert (found.spf, found.aligned) == ("", None)
    assert why in found.notes


def test_microsoft_365_writes_no_name() -> None:
    """The nameless header counts when the configured host is Microsoft's own."""
    found = judge(received(M365), "eur05.protection.outlook.com")
    assert (found.spf, found.dkim, found.aligned) == ("pass", "none", True)


def test_a_pass_for_another_domain_vouches_for_nothing() -> None:
    """SPF of a mailing service that is not the writer's domain is not aligned."""
    found = judge(
        received("mx.example.com; spf=pass smtp.mailfrom=bulk.example; dkim=pass header.d=bulk.example"),
        "mx.example.com",
    )
    assert found.aligned is False


def test_failures_are_noted() -> None:
    """What failed is said."""
    found = judge(
        received("mx.example.com; spf=softfail; dkim=fail; dmarc=fail header.from=example.org"), "mx.example.com"
    )
    assert found.aligned is False
    assert {"spf_softfail", "dkim_fail", "dmarc_fail"} <= set(found.notes)


def test_a_comment_holds_no_result() -> None:
    """Text in brackets can not pass for a result."""
    found = judge(received("mx.example.com (x; spf=pass smtp.mailfrom=example.org); spf=fail"), "mx.example.com")
    assert found.spf == "fail"


def test_a_differing_reply_to_is_told() -> None:
    """A Reply-To elsewhere is how personal data ends up with somebody else."""
    assert judge(received(PASS, extra="Reply-To: other@example.net\n"), None).reply_to_differs
    assert not judge(received(PASS, extra="Reply-To: Veli <veli@example.org>\n"), None).reply_to_differs


def test_received_times_stop_at_the_first_stranger(patterns: ReadingPatterns) -> None:
    """Only the unbroken run of our own hosts from the top is believed."""
    raw = (
        b"Received: from a by mx2.example.com (Postfix) with ESMTP id 1; Fri, 20 Nov 2026 10:00:05 +0200\n"
        b"Received: from b by MX1.example.com with ESMTPS id 2;\n Fri, 20 Nov 2026 10:00:01 +0200 (EET)\n"
        b"Received: from c by mx.thief.example; Fri, 20 Nov 2020 10:00:00 +0200\n"
        b"Received: from d by mx1.example.com; Fri, 20 Nov 2019 10:00:00 +0200\n\nhei"
    )
    times = trusted_received(read_message(raw, patterns), ("mx1.example.com", "mx2.example.com"))
    assert times == (datetime(2026, 11, 20, 8, 0, 5, tzinfo=UTC), datetime(2026, 11, 20, 8, 0, 1, tzinfo=UTC))
    assert trusted_received(read_message(raw, patterns), ()) == ()

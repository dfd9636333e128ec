"""A secret that can not be had just now is an outcome of the attempt, not the end of the sender."""

from collections.abc import Callable

import pytest
from servers.smtp_sink import SmtpSink

from mailbot.errors import ConfigurationError, MailbotError, ServiceUnavailableError, TryLaterError
from mailbot.gateway.credentials import Secret
from mailbot.gateway.smtp import Outcome, Relay, Result, SmtpTransport

MAIL = b"From: a@example.com\r\n\r\nhello\r\n"


def _failing(error: MailbotError) -> Callable[[], Secret]:
    def ask() -> Secret:
        raise error

    return ask


def _sent(sink: SmtpSink, error: MailbotError) -> Outcome:
    relay = Relay(host="127.0.0.1", port=sink.port, security="none", username="a", token=_failing(error))
    with SmtpTransport(relay) as transport:
        return transport.send("a@example.com", "b@example.com", MAIL)


def test_a_token_that_can_not_be_had_is_a_server_that_is_away(smtp_sink: SmtpSink) -> None:
    """The attempt ends with the reason, and for as long as the endpoint asks for patience it gets it."""
    slow = _sent(smtp_sink, TryLaterError("smtp.oauth: the server asks for patience", after_s=90.0))
    assert slow == Outcome(result=Result.UNREACHABLE, answer="smtp.oauth: the server asks for patience", after_s=90.0)
    broken = _sent(smtp_sink, ServiceUnavailableError("smtp.oauth: the program vault failed", "Run it by hand."))
    assert broken.result is Result.UNREACHABLE
    assert broken.answer == "smtp.oauth: the program vault failed. Run it by hand."
    assert smtp_sink.accepted == []


def test_a_wrong_configuration_is_not_waited_out(smtp_sink: SmtpSink) -> None:
    """What no waiting cures reaches whoever runs it."""
    with pytest.raises(ConfigurationError):
        _sent(smtp_sink, ConfigurationError(["smtp.password: no password is configured"]))

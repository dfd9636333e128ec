"""What a server offers is known before the first mail, with and without a login."""

from servers.smtp_sink import SmtpSink

from mailbot.gateway.smtp import Relay, Result, SmtpTransport

MAIL = b"From: a@example.com\r\n\r\nhello\r\n"


def test_a_delivery_report_is_asked_for_with_the_first_mail_already(smtp_sink: SmtpSink) -> None:
    """Without a login too, the first mail of a connection asks for a DSN where the server offers it (RFC 3461)."""
    with SmtpTransport(Relay(host="127.0.0.1", port=smtp_sink.port, security="none")) as transport:
        outcome, offers = transport.probe()
        assert outcome.result is Result.ACCEPTED
        assert "dsn" in offers
        assert transport.send("a@example.com", "b@example.com", MAIL).result is Result.ACCEPTED
    assert any(option.startswith("NOTIFY=") for option in smtp_sink.accepted[0].dsn)


def test_no_delivery_report_is_asked_of_a_server_that_offers_none() -> None:
    """DSN parameters go only to servers that know them."""
    with SmtpSink(offers_dsn=False) as sink:
        with SmtpTransport(Relay(host="127.0.0.1", port=sink.port, security="none")) as transport:
            assert transport.send("a@example.com", "b@example.com", MAIL).result is Result.ACCEPTED
        assert sink.accepted[0].dsn == ()

"""The servers that other tests rely on are real and do what they say."""

import contextlib
import imaplib
import smtplib
import socket
import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy
from servers.dovecot import Dovecot
from servers.smtp_sink import Behaviour, SmtpSink

MAIL = b"From: anna@example.com\nTo: privacy@example.com\nSubject: Hei\n\nPoistakaa tietoni.\n"
CRLF = MAIL.replace(b"\n", b"\r\n")
ENVELOPE = ("privacy@example.com", ["anna@example.com"])


@pytest.mark.server
class TestDovecot:
    """Dovecot."""

    def test_keeps_bytes_and_moment(self, dovecot: Dovecot) -> None:
        """A message comes back byte for byte, with the moment it was given, and unread."""
        moment = datetime(2026, 11, 3, 9, 30, tzinfo=UTC)
        uid = dovecot.append(MAIL, internaldate=moment)
        assert dovecot.messages()[uid] == CRLF
        assert dovecot.flags()[uid] == ()
        with dovecot.session() as client:
            client.select("INBOX", readonly=True)
            answer = client.uid("FETCH", str(uid), "(INTERNALDATE)")[1][0]
        assert imaplib.Internaldate2tuple(answer) is not None
        assert b'"03-Nov-2026 09:30:00 +0000"' in answer

    def test_shows_what_a_human_did(self, dovecot: Dovecot) -> None:
        """A flag set by another program is seen."""
        uid = dovecot.append(MAIL)
        dovecot.set_flags(uid, r"\Answered")
        assert dovecot.flags()[uid] == ("\\Answered",)

    def test_has_folders_and_users(self, dovecot: Dovecot) -> None:
        """Folders hold their own mail, users their own mailboxes."""
        dovecot.create("Arkisto/Vanhat")
        dovecot.append(MAIL, "Arkisto/Vanhat")
        dovecot.append(MAIL, user="staff@example.com")
        assert len(dovecot.messages("Arkisto/Vanhat")) == 1
        assert dovecot.messages() == {}
        assert dovecot.users() == ["privacy@example.com", "staff@example.com"]

    def test_renewed_folder_has_another_uidvalidity(self, dovecot: Dovecot) -> None:
        """A folder that is deleted and made again gets another UIDVALIDITY."""
        dovecot.create("Asiakkaat")
        before = _uidvalidity(dovecot)
        dovecot.renew("Asiakkaat")
        assert _uidvalidity(dovecot) != before

    def test_refuses_a_wrong_password(self, dovecot: Dovecot) -> None:
        """A wrong password is refused."""
        client = imaplib.IMAP4(dovecot.HOST, dovecot.port, timeout=10)
        with pytest.raises(imaplib.IMAP4.error):
            client.login("privacy@example.com", "wrong")
        client.shutdown()

    @pytest.mark.parametrize("how", ["stop", "kill"])
    def test_comes_back_with_its_mail(self, dovecot: Dovecot, how: str) -> None:
        """After a stop or a power cut nobody answers; a start on the same port brings the mail back."""
        uid = dovecot.append(MAIL)
        port = dovecot.port
        getattr(dovecot, how)()
        with pytest.raises(OSError, match="refused"):
            socket.create_connection((dovecot.HOST, port), timeout=2).close()
        dovecot.start()
        assert dovecot.port == port
        assert list(dovecot.messages()) == [uid]


def _uidvalidity(dovecot: Dovecot) -> bytes:
    with dovecot.session() as client:
        client.select("Asiakkaat", readonly=True)
        answer = client.response("UIDVALIDITY")[1][0]
    assert isinstance(answer, bytes)
    return answer


class TestSmtpSink:
    """The SMTP sink."""

    def test_keeps_the_envelope_and_the_bytes(self, smtp_sink: SmtpSink) -> None:
        """What is accepted is kept exactly, with its DSN parameters."""
        with _client(smtp_sink) as client:
            client.ehlo()
            assert client.has_extn("dsn")
            client.login("privacy@example.com", "secret")
            client.sendmail(*ENVELOPE, CRLF, mail_options=["RET=HDRS"], rcpt_options=["NOTIFY=FAILURE,DELAY"])
        (kept,) = smtp_sink.accepted
        assert (kept.sender, kept.recipients) == ("privacy@example.com", ("anna@example.com",))
        assert kept.content == CRLF
        assert kept.dsn == ("RET=HDRS", "NOTIFY=FAILURE,DELAY")
        assert (kept.login, kept.encrypted) == ("privacy@example.com", False)

    @pytest.mark.parametrize(
        ("behaviour", "code"),
        [(Behaviour.DEFER, 451), (Behaviour.REJECT, 554), (Behaviour.REJECT_SENDER, 553)],
    )
    def test_answers_with_a_code(self, smtp_sink: SmtpSink, behaviour: Behaviour, code: int) -> None:
        """Deferring and refusing are answered with their codes, and nothing counts as accepted."""
        smtp_sink.behaviour = behaviour
        with _client(smtp_sink) as client, pytest.raises(smtplib.SMTPResponseException) as caught:
            client.sendmail(*ENVELOPE, MAIL)
        assert caught.value.smtp_code == code
        assert smtp_sink.accepted == []

    @pytest.mark.parametrize(
        ("behaviour", "code"), [(Behaviour.DEFER_RECIPIENT, 450), (Behaviour.REJECT_RECIPIENT, 550)]
    )
    def test_refuses_a_recipient(self, smtp_sink: SmtpSink, behaviour: Behaviour, code: int) -> None:
        """A recipient is refused for now or for good."""
        smtp_sink.behaviour = behaviour
        with _client(smtp_sink) as client, pytest.raises(smtplib.SMTPRecipientsRefused) as caught:
            client.sendmail(*ENVELOPE, MAIL)
        assert caught.value.recipients["anna@example.com"][0] == code

    @pytest.mark.parametrize(
        ("behaviour", "arrived"), [(Behaviour.DROP_BEFORE_DATA, 0), (Behaviour.DROP_AFTER_DATA, 1)]
    )
    def test_drops_the_connection(self, smtp_sink: SmtpSink, behaviour: Behaviour, arrived: int) -> None:
        """A connection dropped after the data leaves the mail with the server and the client in doubt."""
        smtp_sink.behaviour = behaviour
        with pytest.raises(smtplib.SMTPServerDisconnected), _client(smtp_sink) as client:
            client.sendmail(*ENVELOPE, MAIL)
        assert (len(smtp_sink.received), smtp_sink.accepted) == (arrived, [])

    def test_says_nothing(self, smtp_sink: SmtpSink) -> None:
        """Without a banner the client waits in vain."""
        smtp_sink.behaviour = Behaviour.NO_BANNER
        with pytest.raises(smtplib.SMTPServerDisconnected, match="timed out"):
            smtplib.SMTP(smtp_sink.host, smtp_sink.port, timeout=0.3)

    def test_is_too_busy(self, smtp_sink: SmtpSink) -> None:
        """A busy server greets with 421."""
        smtp_sink.behaviour = Behaviour.BUSY
        with pytest.raises(smtplib.SMTPConnectError) as caught:
            smtplib.SMTP(smtp_sink.host, smtp_sink.port, timeout=5)
        assert caught.value.smtp_code == 421

    @pytest.mark.parametrize(("behaviour", "code"), [(Behaviour.REFUSE_LOGIN, 535), (Behaviour.DEFER_LOGIN, 454)])
    def test_refuses_a_login(self, smtp_sink: SmtpSink, behaviour: Behaviour, code: int) -> None:
        """A login is refused for good or for now."""
        smtp_sink.behaviour = behaviour
        with _client(smtp_sink) as client, pytest.raises(smtplib.SMTPAuthenticationError) as caught:
            client.login("privacy@example.com", "secret")
        assert caught.value.smtp_code == code

    def test_comes_back_on_its_port(self, smtp_sink: SmtpSink) -> None:
        """A stopped sink refuses connections; started again it keeps its port and its mail."""
        smtp_sink.stop()
        with pytest.raises(ConnectionRefusedError):
            smtplib.SMTP(smtp_sink.host, smtp_sink.port, timeout=5)
        smtp_sink.start()
        with _client(smtp_sink) as client:
            client.sendmail(*ENVELOPE, MAIL)
        assert len(smtp_sink.accepted) == 1

    @pytest.mark.parametrize("security", ["starttls", "tls"])
    def test_encrypts(self, security: str) -> None:
        """STARTTLS and TLS work with a certificate the client can trust."""
        with SmtpSink(security=security) as sink:
            context = ssl.create_default_context(cafile=str(sink.certificate))
            with _encrypted(sink, context) as client:
                client.login("privacy@example.com", "secret")
                client.sendmail(*ENVELOPE, MAIL)
            assert [kept.encrypted for kept in sink.accepted] == [True]

    def test_offers_no_dsn_when_told(self) -> None:
        """A sink without DSN does not offer it and refuses its parameters."""
        with SmtpSink(offers_dsn=False) as sink, _client(sink) as client:
            client.ehlo()
            assert not client.has_extn("dsn")
            with pytest.raises(smtplib.SMTPSenderRefused):
                client.sendmail(*ENVELOPE, MAIL, mail_options=["RET=HDRS"])


def _client(sink: SmtpSink) -> smtplib.SMTP:
    return smtplib.SMTP(sink.host, sink.port, timeout=5)


def _encrypted(sink: SmtpSink, context: ssl.SSLContext) -> contextlib.AbstractContextManager[smtplib.SMTP]:
    if sink.security == "tls":
        return smtplib.SMTP_SSL("localhost", sink.port, timeout=5, context=context)
    client = smtplib.SMTP("localhost", sink.port, timeout=5)
    client.starttls(context=context)
    return client


@pytest.mark.server
class TestPostgres:
    """PostgreSQL."""

    def test_gives_an_empty_database(self, postgres: str) -> None:
        """A test gets a database of its own, without tables, that takes Unicode."""
        engine = sqlalchemy.create_engine(postgres)
        with engine.begin() as connection:
            assert sqlalchemy.inspect(connection).get_table_names() == []
            connection.execute(sqlalchemy.text("CREATE TABLE t (x text)"))
            connection.execute(sqlalchemy.text("INSERT INTO t VALUES ('Åbo, Jyväskylä')"))
            assert connection.execute(sqlalchemy.text("SELECT x FROM t")).scalar() == "Åbo, Jyväskylä"
        engine.dispose()

    def test_shares_nothing_between_tests(self, postgres: str) -> None:
        """What another test made is not there."""
        engine = sqlalchemy.create_engine(postgres)
        with engine.connect() as connection:
            assert not sqlalchemy.inspect(connection).has_table("t")
        engine.dispose()


def test_a_server_leaves_nothing_behind() -> None:
    """When a server is left, its folder is gone."""
    if Dovecot.missing():
        pytest.skip(str(Dovecot.missing()))
    with Dovecot() as server:
        folder: Path = server.folder
        assert folder.exists()
    assert not folder.exists()

"""Access tokens are got, kept and renewed against a token endpoint on loopback; IMAP and SMTP log in with them."""

import base64
import json
import os
import socket
import socketserver
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import MISSING, SMTP, AuthResult, Envelope, Session

from mailbot.errors import (
    ConfigurationError,
    MailbotError,
    NotPermittedError,
    ServiceUnavailableError,
    TryLaterError,
)
from mailbot.gateway.credentials import Secret
from mailbot.gateway.imap import Account, ImapMailbox
from mailbot.gateway.oauth import DevicePrompt, Grant, TokenSource
from mailbot.gateway.oauth_endpoint import Flow
from mailbot.gateway.smtp import Relay, Result, SmtpTransport

NOW = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
USER = "privacy@example.com"
SECRET = "an-application-secret"

Answer = tuple[int, dict[str, Any] | str]


@dataclass
class Endpoint:
    """A token endpoint that gives the answers of `script` in order, then the last one again."""

    script: list[Answer] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)
    silent: bool = False
    url: str = ""

    def answer(self, path: str, form: dict[str, str]) -> Answer:
        self.asked.append({"path": path, **form})
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    made, ended = Endpoint(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            status, answer = made.answer(self.path, {key: values[0] for key, values in parse_qs(body).items()})
            if made.silent:
                ended.wait(5)
                return
            raw = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/html" if isinstance(answer, str) else "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield made
    ended.set()
    server.shutdown()
    server.server_close()
    thread.join(timeout=5)


def granted(access: str, *, life_s: int = 3600, refresh: str = "", refresh_days: int = 0) -> Answer:
    body: dict[str, Any] = {"access_token": access, "token_type": "Bearer", "expires_in": life_s}
    if refresh_days:
        body["refresh_token_expires_in"] = refresh_days * 86400
    return 200, body | ({"refresh_token": refresh} if refresh else {})


def refused(code: str, description: str = "", status: int = 400) -> Answer:
    return status, {"error": code, "error_description": description}


def grant(endpoint: Endpoint, flow: Flow = "client_credentials", **changes: Any) -> Grant:
    given: dict[str, Any] = {
        "where": "imap.oauth",
        "flow": flow,
        "token_url": f"{endpoint.url}/token",
        "device_url": f"{endpoint.url}/device",
        "client_id": "an-application",
        "client_secret": (lambda: Secret(SECRET)) if flow == "client_credentials" else None,
        "scope": "https://mail.example/.default",
        "timeout_s": 5.0,
    }
    return Grant(**(given | changes))


def refreshing(endpoint: Endpoint, folder: Path, refresh: str = "refresh-1") -> tuple[TokenSource, Path]:
    path = folder / "token.json"
    path.write_text(refresh, encoding="utf-8")
    return TokenSource(grant(endpoint, "refresh_token", token_file=path)), path


def test_the_application_gets_a_token_of_its_own(endpoint: Endpoint) -> None:
    """Client credentials are asked with id, secret and scope, and give an access token."""
    endpoint.script = [granted("access-1")]
    assert TokenSource(grant(endpoint)).access_token(NOW).reveal() == "access-1"
    assert endpoint.asked == [
        {
            "path": "/token",
            "grant_type": "client_credentials",
            "client_id": "an-application",
            "client_secret": SECRET,
            "scope": "https://mail.example/.default",
        }
    ]


def test_a_token_is_used_until_shortly_before_it_runs_out(endpoint: Endpoint) -> None:
    """One question serves 55 minutes of an hour; then a new token is asked for before the old one has ended."""
    endpoint.script = [granted("access-1"), granted("access-2")]
    source = TokenSource(grant(endpoint))
    moments = [NOW, NOW + timedelta(minutes=54), NOW + timedelta(minutes=56)]
    assert [source.access_token(moment).reveal() for moment in moments] == ["access-1", "access-1", "access-2"]
    assert len(endpoint.asked) == 2


def test_a_short_lived_token_is_not_asked_for_each_time(endpoint: Endpoint) -> None:
    """A token of two minutes serves for a minute and a half."""
    endpoint.script = [granted("access-1", life_s=120), granted("access-2", life_s=120)]
    source = TokenSource(grant(endpoint))
    moments = [NOW, NOW + timedelta(seconds=89), NOW + timedelta(seconds=91)]
    assert [source.access_token(moment).reveal() for moment in moments] == ["access-1", "access-1", "access-2"]


def test_a_server_that_is_away_does_not_end_a_token_that_still_holds(endpoint: Endpoint) -> None:
    """Renewal is early, so a failed one leaves the old token in use until its own end."""
    endpoint.script = [granted("access-1"), (503, "busy")]
    source = TokenSource(grant(endpoint))
    source.access_token(NOW)
    assert source.access_token(NOW + timedelta(minutes=58)).reveal() == "access-1"
    with pytest.raises(TryLaterError):
        source.access_token(NOW + timedelta(minutes=61))


def test_a_clock_set_back_makes_no_token_eternal(endpoint: Endpoint) -> None:
    """A token that was made later than now is renewed."""
    endpoint.script = [granted("access-1"), granted("access-2")]
    source = TokenSource(grant(endpoint))
    source.access_token(NOW)
    assert source.access_token(NOW - timedelta(days=1)).reveal() == "access-2"


def test_a_token_the_server_did_not_take_can_be_forgotten(endpoint: Endpoint, tmp_path: Path) -> None:
    """After forget() the next token is a new one, and the refresh token is still there."""
    endpoint.script = [granted("access-1", refresh="refresh-2"), granted("access-2")]
    source, _path = refreshing(endpoint, tmp_path)
    source.access_token(NOW)
    source.forget()
    assert source.access_token(NOW).reveal() == "access-2"
    assert [question["refresh_token"] for question in endpoint.asked] == ["refresh-1", "refresh-2"]


def test_a_pasted_refresh_token_starts_the_flow(endpoint: Endpoint, tmp_path: Path) -> None:
    """A file with nothing but a refresh token is understood, and becomes a file of mode 0600 with both tokens."""
    endpoint.script = [granted("access-1")]
    source, path = refreshing(endpoint, tmp_path)
    path.chmod(0o644)
    assert source.access_token(NOW).reveal() == "access-1"
    kept = json.loads(path.read_text(encoding="utf-8"))
    assert (kept["access_token"], kept["refresh_token"]) == ("access-1", "refresh-1")
    assert path.stat().st_mode & 0o777 == 0o600
    assert sorted(item.name for item in tmp_path.iterdir()) == [".token.json.lock", "token.json"]


def test_a_rotated_refresh_token_is_kept(endpoint: Endpoint, tmp_path: Path) -> None:
    """Each refresh token is used once: the one that came with the last answer is sent next, also after a restart."""
    endpoint.script = [granted(f"access-{n}", refresh=f"refresh-{n + 1}") for n in (1, 2, 3)]
    source, path = refreshing(endpoint, tmp_path)
    source.access_token(NOW)
    source.access_token(NOW + HOUR)
    again = TokenSource(grant(endpoint, "refresh_token", token_file=path))
    assert again.access_token(NOW + 2 * HOUR).reveal() == "access-3"
    assert [question["refresh_token"] for question in endpoint.asked] == ["refresh-1", "refresh-2", "refresh-3"]


def test_the_end_of_a_sign_in_is_known_where_the_server_says_it(endpoint: Endpoint, tmp_path: Path) -> None:
    """It is kept over renewals of the same refresh token and over restarts, and moves with a new one."""
    endpoint.script = [
        granted("access-1", refresh="refresh-2", refresh_days=90),
        granted("access-2"),
        granted("access-3", refresh="refresh-3", refresh_days=90),
    ]
    source, path = refreshing(endpoint, tmp_path)
    assert source.lives() == ()
    source.access_token(NOW)
    (life,) = source.lives()
    assert (life.name, life.begins_at, life.ends_at) == ("imap.token", NOW, NOW + timedelta(days=90))
    again = TokenSource(grant(endpoint, "refresh_token", token_file=path))
    assert again.lives() == (life,)
    again.access_token(NOW + 2 * HOUR)
    assert again.lives() == (life,)
    again.access_token(NOW + 4 * HOUR)
    assert again.lives()[0].ends_at == NOW + 4 * HOUR + timedelta(days=90)


def test_a_restart_uses_the_kept_access_token(endpoint: Endpoint, tmp_path: Path) -> None:
    """Nothing is asked when the kept token still holds."""
    endpoint.script = [granted("access-1")]
    source, path = refreshing(endpoint, tmp_path)
    source.access_token(NOW)
    again = TokenSource(grant(endpoint, "refresh_token", token_file=path))
    assert again.access_token(NOW + timedelta(minutes=5)).reveal() == "access-1"
    assert len(endpoint.asked) == 1


def test_several_at_once_use_a_refresh_token_once(endpoint: Endpoint, tmp_path: Path) -> None:
    """Eight sources on one file renew one after the other: one asks, the others find what it got."""
    endpoint.script = [granted("access-1", refresh="refresh-2"), refused("invalid_grant")]
    _source, path = refreshing(endpoint, tmp_path)
    sources = [TokenSource(grant(endpoint, "refresh_token", token_file=path)) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        tokens = list(pool.map(lambda source: source.access_token(NOW).reveal(), sources))
    assert tokens == ["access-1"] * 8
    assert len(endpoint.asked) == 1


def test_a_full_disk_loses_no_rotated_token(endpoint: Endpoint, tmp_path: Path) -> None:
    """What could not be written is said, kept in memory, and written as soon as the disk takes it."""
    endpoint.script = [granted("access-1", refresh="refresh-2"), refused("invalid_grant")]
    source, path = refreshing(endpoint, tmp_path)
    with source._held():  # the lock file exists from here on
        pass
    blocked = _block_writing(path)
    with pytest.raises(ServiceUnavailableError, match="can not be written"):
        source.access_token(NOW)
    blocked.rmdir()
    assert source.access_token(NOW).reveal() == "access-1"
    assert json.loads(path.read_text(encoding="utf-8"))["refresh_token"] == "refresh-2"
    assert len(endpoint.asked) == 1


def _block_writing(path: Path) -> Path:
    """A folder where the temporary file would be: writing fails whoever runs the test, root too."""
    folder = path.with_name(f".{path.name}.{os.getpid()}")
    folder.mkdir()
    return folder


@pytest.mark.parametrize("text", ["{", '{"access_token": 1, "made_at": "soon"}', "two words", "[]", "\x00\xff"])
def test_a_damaged_token_file_is_said_without_its_content(endpoint: Endpoint, tmp_path: Path, text: str) -> None:
    """One line names the file and the cure."""
    source, path = refreshing(endpoint, tmp_path)
    path.write_text(text, encoding="latin-1")
    with pytest.raises(ConfigurationError, match="is damaged; remove it and sign in again"):
        source.access_token(NOW)


def test_nobody_has_signed_in_yet(endpoint: Endpoint, tmp_path: Path) -> None:
    """A device-code mailbox without a kept token says how to allow it, and asks nobody."""
    source = TokenSource(grant(endpoint, "device_code", token_file=tmp_path / "token.json"))
    with pytest.raises(NotPermittedError, match="nobody has signed in yet"):
        source.access_token(NOW)
    assert endpoint.asked == []


FAILURES: list[tuple[Answer, type[MailbotError]]] = [
    (refused("invalid_grant"), NotPermittedError),
    (refused("invalid_client", status=401), NotPermittedError),
    (refused("unauthorized_client"), NotPermittedError),
    (refused("access_denied", status=403), NotPermittedError),
    (refused("interaction_required"), NotPermittedError),
    (refused("A strange <b>code</b>"), NotPermittedError),
    (refused("invalid_scope"), ConfigurationError),
    (refused("invalid_request"), ConfigurationError),
    (refused("temporarily_unavailable"), TryLaterError),
    ((500, "<h1>Internal error</h1>"), TryLaterError),
    ((503, {"error": "invalid_grant"}), TryLaterError),
    ((429, "slow down"), TryLaterError),
    ((404, "<h1>Not here</h1>"), ServiceUnavailableError),
    ((200, "<h1>A captive portal</h1>"), TryLaterError),
    ((200, {"token_type": "Bearer"}), TryLaterError),
    ((200, {"access_token": "access-1", "expires_in": "soon"}), TryLaterError),
    ((200, {"access_token": {"no": "text"}}), TryLaterError),
    ((302, ""), ServiceUnavailableError),
]


@pytest.mark.parametrize(("answer", "kind"), FAILURES, ids=lambda value: str(value)[:60])
def test_every_refusal_has_the_right_kind(
    endpoint: Endpoint, tmp_path: Path, answer: Answer, kind: type[MailbotError]
) -> None:
    """A refusal needs a person, a fault of the server only patience, a wrong address the administrator."""
    endpoint.script = [answer]
    source, _path = refreshing(endpoint, tmp_path)
    with pytest.raises(MailbotError) as caught:
        source.access_token(NOW)
    assert type(caught.value) is kind
    assert len(str(caught.value).splitlines()) == 1


def test_no_error_repeats_a_secret(endpoint: Endpoint, tmp_path: Path) -> None:
    """A server that echoes everything in its description puts nothing secret into the error or its traceback."""
    path = tmp_path / "token.json"
    path.write_text("refresh-very-secret", encoding="utf-8")
    endpoint.script = [refused("invalid_grant", f"AADSTS700082: refresh-very-secret {SECRET}")]
    secret = grant(endpoint, "refresh_token", token_file=path, client_secret=lambda: Secret(SECRET))
    with pytest.raises(NotPermittedError) as caught:
        TokenSource(secret).access_token(NOW)
    told = "".join(traceback.format_exception(caught.value))
    assert "very-secret" not in told
    assert SECRET not in told
    assert "AADSTS700082" in str(caught.value)


def test_a_server_that_says_nothing_is_asked_again_later(endpoint: Endpoint) -> None:
    """A time-out is a matter of patience."""
    endpoint.script, endpoint.silent = [granted("access-1")], True
    with pytest.raises(TryLaterError, match="did not answer in time"):
        TokenSource(grant(endpoint, timeout_s=0.2)).access_token(NOW)


def test_a_server_that_is_not_there_is_asked_again_later(endpoint: Endpoint) -> None:
    """A refused connection is a matter of patience: the endpoint is a big provider's."""
    with pytest.raises(TryLaterError, match="can not be reached"):
        TokenSource(grant(endpoint, token_url="http://127.0.0.1:1/token")).access_token(NOW)


def test_an_address_that_is_none_is_a_matter_of_configuration(endpoint: Endpoint) -> None:
    """A token_url that no client can use names its key."""
    with pytest.raises(ConfigurationError, match="token_url"):
        TokenSource(grant(endpoint, token_url="http://[::bad/token")).access_token(NOW)


CODE: Answer = (
    200,
    {
        "device_code": "device-1",
        "user_code": "WDJB-MJHT",
        "verification_uri": "https://login.example/device",
        "expires_in": 900,
        "interval": 5,
    },
)


def device(endpoint: Endpoint, folder: Path) -> TokenSource:
    return TokenSource(grant(endpoint, "device_code", token_file=folder / "token.json"))


def test_a_person_allows_the_mailbox_once(endpoint: Endpoint, tmp_path: Path) -> None:
    """The page and the code are shown, the server is asked at its own pace, and the token is kept for the daemon."""
    pending, slower = refused("authorization_pending"), refused("slow_down")
    endpoint.script = [CODE, pending, slower, pending, granted("access-1", refresh="refresh-1")]
    shown: list[DevicePrompt] = []
    slept: list[float] = []
    device(endpoint, tmp_path).authorise(shown.append, NOW, sleep=slept.append)
    assert shown == [DevicePrompt(url="https://login.example/device", code="WDJB-MJHT", expires_s=900)]
    assert slept == [5, 5, 10, 10]  # RFC 8628 3.5: slow_down adds five seconds for good
    assert [question["path"] for question in endpoint.asked] == ["/device", *["/token"] * 4]
    assert endpoint.asked[1]["device_code"] == "device-1"
    assert device(endpoint, tmp_path).access_token(NOW).reveal() == "access-1"


@pytest.mark.parametrize(("code", "said"), [("access_denied", "access_denied"), ("expired_token", "expired_token")])
def test_a_declined_code_is_said(endpoint: Endpoint, tmp_path: Path, code: str, said: str) -> None:
    """Declining or waiting too long ends the sign-in and keeps nothing."""
    endpoint.script = [CODE, refused(code)]
    with pytest.raises(NotPermittedError, match=said):
        device(endpoint, tmp_path).authorise(lambda prompt: None, NOW, sleep=lambda seconds: None)
    assert not (tmp_path / "token.json").exists()


def test_an_unconfirmed_code_ends(endpoint: Endpoint, tmp_path: Path) -> None:
    """When the code's life is over, nobody is asked any more."""
    endpoint.script = [CODE, refused("authorization_pending")]
    with pytest.raises(NotPermittedError, match="nobody confirmed"):
        device(endpoint, tmp_path).authorise(lambda prompt: None, NOW, sleep=lambda seconds: None)
    assert len(endpoint.asked) == 1 + 900 // 5


def test_a_page_that_gives_no_code_is_said(endpoint: Endpoint, tmp_path: Path) -> None:
    """An answer without a device code names the key to check."""
    endpoint.script = [(200, {"hello": "world"})]
    with pytest.raises(ServiceUnavailableError, match="device_url"):
        device(endpoint, tmp_path).authorise(lambda prompt: None, NOW, sleep=lambda seconds: None)


def program(*lines: str) -> Grant:
    return Grant(where="smtp.oauth", flow="token_command", token_command=(sys.executable, "-c", "\n".join(lines)))


def test_a_program_may_give_the_token() -> None:
    """What the program prints is the token."""
    assert TokenSource(program("print('access-9')")).access_token(NOW).reveal() == "access-9"


@pytest.mark.parametrize(
    ("lines", "kind"),
    [
        (("print('half-a-secret'); raise SystemExit(3)",), ServiceUnavailableError),
        (("pass",), ServiceUnavailableError),
        (("print('usage: half-a-secret TOKEN')",), ServiceUnavailableError),
    ],
)
def test_a_program_that_fails_shows_nothing_of_its_words(lines: tuple[str, ...], kind: type[MailbotError]) -> None:
    """A failed program is named; what it printed is not."""
    with pytest.raises(kind) as caught:
        TokenSource(program(*lines)).access_token(NOW)
    assert "half-a-secret" not in "".join(traceback.format_exception_only(caught.value))


def test_a_program_that_is_not_there_is_a_matter_of_configuration() -> None:
    """A wrong path names its key."""
    missing = Grant(where="smtp.oauth", flow="token_command", token_command=("/nowhere/token",))
    with pytest.raises(ConfigurationError, match="token_command"):
        TokenSource(missing).access_token(NOW)


def test_without_the_extra_packages_the_cure_is_named(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plain installation says which extra to install."""
    monkeypatch.setitem(sys.modules, "authlib.integrations.httpx_client", None)
    with pytest.raises(ConfigurationError, match=r"install mailbot\[oauth\]"):
        TokenSource(grant(endpoint)).access_token(NOW)


# -- servers that demand XOAUTH2 --------------------------------------------------------------------------------------


def xoauth2(user: str, token: str) -> bytes:
    return base64.b64encode(f"user={user}\x01auth=Bearer {token}\x01\x01".encode())


@pytest.fixture
def imap_port() -> Iterator[int]:
    """An IMAP server that knows only XOAUTH2 and the token access-1, and refuses as the large providers do."""
    good = xoauth2(USER, "access-1")

    class Handler(socketserver.StreamRequestHandler):
        def say(self, line: bytes) -> None:
            self.wfile.write(line + b"\r\n")

        def handle(self) -> None:
            self.say(b"* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2 LOGINDISABLED] ready")
            while line := self.rfile.readline():
                tag, command, *rest = line.split()
                getattr(self, f"on_{command.decode().lower()}", self.on_other)(tag, rest)

        def on_other(self, tag: bytes, rest: list[bytes]) -> None:
            self.say(tag + b" NO not here")

        def on_capability(self, tag: bytes, rest: list[bytes]) -> None:
            self.say(b"* CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2 LOGINDISABLED")
            self.say(tag + b" OK done")

        def on_authenticate(self, tag: bytes, rest: list[bytes]) -> None:
            if len(rest) == 1:
                self.say(b"+ ")
                rest.append(self.rfile.readline().strip())
            if rest == [b"XOAUTH2", good]:
                return self.say(tag + b" OK logged in")
            self.say(b"+ " + base64.b64encode(b'{"status":"400"}'))
            self.rfile.readline()
            return self.say(tag + b" NO AUTHENTICATE failed.")

        def on_logout(self, tag: bytes, rest: list[bytes]) -> None:
            self.say(b"* BYE")
            self.say(tag + b" OK bye")

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()
    thread.join(timeout=5)


class _Demands:
    """aiosmtpd calls this for AUTH XOAUTH2."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []

    async def auth_XOAUTH2(self, server: SMTP, arguments: list[str]) -> AuthResult:
        given = arguments[1].encode() if len(arguments) > 1 else await server.challenge_auth("")
        if given == xoauth2(USER, "access-1"):
            return AuthResult(success=True, auth_data=USER)
        if given is not MISSING:
            await server.challenge_auth('{"status":"401"}')
        return AuthResult(success=False, handled=False)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if not session.authenticated:
            return "530 5.7.0 Authentication required"
        assert isinstance(envelope.content, bytes)
        self.taken.append(envelope.content)
        return "250 OK"


@pytest.fixture
def smtp() -> Iterator[tuple[int, _Demands]]:
    """An SMTP server that takes mail only after AUTH XOAUTH2 with access-1."""
    handler = _Demands()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(
        handler, hostname="127.0.0.1", port=port, auth_require_tls=False,
        auth_exclude_mechanism=["LOGIN", "PLAIN"],
    )  # fmt: skip
    controller.start()
    yield port, handler
    controller.stop()


def token_of(endpoint: Endpoint) -> Callable[[], Secret]:
    source = TokenSource(grant(endpoint))
    return lambda: source.access_token(NOW)


def account(port: int, endpoint: Endpoint) -> Account:
    return Account(
        host="127.0.0.1", port=port, security="none", username=USER, token=token_of(endpoint), timeout_s=5.0
    )  # fmt: skip


def test_the_mailbox_is_opened_with_a_token(imap_port: int, endpoint: Endpoint) -> None:
    """IMAP logs in by XOAUTH2 with the token that the endpoint gave."""
    endpoint.script = [granted("access-1")]
    with ImapMailbox(account(imap_port, endpoint)) as mailbox:
        assert "AUTH=XOAUTH2" in mailbox.capabilities()


def test_a_mailbox_that_takes_no_token_is_a_refused_login(imap_port: int, endpoint: Endpoint) -> None:
    """A refused token is NotPermittedError, and the error names the user and no token."""
    endpoint.script = [granted("access-revoked")]
    with pytest.raises(NotPermittedError) as caught, ImapMailbox(account(imap_port, endpoint)):
        pass
    assert "access-revoked" not in str(caught.value)


def relay(port: int, endpoint: Endpoint) -> Relay:
    return Relay(host="127.0.0.1", port=port, security="none", username=USER, token=token_of(endpoint), timeout_s=5.0)


MAIL = b"From: privacy@example.com\r\nTo: liisa@example.org\r\nSubject: Hei\r\n\r\nHei\r\n"


def test_mail_is_sent_with_a_token(smtp: tuple[int, _Demands], endpoint: Endpoint) -> None:
    """SMTP logs in by XOAUTH2 and the mail is taken."""
    endpoint.script = [granted("access-1")]
    port, handler = smtp
    with SmtpTransport(relay(port, endpoint)) as transport:
        assert transport.send(USER, "liisa@example.org", MAIL).result is Result.ACCEPTED
    assert len(handler.taken) == 1


def test_a_server_that_takes_no_token_takes_no_mail(smtp: tuple[int, _Demands], endpoint: Endpoint) -> None:
    """A refused token is told apart from a refused mail."""
    endpoint.script = [granted("access-revoked")]
    port, handler = smtp
    with SmtpTransport(relay(port, endpoint)) as transport:
        outcome = transport.send(USER, "liisa@example.org", MAIL)
    assert outcome.result is Result.NOT_PERMITTED
    assert "access-revoked" not in outcome.answer
    assert handler.taken == []

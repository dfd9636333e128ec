"""The token endpoint of an OAuth2 server: one question, one answer, every failure as ours (RFC 6749, RFC 8628).

No secret and no word of the server that could repeat one ever stands in an error: of an answer only its error code is
said. Nothing is kept here.
"""

import contextlib
import importlib
import importlib.util
import re
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from mailbot.errors import (
    ConfigurationError,
    MailbotError,
    NotPermittedError,
    ServiceUnavailableError,
    TryLaterError,
)
from mailbot.gateway.credentials import Secret

Flow = Literal["client_credentials", "device_code", "refresh_token", "token_command"]

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"  # RFC 8628 3.4
UNSAID_LIFE_S = 600  # a server that does not say how long a token lives
POLL_S = 5  # RFC 8628 3.2: between two questions, unless the server says otherwise
SLOWER_S = 5  # RFC 8628 3.5

_CODE = re.compile(r"[a-z][a-z_]{1,60}")
_VENDOR_CODE = re.compile(r"AADSTS\d{4,8}")  # Microsoft's number of the reason: safe to show, and what a search finds
_PATIENCE = frozenset({"temporarily_unavailable", "server_error", "slow_down"})
_CONFIGURED = frozenset({"invalid_request", "invalid_scope", "unsupported_grant_type"})


@dataclass(frozen=True, kw_only=True)
class Grant:
    """How access tokens are got. `where` names it in errors; a secret is asked for only when it is needed."""

    where: str  # "imap.oauth" or "smtp.oauth"
    flow: Flow
    token_url: str = ""
    device_url: str = ""
    client_id: str = ""
    client_secret: Callable[[], Secret] | None = None
    scope: str = ""
    token_file: Path | None = None
    token_command: tuple[str, ...] = ()
    timeout_s: float = 30.0
    ca_file: Path | None = None


@dataclass(frozen=True, kw_only=True)
class DevicePrompt:
    """What a person must do to allow the mailbox: open the page and type the code."""

    url: str
    code: str
    expires_s: int


@dataclass(frozen=True, kw_only=True)
class Granted:
    """What the endpoint gave."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)  # "" when it gave none: the old one stands (RFC 6749 6)
    life_s: int
    refresh_life_s: int = 0  # of the refresh token; 0 when the server does not say


def application_token(grant: Grant) -> Granted:
    """A token of the application's own (RFC 6749 4.4)."""
    with _client(grant) as client, _ours(grant):
        answer = client.fetch_token(grant.token_url, grant_type="client_credentials", **_scope(grant))
        return _granted(answer)


def renewed_token(grant: Grant, refresh: str) -> Granted:
    """A new token for a refresh token (RFC 6749 6)."""
    with _client(grant) as client, _ours(grant):
        return _granted({**client.refresh_token(grant.token_url, refresh_token=refresh)}, refresh)


def confirmed_token(grant: Grant, show: Callable[[DevicePrompt], None], sleep: Callable[[float], None]) -> Granted:
    """A token that a person at a terminal confirms on a page (RFC 8628 3.3-3.5); blocks until they did."""
    with _client(grant) as client:
        with _ours(grant):
            asked = client.request(
                "POST",
                grant.device_url,
                data={"client_id": grant.client_id, **_scope(grant)},
                auth=None,
                withhold_token=True,
            )
            answer = _answer(grant, asked)
        prompt, code, interval = _device_code(grant, answer)
        show(prompt)
        waited = 0
        while waited < prompt.expires_s:
            sleep(interval)
            waited += interval
            try:
                with _ours(grant, pending=True):
                    return _granted(client.fetch_token(grant.token_url, grant_type=DEVICE_GRANT, device_code=code))
            except _PendingError as pending:
                interval += SLOWER_S if pending.slower else 0
    raise NotPermittedError(f"{grant.where}: nobody confirmed the code in time", "Run it again and open the page.")


def sign_in_again(grant: Grant) -> str:
    """What a person does when the server takes the token no more."""
    if grant.flow == "device_code":
        return "Sign in once on a terminal: mailbot check --connect"
    if grant.flow == "refresh_token":
        return f"Write a new refresh token into {grant.where}.token_file."
    return f"Check what {grant.where}.client_id is allowed to do."


def _granted(answer: Mapping[str, Any], refresh: str = "") -> Granted:
    access, given = answer["access_token"], answer.get("refresh_token") or refresh
    if not (isinstance(access, str) and access and isinstance(given, str)):
        raise ValueError
    # no RFC names it: Google and Microsoft say the first, Keycloak and others the second
    refresh_life = answer.get("refresh_token_expires_in") or answer.get("refresh_expires_in") or 0
    return Granted(
        access=access,
        refresh=given,
        life_s=int(answer.get("expires_in") or UNSAID_LIFE_S),
        refresh_life_s=int(refresh_life),
    )


def _answer(grant: Grant, response: Any) -> Mapping[str, Any]:
    """The JSON object of a response; its error, when it holds one, as the library's."""
    if response.status_code >= 500:
        response.raise_for_status()
    answer = response.json()
    if not isinstance(answer, dict):
        raise ValueError
    if "error" in answer:
        raise _libraries(grant.where)[0].OAuthError(answer["error"], answer.get("error_description"))
    return answer


def _device_code(grant: Grant, answer: Mapping[str, Any]) -> tuple[DevicePrompt, str, int]:
    """What to show, the device's own code, and the seconds between two questions."""
    try:
        prompt = DevicePrompt(
            url=str(answer.get("verification_uri") or answer["verification_url"]),  # Google's older name
            code=str(answer["user_code"]),
            expires_s=int(answer["expires_in"]),
        )
        return prompt, str(answer["device_code"]), int(answer.get("interval") or POLL_S)
    except (KeyError, ValueError, TypeError):
        raise ServiceUnavailableError(
            f"{grant.where}: {_host(grant.device_url)} gave no device code", f"Check {grant.where}.device_url."
        ) from None


@contextlib.contextmanager
def _client(grant: Grant) -> Iterator[Any]:
    library, _http = _libraries(grant.where)
    secret = grant.client_secret().reveal() if grant.client_secret else None
    client = library.OAuth2Client(
        client_id=grant.client_id,
        client_secret=secret,
        token_endpoint_auth_method="client_secret_post" if secret else "none",
        scope=grant.scope or None,
        timeout=grant.timeout_s,
        verify=ssl.create_default_context(cafile=str(grant.ca_file) if grant.ca_file else None),
    )
    with client:
        yield client


def _libraries(where: str) -> tuple[Any, Any]:
    """authlib and the HTTP library that it uses, loaded only by those who need them (extra `oauth`)."""
    try:
        http = importlib.import_module("httpx2" if importlib.util.find_spec("httpx2") else "httpx")
        return importlib.import_module("authlib.integrations.httpx_client"), http
    except ImportError as error:
        raise ConfigurationError([f"{where}: OAuth2 needs more packages; install mailbot[oauth]"]) from error


class _PendingError(Exception):
    """The person has not decided yet."""

    def __init__(self, slower: bool) -> None:
        super().__init__()
        self.slower = slower


@contextlib.contextmanager
def _ours(grant: Grant, *, pending: bool = False) -> Iterator[None]:
    """Errors of the libraries as ours. Chains are cut: what the server said may repeat a token."""
    library, http = _libraries(grant.where)
    host = _host(grant.token_url)
    try:
        yield
    except MailbotError:
        raise
    except library.OAuthError as error:
        code = str(error.error)
        if pending and code in ("authorization_pending", "slow_down"):
            raise _PendingError(slower=code == "slow_down") from None
        raise _refused(grant, code, str(error.description or "")) from None
    except http.TimeoutException:
        raise TryLaterError(f"{grant.where}: {host} did not answer in time", "It is tried again.") from None
    except http.HTTPStatusError as error:
        raise _by_status(grant, error.response.status_code) from None
    except http.TransportError as error:
        raise _unreachable(grant, error) from None
    except (http.InvalidURL, http.HTTPError):
        raise ConfigurationError([f"{grant.where}: token_url or device_url is no usable address"]) from None
    except (ValueError, KeyError, TypeError):
        raise TryLaterError(f"{grant.where}: {host} answered what is no token", "It is tried again.") from None


def _refused(grant: Grant, code: str, description: str) -> MailbotError:
    """RFC 6749 5.2, RFC 8628 3.5: whose fault it is stands in the error code."""
    shown = code if _CODE.fullmatch(code) else "an unknown error"
    vendor = _VENDOR_CODE.search(description)
    what = f"{grant.where}: {_host(grant.token_url)} refused the token: {shown}" + (f" ({vendor[0]})" if vendor else "")
    if code in _PATIENCE:
        return TryLaterError(what, "It is tried again.")
    if code in _CONFIGURED:
        return ConfigurationError([f"{what}; check {grant.where}.scope, flow and token_url"])
    if code in ("invalid_client", "unauthorized_client"):
        return NotPermittedError(what, f"Check {grant.where}.client_id and the client secret; it may have run out.")
    return NotPermittedError(what, sign_in_again(grant))


def _by_status(grant: Grant, status: int) -> MailbotError:
    what = f"{grant.where}: {_host(grant.token_url)} answered with HTTP status {status}"
    if status >= 500 or status in (408, 429):
        return TryLaterError(what, "It is tried again.")
    return ServiceUnavailableError(what, f"Check {grant.where}.token_url.")


def _unreachable(grant: Grant, error: BaseException) -> MailbotError:
    host, cause = _host(grant.token_url), error.__cause__ or error.__context__
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return ServiceUnavailableError(
                f"{grant.where}: {host} has a certificate that is not trusted",
                "Check token_url and the system's clock.",
            )
        cause = cause.__cause__ or cause.__context__
    return TryLaterError(f"{grant.where}: {host} can not be reached", "It is tried again; check the network.")


def _scope(grant: Grant) -> dict[str, str]:
    return {"scope": grant.scope} if grant.scope else {}


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or "the token endpoint"
    except ValueError:
        return "the token endpoint"

"""What a person's terminal says to an issuer of tokens: discovery, device flow (RFC 8628), renewing (RFC 6749)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from llm_incident_manager.cli.failures import BadUsage, Exit, Refused
from llm_incident_manager.cli.terminal import safe
from llm_incident_manager.domain.destinations import is_loopback
from llm_incident_manager.ports.clock import Clock
from llm_incident_manager.ports.outbound import NotAllowed, Outbound, OutboundError, Request

DISCOVERY = "/.well-known/openid-configuration"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
USUAL_INTERVAL = 5
"""Seconds between two questions, unless the issuer says another number; it adds as many when it says `slow_down`."""
LONGEST_WAIT = 1_800
"""Seconds that a code is waited for, however long the issuer would take it."""
_FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}


@dataclass(frozen=True, slots=True)
class Places:
    """Where an issuer is asked for a code, and for tokens."""

    device: str
    token: str


@dataclass(frozen=True, slots=True)
class Code:
    """What the person enters, and where. `interval` and `expires_in` in seconds."""

    device_code: str
    user_code: str
    page: str
    whole_page: str
    interval: int
    expires_in: int


@dataclass(frozen=True, slots=True)
class Granted:
    """Tokens. `expires_in` in seconds, 0 when the issuer does not say."""

    access_token: str
    refresh_token: str
    expires_in: int


class Issuer:
    """One issuer, asked through the one way out."""

    def __init__(self, url: str, client_id: str, outbound: Outbound) -> None:
        """`client_id` is what the issuer calls this command line. Raises BadUsage for a URL nobody should trust."""
        self._url = _trusted(url)
        self._client_id = client_id
        self._outbound = outbound

    async def places(self) -> Places:
        """Asks the discovery document. Raises Refused."""
        found = await self._said(Request(self._url.rstrip("/") + DISCOVERY, "login"))
        if found.get("issuer") != self._url:
            raise Refused(f"{self._url} calls itself {safe(str(found.get('issuer')))}: give that, if it is meant")
        device, token = found.get("device_authorization_endpoint"), found.get("token_endpoint")
        if not isinstance(device, str) or not isinstance(token, str):
            raise Refused(
                f"{self._url} knows no login by device (RFC 8628): use an API key, or a token of another kind"
            )
        return Places(_trusted(device), _trusted(token))

    async def code(self, places: Places, scope: str, audience: str) -> Code:
        """Begins a login. Raises Refused."""
        asked = {"scope": scope, "audience": audience}
        found = await self._posted(places.device, {name: text for name, text in asked.items() if text})
        try:
            page = str(found.get("verification_uri") or found["verification_url"])
            whole = str(found.get("verification_uri_complete") or "")
            wait = min(int(found["expires_in"]), LONGEST_WAIT)
            interval = max(0, int(found.get("interval", USUAL_INTERVAL)))
            return Code(str(found["device_code"]), str(found["user_code"]), page, whole, interval, wait)
        except (KeyError, TypeError, ValueError):
            raise Refused(f"{self._url} did not answer as RFC 8628 wants it") from None

    async def tokens(self, places: Places, code: Code, clock: Clock) -> Granted:
        """Asks until the person has agreed. Raises Refused when it says no, or the code is too old."""
        interval, waited = code.interval, 0
        while waited <= code.expires_in:
            await clock.sleep(interval)
            waited += max(interval, 1)
            asked = {"grant_type": DEVICE_GRANT, "device_code": code.device_code}
            found = await self._posted(places.token, asked)
            match found.get("error"):
                case None:
                    return _granted(found)
                case "authorization_pending":
                    continue
                case "slow_down":
                    interval += USUAL_INTERVAL
                case "access_denied":
                    raise Refused("the login was refused")
                case "expired_token":
                    break
                case error:
                    raise Refused(f"{self._url}: {_error(found, error)}")
        raise Refused("nobody has entered the code in time: try again")

    async def renewed(self, token_endpoint: str, refresh_token: str) -> Granted:
        """New tokens for a refresh token. Raises Refused."""
        asked = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        found = await self._posted(_trusted(token_endpoint), asked)
        if error := found.get("error"):
            raise Refused(f"the login has ended ({_error(found, error)}): log in again: llm-incident-manager login")
        return _granted(found, refresh_token)

    async def _posted(self, url: str, form: Mapping[str, str]) -> Mapping[str, Any]:
        body = urlencode({"client_id": self._client_id, **form}).encode()
        return await self._said(Request(url, "login", "POST", body, _FORM))

    async def _said(self, request: Request) -> Mapping[str, Any]:
        """The JSON object that came back; those of refusals have `error`."""
        import orjson

        where = urlsplit(request.url).netloc
        try:
            answer = await self._outbound.send(request)
        except NotAllowed as error:
            raise BadUsage(f"{request.url!r} cannot be asked: {error}") from None
        except OutboundError:
            raise Refused(f"no answer from {where}", Exit.UNREACHABLE) from None
        try:
            found = orjson.loads(answer.body)
        except orjson.JSONDecodeError:
            raise Refused(f"{where} answered {answer.status} without JSON") from None
        if not isinstance(found, dict) or (answer.status != 200 and not found.get("error")):
            raise Refused(f"{where} answered {answer.status}")
        return found


async def refresh(token_endpoint: str, client_id: str, refresh_token: str) -> Granted:
    """New tokens for a refresh token, from where they were first granted. Raises Refused."""
    from llm_incident_manager.adapters import outbound

    way = outbound.for_a_person()
    try:
        return await Issuer(token_endpoint, client_id, way).renewed(token_endpoint, refresh_token)
    finally:
        await way.close()


def _granted(found: Mapping[str, Any], refresh_token: str = "") -> Granted:
    token, lifetime = found.get("access_token"), found.get("expires_in", 0)
    if not isinstance(token, str) or not token or str(found.get("token_type", "Bearer")).lower() != "bearer":
        raise Refused("the issuer gave no bearer token")
    seconds = int(lifetime) if isinstance(lifetime, int | float | str) and str(lifetime).isdigit() else 0
    return Granted(token, str(found.get("refresh_token") or refresh_token), seconds)


def _error(found: Mapping[str, Any], error: object) -> str:
    return safe(f"{error}: {found['error_description']}" if found.get("error_description") else str(error))


def _trusted(url: str) -> str:
    """The URL, if tokens may be sent there. Raises BadUsage."""
    parts = urlsplit(url)
    if not parts.hostname or "@" in parts.netloc:
        raise BadUsage(f"{url!r} is no issuer: give its URL, such as https://login.example.com")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname)):
        raise BadUsage(f"{url!r} would see tokens in clear text: give a URL that starts with https://")
    return url

"""Tells by an HTTP POST, signed when a secret is configured. Sends once: whether and when to try again others decide.

The body is JSON: {"event_type": "incident.opened", "timestamp", "notification_id", "incident": {…}}. A repeat of the
same message carries the same Idempotency-Key, so a receiver that remembers keys acts once.

A receiver checks the signature header `X-Incident-Signature: t=1795295562,v1=5257a8…` like this:

    fields = dict(part.split("=", 1) for part in header.split(","))
    expected = hmac.new(secret.encode(), fields["t"].encode() + b"." + raw_body, hashlib.sha256).hexdigest()
    genuine = hmac.compare_digest(expected, fields["v1"]) and abs(time.time() - int(fields["t"])) < 300

over the raw body, before parsing it. The age limit keeps old messages from being replayed.
"""

import contextlib
import hashlib
import hmac
from email.utils import parsedate_to_datetime
from urllib.parse import quote

import aiohttp
import orjson

from llm_incident_manager.domain.time import HOUR, SECOND, Instant, from_datetime, rfc3339
from llm_incident_manager.ports.channel import Notification, Receipt
from llm_incident_manager.ports.clock import Clock

MOST_RESPONSE_BYTES = 64 * 1024
LONGEST_WAIT = HOUR // SECOND
"""Seconds; a Retry-After beyond it is cut."""


class WebhookChannel:
    """Posts notifications to one URL. Follows no redirect, keeps no cookies, uses no proxy of the environment."""

    def __init__(
        self, name: str, url: str, clock: Clock, *, version: str, secret: str = "", timeout_secs: float = 10.0
    ) -> None:
        """`timeout_secs` is for a whole attempt, from resolving the name to the last byte of the answer."""
        self._name = name
        self._url = url
        self._clock = clock
        self._agent = f"llm-incident-manager/{version}"
        self._secret = secret.encode()
        self._timeout = timeout_secs
        self._session: aiohttp.ClientSession | None = None

    @property
    def name(self) -> str:
        """The name routes use."""
        return self._name

    async def send(self, notification: Notification) -> Receipt:
        """Posts once. Timeouts, lost connections, 429 and 5xx may be tried again; any other refusal is for good."""
        body = _body(notification)
        headers = self._headers(notification, body)
        try:
            async with self._connected().post(self._url, data=body, headers=headers, allow_redirects=False) as response:
                await _drain(response)
                return self._receipt(response)
        except TimeoutError:
            return Receipt(ok=False, retryable=True, detail=f"no answer within {self._timeout:g} s")
        except aiohttp.InvalidURL:
            return Receipt(ok=False, detail="the URL is not usable")
        except (aiohttp.ClientError, OSError) as error:
            return Receipt(ok=False, retryable=True, detail=f"connection failed: {type(error).__name__}")

    async def close(self) -> None:
        """Closes the connections that are kept open; a later send opens new ones."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _connected(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=self._timeout),
                connector=aiohttp.TCPConnector(limit=0),  # who sends bounds it: nothing must wait here unseen
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            )
        return self._session

    def _headers(self, notification: Notification, body: bytes) -> dict[str, str]:
        headers = {
            "Content-Type": "application/json",
            "User-Agent": self._agent,
            "Idempotency-Key": _plain(notification.dedup_key),
            "X-Incident-Delivery": _plain(notification.id),
        }
        if notification.traceparent:
            headers["traceparent"] = _plain(notification.traceparent)
        if self._secret:
            headers["X-Incident-Signature"] = signature(self._secret, self._clock.now() // SECOND, body)
        return headers

    def _receipt(self, response: aiohttp.ClientResponse) -> Receipt:
        status = response.status
        if 200 <= status < 300:
            return Receipt(ok=True, detail=f"http {status}")
        if status == 429 or status >= 500:
            wait = retry_after(response.headers.get("Retry-After", ""), self._clock.now())
            return Receipt(ok=False, retryable=True, detail=f"http {status}", retry_after=wait)
        return Receipt(ok=False, detail=f"http {status}")


def signature(secret: bytes, seconds: int, body: bytes) -> str:
    """The value of X-Incident-Signature for a body posted at a time in Unix seconds."""
    digest = hmac.new(secret, f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={digest}"


def retry_after(value: str, now: Instant) -> float | None:
    """The wait in seconds that a Retry-After header asks for, at most an hour; None when there is none to read."""
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(min(int(text[:9]), LONGEST_WAIT))
    try:
        at = from_datetime(parsedate_to_datetime(text))
    except (ValueError, OverflowError):
        return None
    return float(min(max(at - now, 0) / SECOND, LONGEST_WAIT))


def _body(notification: Notification) -> bytes:
    return orjson.dumps(
        {
            "event_type": f"incident.{notification.reason}",
            "timestamp": rfc3339(notification.at),
            "notification_id": notification.id,
            "incident": dict(notification.payload),
        },
        default=dict,
    )


async def _drain(response: aiohttp.ClientResponse) -> None:
    """Reads a small answer to its end, so that the connection can be used again. The status has already decided."""
    left = MOST_RESPONSE_BYTES
    with contextlib.suppress(TimeoutError, aiohttp.ClientError, OSError):
        while left > 0 and (chunk := await response.content.read(left)):
            left -= len(chunk)
    if left <= 0:
        response.close()


def _plain(text: str) -> str:
    """Text that may stand in a header, whatever was in it: ids pass as they are."""
    return quote(text, safe=" !#$&'()*+,/:;=?@[]~|")

"""Tells by an HTTP POST, signed when a secret is configured. Sends once: whether and when to try again others decide.

The body is JSON: {"event_type": "incident.opened", "timestamp", "notification_id", "incident": {…}}. A repeat of the
same message carries the same Idempotency-Key, so a receiver that remembers keys acts once.

A receiver checks the signature header `X-Incident-Signature: t=1795295562,v1=5257a8…` like this:

    fields = dict(part.split("=", 1) for part in header.split(","))
    expected = hmac.new(secret.encode(), fields["t"].encode() + b"." + raw_body, hashlib.sha256).hexdigest()
    genuine = hmac.compare_digest(expected, fields["v1"]) and abs(time.time() - int(fields["t"])) < 300

over the raw body, before parsing it. The age limit keeps old messages from being replayed.
"""

import hashlib
import hmac
from email.utils import parsedate_to_datetime
from urllib.parse import quote

import orjson

from llm_incident_manager.domain.time import HOUR, SECOND, Instant, from_datetime, rfc3339
from llm_incident_manager.ports.channel import Notification, Receipt
from llm_incident_manager.ports.clock import Clock
from llm_incident_manager.ports.outbound import Answer, NotAllowed, Outbound, OutboundFailed, Request

LONGEST_WAIT = HOUR // SECOND
"""Seconds; a Retry-After beyond it is cut."""


class WebhookChannel:
    """Posts notifications to one URL, through the one way out."""

    def __init__(
        self, name: str, url: str, clock: Clock, outbound: Outbound, *, secret: str = "", timeout_secs: float = 10.0
    ) -> None:
        """`timeout_secs` is for a whole attempt, from resolving the name to the last byte of the answer."""
        self._name = name
        self._url = url
        self._clock = clock
        self._outbound = outbound
        self._secret = secret.encode()
        self._timeout = timeout_secs

    @property
    def name(self) -> str:
        """The name routes use."""
        return self._name

    async def send(self, notification: Notification) -> Receipt:
        """Posts once. Timeouts, lost connections, 429 and 5xx may be tried again; any other refusal is for good."""
        body = _body(notification)
        headers = self._headers(notification, body)
        request = Request(self._url, "webhook", "POST", body, headers, self._timeout, reads=False)
        try:
            return self._receipt(await self._outbound.send(request))
        except NotAllowed as error:
            return Receipt(ok=False, detail=str(error))
        except OutboundFailed as error:
            return Receipt(ok=False, retryable=True, detail=str(error))

    async def close(self) -> None:
        """Has nothing to give back: the way out is shared."""

    def _headers(self, notification: Notification, body: bytes) -> dict[str, str]:
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": _plain(notification.dedup_key),
            "X-Incident-Delivery": _plain(notification.id),
        }
        if notification.traceparent:
            headers["traceparent"] = _plain(notification.traceparent)
        if self._secret:
            headers["X-Incident-Signature"] = signature(self._secret, self._clock.now() // SECOND, body)
        return headers

    def _receipt(self, answer: Answer) -> Receipt:
        status = answer.status
        if 200 <= status < 300:
            return Receipt(ok=True, detail=f"http {status}")
        if status == 429 or status >= 500:
            wait = retry_after(answer.headers.get("retry-after", ""), self._clock.now())
            return Receipt(ok=False, retryable=True, detail=f"http {status}", retry_after=wait, busy=status == 429)
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


def _plain(text: str) -> str:
    """Text that may stand in a header, whatever was in it: ids pass as they are."""
    return quote(text, safe=" !#$&'()*+,/:;=?@[]~|")

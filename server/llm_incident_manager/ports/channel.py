"""A way to reach somebody."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from llm_incident_manager.domain.ids import IncidentId, TenantId
from llm_incident_manager.domain.time import Instant


@dataclass(frozen=True, slots=True)
class Notification:
    """One message to one channel. A repeat of the same message carries the same `dedup_key`."""

    id: str
    tenant: TenantId
    incident_id: IncidentId
    dedup_key: str
    reason: str
    at: Instant
    payload: Mapping[str, object]
    traceparent: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the channel answered: ok, whether trying again may help, a short word for the log, how long to wait, and
    whether it is only busy: it is there, and takes no more for now."""

    ok: bool
    retryable: bool = False
    detail: str = ""
    retry_after: float | None = None
    busy: bool = False


class Channel(Protocol):
    """Sends notifications. A refusal is a Receipt, not an exception."""

    @property
    def name(self) -> str:
        """The name routes use."""
        ...

    async def send(self, notification: Notification) -> Receipt:
        """Sends once, within the channel's own deadline."""
        ...

    async def close(self) -> None:
        """Gives back connections."""
        ...

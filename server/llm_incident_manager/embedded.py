"""The manager inside another program: the whole pipeline and store of the server, and no network door.

    async with IncidentProcessor() as processor:
        ack = await processor.process_alert(Alert("ext-123", "monitoring", "High CPU Usage", severity=Severity.P1))
        await processor.resolve(ack.incident_id, resolved_by="ann@example.com", force=True)

What it does can be chosen with the keys of config.yaml: `IncidentProcessor({"deduplication": {"window_secs": 60}})`.
Its log lines go to the standard logger `llm_incident_manager`, unless this process has set up the server's own.
"""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from llm_incident_manager.config import Settings
from llm_incident_manager.domain.alert import Alert, AlertAck
from llm_incident_manager.domain.errors import DomainError, ErrorReason
from llm_incident_manager.domain.incident import Incident, ResolutionMethod
from llm_incident_manager.domain.lifecycle import State
from llm_incident_manager.domain.severity import IncidentType, Severity
from llm_incident_manager.server import Server
from llm_incident_manager.telemetry import logs
from llm_incident_manager.transport.inprocess import Inprocess

__all__ = [
    "Alert",
    "AlertAck",
    "DomainError",
    "ErrorReason",
    "Incident",
    "IncidentProcessor",
    "IncidentType",
    "ResolutionMethod",
    "Severity",
    "State",
]


class IncidentProcessor:
    """A running manager for the length of an `async with` block, in the event loop that entered it.

    Its methods raise DomainError, whose `reason` is one of ErrorReason.
    """

    def __init__(self, settings: Mapping[str, object] | None = None) -> None:
        """`settings` as config.yaml has them; records are kept in memory unless `storage` says otherwise.

        Raises:
            pydantic.ValidationError: a key or a value is not one of config.yaml's.
        """
        self._settings = Settings.model_validate({"storage": {"type": "memory"}, **(settings or {})})
        self._stack = AsyncExitStack()
        self._door: Inprocess | None = None

    async def __aenter__(self) -> Self:
        """Opens the store and starts the pipeline. Raises StoreRefused, StoreUnavailable."""
        logs.hand_over()
        async with AsyncExitStack() as opening:
            server = await Server.build(self._settings, opening)
            server.work()
            opening.push_async_callback(server.drain)
            self._door = Inprocess(server.dispatcher, server.store)
            self._stack = opening.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stops the pipeline and closes the store. Notifications not sent yet stay in a store that lasts."""
        self._door = None
        await self._stack.aclose()

    async def process_alert(self, alert: Alert) -> AlertAck:
        """Deduplicates, judges and groups an alert; returns after the commit."""
        return await self._open().submit_alert(alert)

    async def incident(self, incident_id: str) -> Incident:
        """An incident by id or number."""
        return await self._open().incident(incident_id)

    async def acknowledge(self, incident_id: str, *, actor: str = "") -> Incident:
        """Takes a NEW incident."""
        return await self._open().acknowledge(incident_id, actor)

    async def resolve(
        self,
        incident_id: str,
        *,
        resolved_by: str = "",
        method: ResolutionMethod = ResolutionMethod.MANUAL,
        notes: str = "",
        root_cause: str = "",
        force: bool = False,
    ) -> Incident:
        """Ends an incident; one that nobody has taken only with `force`."""
        return await self._open().resolve(incident_id, resolved_by, method, notes, root_cause, force=force)

    def _open(self) -> Inprocess:
        if self._door is None:
            raise RuntimeError("the processor is not running: use it inside `async with IncidentProcessor() as …`")
        return self._door

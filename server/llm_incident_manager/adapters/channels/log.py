"""Tells by a log line: for a first look, for machines that follow the log, and for whoever has no channel yet."""

from typing import Protocol

from llm_incident_manager.ports.channel import Notification, Receipt

SHOWN = ("number", "severity", "state", "incident_type", "kind", "title", "source", "service")
"""What of an incident stands in the line."""


class Emit(Protocol):
    """Writes a log line at level info."""

    def __call__(self, event: str, **fields: object) -> None:
        """The event is `word.past_tense`; the fields tell the rest."""
        ...


class LogChannel:
    """Writes `notify.sent` for each notification; never refuses one."""

    def __init__(self, name: str, emit: Emit) -> None:
        """`name` is what routes call it; `emit` writes the line."""
        self._name = name
        self._emit = emit

    @property
    def name(self) -> str:
        """The name routes use."""
        return self._name

    async def send(self, notification: Notification) -> Receipt:
        """Writes the line."""
        shown = {name: value for name in SHOWN if (value := notification.payload.get(name)) not in (None, "")}
        self._emit(
            "notify.sent",
            channel=self._name,
            reason=notification.reason,
            incident_id=notification.incident_id,
            notification_id=notification.id,
            **shown,
        )
        return Receipt(ok=True, detail="logged")

    async def close(self) -> None:
        """Has nothing to give back."""

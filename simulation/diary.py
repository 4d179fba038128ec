"""What clients were told. A first answer is a promise: it is compared with every later one and with the database."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from google.protobuf.message import Message

from llm_incident_manager.domain.disposition import Disposition
from simulation.world import World


class Told(NamedTuple):
    """What became of an event, as its producer knows it."""

    event_id: str
    disposition: int
    incident_id: str


@dataclass(slots=True)
class Diary:
    """Kept by all clients together."""

    world: World
    told: dict[str, Told] = field(default_factory=dict)
    """By the name that the event has in this run."""
    once: dict[str, bool] = field(default_factory=dict)
    """Whether an event may be stored only once, however often it was sent: by its name."""
    sent: Counter[str] = field(default_factory=Counter)
    answers: dict[str, bytes] = field(default_factory=dict)
    asked: dict[str, tuple[str, Message]] = field(default_factory=dict)
    notes: Counter[str] = field(default_factory=Counter)
    incidents: dict[str, None] = field(default_factory=dict)
    reached: dict[str, int] = field(default_factory=dict)
    """How far producers have come: the last sequence number that was acknowledged, by producer."""

    def event(self, name: str, told: Told, *, keyed: bool = False) -> None:
        """An event was acknowledged. With `keyed` a later answer may call it a duplicate of the first."""
        self.world.trace(f"is told {name} {told.disposition} {told.event_id}")
        if told.incident_id:
            self.incidents[told.incident_id] = None
        first = self.told.setdefault(name, told)
        if keyed and told.disposition == Disposition.DUPLICATE:
            told = told._replace(disposition=first.disposition)
        if first != told and self.once[name]:
            self.world.found("first answer", f"{name} was {first}, and then {told}")

    def answer(self, request_id: str, name: str, request: Message, reply: Any) -> None:
        """A request with an id was answered."""
        data = reply.SerializeToString(deterministic=True)
        self.world.trace(f"is answered {name} {request_id}")
        if not request_id:
            return
        self.asked[request_id] = (name, request)
        if self.answers.setdefault(request_id, data) != data:
            self.world.found("first answer", f"{name} {request_id} was answered otherwise the second time: {reply}")

"""Who uses the servers: reporters send single events, operators move incidents. Both insist until they are answered."""

import asyncio
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from incidentmanager.v1 import event_pb2, incident_verbs_pb2, ingest_service_pb2

from llm_incident_manager.domain.time import MINUTE, SECOND
from simulation.diary import Diary, Told
from simulation.network import RETRIED, Network, Refused, Unanswered
from simulation.world import World

verbs = incident_verbs_pb2
ACTIONS = (event_pb2.ACTION_TRIGGER,) * 14 + (
    event_pb2.ACTION_RESOLVE,
    event_pb2.ACTION_RESOLVE,
    event_pb2.ACTION_RESOLVE,
    event_pb2.ACTION_ACKNOWLEDGE,
    event_pb2.ACTION_CHANGE,
)
REQUESTS: Mapping[str, Callable[..., Message]] = {
    "Acknowledge": verbs.AcknowledgeRequest,
    "Resolve": verbs.ResolveRequest,
    "Close": verbs.CloseRequest,
    "Reopen": verbs.ReopenRequest,
    "Escalate": verbs.EscalateRequest,
    "StartWork": verbs.StartWorkRequest,
    "Assign": verbs.AssignRequest,
}
PLAIN = (*REQUESTS, "Acknowledge", "Acknowledge", "Resolve")
SEVERITIES = ("P0", "P1", "P2", "P2", "P3", "P3", "P4", "")
AGES = (0, 0, 0, 0, 0, 0, SECOND, 20 * MINUTE, 120 * MINUTE)
GIVES_UP = 0.02
"""How likely a client gives up after each failure."""


class Client:
    """One client, with a sequence of draws of its own."""

    def __init__(self, name: str, world: World, network: Network, diary: Diary, problems: int) -> None:
        """`problems`: how many different ones its events are about."""
        self.name = name
        self.world = world
        self.network = network
        self.diary = diary
        self.random: Random = world.chance.stream(name)
        self._problems = problems

    def event(self, name: str) -> event_pb2.Event:
        """An event of that name about one of the problems."""
        draw = self.random
        event = event_pb2.Event(
            source="shield",
            title="provider fails",
            external_id=name,
            dedup_key=f"problem-{draw.randrange(self._problems)}",
            action=draw.choice(ACTIONS),
            severity=draw.choice(SEVERITIES),
            kind=draw.choice(("", "provider_outage", "prompt_injection")),
            input_tokens=draw.randrange(100),
        )
        event.event_time.CopyFrom(stamp(self.world.now - draw.choice(AGES)))
        return event

    async def insist(self, name: str, request: Message) -> Any:
        """The answer, or None when the client has given up. Raises Refused when the answer is no."""
        while True:
            try:
                return await self.network.unary(name, request)
            except Unanswered as lost:
                why = str(lost)
            except Refused as refused:
                if refused.code not in RETRIED:
                    raise
                why = refused.code
            self.world.trace(f"asks {name} again: {why}")
            if not self.world.chance.calm and self.random.random() < GIVES_UP:
                return None
            await asyncio.sleep(self.random.uniform(0.02, 1))

    async def think(self, mean: float) -> None:
        """Lets some time pass."""
        await asyncio.sleep(self.random.expovariate(1 / mean))


class Reporter(Client):
    """Sends events one by one: by name, by request id, by both, or with nothing that tells a repeat."""

    async def run(self) -> None:
        """Sends some events, and some of them twice."""
        for number in range(self.random.randint(4, 10)):
            await self.think(0.4)
            request = self._request(f"{self.name}-{number}")
            await self._report(request)
            if self.random.random() < 0.15:
                await self.think(1.5)
                await self._report(request)

    def _request(self, name: str) -> ingest_service_pb2.SubmitEventRequest:
        event, way = self.event(name), self.random.choice(("key", "key", "request", "both", "neither"))
        if way in ("key", "both"):
            event.idempotency_key = name
        self.diary.once[name] = way != "neither"
        return ingest_service_pb2.SubmitEventRequest(event=event, request_id=name if way in ("request", "both") else "")

    async def _report(self, request: ingest_service_pb2.SubmitEventRequest) -> None:
        name = request.event.external_id
        self.diary.sent[name] += 1
        reply = await self.insist("SubmitEvent", request)
        if reply is None:
            return
        told = Told(reply.event_id, reply.disposition, reply.incident_id)
        self.diary.event(name, told, keyed=bool(request.event.idempotency_key) and not request.request_id)
        self.diary.answer(request.request_id, "SubmitEvent", request, reply)


class Operator(Client):
    """Does to incidents what people do."""

    async def run(self) -> None:
        """Some verbs, each under a request id or under none, some asked for twice."""
        ways: tuple[Callable[[str, str], tuple[str, Message]], ...] = (
            self._plain, self._plain, self._plain, self._snooze, self._snooze, self._snooze, self._note, self._merge,
        )  # fmt: skip
        for number in range(self.random.randint(4, 14)):
            await self.think(0.4)
            if not (known := list(self.diary.incidents)):
                continue
            name = f"{self.name}-{number}"
            method, request = self.random.choice(ways)(self.random.choice(known), name)
            await self._ask(method, request)
            if self.random.random() < 0.2:
                await self.think(1.5)
                await self._ask(method, request)

    async def _ask(self, method: str, request: Any) -> None:
        try:
            reply = await self.insist(method, request)
        except Refused as refused:
            self.world.trace(f"{method} was refused: {refused}")
            return
        if reply is not None:
            self.diary.answer(request.request_id, method, request, reply)
            if method == "AddNote":
                self.diary.notes[request.text] += 1

    def _id(self, name: str) -> str:
        return name if self.random.random() < 0.85 else ""

    def _plain(self, incident: str, name: str) -> tuple[str, Message]:
        about = {"incident_id": incident, "request_id": self._id(name)}
        method = self.random.choice(PLAIN)
        request = REQUESTS[method](**about)
        if isinstance(request, verbs.ResolveRequest):
            request.force = True
        elif isinstance(request, verbs.AssignRequest):
            request.assignees.append(name)
        return method, request

    def _snooze(self, incident: str, name: str) -> tuple[str, Message]:
        until = stamp(self.world.now + int(self.random.uniform(0.1, self.random.choice((0.5, 2, 3600))) * SECOND))
        return "Snooze", verbs.SnoozeRequest(incident_id=incident, request_id=self._id(name), until=until)

    def _note(self, incident: str, name: str) -> tuple[str, Message]:
        self.diary.notes[name] += 0
        return "AddNote", verbs.AddNoteRequest(incident_id=incident, request_id=name, text=name)

    def _merge(self, incident: str, name: str) -> tuple[str, Message]:
        other = self.random.choice(list(self.diary.incidents))
        sources = [other]
        return "Merge", verbs.MergeRequest(incident_id=incident, request_id=self._id(name), source_incident_ids=sources)


def stamp(micros: int) -> Timestamp:
    """An instant as the contract has it."""
    return Timestamp(seconds=micros // SECOND, nanos=micros % SECOND * 1_000)

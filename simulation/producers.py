"""Producers: their events have numbers, and they send them by stream, connection after connection, until all are in."""

import asyncio
from collections.abc import Sequence

from incidentmanager.v1 import event_pb2, ingest_service_pb2

from simulation.clients import GIVES_UP, Client
from simulation.diary import Told
from simulation.network import PATIENCE, Connection, Refused, Unanswered

pb = ingest_service_pb2
WINDOW = 30
"""Events in flight."""


class Producer(Client):
    """Keeps its events until they are acknowledged, and continues where the server says; or before that, to be safe."""

    _epoch = 0
    _events: Sequence[event_pb2.Event] = ()
    _zombie: Connection | None = None

    async def run(self) -> None:
        """Sends all events."""
        self._events = [self._made(number) for number in range(1, self.random.randint(8, 50))]
        self.diary.reached[self.name] = 0
        while self._acked < len(self._events):
            try:
                await self._session()
            except (Unanswered, Refused) as ended:
                self.world.trace(f"stream ended: {ended}")
                if not self.world.chance.calm and self.random.random() < GIVES_UP:
                    return
            await asyncio.sleep(self.random.uniform(0.02, 1))

    @property
    def total(self) -> int:
        """How many events there are."""
        return len(self._events)

    @property
    def _acked(self) -> int:
        return self.diary.reached[self.name]

    def _made(self, number: int) -> event_pb2.Event:
        name = f"{self.name}-{number}"
        self.diary.once[name] = True
        event = self.event(name)
        if self.random.random() < 0.05:
            event.source = ""  # is rejected, and must not disturb the others
        return event

    async def _session(self) -> None:
        """One connection."""
        connection = self.network.connect("StreamEvents")
        try:
            connection.send(pb.StreamEventsRequest(open=pb.StreamOpen(producer_id=self.name)))
            opened = (await connection.receive(PATIENCE)).opened
            self._check_opened(opened)
            self._haunt()
            next_number = opened.last_sequence + 1
            if self.random.random() < 0.3:
                next_number = self.random.randint(1, next_number)
            await self._send_all(connection, next_number)
        finally:
            if self._zombie is None and self.random.random() < 0.3:
                self._zombie = connection
            else:
                connection.drop()

    async def _send_all(self, connection: Connection, next_number: int) -> None:
        while self._acked < self.total:
            while next_number <= self.total and next_number <= self._acked + WINDOW:
                next_number = self._send(connection, next_number)
                if self.random.random() < 0.5:
                    break
            if self.random.random() < 0.05:
                return  # goes away in the middle
            if next_number > self.total or self.random.random() < 0.7:
                self._take((await connection.receive(PATIENCE)).acks)
        connection.send(None)

    def _send(self, connection: Connection, first: int) -> int:
        frame = self._events[first - 1 : first - 1 + self.random.randint(1, 7)]
        self.world.trace(f"sends {first} to {first + len(frame) - 1} to {connection.server.name}")
        connection.send(pb.StreamEventsRequest(frame=pb.EventFrame(first_sequence=first, events=frame)))
        return first + len(frame)

    def _haunt(self) -> None:
        """The connection before this one was not quite dead: it still delivers something."""
        zombie, self._zombie = self._zombie, None
        if zombie is not None:
            if self._acked < self.total:
                self._send(zombie, self._acked + 1)
            zombie.drop()

    def _take(self, acks: ingest_service_pb2.EventAcks) -> None:
        for number, result in enumerate(acks.results, acks.first_sequence):
            told = Told(result.event_id, result.disposition, result.incident_id)
            self.diary.event(f"{self.name}-{number}", told)
        last = acks.first_sequence + len(acks.results) - 1
        self.diary.reached[self.name] = max(self._acked, last)

    def _check_opened(self, opened: ingest_service_pb2.StreamOpened) -> None:
        if opened.last_sequence < self._acked:
            text = f"{self.name} was acknowledged up to {self._acked}, and the server knows {opened.last_sequence}"
            self.world.found("acked is durable", text)
        if opened.epoch <= self._epoch:
            self.world.found("epochs grow", f"{self.name} gets epoch {opened.epoch} after {self._epoch}")
        self._epoch = opened.epoch

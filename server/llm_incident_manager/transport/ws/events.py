"""The events of a connection: one call of StreamEvents, begun with the first of them, answers all in their order."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any

from google.protobuf.message import Message
from incidentmanager.v1 import ingest_service_pb2

from llm_incident_manager.domain.errors import DomainError
from llm_incident_manager.transport import errors
from llm_incident_manager.transport.call import Call
from llm_incident_manager.transport.dispatch import Dispatcher, Streaming
from llm_incident_manager.transport.errors import StatusError
from llm_incident_manager.transport.ws import messages
from llm_incident_manager.transport.ws.farewell import ends_connection
from llm_incident_manager.transport.ws.frames import Events
from llm_incident_manager.transport.ws.socket import Socket

WAITING = 4
"""Messages with events that may wait for those before them; then the connection is not read."""
REMEMBER_SECONDS = 1.0
"""How long a refusal of the whole call holds for the next events, too: asking again costs more than saying no."""


class EventLine:
    """Takes events, and acknowledges them after their commit."""

    def __init__(
        self,
        socket: Socket,
        dispatcher: Dispatcher,
        handler: Streaming,
        new_call: Callable[[], Call],
        failed: Callable[[StatusError], None],
    ) -> None:
        """`failed` is told of what ends not only some events but the connection."""
        self._socket, self._dispatcher, self._handler = socket, dispatcher, handler
        self._new_call = new_call
        self._failed = failed
        self._given: asyncio.Queue[Events | None] = asyncio.Queue(WAITING)
        self._taken: deque[Events] = deque()
        self._task: asyncio.Task[None] | None = None
        self._refused: tuple[float, StatusError] | None = None

    async def take(self, events: Events) -> None:
        """Queues events behind those before; waits while these are many. Raises PeerGone, SlowSubscriber."""
        loop = asyncio.get_running_loop()
        if self._task is None and self._refused is not None and loop.time() - self._refused[0] < REMEMBER_SECONDS:
            await self._refuse(events, self._refused[1])
            return
        await self._given.put(events)
        if self._task is None:
            self._task = loop.create_task(self._run(), name="websocket-events")

    async def finish(self) -> None:
        """Takes no more; returns when what was taken is answered."""
        if self._task is not None:
            await self._given.put(None)
            await asyncio.wait({self._task})

    async def end(self) -> None:
        """Stops, whatever is not answered yet."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _run(self) -> None:
        try:
            await self._dispatcher.bidi(self._new_call(), self._requests(), self._answer, self._handler)
        except StatusError as error:
            if ends_connection(error):
                self._failed(error)
                return
            self._refused = asyncio.get_running_loop().time(), error
            await self._refuse_all(error)
        self._task = None

    async def _refuse_all(self, error: StatusError) -> None:
        try:
            while self._taken or not self._given.empty():
                events = self._taken.popleft() if self._taken else self._given.get_nowait()
                if events is not None:
                    await self._refuse(events, error)
        except DomainError as gone:
            self._failed(errors.status_error(gone))

    async def _requests(self) -> AsyncIterator[Message]:
        while (events := await self._given.get()) is not None:
            self._taken.append(events)
            yield events.request

    async def _answer(self, reply: Any) -> None:
        events = self._taken[0]
        await self._socket.say(*_answer(events, reply))
        self._taken.popleft()

    async def _refuse(self, events: Events, error: StatusError) -> None:
        await self._socket.tell("error", messages.error(error, events.id))


def _answer(events: Events, reply: Any) -> tuple[str, str]:
    """Type and text of the answer."""
    if not isinstance(reply, ingest_service_pb2.SubmitEventsResponse):
        return "error", messages.error(errors.of_status(reply), events.id)
    if not events.single:
        return "ack", messages.batch_ack(events.id, reply)
    refused = messages.rejection(reply.results[0])
    if refused is None:
        return "ack", messages.ack(events.id, reply.results[0])
    return "error", messages.error(errors.status_error(refused), events.id)

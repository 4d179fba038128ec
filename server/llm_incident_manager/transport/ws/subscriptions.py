"""The subscriptions of a connection: each is a call of WatchIncidents, and knows how far its client has been told."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from google.protobuf.message import Message
from incidentmanager.v1 import incident_pb2

from llm_incident_manager.domain.errors import AlreadyExists, DomainError, ErrorReason, NotFound
from llm_incident_manager.transport import errors
from llm_incident_manager.transport.call import Call
from llm_incident_manager.transport.dispatch import Dispatcher
from llm_incident_manager.transport.errors import StatusError
from llm_incident_manager.transport.ws import messages
from llm_incident_manager.transport.ws.farewell import ends_connection
from llm_incident_manager.transport.ws.frames import BadFrame, Subscribe, Unsubscribe
from llm_incident_manager.transport.ws.socket import Socket


class _Subscription:
    """One of them. `cursor` is the resume token of what was said last; empty until it has begun."""

    def __init__(self, asked: Subscribe, call: Call) -> None:
        self.asked, self.call = asked, call
        self.cursor = ""
        self.task: asyncio.Task[None] | None = None


class Subscriptions:
    """Begins and ends them by their names."""

    def __init__(
        self,
        socket: Socket,
        dispatcher: Dispatcher,
        new_call: Callable[[], Call],
        most: int,
        failed: Callable[[StatusError], None],
    ) -> None:
        """`most` at once; `failed` is told of what ends not only one of them but the connection."""
        self._socket, self._dispatcher = socket, dispatcher
        self._new_call = new_call
        self._most = most
        self._failed = failed
        self._open: dict[str, _Subscription] = {}

    @property
    def cursors(self) -> dict[str, str]:
        """The resume tokens of all that have begun, by their names."""
        return {name: each.cursor for name, each in self._open.items() if each.cursor}

    def begin(self, asked: Subscribe) -> None:
        """Begins one. Raises BadFrame when there is one of that name, or there are too many."""
        name = asked.subscription_id
        if name in self._open:
            raise BadFrame(AlreadyExists("subscription", name), asked.id, name)
        if len(self._open) >= self._most:
            text = f"a connection has at most {self._most} subscriptions: end one, or open another connection"
            metadata = {"limit": str(self._most), "cause": "subscriptions"}
            raise BadFrame(DomainError(ErrorReason.OVERLOADED, text, metadata), asked.id, name)
        made = self._open[name] = _Subscription(asked, self._new_call())
        made.task = asyncio.create_task(self._run(made), name="websocket-subscription")

    async def drop(self, asked: Unsubscribe) -> None:
        """Ends one, and says how far it came. Raises BadFrame when there is none of that name."""
        dropped = self._open.pop(asked.subscription_id, None)
        if dropped is None:
            raise BadFrame(NotFound("subscription", asked.subscription_id), asked.id, asked.subscription_id)
        await _stopped([dropped])
        dropped.call.left()
        text = messages.unsubscribed(asked.id, asked.subscription_id, dropped.cursor)
        await self._socket.tell("unsubscribed", text)

    async def finish(self, seconds: float) -> None:
        """Returns when all have ended by themselves, as they do when the server drains, or after so many seconds."""
        tasks = {each.task for each in self._open.values() if each.task is not None}
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)

    async def end(self) -> None:
        """Ends all; their cursors stay."""
        await _stopped(list(self._open.values()))

    def left(self) -> None:
        """Nothing of what was said is in memory any more."""
        for each in self._open.values():
            each.call.left()

    async def _run(self, one: _Subscription) -> None:
        async def request() -> Message:
            return one.asked.request

        try:
            await self._dispatcher.server_stream(one.call, request, partial(self._say, one))
        except StatusError as error:
            await self._failed_with(one, error)

    async def _failed_with(self, one: _Subscription, error: StatusError) -> None:
        if ends_connection(error):
            self._failed(error)
            return
        self._open.pop(one.asked.subscription_id, None)
        one.call.left()
        try:
            await self._socket.tell("error", messages.error(error, one.asked.id, one.asked.subscription_id))
        except DomainError as gone:
            self._failed(errors.status_error(gone))

    async def _say(self, one: _Subscription, change: Any) -> None:
        """Passes a change on, if it is of a kind that was asked for. Heartbeats of the watch only move the cursor."""
        name = one.asked.subscription_id
        if not one.cursor:
            text = messages.subscribed(one.asked.id, name, change.resume_token)
            await self._socket.say("subscribed", text)
            one.cursor = change.resume_token
        if _tells(one.asked, change):
            await self._socket.say("change", messages.change(name, change))
        one.cursor = change.resume_token


def _tells(asked: Subscribe, change: incident_pb2.IncidentChange) -> bool:
    return change.HasField("incident") and asked.selection.tells(change)


async def _stopped(those: list[_Subscription]) -> None:
    tasks = [each.task for each in those if each.task is not None]
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)

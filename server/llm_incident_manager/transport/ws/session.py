"""One connection from its first message to its last: hears what the client sends, keeps both sides from waiting for a
peer that is gone, and ends with a reason and the cursors of what is not finished."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from time import perf_counter  # a stop-watch for the log, not a source of time
from typing import Any

from llm_incident_manager.config.websocket_section import WebSocket
from llm_incident_manager.domain.access import Principal
from llm_incident_manager.domain.errors import DomainError
from llm_incident_manager.telemetry import logs
from llm_incident_manager.telemetry.metrics import Metrics
from llm_incident_manager.transport import errors
from llm_incident_manager.transport.call import Call
from llm_incident_manager.transport.dispatch import Dispatcher, Streaming
from llm_incident_manager.transport.drain import Drain
from llm_incident_manager.transport.errors import StatusError
from llm_incident_manager.transport.identity import OpenStreams
from llm_incident_manager.transport.methods import Method
from llm_incident_manager.transport.ws import farewell, frames, messages
from llm_incident_manager.transport.ws.events import EventLine
from llm_incident_manager.transport.ws.farewell import Farewell
from llm_incident_manager.transport.ws.frames import BadFrame, Events, Frame, Heartbeat, Ping, Subscribe, Unsubscribe
from llm_incident_manager.transport.ws.socket import LAST_WORDS_SECONDS, Socket
from llm_incident_manager.transport.ws.subscriptions import Subscriptions

AFTER_REFUSAL_SECONDS = 0.005
"""A pause after each message that is refused: whoever sends nonsense gets little of the server's time."""
SETTLING_SECONDS = 1.0
"""What is left of the grace of a drain for goodbyes."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What all connections share. `events` answers events; `most_events` may be in one message."""

    settings: WebSocket
    patience: float
    dispatcher: Dispatcher
    methods: Mapping[str, Method]
    events: Streaming
    most_events: int
    streams: OpenStreams
    drain: Drain
    metrics: Metrics


class Session:
    """A connection whose client is known."""

    def __init__(self, parts: Parts, socket: Socket, greeting: Call, session_id: str) -> None:
        """`greeting` is the call by which the client was let in; all others show what it showed."""
        self._parts, self._socket, self._greeting = parts, socket, greeting
        self._id = session_id
        self._failed: asyncio.Future[StatusError] = asyncio.get_running_loop().create_future()
        dispatcher, most = parts.dispatcher, parts.settings.max_subscriptions
        self._events = EventLine(socket, dispatcher, parts.events, self._calls("StreamEvents"), self._fail)
        watch = self._calls("WatchIncidents")
        self._subscriptions = Subscriptions(socket, dispatcher, watch, most, self._fail)
        self._log = logs.get("websocket")

    async def run(self) -> None:
        """Serves it until either side ends it."""
        started, principal = perf_counter(), self._greeting.principal
        assert principal is not None
        self._log.info("websocket.opened", tenant=principal.tenant, subject=principal.subject)
        last = farewell.GONE
        try:
            last = await self._until_revoked(principal)
            await self._finish(last)
        finally:
            await self._events.end()
            await self._subscriptions.end()
            await self._say_goodbye(last)
            self._subscriptions.left()
            self._parts.metrics.socket_closed(last.cause)
            self._log.info("websocket.closed", cause=last.cause, seconds=round(perf_counter() - started, 3))

    async def _until_revoked(self, principal: Principal) -> Farewell:
        end = asyncio.timeout(None)
        try:
            async with end:
                with self._parts.streams.one(principal, self._greeting.certificate, end):
                    return await self._live()
        except TimeoutError:
            if not end.expired():
                raise
            return farewell.revoked()

    async def _live(self) -> Farewell:
        """Until one of them knows why to end."""
        tasks = [self._task(self._read()), self._task(self._keep_alive()), self._task(self._until_drain())]
        try:
            ending: set[asyncio.Future[Any]] = {*tasks, self._failed}
            await asyncio.wait(ending, return_when=asyncio.FIRST_COMPLETED)
            if self._failed.done():
                return farewell.of(self._failed.result())
            return next(task for task in tasks if task.done()).result()
        except DomainError as error:
            return farewell.of(errors.status_error(error))
        except Exception:  # noqa: BLE001  # a defect of ours: this connection ends and no other
            self._log.exception("websocket.failed")
            return farewell.defect(self._id)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _task(self, work: Coroutine[Any, Any, Farewell]) -> asyncio.Task[Farewell]:
        return asyncio.create_task(work, name="websocket")

    async def _read(self) -> Farewell:
        """Does what the client says, one message after the other, until it goes."""
        limits = self._parts.settings.max_frame_bytes, self._parts.most_events
        while (heard := await self._socket.hear()) is not None:
            try:
                frame = frames.parse(heard, *limits)
            except BadFrame as bad:
                self._socket.heard("malformed")
                await self._refuse(bad)
                continue
            self._socket.heard(frames.kind(frame))
            try:
                await self._do(frame)
            except BadFrame as bad:
                await self._refuse(bad)
            await asyncio.sleep(0)  # a thousand messages that came at once must not keep others waiting
        return farewell.GONE

    async def _refuse(self, bad: BadFrame) -> None:
        refused = errors.status_error(bad.error)
        await self._socket.tell("error", messages.error(refused, bad.id, bad.subscription_id))
        await asyncio.sleep(AFTER_REFUSAL_SECONDS)

    async def _do(self, frame: Frame) -> None:
        match frame:
            case Events():
                await self._events.take(frame)
            case Subscribe():
                self._subscriptions.begin(frame)
            case Unsubscribe():
                await self._subscriptions.drop(frame)
            case Ping():
                await self._socket.tell("pong", messages.pong(frame.id))
            case Heartbeat():
                pass

    async def _keep_alive(self) -> Farewell:
        """Tells the client again and again that the server is there, and how far it was told. Until nothing was heard
        of it for too long, while it was listened to."""
        settings, line, loop = self._parts.settings, self._socket.line, asyncio.get_running_loop()
        beat = loop.time() + settings.heartbeat_secs
        while True:
            silent = line.heard_at + settings.timeout_secs
            await asyncio.sleep(max(min(beat, silent) - loop.time(), settings.heartbeat_secs / 10))
            if loop.time() >= line.heard_at + settings.timeout_secs and not line.is_held:
                return farewell.silent(settings.timeout_secs)
            if loop.time() >= beat:
                beat = loop.time() + settings.heartbeat_secs
                await self._socket.tell("heartbeat", messages.heartbeat(self._subscriptions.cursors))

    async def _until_drain(self) -> Farewell:
        await self._parts.drain.wait()
        return farewell.draining()

    async def _finish(self, last: Farewell) -> None:
        """When the server drains, what was taken is answered, for as long as there is time."""
        if last.cause != "draining":
            return
        grace = self._parts.drain.grace
        try:
            async with asyncio.timeout(max(grace / 2, grace - LAST_WORDS_SECONDS - SETTLING_SECONDS)):
                await self._events.finish()
        except TimeoutError:
            self._log.warning("websocket.unfinished", meaning="some events were not acknowledged before the end")
        await self._subscriptions.finish(SETTLING_SECONDS)

    async def _say_goodbye(self, last: Farewell) -> None:
        text = "" if last.error is None else messages.closing(last.error, self._subscriptions.cursors)
        await self._socket.close(last.code, last.cause, text)

    def _fail(self, error: StatusError) -> None:
        if not self._failed.done():
            self._failed.set_result(error)

    def _calls(self, name: str) -> Callable[[], Call]:
        """Makes calls of a method that show what the client has shown."""
        greeting, method = self._greeting, self._parts.methods[name]

        def made() -> Call:
            shown = (greeting.certificate, greeting.tls)
            return Call(method, greeting.transport, greeting.metadata, greeting.peer, None, *shown)

        return made

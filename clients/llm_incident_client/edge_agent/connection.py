"""One connection of an agent's session: an event stream's, with everything else that travels beside the events."""

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from llm_incident_client import pb
from llm_incident_client import pb_agents as msg
from llm_incident_client.core.session import Call, Opened, Pace, Session
from llm_incident_client.core.tickets import Ticket
from llm_incident_client.core.window import Opening, Window


class Connection(Session):
    """Sends what is said beside the events, first, and one message at a time; gives what it hears to `heard`."""

    def __init__(
        self,
        window: Window[Ticket],
        pace: Pace,
        *,
        settle: Callable[[list[tuple[Ticket, pb.EventResult]]], None],
        on_open: Callable[[Opening, int], None],
        on_drain: Callable[[], None],
        heard: Callable[[msg.SessionResponse], None],
    ) -> None:
        """As Session. `heard` gets every reply but acknowledgements, heartbeats and the drain; it must not block."""
        super().__init__(window, pace, settle=settle, on_open=on_open, on_drain=on_drain)
        self._heard = heard
        self._said: deque[bytes] = deque()
        self._beats = 0
        self._answered = 0
        self._beating: asyncio.TimerHandle | None = None

    def say(self, message: msg.SessionRequest) -> None:
        """Sends it as soon as the connection takes it; forgotten when the connection ends before."""
        self._said.append(message.SerializeToString())
        self._pace.work.set()

    async def run(self, call: Call, opening: bytes, patience: timedelta) -> None:
        """As Session.run, with heartbeats while it lasts."""
        try:
            await super().run(call, opening, patience)
        finally:
            if self._beating is not None:
                self._beating.cancel()

    def _opened(self, reply: Any) -> Opened | None:  # noqa: ANN401  # as in Session
        if reply.WhichOneof("message") != "registered":
            return None
        self._heard(reply)
        interval = reply.registered.heartbeat_interval.ToTimedelta().total_seconds()
        if interval > 0:
            self._beat(interval)
        opened: Opened = reply.registered
        return opened

    def _beat(self, interval: float) -> None:
        # Half of it, so that one lost to a slow moment does not make the agent look dead.
        self._beating = asyncio.get_running_loop().call_later(interval / 2, self._beat, interval)
        if self.is_open:
            waits = self._is_owed()
            self._beats += 1
            self.say(msg.SessionRequest(heartbeat=msg.EdgeAgentHeartbeat(number=self._beats)))
            if not waits:  # otherwise patience runs already, and is not given anew with each heartbeat
                self._watch()

    def _take_other(self, reply: Any, kind: str | None) -> None:  # noqa: ANN401  # as in Session
        if kind == "heartbeat":
            self._answered = max(self._answered, reply.heartbeat.number)
            self._watch()
        elif kind is not None:  # a kind that this release does not know is for later ones
            self._heard(reply)

    def _is_owed(self) -> bool:
        return super()._is_owed() or self._answered < self._beats

    def _next_message(self) -> bytes | None:
        if self._said and not self._half_closed:
            return self._said.popleft()
        return super()._next_message()

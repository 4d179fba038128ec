"""Workers that now and then get the rows of a claim once more, later and with their old fence, as from a bus."""

from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, Protocol

from llm_incident_manager.pipeline.outbox import Handler
from llm_incident_manager.pipeline.timers import Timers
from llm_incident_manager.pipeline.tools import Tools
from llm_incident_manager.ports.changes import OutboxRow
from llm_incident_manager.ports.timers import TimerRow


class Worker(Protocol):
    """The server whose workers they are."""

    name: str

    def again(self, work: Callable[[], Coroutine[Any, Any, None]], what: str) -> None:
        """Now and then does it once more."""
        ...


class Repeating:
    """Implements pipeline.outbox.Handler around the product's."""

    def __init__(self, handler: Handler, server: Worker) -> None:
        """`handler` is a stage or an effect."""
        self.NAME = handler.NAME
        self.TOPIC = handler.TOPIC
        self._handler = handler
        self._server = server

    async def run(self, rows: Sequence[OutboxRow], tools: Tools) -> None:
        """Does the work, and may do it again."""
        self._server.again(partial(self._handler.run, rows, tools), self.NAME)
        await self._handler.run(rows, tools)


class RepeatingTimers(Timers):
    """The product's timers."""

    def __init__(self, tools: Tools, server: Worker) -> None:
        """`server` names the owner of leases."""
        super().__init__(tools, server.name)
        self._server = server

    async def _fire(self, rows: Sequence[TimerRow]) -> None:
        self._server.again(partial(super()._fire, rows), "timers")
        await super()._fire(rows)

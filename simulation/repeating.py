"""Timers that now and then get the rows of a claim once more, later and with their old fence."""

from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, Protocol

from llm_incident_manager.pipeline.timers import Timers
from llm_incident_manager.pipeline.tools import Tools
from llm_incident_manager.ports.timers import TimerRow


class Worker(Protocol):
    """The server whose workers they are."""

    name: str

    def again(self, work: Callable[[], Coroutine[Any, Any, None]], what: str) -> None:
        """Now and then does it once more."""
        ...


class RepeatingTimers(Timers):
    """The product's timers."""

    def __init__(self, tools: Tools, server: Worker) -> None:
        """`server` names the owner of leases."""
        super().__init__(tools, server.name)
        self._server = server

    async def _fire(self, rows: Sequence[TimerRow]) -> None:
        self._server.again(partial(super()._fire, rows), "timers")
        await super()._fire(rows)

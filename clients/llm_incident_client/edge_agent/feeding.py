"""Carries events from the spool to the manager: in order, each once, over any number of connections and processes.

Events are numbered by their order in the spool. How far the manager has acknowledged them is saved beside them, always
together with the number; so a process that comes after a crash sends again, under the same numbers, what may have been
on its way, and the manager recognises it.
"""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Coroutine

from llm_incident_client import pb
from llm_incident_client.core import errors
from llm_incident_client.core.options import Phase, StreamState
from llm_incident_client.core.window import Opening, Overtaken
from llm_incident_client.edge_agent.session import AgentSession
from llm_incident_client.edge_agent.spool import Spool

_log = logging.getLogger(__name__)
_READ = 1_000  # events taken from the spool at a time
_SAVE_EVERY = 0.2  # seconds between two savings of how far the manager is


class _Results:
    """Where all results go: they come in order, so that counting them tells which events they belong to."""

    def __init__(self) -> None:
        self.settled = 0
        self.counts: Counter[str] = Counter()
        self._names = {number: name.removeprefix("DISPOSITION_") for name, number in pb.Disposition.items()}

    def done(self) -> bool:
        """Always takes more."""
        return False

    def set_result(self, result: pb.EventResult, /) -> None:
        """One event more."""
        self.settled += 1
        self.counts[self._names.get(result.disposition, "UNSPECIFIED")] += 1
        if result.disposition == pb.Disposition.DISPOSITION_REJECTED:
            bad = "; ".join(f"{one.field}: {one.message}" for one in result.violations) or result.reason
            _log.error("the manager rejected an event: %s", bad)

    def set_exception(self, error: BaseException, /) -> None:
        """The session ended: the next one sends the event again."""

    def exception(self) -> BaseException | None:
        """Nobody asks."""
        return None

    def take(self) -> tuple[int, Counter[str]]:
        """What came since the last time."""
        taken = self.settled, self.counts
        self.settled, self.counts = 0, Counter()
        return taken


class Feeder:
    """Runs sessions, one after the other, and feeds them. A session only ends for what reconnecting cannot mend."""

    def __init__(
        self,
        spool: Spool,
        new_session: Callable[[Callable[[StreamState], None]], AgentSession],
        *,
        begins: Callable[[AgentSession], None],
        pause: float = 30.0,
    ) -> None:
        """`new_session` makes a session that tells its states to the callable it is given; `begins` hears of it.

        `pause` is how many seconds pass between a session that was refused and the next.
        """
        self._spool = spool
        self._new_session = new_session
        self._begins = begins
        self._pause = pause
        self._results = _Results()
        self._session: AgentSession | None = None
        self._opened = asyncio.Event()
        self._forgotten = False
        self.state = StreamState(Phase.CONNECTING)
        self.last_error: errors.IncidentManagerError | None = None

    @property
    def is_connected(self) -> bool:
        """Whether there is a session that the manager has answered."""
        return self._session is not None and self._session.is_connected

    async def run(self) -> None:
        """Until cancelled. Raises SpoolBroken."""
        while True:
            try:
                await self._one_session()
            except errors.IncidentManagerError as error:
                self.last_error = error
                _log.error("the session ended (%s); the next begins in %g s", error, self._pause)
                if isinstance(error.__cause__, Overtaken):
                    _log.error("somebody else sent events as this agent: what is not acknowledged may arrive twice")
                    await self._spool.count_from(None)
            await asyncio.sleep(self._pause)

    async def drain(self, within: float) -> bool:
        """Waits until everything in the spool is acknowledged; whether it was within so many seconds. Does not wait
        for a manager that is away."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                while self._spool.waiting and self.is_connected:  # noqa: ASYNC110  # savings come in their own time
                    await asyncio.sleep(_SAVE_EVERY / 4)
        return not self._spool.waiting

    async def _one_session(self) -> None:
        await self._spool.rewind()
        self._opened.clear()
        session = self._new_session(self._heard)
        if self._spool.sequence is not None:
            session.resume(self._spool.sequence, self._spool.sent)
        self._session = session
        self._begins(session)
        try:
            async with session:
                await _until_one_ends(self._feed(session), self._keep_saving(session), session.wait_until_ended())
        finally:
            self._session = None
            await self._save(session)

    async def _feed(self, session: AgentSession) -> None:
        await self._opened.wait()
        if self._spool.sequence is None:
            await self._spool.count_from(session.acknowledged_sequence)
        while True:
            for record in await self._spool.read(_READ):
                await session.put(record.payload, self._results)

    async def _keep_saving(self, session: AgentSession) -> None:
        while True:
            await asyncio.sleep(_SAVE_EVERY)
            await self._save(session)

    async def _save(self, session: AgentSession) -> None:
        # Between two results nothing runs here, so number and count belong together.
        settled, counts = self._results.take()
        if settled:
            await self._spool.settle(settled, session.acknowledged_sequence, counts)
        elif self._forgotten:
            await self._spool.count_from(session.acknowledged_sequence)
        self._forgotten = False

    def _heard(self, state: StreamState) -> None:
        self.state = state
        if state.phase is Phase.OPEN:
            self._opened.set()
            self.last_error = None
            self._forgotten = self._forgotten or state.opening is Opening.FORGOTTEN
        elif state.error is not None:
            self.last_error = state.error


async def _until_one_ends(*work: Coroutine[object, object, None]) -> None:
    """Runs all until one ends, ends the others, and raises what it raised."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)

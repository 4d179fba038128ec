"""Takes timers that are due and does what they mean: at least once each, whatever the process has slept through."""

from collections.abc import Sequence

from llm_incident_manager.domain.errors import StoreUnavailable
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.policy import NotifyReason
from llm_incident_manager.domain.time import SECOND, Instant
from llm_incident_manager.engines import timer
from llm_incident_manager.pipeline import reading
from llm_incident_manager.pipeline.tools import Tools
from llm_incident_manager.ports import snoozing, told
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.stores import KeyTaken, StoreBroken
from llm_incident_manager.ports.timers import TimerRetry, TimerRow
from llm_incident_manager.telemetry import logs, traces

ACTOR = "timer"
LEASE_SECONDS = 60
"""Longer than any round takes: the database answers within its deadlines or fails."""
LIMIT = 200
"""Timers of one transaction, which holds the locks of their incidents."""
POLL_SECONDS = 1.0


class Timers:
    """Works on the timers of a store. What fails is tried again, alone and later; it is never given up."""

    def __init__(self, tools: Tools, owner: str) -> None:
        """`owner` names this process in leases."""
        self._tools = tools
        self._owner = owner
        self._log = logs.get("timers")

    async def run(self) -> None:
        """Works until cancelled."""
        while True:
            try:
                fired = await self.once()
            except StoreBroken:
                raise
            except Exception as error:  # noqa: BLE001  # one bad round must not end it; the leases run out
                if isinstance(error, StoreUnavailable):
                    self._tools.metrics.store_failed()
                self._log.error("timers.failed", error=repr(error))
                fired = 0
            if fired < LIMIT:
                await self._tools.clock.sleep(POLL_SECONDS)

    async def once(self) -> int:
        """One round; returns how many timers were due."""
        now = self._tools.clock.now()
        lease_until = Instant(now + LEASE_SECONDS * SECOND)
        rows = await self._tools.store.claim_timers(self._owner, now, lease_until, LIMIT)
        if rows:
            with traces.span("timers.fire", {"rows": len(rows)}):
                await self._fire(rows)
        return len(rows)

    async def _fire(self, rows: Sequence[TimerRow]) -> None:
        try:
            await self._act(rows)
        except (StoreBroken, StoreUnavailable):
            raise
        except Exception as error:  # noqa: BLE001  # whatever it is: logged, and tried again
            if len(rows) == 1:
                await self._put_off(rows[0], error)
                return
            for row in rows:  # one of them does it: the others must not wait for that one
                await self._fire([row])

    async def _act(self, rows: Sequence[TimerRow]) -> None:
        """Incidents first, as everybody who writes them; then which timers are still ours."""
        tools, now = self._tools, self._tools.clock.now()
        async with tools.store.transaction() as tx:
            incidents = await reading.incidents(tx.incidents, ((row.tenant, row.incident_id) for row in rows))
            ours = await tx.leased_timers(rows)
            changes = Changes(timers_done=list(ours))
            for row in ours:
                fired = _apply(changes, row, incidents.get(row.incident_id), now, tools)
                if fired is not None:
                    incidents[row.incident_id] = fired
            await tx.write(changes)
        tools.wake(changes)
        for row in ours:
            tools.metrics.timer_fired(row.kind, max(0, now - row.due_at) / SECOND)

    async def _put_off(self, row: TimerRow, error: Exception) -> None:
        about = {"incident": row.incident_id, "timer": row.key, "error": repr(error)}
        if isinstance(error, KeyTaken):
            self._log.warning("timers.contended", **about)
        else:
            self._log.error("timers.defect", **about, exc_info=error)
        attempts = row.attempts + 1
        not_before = timer.again(attempts, self._tools.clock.now())
        retry = TimerRetry(row.incident_id, row.key, row.fence, attempts, not_before, repr(error))
        async with self._tools.store.transaction() as tx:
            await tx.write(Changes(timer_retries=[retry]))
        self._tools.metrics.timer_failed(row.kind)


def _apply(changes: Changes, row: TimerRow, incident: Incident | None, now: Instant, tools: Tools) -> Incident | None:
    """Adds what the timer means; returns the incident if that changed it."""
    decision = timer.decide(row.kind, row.due_at, incident, now)
    if incident is None or isinstance(decision, timer.Lapse):
        return None
    awake = snoozing.over(changes, tools.ids, incident, ACTOR, decision.late_by, now)
    told.ask_route(changes, tools.ids, awake, NotifyReason.SNOOZE_ENDED, now)
    return awake

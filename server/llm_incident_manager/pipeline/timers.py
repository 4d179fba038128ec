"""Takes timers that are due and does what they mean: at least once each, whatever the process has slept through."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from llm_incident_manager.domain.errors import StoreUnavailable
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.policy import NotifyReason
from llm_incident_manager.domain.time import SECOND, Instant
from llm_incident_manager.engines import timer
from llm_incident_manager.pipeline.tools import DrawnIds, Tools
from llm_incident_manager.ports import promises, snoozing, told
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.stores import KeyTaken, StoreBroken
from llm_incident_manager.ports.timers import TimerRetry, TimerRow
from llm_incident_manager.telemetry import logs, traces
from llm_incident_manager.telemetry.metrics import Metrics

ACTOR = "timer"
LEASE_SECONDS = 57
"""Longer than any round takes: the database answers within its deadlines or fails."""
LIMIT = 1_000
"""Timers of one round."""
CHUNK = 100
"""Timers of one transaction, which holds the locks of their incidents: ingest waits for it at most."""
POLL_SECONDS = 1.0
NOT_YET = "not_yet"
"""Why a timer did nothing whose moment has moved on since it was set."""


class Fired(NamedTuple):
    """What a timer meant, and the incident as it is then."""

    incident: Incident | None
    decision: timer.Decision


class Timers:
    """Works on the timers of a store. What fails is tried again, alone and later; it is never given up."""

    def __init__(self, tools: Tools, owner: str) -> None:
        """`owner` names this process in leases."""
        self._tools = tools
        self._lanes = tools.lanes
        self._owner = owner
        self.behind = False
        """Whether more were due than a round takes: what follows from them can wait until they are done."""
        self._looked = Instant(0)
        self._log = logs.get("timers")

    async def run(self) -> None:
        """Works until cancelled."""
        while True:
            try:
                self.behind = await self.once() == LIMIT
                rest = 0.0 if self.behind else await self._until_next()
            except StoreBroken:
                raise
            except Exception as error:  # noqa: BLE001  # one bad round must not end it; the leases run out
                if isinstance(error, StoreUnavailable):
                    self._tools.metrics.store_failed()
                self._log.error("timers.failed", error=repr(error))
                self.behind, rest = False, POLL_SECONDS
            if rest:
                await self._tools.clock.sleep(rest)

    async def once(self) -> int:
        """One round; returns how many timers were due."""
        self._looked = now = self._tools.clock.now()
        lease_until = Instant(now + LEASE_SECONDS * SECOND)
        rows = await self._tools.store.claim_timers(self._owner, now, lease_until, LIMIT)
        if rows:
            with traces.span("timers.fire", {"rows": len(rows)}):
                await self._fire_all([rows[at : at + CHUNK] for at in range(0, len(rows), CHUNK)])
        return len(rows)

    async def _until_next(self) -> float:
        """Seconds until the first timer is due that was not when we looked; and at most until we look for those that
        were set meanwhile."""
        due = await self._tools.store.next_timer(self._looked)
        if due is None:
            return POLL_SECONDS
        return min(POLL_SECONDS, max(0, due - self._tools.clock.now()) / SECOND)

    async def _fire_all(self, chunks: Sequence[Sequence[TimerRow]]) -> None:
        """As many chunks at once as there are lanes; after a failure what has not begun comes back with its lease."""
        for at in range(0, len(chunks), self._lanes):
            under_way = chunks[at : at + self._lanes]
            ended = await asyncio.gather(*map(self._fire, under_way), return_exceptions=True)
            for error in ended:
                if error is not None:
                    raise error

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
        """Does in one transaction what those mean that are still ours."""
        tools, now = replace(self._tools, ids=DrawnIds(self._tools.ids)), self._tools.clock.now()
        fired: list[tuple[TimerRow, Fired]] = []
        async with tools.store.transaction() as tx:
            held = await tx.hold_timers(rows)
            incidents, changes = dict(held.incidents), Changes(timers_done=list(held.timers))
            for row in held.timers:
                became = _apply(changes, row, incidents.get(row.incident_id), now, tools)
                if became.incident is not None:
                    incidents[row.incident_id] = became.incident
                fired.append((row, became))
            await tx.write(changes)
        tools.wake(changes)
        done = tools.clock.now()
        for row, became in fired:
            _count(tools.metrics, row, became, done)

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


def _apply(changes: Changes, row: TimerRow, incident: Incident | None, now: Instant, tools: Tools) -> Fired:
    """Adds what the timer means."""
    decision = timer.decide(row.kind, row.due_at, incident, now, tools.sla)
    if incident is None or isinstance(decision, timer.Lapse):
        return Fired(incident, decision)
    match decision:
        case timer.Wake(late_by):
            incident = snoozing.over(changes, tools.ids, incident, ACTOR, late_by, now)
            told.ask_route(changes, tools.ids, incident, NotifyReason.SNOOZE_ENDED, now)
        case timer.Breach():
            incident = _breach(changes, incident, decision, now, tools)
        case timer.Wait(until):
            promises.wait(changes, incident, until, now)
    return Fired(incident, decision)


def _breach(changes: Changes, incident: Incident, breach: timer.Breach, now: Instant, tools: Tools) -> Incident:
    """Records what was broken, and tells people unless the incident has ended since."""
    for each in breach.broken:
        incident = promises.broke(changes, tools.ids, incident, each, ACTOR, now)
    changes.breached.append(incident)
    if incident.is_open:
        told.ask_route(changes, tools.ids, incident, NotifyReason.SLA_BREACHED, now)
    if breach.then is not None:
        promises.wait(changes, incident, breach.then, now)
    return incident


def _count(metrics: Metrics, row: TimerRow, fired: Fired, done: Instant) -> None:
    """Counts what became of a timer that was due."""
    match fired.decision:
        case timer.Lapse(why):
            metrics.timer_lapsed(row.kind, why)
        case timer.Wait():
            metrics.timer_lapsed(row.kind, NOT_YET)
        case timer.Breach(broken) if fired.incident is not None:
            metrics.timer_fired(row.kind, max(0, done - row.due_at) / SECOND)
            for each in broken:
                metrics.sla_breached(each.promise, fired.incident.severity.name)
        case _:
            metrics.timer_fired(row.kind, max(0, done - row.due_at) / SECOND)

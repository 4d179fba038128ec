"""Whatever is merged, taken apart, split, resolved and reopened while events come in: what must hold, holds."""

import asyncio

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llm_incident_manager.adapters.executor import InlineExecutor
from llm_incident_manager.adapters.postgres import ledger
from llm_incident_manager.adapters.postgres.options import Options
from llm_incident_manager.adapters.sql.ledger import Kept
from llm_incident_manager.adapters.sqlite import store as sqlite
from llm_incident_manager.domain.disposition import Disposition
from llm_incident_manager.domain.errors import DomainError, ErrorReason
from llm_incident_manager.domain.event import Action
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.lifecycle import Verb
from llm_incident_manager.domain.time import SECOND
from llm_incident_manager.ports.stores import IncidentQuery
from tests.support.backends import Postgres
from tests.support.builders import NOW, TENANT, make_id
from tests.support.desk import Desk, desk_on
from tests.support.postgres import Cluster

KEYS = st.sampled_from("abcd")
PLACES = st.integers(0, 9)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("event"), KEYS, PLACES),
        st.tuples(st.just("resolve event"), KEYS, PLACES),
        st.tuples(st.just("merge"), PLACES, PLACES),
        st.tuples(st.just("unmerge"), PLACES, PLACES),
        st.tuples(st.just("split"), PLACES, PLACES),
        st.tuples(st.just("resolve"), PLACES, PLACES),
        st.tuples(st.just("reopen"), PLACES, PLACES),
    ),
    min_size=4,
    max_size=20,
)
EXPECTED = {
    ErrorReason.ILLEGAL_TRANSITION,
    ErrorReason.MERGED,
    ErrorReason.FINGERPRINT_TAKEN,
    ErrorReason.INVALID_FIELD,
}


class Story:
    """Steps on a desk, and how many events were counted."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.events: list[str] = []

    async def step(self, what: str, one: str | int, other: str | int) -> None:
        self.desk.world.clock.forward(SECOND)
        try:
            await self._do(what, one, other)
        except DomainError as refused:
            if refused.reason not in EXPECTED:
                raise

    async def _do(self, what: str, one: str | int, other: str | int) -> None:
        desk = self.desk
        match what:
            case "event" | "resolve event":
                action = Action.TRIGGER if what == "event" else Action.RESOLVE
                result = await desk.event(str(one), action)
                if result.disposition in {Disposition.NEW, Disposition.ATTACHED, Disposition.APPLIED}:
                    self.events.append(str(result.event_id))
            case "merge":
                await desk.merge(await self._pick(one), await self._pick(other))
            case "unmerge":
                await desk.unmerge(await self._pick(one))
            case "split" if self.events:
                event = self.events[int(other) % len(self.events)]
                await desk.split(await self._pick(one), [event])
            case "resolve":
                await desk.move(await self._pick(one), Verb.RESOLVE)
            case "reopen":
                await desk.move(await self._pick(one), Verb.REOPEN)

    async def _pick(self, place: str | int) -> Incident:
        found = await self.desk.world.incidents()
        if not found:
            await self._do("event", "a", 0)
            return await self._pick(place)
        return found[int(place) % len(found)]

    async def check(self) -> None:
        """One holder a fingerprint, and each event counted once: in all incidents that ended in no other."""
        await self.desk.check()
        found = await self.desk.store.incidents(IncidentQuery(TENANT, limit=1_000))
        assert sum(each.event_count for each in found if each.merged_into is None) == len(self.events)
        assert all(each.event_count >= 0 for each in found)


async def _tell(story: Story, steps: list[tuple[str, str | int, str | int]]) -> None:
    for step in steps:
        await story.step(*step)
    await story.check()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS)
def test_fingerprints_and_counters_agree_whatever_was_done(steps: list[tuple[str, str | int, str | int]]) -> None:
    async def run() -> None:
        store = await sqlite.open_store(sqlite.Options(None, InlineExecutor), make_id(), NOW)
        try:
            await _tell(Story(desk_on(store)), steps)
        finally:
            await store.close()

    asyncio.run(run())


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
def test_on_postgresql_too(steps: list[tuple[str, str | int, str | int]], cluster: Cluster, template: str) -> None:
    async def run() -> None:
        backend = Postgres(cluster, template)
        store = await backend.open()
        try:
            await _tell(Story(desk_on(store)), steps)
            report = await ledger.check(Options(backend.dsn, may_lose_commits=True), Kept(NOW, NOW))
            assert [finding for finding in report.findings if finding.wrong or finding.retention] == []
        finally:
            await store.close()
            backend.remove()

    asyncio.run(run())

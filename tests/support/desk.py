"""Use cases on a store, each call in a unit of work of its own, with the pipeline beside them."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from llm_incident_manager.domain.disposition import EventResult
from llm_incident_manager.domain.event import Action
from llm_incident_manager.domain.ids import IncidentId
from llm_incident_manager.domain.incident import FingerprintName, Incident
from llm_incident_manager.domain.lifecycle import Verb
from llm_incident_manager.domain.relations import Relation
from llm_incident_manager.domain.sla import Targets
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.ports.changes import Changes, FingerprintKey
from llm_incident_manager.ports.stores import IncidentQuery, Store, Transaction
from llm_incident_manager.usecases.applying import Applying
from llm_incident_manager.usecases.caller import Caller
from llm_incident_manager.usecases.draft import Birth
from llm_incident_manager.usecases.incidents import Ask, Incidents, Target
from llm_incident_manager.usecases.linking import Linking
from llm_incident_manager.usecases.merging import Merging
from llm_incident_manager.usecases.snoozing import Snoozing
from llm_incident_manager.usecases.splitting import Outcome, Split, Splitting
from llm_incident_manager.usecases.unit import Once, Units
from tests.support.builders import TENANT, make_event
from tests.support.world import PATIENT, World, world_on

T = TypeVar("T")
CALLER = Caller(TENANT, "ann")


@dataclass
class Desk:
    """What people do and what producers send, on one store."""

    world: World
    units: Units
    incidents: Incidents
    merging: Merging
    splitting: Splitting
    linking: Linking
    snoozing: Snoozing
    applying: Applying

    @property
    def store(self) -> Store:
        return self.world.store

    async def event(self, key: str, action: Action = Action.TRIGGER, **fields: Any) -> EventResult:  # noqa: ANN401
        """One event under a dedup_key."""
        (result,) = await self.world.submit(
            make_event(dedup_key=key, action=action, event_time=self.world.clock.now(), **fields)
        )
        return result

    async def opened(self, key: str, **fields: Any) -> Incident:  # noqa: ANN401
        """The open incident that an event with the key belongs to."""
        result = await self.event(key, **fields)
        assert result.incident_id is not None
        return await self.now(result.incident_id)

    async def now(self, ref: str) -> Incident:
        return await self.store.incident(TENANT, ref)

    async def do(self, work: Callable[[Transaction, Changes], Awaitable[T]]) -> T:
        """A use case in a unit of work that is repeated when another one came between."""
        once: Once[T] = Once("", b"", _never, _never)
        return (await self.units.run(CALLER, once, work)).answer

    async def merge(self, into: Incident, *sources: Incident, etag: str = "") -> Incident:
        merged, _ = await self.do(
            lambda tx, changes: self.merging.merge(
                tx, changes, CALLER, Target(into.id, etag), [each.number for each in sources], "ann"
            )
        )
        return merged

    async def unmerge(self, source: Incident, etag: str = "") -> tuple[Incident, Incident]:
        return await self.do(
            lambda tx, changes: self.merging.unmerge(tx, changes, CALLER, Target(source.id, etag), "ann", "by mistake")
        )

    async def split(self, whole: Incident, events: Sequence[str], title: str = "") -> Outcome:
        now = self.world.clock.now()
        await self.world.tools.numbers.reserve(TENANT, now, 1)
        birth = Birth(IncidentId(self.world.tools.ids.new(now)), self.world.tools.numbers.take(TENANT, now), now, "")
        return await self.do(
            lambda tx, changes: self.splitting.split(
                tx, changes, CALLER, Target(whole.id), Split(events, "ann", title), birth
            )
        )

    async def move(self, incident: Incident, verb: Verb, *, force: bool = True) -> Incident:
        return await self.do(
            lambda tx, changes: self.incidents.move(
                tx, changes, CALLER, Target(incident.id), Ask(verb, "ann", force=force)
            )
        )

    async def snooze(self, incident: Incident, until: Instant, etag: str = "") -> Incident:
        return await self.do(
            lambda tx, changes: self.snoozing.snooze(tx, changes, CALLER, Target(incident.id, etag), "ann", until)
        )

    async def holder(self, key: str) -> str | None:
        """Who holds a dedup_key."""
        async with self.store.transaction() as tx:
            return await tx.holder(FingerprintKey(TENANT, 0, key))

    async def related(self, incident: Incident) -> set[tuple[Relation, str]]:
        found = await self.store.related(TENANT, incident.id, (0, ""), 100)
        return {(each.relation, each.incident.id) for each in found}

    async def told(self, incident: Incident) -> list[str]:
        """The kinds of the timeline."""
        return [str(entry.kind) for entry in await self.store.timeline(TENANT, incident.id, "", 1_000)]

    async def check(self) -> None:
        """What must hold whatever was done: one open incident a fingerprint, held by open, unmerged incidents only."""
        holders: dict[FingerprintName, str] = {}
        for incident in await self.store.incidents(IncidentQuery(TENANT, limit=1_000)):
            for name in incident.held if incident.is_open else ():
                assert name not in holders, "one open incident a fingerprint"
                holders[name] = incident.id
                assert incident.merged_into is None
        async with self.store.transaction() as tx:
            for name, holder in holders.items():
                assert await tx.holder(FingerprintKey(TENANT, *name)) == holder


def desk_on(store: Store, sla: Targets = PATIENT) -> Desk:
    """A desk with held time."""
    world = world_on(store, sla=sla)
    tools = world.tools
    units, incidents = Units(store, tools.clock, tools.wake), Incidents(tools.clock, tools.ids)
    snoozing = Snoozing(tools.clock, tools.ids)
    return Desk(
        world,
        units,
        incidents,
        Merging(tools.clock, tools.ids),
        Splitting(tools.clock, tools.ids, tools.codec, tools.judge.pack),
        Linking(tools.clock, tools.ids),
        snoozing,
        Applying(store, units, incidents, snoozing),
    )


def _never(_: Any) -> Any:  # noqa: ANN401  # nothing is stored without a request id
    raise NotImplementedError

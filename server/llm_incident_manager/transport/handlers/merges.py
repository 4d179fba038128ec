"""IncidentService: merging incidents, taking them apart, splitting them."""

from collections.abc import Callable
from typing import Any

from incidentmanager.v1 import incident_relations_pb2, incident_verbs_pb2

from llm_incident_manager.domain.ids import IncidentId
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.stores import Transaction
from llm_incident_manager.transport.call import Call
from llm_incident_manager.transport.handlers import writes
from llm_incident_manager.transport.handlers.services import Services
from llm_incident_manager.transport.translate import incidents as translate
from llm_incident_manager.transport.translate import relations as translate_relations
from llm_incident_manager.usecases.draft import Birth
from llm_incident_manager.usecases.incidents import Target
from llm_incident_manager.usecases.splitting import Split

verbs = incident_verbs_pb2
relations = incident_relations_pb2


class MergeHandlers:
    """The methods of IncidentService that make one incident of several, or several of one."""

    def __init__(self, services: Services) -> None:
        """Asks these use cases."""
        self._on = services

    def table(self) -> dict[str, Callable[..., Any]]:
        """Handlers by method name."""
        return {"Merge": self.merge, "Unmerge": self.unmerge, "Split": self.split}

    async def merge(self, request: verbs.MergeRequest, call: Call) -> verbs.MergeResponse:
        """Merges incidents into one."""

        async def work(tx: Transaction, changes: Changes) -> verbs.MergeResponse:
            actor, target = request.actor or call.caller.subject, Target(request.incident_id, request.etag)
            merged, sources = await self._on.merging.merge(
                tx, changes, call.caller, target, request.source_incident_ids, actor
            )
            return verbs.MergeResponse(incident=self._out(merged), sources=[self._out(each) for each in sources])

        return await writes.write(self._on.units, call, request, verbs.MergeResponse, work)

    async def unmerge(self, request: relations.UnmergeRequest, call: Call) -> relations.UnmergeResponse:
        """Takes a merged incident out again."""

        async def work(tx: Transaction, changes: Changes) -> relations.UnmergeResponse:
            actor, target = request.actor or call.caller.subject, Target(request.incident_id, request.etag)
            back, rest = await self._on.merging.unmerge(tx, changes, call.caller, target, actor, request.reason)
            return relations.UnmergeResponse(incident=self._out(back), target=self._out(rest))

        return await writes.write(self._on.units, call, request, relations.UnmergeResponse, work)

    async def split(self, request: verbs.SplitRequest, call: Call) -> verbs.SplitResponse:
        """Takes events out of an incident into a new one."""
        tenant, now = call.caller.tenant, self._on.clock.now()
        await self._on.numbers.reserve(tenant, now, 1)

        async def work(tx: Transaction, changes: Changes) -> verbs.SplitResponse:
            number = self._on.numbers.take(tenant, now)
            birth = Birth(IncidentId(self._on.tools.ids.new(now)), number, now, call.traceparent)
            asked = Split(request.event_ids, request.actor or call.caller.subject, request.title, request.reason)
            target = Target(request.incident_id, request.etag)
            outcome = await self._on.splitting.split(tx, changes, call.caller, target, asked, birth)
            return verbs.SplitResponse(
                incident=self._out(outcome.rest),
                new_incident=self._out(outcome.new),
                moved_event_count=outcome.moved,
                unknown_event_count=outcome.unknown,
                fingerprints=[translate_relations.fate(each) for each in outcome.fates],
            )

        done = await writes.done(self._on.units, call, request, verbs.SplitResponse, work)
        if not done.repeated:
            self._on.metrics.incidents_opened()
        return done.answer

    def _out(self, incident: Incident) -> Any:
        return translate.incident(incident, self._on.as_of())

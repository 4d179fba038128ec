"""IncidentService: what the services beside the manager are asked about an incident, and what they answer."""

from collections.abc import Callable
from typing import Any

from incidentmanager.v1 import incident_analyses_pb2

from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.stores import Transaction
from llm_incident_manager.transport.call import Call
from llm_incident_manager.transport.handlers import belongings, writes
from llm_incident_manager.transport.handlers.services import Services
from llm_incident_manager.transport.translate import analyses as translate
from llm_incident_manager.transport.translate.analyses import QUESTION_IN

pb = incident_analyses_pb2


class AnalysisHandlers:
    """The methods of IncidentService about analyses."""

    def __init__(self, services: Services) -> None:
        """Asks these use cases."""
        self._on = services

    def table(self) -> dict[str, Callable[..., Any]]:
        """Handlers by method name."""
        return {"RequestAnalysis": self.request, "ListIncidentAnalyses": self.list}

    async def request(self, request: pb.RequestAnalysisRequest, call: Call) -> pb.RequestAnalysisResponse:
        """Asks questions about an incident."""
        questions = [QUESTION_IN[number] for number in request.questions]

        async def work(tx: Transaction, changes: Changes) -> pb.RequestAnalysisResponse:
            actor = request.actor or call.caller.subject
            asked = await self._on.analysing.request(tx, changes, call.caller, request.incident_id, questions, actor)
            return pb.RequestAnalysisResponse(analyses=[translate.analysis(each) for each in asked])

        return await writes.write(self._on.units, call, request, pb.RequestAnalysisResponse, work)

    async def list(self, request: pb.ListIncidentAnalysesRequest, call: Call) -> pb.ListIncidentAnalysesResponse:
        """A page of an incident's analyses."""
        page = await belongings.page(self._on, "analyses", request, call)
        after = str(page.after[0]) if page.after else ""
        found = await self._on.store.analyses(call.caller.tenant, page.incident, after, page.size + 1)
        token = page.token(found, lambda last: (last.id,))
        shown = [translate.analysis(each) for each in found[: page.size]]
        return pb.ListIncidentAnalysesResponse(analyses=shown, next_page_token=token)

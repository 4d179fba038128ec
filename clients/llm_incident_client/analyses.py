"""The methods of IncidentService that ask the services beside the manager about an incident."""

from collections.abc import AsyncGenerator, Iterable

from llm_incident_client import pb
from llm_incident_client.core import calls


class AnalysisCalls(calls.MethodGroup):
    """Analyses by Sentinel, Shield and Governance. All methods raise IncidentManagerError."""

    async def request_analysis(
        self,
        incident_id: str,
        questions: Iterable[pb.AnalysisQuestion.ValueType],
        *,
        actor: str = "",
        request_id: str = "",
    ) -> pb.RequestAnalysisResponse:
        """Asks about an incident; read the answers with `list_analyses`. What still waits is not asked twice."""
        request = pb.RequestAnalysisRequest(
            incident_id=incident_id,
            request_id=request_id or calls.new_request_id(),
            actor=actor,
            questions=questions,
        )
        return await self._caller.unary(self._incidents.RequestAnalysis, request)

    async def list_analyses(
        self, incident_id: str, *, page_size: int = 0, page_token: str = ""
    ) -> pb.ListIncidentAnalysesResponse:
        """One page of what was asked about an incident and answered, oldest first."""
        request = pb.ListIncidentAnalysesRequest(incident_id=incident_id, page_size=page_size, page_token=page_token)
        return await self._caller.unary(self._incidents.ListIncidentAnalyses, request)

    async def iter_analyses(
        self, incident_id: str, *, page_size: int = 100
    ) -> AsyncGenerator[pb.IncidentAnalysis, None]:
        """All that was asked about an incident, oldest first."""
        token = ""
        while True:
            reply = await self.list_analyses(incident_id, page_size=page_size, page_token=token)
            for analysis in reply.analyses:
                yield analysis
            token = reply.next_page_token
            if not token:
                return

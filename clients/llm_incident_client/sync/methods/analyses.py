# Written by `make gen` from llm_incident_client/analyses.py: edit that file.
"""The methods of IncidentService that ask the services beside the manager about an incident."""

from collections.abc import Iterable

from llm_incident_client import analyses as asynchronous
from llm_incident_client import pb
from llm_incident_client.sync.blocking import Blocking
from llm_incident_client.sync.items import Items


class AnalysisCalls(Blocking):
    """Analyses by Sentinel, Shield and Governance. All methods raise IncidentManagerError."""

    def request_analysis(
        self,
        incident_id: str,
        questions: Iterable[pb.AnalysisQuestion.ValueType],
        *,
        actor: str = "",
        request_id: str = "",
    ) -> pb.RequestAnalysisResponse:
        """Asks about an incident; read the answers with `list_analyses`. What still waits is not asked twice."""
        return self.portal.wait(
            self._as(asynchronous.AnalysisCalls).request_analysis(
                incident_id, list(questions), actor=actor, request_id=request_id
            )
        )

    def list_analyses(
        self, incident_id: str, *, page_size: int = 0, page_token: str = ""
    ) -> pb.ListIncidentAnalysesResponse:
        """One page of what was asked about an incident and answered, oldest first."""
        return self.portal.wait(
            self._as(asynchronous.AnalysisCalls).list_analyses(incident_id, page_size=page_size, page_token=page_token)
        )

    def iter_analyses(self, incident_id: str, *, page_size: int = 100) -> Items[pb.IncidentAnalysis]:
        """All that was asked about an incident, oldest first."""
        return Items(self, self._as(asynchronous.AnalysisCalls).iter_analyses(incident_id, page_size=page_size))

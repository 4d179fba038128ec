"""What LLM-Shield asks of the manager beside taking its findings: an incident by hand."""

from llm_incident_client import pb
from llm_incident_client.core import calls
from llm_incident_client.shield.findings import Threat, Violation


class ShieldCalls(calls.MethodGroup):
    """Incidents of Shield. All methods raise IncidentManagerError."""

    source: str

    async def open_incident(self, finding: Violation | Threat, *, request_id: str = "") -> pb.Incident:
        """Opens an incident at once, without the rules of events: what `report` would join is FingerprintTaken.

        Prefer `report`, which joins what belongs together. Needs the permission to write incidents.
        """
        event = finding.event(self.source)
        request = pb.CreateIncidentRequest(
            source=event.source,
            request_id=request_id or calls.new_request_id(),
            title=event.title,
            description=event.description,
            kind=event.kind,
            labels=event.labels,
            service=event.service,
            provider=event.provider,
            dedup_key=event.dedup_key,
        )
        return (await self._caller.unary(self._incidents.CreateIncident, request)).incident

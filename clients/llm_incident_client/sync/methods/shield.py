# Written by `make gen` from llm_incident_client/shield/calls.py: edit that file.
"""What LLM-Shield asks of the manager beside taking its findings: an incident by hand."""

from llm_incident_client import pb
from llm_incident_client.shield import calls as asynchronous
from llm_incident_client.shield.findings import Threat, Violation
from llm_incident_client.sync.blocking import Blocking


class ShieldCalls(Blocking):
    """Incidents of Shield. All methods raise IncidentManagerError."""

    def open_incident(self, finding: Violation | Threat, *, request_id: str = "") -> pb.Incident:
        """Opens an incident at once, without the rules of events: what `report` would join is FingerprintTaken.

        Prefer `report`, which joins what belongs together. Needs the permission to write incidents.
        """
        return self.portal.wait(self._as(asynchronous.ShieldCalls).open_incident(finding, request_id=request_id))

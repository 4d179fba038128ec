# Written by `make gen` from llm_incident_client/shield/calls.py: edit that file.
"""What LLM-Shield asks of the manager beside taking its findings: analyses, plans, an incident by hand.

The manager asks Shield's own analysis service, and keeps the answers with the incident for whoever works on it
(docs/integrations.md). Whoever reports need not be the one who analyses.
"""

from datetime import timedelta

from llm_incident_client import pb
from llm_incident_client.shield import calls as asynchronous
from llm_incident_client.shield.findings import Threat, Violation
from llm_incident_client.sync.blocking import Blocking


class ShieldCalls(Blocking):
    """Analyses and incidents of Shield. All methods raise IncidentManagerError."""

    def request_threat_analysis(self, incident_id: str, *, request_id: str = "") -> pb.IncidentAnalysis:
        """Has an incident analysed: which threat it is, and how bad. PENDING; `answer` waits for what is found.

        An analysis that still waits is not asked for twice, but given back.
        """
        return self.portal.wait(
            self._as(asynchronous.ShieldCalls).request_threat_analysis(incident_id, request_id=request_id)
        )

    def request_mitigation_plan(self, incident_id: str, *, request_id: str = "") -> pb.IncidentAnalysis:
        """Has a plan made against the threat of an incident. PENDING; `answer` waits for it."""
        return self.portal.wait(
            self._as(asynchronous.ShieldCalls).request_mitigation_plan(incident_id, request_id=request_id)
        )

    def answer(
        self, analysis: pb.IncidentAnalysis, *, within: timedelta = timedelta(seconds=30)
    ) -> pb.IncidentAnalysis:
        """The analysis once it is ANSWERED, with `threat` or `mitigation`, or FAILED, with `error`.

        Raises TimeoutError when it still waits after that time; `answer` may be asked again.
        """
        return self.portal.wait(self._as(asynchronous.ShieldCalls).answer(analysis, within=within))

    def open_incident(self, finding: Violation | Threat, *, request_id: str = "") -> pb.Incident:
        """Opens an incident at once, without the rules of events: what `report` would join is FingerprintTaken.

        Prefer `report`, which joins what belongs together. Needs the permission to write incidents.
        """
        return self.portal.wait(self._as(asynchronous.ShieldCalls).open_incident(finding, request_id=request_id))

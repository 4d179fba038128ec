"""What LLM-Shield asks of the manager beside taking its findings: analyses, plans, an incident by hand.

The manager asks Shield's own analysis service, and keeps the answers with the incident for whoever works on it
(docs/integrations.md). Whoever reports need not be the one who analyses.
"""

import asyncio
from datetime import timedelta

from llm_incident_client import pb
from llm_incident_client.analyses import AnalysisCalls
from llm_incident_client.core import calls
from llm_incident_client.shield.findings import Threat, Violation

_LOOKS = 0.1, 2.0
"""Seconds between the first two looks at an analysis, and the longest."""


class ShieldCalls(calls.MethodGroup):
    """Analyses and incidents of Shield. All methods raise IncidentManagerError."""

    source: str

    async def request_threat_analysis(self, incident_id: str, *, request_id: str = "") -> pb.IncidentAnalysis:
        """Has an incident analysed: which threat it is, and how bad. PENDING; `answer` waits for what is found.

        An analysis that still waits is not asked for twice, but given back.
        """
        return await self._request(incident_id, pb.AnalysisQuestion.ANALYSIS_QUESTION_THREAT, request_id)

    async def request_mitigation_plan(self, incident_id: str, *, request_id: str = "") -> pb.IncidentAnalysis:
        """Has a plan made against the threat of an incident. PENDING; `answer` waits for it."""
        return await self._request(incident_id, pb.AnalysisQuestion.ANALYSIS_QUESTION_MITIGATION, request_id)

    async def answer(
        self, analysis: pb.IncidentAnalysis, *, within: timedelta = timedelta(seconds=30)
    ) -> pb.IncidentAnalysis:
        """The analysis once it is ANSWERED, with `threat` or `mitigation`, or FAILED, with `error`.

        Raises TimeoutError when it still waits after that time; `answer` may be asked again.
        """
        pause, longest = _LOOKS
        async with asyncio.timeout(within.total_seconds()):
            while True:
                async for found in AnalysisCalls(self._caller).iter_analyses(analysis.incident_id):
                    if found.id == analysis.id and found.state != pb.AnalysisState.ANALYSIS_STATE_PENDING:
                        return found
                await asyncio.sleep(pause)
                pause = min(2 * pause, longest)

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

    async def _request(
        self, incident_id: str, question: pb.AnalysisQuestion.ValueType, request_id: str
    ) -> pb.IncidentAnalysis:
        reply = await AnalysisCalls(self._caller).request_analysis(incident_id, [question], request_id=request_id)
        return reply.analyses[0]

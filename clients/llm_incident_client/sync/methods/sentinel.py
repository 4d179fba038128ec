# Written by `make gen` from llm_incident_client/sentinel/calls.py: edit that file.
"""What LLM-Sentinel asks of the manager beside taking its findings: what people made of them."""

from llm_incident_client.core import retry
from llm_incident_client.sentinel import calls as asynchronous
from llm_incident_client.sentinel.feedback import Feedback
from llm_incident_client.sync.blocking import Blocking
from llm_incident_client.sync.items import Items


class SentinelCalls(Blocking):
    """Feedback for detectors. All methods raise IncidentManagerError."""

    def feedback(
        self, *, filter: str = "", resume_token: str = "", backoff: retry.Backoff | None = None
    ) -> Items[Feedback]:
        """The verdicts on this source's incidents as people give them, for ever: reconnects by itself.

        `filter` (AIP-160) narrows them, for instance `kind = "drift.quality"`. Without a `resume_token`, which every
        verdict brings, they begin now. Whoever catches up is told what is true by now, perhaps more than once. Raises
        InvalidRequest for a token of another database.
        """
        return Items(
            self,
            self._as(asynchronous.SentinelCalls).feedback(filter=filter, resume_token=resume_token, backoff=backoff),
        )

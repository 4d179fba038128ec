"""What LLM-Sentinel asks of the manager beside taking its findings: what people made of them."""

import contextlib
from collections.abc import AsyncGenerator

from llm_incident_client.core import calls, retry
from llm_incident_client.incidents import IncidentCalls
from llm_incident_client.sentinel import feedback as verdicts
from llm_incident_client.sentinel.feedback import Feedback


class SentinelCalls(calls.MethodGroup):
    """Feedback for detectors. All methods raise IncidentManagerError."""

    source: str

    async def feedback(
        self,
        *,
        filter: str = "",  # noqa: A002 - the contract's word
        resume_token: str = "",
        backoff: retry.Backoff | None = None,
    ) -> AsyncGenerator[Feedback, None]:
        """The verdicts on this source's incidents as people give them, for ever: reconnects by itself.

        `filter` (AIP-160) narrows them, for instance `kind = "drift.quality"`. Without a `resume_token`, which every
        verdict brings, they begin now. Whoever catches up is told what is true by now, perhaps more than once. Raises
        InvalidRequest for a token of another database.
        """
        own = f'source = "{_escaped(self.source)}"'
        asked = f"{own} AND ({filter})" if filter else own
        changes = IncidentCalls(self._caller).watch(filter=asked, resume_token=resume_token, backoff=backoff)
        last = None  # one verb may be several changes, each told with the incident as it is by now
        async with contextlib.aclosing(changes):
            async for change in changes:
                given = verdicts.judge(change)
                if given is None or last == (last := (given.verdict, given.incident.id, given.incident.etag)):
                    continue
                yield given


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')

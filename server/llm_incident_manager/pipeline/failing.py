"""What becomes of work whose handler failed: tried again later, or kept apart as a dead letter with its reason."""

from llm_incident_manager.domain.errors import DomainError
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.policy import DeliveryState
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.domain.timeline import TimelineKind
from llm_incident_manager.engines import notify
from llm_incident_manager.pipeline import reading
from llm_incident_manager.pipeline.tools import Tools
from llm_incident_manager.ports import deliveries, told
from llm_incident_manager.ports.changes import Changes, OutboxRetry, OutboxRow
from llm_incident_manager.ports.told import Happening
from llm_incident_manager.telemetry import redaction

MOST_REASON = 500
"""Characters of a reason that are kept."""


async def count(row: OutboxRow, error: Exception, stage: str, tools: Tools) -> None:
    """Counts a failed attempt of a row that is still ours."""
    now = tools.clock.now()
    async with tools.store.transaction() as tx:
        changes = Changes()
        if await tx.still_leased([row]):
            found = await reading.incidents(tx.peek_each, [(row.tenant, row.incident_id)])
            _record(changes, row, found.get(row.incident_id), (stage, reason_of(error)), now, tools)
        await tx.write(changes)
    tools.wake(changes)


def hand_back(row: OutboxRow) -> OutboxRetry:
    """The row as it was before it was leased."""
    return OutboxRetry(row.id, row.fence, row.attempts, row.due_at, row.last_error)


def reason_of(error: Exception) -> str:
    """The kind of the error and what it says, without what is shaped like a secret."""
    said = error.message if isinstance(error, DomainError) else str(error)
    kind = error.reason if isinstance(error, DomainError) else type(error).__name__
    text = redaction.hide(f"{kind}: {said}" if said else f"{kind}")[:MOST_REASON]
    return text.replace("\0", "").encode("utf-8", "replace").decode()  # as every database takes it


def _record(
    changes: Changes, row: OutboxRow, incident: Incident | None, what: tuple[str, str], now: Instant, tools: Tools
) -> None:
    (stage, why), attempts = what, row.attempts + 1
    outcome = notify.decide(row.id, attempts, ok=False, retryable=True, retry_after=None, now=now, policy=tools.retry)
    if isinstance(outcome, notify.Again):
        changes.outbox_retries.append(OutboxRetry(row.id, row.fence, attempts, outcome.due_at, why))
        return
    error = f"{attempts} attempts failed: {why}"
    changes.outbox_retries.append(OutboxRetry(row.id, row.fence, attempts, now, error, dead=True))
    if (delivery := deliveries.readable(row)) is not None:
        dead = delivery._replace(state=DeliveryState.DEAD, attempts=attempts, error=error, updated_at=now)
        changes.delivery_updates.append(dead)
    if incident is not None:
        details = {"verb": "give_up", "dead_letter": row.id, "topic": row.topic, "attempts": str(attempts)}
        text = f"The work of {stage} was given up: {error}"
        before, after = {"work": "waiting"}, {"work": "dead"}
        happening = Happening(TimelineKind.DEAD_LETTER, stage, text, details, before, after)
        told.tell(changes, tools.ids, incident, happening, now)

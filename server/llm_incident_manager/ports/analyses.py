"""Questions to the services beside the manager, as rows: how they are asked, and what a row of work tells."""

import json

from llm_incident_manager.domain.analysis import Analysis, AnalysisState, Question
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.ports.changes import CONSULT, Changes, OutboxRow
from llm_incident_manager.ports.ids import Ids


def ask(changes: Changes, ids: Ids, incident: Incident, question: Question, by: str, now: Instant) -> Analysis:
    """Adds a question about an incident and the work that asks it after the commit. Questions do not wait for each
    other: each has a lane of its own."""
    name = ids.new(now)
    asked = Analysis(name, incident.tenant, incident.id, question, AnalysisState.PENDING, by, now, now)
    changes.analyses.append(asked)
    payload = json.dumps({"analysis": name, "question": question, "by": by, "at": now})
    lane, trace = f"{incident.id}/{question}", incident.traceparent
    changes.outbox.append(
        OutboxRow(ids.new(now), incident.tenant, CONSULT, lane, incident.id, payload, trace, now, due_at=now)
    )
    return asked


def of(row: OutboxRow) -> Analysis:
    """The question of a row of CONSULT, as far as it has come. Raises KeyError, TypeError or ValueError for a payload
    that does not tell it."""
    said = json.loads(row.payload)
    question, at = Question(said["question"]), Instant(said["at"])
    return Analysis(
        said["analysis"],
        row.tenant,
        row.incident_id,
        question,
        AnalysisState.PENDING,
        said["by"],
        at,
        row.due_at,
        row.attempts,
        row.last_error,
    )

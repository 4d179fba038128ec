"""How links, attachments, analyses and related incidents lie in columns, as `records` does for the rest."""

from typing import Any

from llm_incident_manager.adapters.sql.records import INCIDENT_COLUMNS, Pack, Row, Unpack, incident_of
from llm_incident_manager.domain.analysis import Analysis, AnalysisState, Question
from llm_incident_manager.domain.ids import IncidentId
from llm_incident_manager.domain.relations import Attachment, LinkRow, Related, Relation
from llm_incident_manager.domain.severity import Severity
from llm_incident_manager.domain.time import Instant

ATTACHMENT_COLUMNS = Attachment._fields
ANALYSIS_COLUMNS = Analysis._fields


def link_row(link: LinkRow, pack: Pack) -> tuple[Any, ...]:
    """The link's column values, in the order of LinkRow."""
    return (link.tenant, pack(link.incident_id), int(link.relation), pack(link.other_id), *link[4:])


def attachment_of(row: Row, unpack: Unpack) -> Attachment:
    """The attachment of a row whose columns are ATTACHMENT_COLUMNS."""
    id_, tenant, incident, *rest = row
    return Attachment(unpack(id_), tenant, IncidentId(unpack(incident)), *rest)


def analysis_of(row: Row, unpack: Unpack) -> Analysis:
    """The analysis of a row whose columns are ANALYSIS_COLUMNS."""
    found = Analysis(*row)
    return found._replace(
        id=unpack(found.id),
        incident_id=IncidentId(unpack(found.incident_id)),
        question=Question(found.question),
        state=AnalysisState(found.state),
        recommended=None if found.recommended is None else Severity(found.recommended),
        applied=bool(found.applied),
    )


def related_of(row: Row, unpack: Unpack) -> Related:
    """The related incident of a row: INCIDENT_COLUMNS, then relation, time, actor and reason."""
    fields = tuple(row)
    relation, at, actor, reason = fields[len(INCIDENT_COLUMNS) :]
    return Related(Relation(relation), incident_of(fields, unpack), Instant(at), actor, reason)

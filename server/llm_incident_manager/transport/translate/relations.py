"""Related incidents, attachments and results over many incidents to protobuf."""

from typing import Any

from incidentmanager.v1 import (
    incident_apply_pb2,
    incident_attachments_pb2,
    incident_relations_pb2,
    incident_verbs_pb2,
)

from llm_incident_manager.domain.relations import Attachment, Related
from llm_incident_manager.domain.splitting import Fate
from llm_incident_manager.transport.translate import incidents, times
from llm_incident_manager.usecases.applying import Tally


def related(given: Related, as_of: incidents.AsOf) -> incident_relations_pb2.RelatedIncident:
    """One incident that another one has to do with."""
    relation: Any = int(given.relation)  # equal numbers in the contract
    return incident_relations_pb2.RelatedIncident(
        relation=relation,
        incident=incidents.incident(given.incident, as_of),
        relate_time=times.timestamp(given.at),
        actor=given.actor,
        reason=given.reason,
    )


def attachment(given: Attachment) -> incident_attachments_pb2.Attachment:
    """A link to material elsewhere."""
    return incident_attachments_pb2.Attachment(
        id=given.id,
        incident_id=given.incident_id,
        url=given.url,
        title=given.title,
        media_type=given.media_type,
        actor=given.actor,
        create_time=times.timestamp(given.at),
    )


def fate(given: Fate) -> incident_verbs_pb2.SplitFingerprint:
    """Which incident has a fingerprint after a split, and why."""
    version, value = given.name
    return incident_verbs_pb2.SplitFingerprint(version=version, value=value, moved=given.moved, reason=given.why)


def tally(given: Tally, as_of: incidents.AsOf, *, preview: bool) -> incident_apply_pb2.ApplyToIncidentsResponse:
    """What became of many incidents."""
    return incident_apply_pb2.ApplyToIncidentsResponse(
        matched=min(given.matched, incidents.LARGEST),
        changed=given.changed,
        unchanged=given.unchanged,
        failed=given.failed,
        failures=[
            incident_apply_pb2.ApplyFailure(
                incident_id=each.incident, number=each.number, reason=each.reason, message=each.message
            )
            for each in given.failures
        ],
        sample=[incidents.incident(each, as_of) for each in given.sample],
        preview=preview,
    )

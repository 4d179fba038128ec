"""Related incidents, attachments, results over many incidents and figures to protobuf."""

from typing import Any

from google.protobuf.duration_pb2 import Duration
from incidentmanager.v1 import (
    analytics_service_pb2,
    incident_apply_pb2,
    incident_attachments_pb2,
    incident_relations_pb2,
    incident_verbs_pb2,
)

from llm_incident_manager.domain.figures import Figures, Spread, Table
from llm_incident_manager.domain.relations import Attachment, Related
from llm_incident_manager.domain.splitting import Fate
from llm_incident_manager.transport.translate import incidents, times
from llm_incident_manager.usecases.applying import Tally

analytics = analytics_service_pb2


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


def table(given: Table) -> analytics.GetIncidentMetricsResponse:
    """Figures of all incidents and of groups of them."""
    return analytics.GetIncidentMetricsResponse(
        total=_figures(given.total),
        groups=[
            analytics.IncidentFiguresGroup(value=value, figures=_figures(figures)) for value, figures in given.groups
        ],
        group_count=given.group_count,
    )


def _figures(given: Figures) -> analytics.IncidentFigures:
    return analytics.IncidentFigures(
        count=min(given.incidents, incidents.LARGEST),
        open_count=min(given.open, incidents.LARGEST),
        time_to_detect=_spread(given.detect),
        time_to_detect_received=_spread(given.detect_received),
        time_to_acknowledge=_spread(given.acknowledge),
        time_to_resolve=_spread(given.resolve),
    )


def _spread(given: Spread) -> analytics.DurationFigures:
    return analytics.DurationFigures(
        count=min(given.occurred, incidents.LARGEST),
        mean=_duration(given.mean),
        p50=_duration(given.p50),
        p95=_duration(given.p95),
    )


def _duration(micros: int | None) -> Duration | None:
    return None if micros is None else times.duration(micros)

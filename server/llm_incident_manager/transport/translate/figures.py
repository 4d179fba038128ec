"""Figures over many incidents to protobuf."""

from google.protobuf.duration_pb2 import Duration
from incidentmanager.v1 import analytics_service_pb2

from llm_incident_manager.domain.figures import Figures, Spread, Table
from llm_incident_manager.domain.trends import Attained, Attainment, Kept, Step, Trend
from llm_incident_manager.transport.translate import incidents, times

analytics = analytics_service_pb2


def table(given: Table) -> analytics.GetIncidentMetricsResponse:
    """Figures of all incidents and of groups of them."""
    return analytics.GetIncidentMetricsResponse(
        total=_figures(given.total),
        groups=[_group(value, figures) for value, figures in given.groups],
        group_count=given.group_count,
    )


def trend(given: Trend) -> analytics.GetIncidentTrendsResponse:
    """Figures step by step."""
    return analytics.GetIncidentTrendsResponse(
        steps=[_step(step) for step in given.steps], values=given.values, value_count=given.value_count
    )


def attainment(given: Attainment) -> analytics.GetSlaAttainmentResponse:
    """How often promises were kept."""
    return analytics.GetSlaAttainmentResponse(
        total=_attained(given.total),
        groups=[analytics.SlaFiguresGroup(value=value, figures=_attained(found)) for value, found in given.groups],
        group_count=given.group_count,
    )


def _step(given: Step) -> analytics.TrendStep:
    return analytics.TrendStep(
        start_time=times.timestamp(given.start),
        end_time=times.timestamp(given.end),
        figures=_figures(given.figures),
        groups=[_group(value, figures) for value, figures in given.groups],
    )


def _attained(given: Attained) -> analytics.SlaFigures:
    return analytics.SlaFigures(
        count=min(given.incidents, incidents.LARGEST),
        acknowledge=_kept(given.acknowledge),
        resolve=_kept(given.resolve),
    )


def _kept(given: Kept) -> analytics.PromiseFigures:
    met, breached, pending = (min(count, incidents.LARGEST) for count in given)
    return analytics.PromiseFigures(met=met, breached=breached, pending=pending, attainment=given.attainment)


def _group(value: str, given: Figures) -> analytics.IncidentFiguresGroup:
    return analytics.IncidentFiguresGroup(value=value, figures=_figures(given))


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

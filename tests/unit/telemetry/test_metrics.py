"""Metrics: their names, what counts where, and that two servers in one process do not share them."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from llm_incident_manager.telemetry.metrics import Metrics


@pytest.fixture
def metrics() -> Metrics:
    return Metrics("1.2.3")


def samples(metrics: Metrics) -> dict[str, float]:
    """All samples by name and labels, as a scraper sees them."""
    found = {}
    for family in text_string_to_metric_families(metrics.page().body.decode()):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


def test_the_documented_names_are_there_before_anything_happens(metrics: Metrics) -> None:
    found = samples(metrics)
    for name in (
        "incident_manager_alerts_processed_total",
        "incident_manager_incidents_created_total",
        "incident_manager_escalations_triggered_total",
        "incident_manager_deduplication_hits_total",
        "incident_manager_store_errors_total",
        "incident_manager_ingest_buffer_events",
        "incident_manager_batch_events_count",
        "incident_manager_ack_duration_seconds_count",
    ):
        assert found[name] == 0
    assert found["incident_manager_build_info{version=1.2.3}"] == 1
    assert found["process_cpu_seconds_total"] > 0


def test_all_names_have_one_prefix(metrics: Metrics) -> None:
    used_everywhere(metrics)
    own = {name.partition("{")[0] for name in samples(metrics) if not name.startswith(("process_", "python_"))}
    assert all(name.startswith("incident_manager_") for name in own)
    assert not any(name.endswith("_created") and name != "incident_manager_incidents_created" for name in own)


def used_everywhere(metrics: Metrics) -> None:
    metrics.events_accepted(2)
    metrics.events_decided("NEW", 2)
    metrics.incidents_opened(2)
    metrics.incident_escalated()
    metrics.stage_ran("triage", 0.0004)
    metrics.batch_formed(100)
    metrics.buffer_holds(7)
    metrics.acknowledged(0.004)
    metrics.call_answered("grpc", "SubmitEvent", "OK", 0.003)
    metrics.stream_opened("StreamEvents")
    metrics.notification_sent("ops")
    metrics.notification_failed("ops", "retryable")
    metrics.outbox_waits("incidents.notify", 3, 1.5)
    metrics.outbox_dead("incidents.notify", 2)
    metrics.outbox_handled("incidents.notify", 0.2)
    metrics.timer_fired("snooze", 3.5)
    metrics.timer_failed("snooze")
    metrics.timers_wait(4, 2.5)
    metrics.store_failed()


def test_everything_that_happens_is_counted(metrics: Metrics) -> None:
    used_everywhere(metrics)
    found = samples(metrics)
    expected = {
        "incident_manager_events_total{disposition=new}": 2,
        "incident_manager_alerts_processed_total": 2,
        "incident_manager_incidents_created_total": 2,
        "incident_manager_escalations_triggered_total": 1,
        "incident_manager_stage_duration_seconds_count{stage=triage}": 1,
        "incident_manager_stage_duration_seconds_bucket{le=0.0005,stage=triage}": 1,
        "incident_manager_batch_events_sum": 100,
        "incident_manager_ingest_buffer_events": 7,
        "incident_manager_ack_duration_seconds_bucket{le=0.005}": 1,
        "incident_manager_calls_total{code=OK,method=SubmitEvent,transport=grpc}": 1,
        "incident_manager_call_duration_seconds_sum{method=SubmitEvent,transport=grpc}": 0.003,
        "incident_manager_streams_active{method=StreamEvents}": 1,
        "incident_manager_notifications_sent_total{channel=ops}": 1,
        "incident_manager_notifications_failed_total{channel=ops,kind=retryable}": 1,
        "incident_manager_outbox_backlog{topic=incidents.notify}": 3,
        "incident_manager_outbox_oldest_seconds{topic=incidents.notify}": 1.5,
        "incident_manager_timers_fired_total{kind=snooze}": 1,
        "incident_manager_timers_failed_total{kind=snooze}": 1,
        "incident_manager_timer_late_seconds_bucket{kind=snooze,le=5.0}": 1,
        "incident_manager_timers_due": 4,
        "incident_manager_timers_due_oldest_seconds": 2.5,
        "incident_manager_store_errors_total": 1,
    }
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("disposition", "hits"),
    [
        ("NEW", 0),
        ("ATTACHED", 5),
        ("DUPLICATE", 5),
        ("SUPPRESSED", 0),
        ("APPLIED", 0),
        ("IGNORED", 0),
        ("REJECTED", 0),
    ],
)
def test_what_counts_as_a_repeat(metrics: Metrics, disposition: str, hits: int) -> None:
    metrics.events_decided(disposition, 5)
    found = samples(metrics)
    assert found[f"incident_manager_events_total{{disposition={disposition.lower()}}}"] == 5
    assert found["incident_manager_alerts_processed_total"] == 0, "what is accepted is counted where it is accepted"
    assert found["incident_manager_deduplication_hits_total"] == hits


def test_a_closed_stream_counts_out(metrics: Metrics) -> None:
    for _ in range(3):
        metrics.stream_opened("WatchIncidents")
    metrics.stream_closed("WatchIncidents")
    assert samples(metrics)["incident_manager_streams_active{method=WatchIncidents}"] == 2


def test_two_servers_have_metrics_of_their_own(metrics: Metrics) -> None:
    other = Metrics("1.2.3")
    other.incident_escalated()
    assert samples(metrics)["incident_manager_escalations_triggered_total"] == 0


def test_a_scraper_gets_the_format_it_asks_for(metrics: Metrics) -> None:
    assert metrics.page().content_type.startswith("text/plain; version=")
    page = metrics.page("application/openmetrics-text; version=1.0.0")
    assert page.content_type.startswith("application/openmetrics-text")
    assert page.body.endswith(b"# EOF\n")

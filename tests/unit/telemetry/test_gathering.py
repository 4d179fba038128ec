"""The metrics of several workers on one page."""

from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_open
from prometheus_client.parser import text_string_to_metric_families as parse

from llm_incident_manager.telemetry.metrics import Metrics


def worker(*, accepted: int, backlog: int = 0) -> Metrics:
    metrics = Metrics("1.0")
    metrics.events_accepted(accepted)
    metrics.stage_ran("triage", 0.002)
    metrics.outbox_waits("incidents.routed", backlog, 1.0)
    return metrics


def samples(page: str, name: str) -> dict[tuple[tuple[str, str], ...], float]:
    found = [sample for family in parse(page) for sample in family.samples if sample.name == name]
    return {tuple(sorted(sample.labels.items())): sample.value for sample in found}


def test_each_sample_bears_its_worker_and_what_is_the_databases_none() -> None:
    first, second = worker(accepted=3, backlog=7), worker(accepted=4, backlog=99)
    page = first.page("", {1: first.told(), 2: second.told()}).body.decode()
    assert samples(page, "incident_manager_alerts_processed_total") == {(("worker", "1"),): 3, (("worker", "2"),): 4}
    assert samples(page, "incident_manager_outbox_backlog") == {(("topic", "incidents.routed"),): 7}
    buckets = samples(page, "incident_manager_stage_duration_seconds_bucket")
    assert buckets[("le", "+Inf"), ("stage", "triage"), ("worker", "2")] == 1


def test_each_family_stands_once_and_both_formats_can_be_read() -> None:
    first, second = worker(accepted=3), worker(accepted=4)
    told = {1: first.told(), 2: second.told()}
    names = [family.name for family in parse(first.page("", told).body.decode())]
    assert len(names) == len(set(names))
    openly = first.page("application/openmetrics-text; version=1.0.0", told)
    assert openly.content_type.startswith("application/openmetrics-text")
    families = list(parse_open(openly.body.decode()))  # type: ignore[no-untyped-call]  # ships no types for it
    assert len(families) == len(names)


def test_a_worker_that_does_not_answer_is_told_of() -> None:
    first = worker(accepted=3)
    page = first.page("", {1: first.told(), 2: None}).body.decode()
    assert samples(page, "incident_manager_worker_up") == {(("worker", "1"),): 1, (("worker", "2"),): 0}


def test_a_process_alone_has_neither_label_nor_worker() -> None:
    page = worker(accepted=3, backlog=7).page().body.decode()
    assert samples(page, "incident_manager_alerts_processed_total") == {(): 3}
    assert samples(page, "incident_manager_outbox_backlog") == {(("topic", "incidents.routed"),): 7}
    assert "worker" not in page

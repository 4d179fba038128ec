"""A glance at a batch's bytes: it never takes an urgent event for calm, and what usually comes is seen to be calm."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from incidentmanager.v1 import event_pb2, ingest_service_pb2

from llm_incident_manager.adapters import rulepack
from llm_incident_manager.domain.severity import Severity
from llm_incident_manager.domain.time import SECOND, Instant
from llm_incident_manager.engines.triage import Judge
from llm_incident_manager.transport.handlers import glance
from llm_incident_manager.transport.translate import events as translate

PACK = rulepack.load()
KINDS = st.sampled_from(["", "unheard of", *PACK.kinds])
WORDS = st.sampled_from(["", "P0", "p1", "P3", "P4", "CRITICAL", "high", "low", "catastrophic"])
SOURCES = st.sampled_from(["chaos", "sentinel", "shield", "edge-agent", ""])
ATTRIBUTES = st.dictionaries(st.sampled_from(["tool_executed", "cross_tenant"]), st.booleans(), max_size=1)
METRICS = st.dictionaries(st.sampled_from(sorted(PACK.thresholds)), st.floats(0, 1e6), max_size=1)


def bytes_of(*events: event_pb2.Event) -> bytes:
    return ingest_service_pb2.SubmitEventsRequest(events=events, request_id="r").SerializeToString()


def calm(data: bytes, judge: Judge) -> bool:
    return glance.is_calm(glance.count(data)[1], judge.floor)


@st.composite
def event(draw: st.DrawFn) -> event_pb2.Event:
    return event_pb2.Event(
        source=draw(SOURCES),
        title=draw(st.sampled_from(["", "x", "P0", "*\x02P0"])),
        kind=draw(KINDS),
        severity=draw(WORDS),
        attributes=draw(ATTRIBUTES) if draw(st.booleans()) else {},
        metrics=draw(METRICS) if draw(st.booleans()) else {},
    )


JUDGES = [Judge(PACK), Judge(rulepack.load(source_defaults={"chaos": Severity.P1}))]


@pytest.mark.parametrize("judge", JUDGES, ids=["shipped", "whose default is urgent"])
@given(events=st.lists(event(), max_size=4))
def test_a_batch_that_looks_calm_has_no_urgent_event(judge: Judge, events: list[event_pb2.Event]) -> None:
    worst = min((judge.decide(translate.event(each, Instant(SECOND))).severity for each in events), default=Severity.P4)
    assert not calm(bytes_of(*events), judge) or worst > Severity.P1


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        pytest.param([{"severity": "P3"}, {"severity": "low", "kind": "unheard of"}], True, id="of no hurry"),
        pytest.param([{}], True, id="no severity"),
        pytest.param([{"severity": "P3"}] * 999 + [{"severity": "P0"}], False, id="the last is urgent"),
        pytest.param([{"severity": "P3", "metrics": {"x": 0.0}}], False, id="metrics may raise it"),
        pytest.param([{"severity": "P3", "attributes": {"x": False}}], False, id="attributes may raise it"),
        pytest.param([{"severity": "P3", "kind": f"k{at}"} for at in range(64)], False, id="too many kinds to tell"),
    ],
)
def test_what_usually_comes(events: list[dict[str, object]], expected: bool) -> None:
    made = [event_pb2.Event(source="chaos", title="x", **fields) for fields in events]  # type: ignore[arg-type]
    data = bytes_of(*made)
    assert glance.count(data)[0] == len(events)
    assert calm(data, Judge(PACK)) is expected


def test_an_event_whose_field_comes_twice_counts_with_both() -> None:
    twice = event_pb2.Event(source="a", severity="P0").SerializeToString()
    twice += event_pb2.Event(severity="P4").SerializeToString()
    data = bytes([0x0A, len(twice)]) + twice
    assert not calm(data, Judge(PACK))

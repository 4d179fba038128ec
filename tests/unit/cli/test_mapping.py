"""How lines become events. The status map keeps to itself what only a judge may know; keys make repeats harmless."""

import json
from typing import Any

import pytest

from llm_incident_client import pb
from llm_incident_manager.cli import mapping
from llm_incident_manager.cli.failures import BadUsage
from llm_incident_manager.domain.errors import DomainError

UPDATE: dict[str, Any] = {
    "timestamp": "2024-03-02T02:07:00Z",
    "provider": "openai",
    "services": ["API", "Labs"],
    "title": "Elevated errors in hindsight",
    "stage": "Investigating",
    "body": "We are looking into it.",
    "impact_level": 2,
    "impact": "major",
    "incident_id": "zz9plural",
    "seq": 77,
    "n_updates": 78,
}


def read(line: dict[str, Any], reader: mapping.Reader | None = None) -> pb.Event:
    return (reader or mapping.Reader()).event(json.dumps(line).encode() + b"\n")


def test_a_status_update_becomes_a_provider_outage() -> None:
    event = read(UPDATE)
    assert event.action == pb.Action.ACTION_TRIGGER
    assert (event.source, event.kind, event.provider) == ("status-page/openai", "provider_outage", "openai")
    assert (event.service, list(event.affected_services)) == ("API", ["API", "Labs"])
    assert (event.title, event.description) == ("Elevated errors in hindsight", "We are looking into it.")
    assert event.event_time.ToJsonString() == "2024-03-02T02:07:00Z"
    assert event.severity == "", "status pages give no severity with an update"


@pytest.mark.parametrize("without_title", [True, False], ids=["hidden", "shown"])
def test_what_came_later_or_is_the_answer_never_reaches_the_server(without_title: bool) -> None:
    event = read(UPDATE, mapping.Reader(without_title=without_title))
    event.idempotency_key = ""  # a hash of the line
    sent = str(event)
    for word in ("zz9plural", "major", "impact", "77", "78", "seq", "n_updates"):
        assert word not in sent
    assert ("hindsight" in sent) is not without_title


def test_the_neutral_title_names_provider_and_services_only() -> None:
    assert read(UPDATE, mapping.Reader(without_title=True)).title == "openai: API, Labs degraded"
    assert read({**UPDATE, "services": []}, mapping.Reader(without_title=True)).title == "openai: service degraded"


@pytest.mark.parametrize(("stage", "action"), [
    ("Investigating", "TRIGGER"), ("Identified", "TRIGGER"), ("Monitoring", "TRIGGER"), ("Update", "TRIGGER"),
    ("a word nobody knows", "TRIGGER"), ("Resolved", "RESOLVE"), ("Completed", "RESOLVE"), ("Postmortem", "RESOLVE"),
    ("Scheduled", "CHANGE"), ("In progress", "CHANGE"), ("Verifying", "CHANGE"),
])  # fmt: skip
def test_the_stage_decides_the_action(stage: str, action: str) -> None:
    assert pb.Action.Name(read({**UPDATE, "stage": stage}).action) == f"ACTION_{action}"


def test_a_resolve_has_the_identity_of_its_trigger() -> None:
    trigger, resolve = read(UPDATE), read({**UPDATE, "stage": "Resolved", "body": "Over."})
    for name in ("source", "kind", "title", "provider", "service", "environment", "error_class"):
        assert getattr(trigger, name) == getattr(resolve, name)


def test_a_native_line_is_the_event_itself_in_either_spelling() -> None:
    event = read({"source": "s", "title": "t", "dedupKey": "d", "action": "resolve", "labels": {"a": "b"}})
    assert (event.dedup_key, event.action, dict(event.labels)) == ("d", pb.Action.ACTION_RESOLVE, {"a": "b"})


def test_the_first_line_decides_the_map() -> None:
    reader = mapping.Reader()
    read(UPDATE, reader)
    assert reader.map_name == "status"
    with pytest.raises(mapping.Unreadable, match="'provider' is missing"):
        read({"source": "s", "title": "t"}, reader)


def test_equal_lines_have_keys_of_their_own_and_the_same_ones_in_a_second_replay() -> None:
    first, second = mapping.Reader(), mapping.Reader()
    keys = [read(UPDATE, first).idempotency_key, read(UPDATE, first).idempotency_key]
    assert keys[0] != keys[1]
    assert keys[0].startswith("replay:")
    assert keys[0].endswith(":1")
    assert len(keys[0]) == len("replay:") + 32 + 2
    assert keys == [read(UPDATE, second).idempotency_key, read(UPDATE, second).idempotency_key]


def test_the_line_end_does_not_count_and_an_own_key_stays() -> None:
    raw = json.dumps(UPDATE).encode()
    assert mapping.Reader().event(raw).idempotency_key == mapping.Reader().event(raw + b"\r\n").idempotency_key
    assert read({"source": "s", "title": "t", "idempotency_key": "mine"}).idempotency_key == "mine"


@pytest.mark.parametrize("raw", [b"{", b"[1]", b'"text"', b'{"source": 5}', b'{"sauce": "s"}', b"\xff"])
def test_a_line_that_is_no_event_is_told_apart(raw: bytes) -> None:
    with pytest.raises((mapping.Unreadable, DomainError)):
        mapping.Reader("native").event(raw)


def test_a_shift_moves_all_times_alike_and_leaves_the_keys() -> None:
    reader = mapping.Reader()
    later = {**UPDATE, "timestamp": "2024-03-02T03:07:00Z"}
    raws = [json.dumps(line).encode() for line in (UPDATE, later)]
    latest = reader.latest([*raws, b"no event"])
    assert latest == 1709348820 * 10**6
    reader.shift = 60 * 10**6
    events = [reader.event(raw) for raw in raws]
    assert [event.event_time.ToJsonString()[11:] for event in events] == ["02:08:00Z", "03:08:00Z"]
    assert [event.idempotency_key for event in events] == [mapping.Reader().event(raw).idempotency_key for raw in raws]


def test_an_event_of_its_own_needs_its_title() -> None:
    with pytest.raises(BadUsage, match="--map status"):
        read({"source": "s", "title": "t"}, mapping.Reader(without_title=True))

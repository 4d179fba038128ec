"""What the WebSocket door decides without a connection: who may connect from where, what a list of words asks for, and
what is said."""

import json

import pytest
from incidentmanager.v1 import event_pb2, incident_pb2, ingest_service_pb2

from llm_incident_manager.domain import filters
from llm_incident_manager.domain.errors import DomainError, ErrorReason, InvalidFields, SlowSubscriber, Unauthenticated
from llm_incident_manager.transport import errors, origins
from llm_incident_manager.transport.rest import jsoncodec
from llm_incident_manager.transport.rest.jsoncodec.printed import KEPT, Printed
from llm_incident_manager.transport.ws import farewell, frames, handshake, messages, selection
from llm_incident_manager.transport.ws.frames import BadFrame

ORIGINS = {
    # A program names none.
    "none": (None, "localhost:3000", True),
    # The page is of this server.
    "own": ("http://localhost:3000", "localhost:3000", True),
    # A browser leaves out the usual port on either side.
    "own without port": ("https://im.example.com", "im.example.com", True),
    "own with the usual port": ("https://im.example.com", "im.example.com:443", True),
    "own in capitals": ("https://IM.example.com", "im.EXAMPLE.com", True),
    "own by IPv6": ("http://[::1]:3000", "[::1]:3000", True),
    # Another port is another site.
    "another port": ("http://localhost:8080", "localhost:3000", False),
    "another host": ("https://evil.example", "localhost:3000", False),
    # A page in a sandbox, or from a file.
    "null": ("null", "localhost:3000", False),
    "nonsense": ("localhost:3000", "localhost:3000", False),
    "allowed": ("https://console.example.com", "localhost:3000", True),
}


@pytest.mark.parametrize(("origin", "host", "welcome"), ORIGINS.values(), ids=ORIGINS)
def test_only_pages_of_this_server_and_of_allowed_sites_are_welcome(
    origin: str | None, host: str, *, welcome: bool
) -> None:
    headers = {"host": host, **({} if origin is None else {"origin": origin})}
    foreign = origins.foreign(headers, ["https://console.example.com"])
    assert foreign == (None if welcome else origin)


def test_a_credential_may_come_as_a_subprotocol_and_a_header_of_its_kind_counts_more() -> None:
    offered = ["incidentmanager.v1", "bearer.a.b.c", "api-key.lim_x"]
    headers = {"x-api-key": "own", "sec-websocket-protocol": ", ".join(offered), "x-request-id": "r", "host": "h"}
    assert handshake.metadata(headers, offered) == {"x-api-key": "own", "authorization": "Bearer a.b.c", "host": "h"}
    assert handshake.chosen(offered) == "incidentmanager.v1"
    assert handshake.chosen(["graphql-ws"]) is None


SELECTIONS = {
    "nothing": ({}, ""),
    "empty lists": ({"severities": [], "labels": {}}, ""),
    "one": ({"severities": ["P1"]}, '(severity = "P1")'),
    "several": ({"states": ["NEW", "RESOLVED"]}, '(state = "NEW" OR state = "RESOLVED")'),
    "all that is asked for": (
        {"sources": ["a"], "labels": {"team": "x"}},
        '(source = "a") AND labels."team" = "x"',
    ),
    "resources": ({"affected_resources": ["chat"]}, '(service = "chat" OR affected_services:"chat")'),
    "numbers and ids": (
        {"incident_ids": ["INC-20261121-00042", "01990000-0000-7000-8000-000000000000"]},
        '(number = "INC-20261121-00042" OR id = "01990000-0000-7000-8000-000000000000")',
    ),
    "what the filter language has a use for": ({"sources": ['a"b\\c*']}, '(source = "a\\"b\\\\c\\*")'),
}


@pytest.mark.parametrize(("given", "expected"), SELECTIONS.values(), ids=SELECTIONS)
def test_words_become_a_filter(given: object, expected: str) -> None:
    chosen = selection.selection(given)
    assert chosen.filter == expected
    if expected:
        filters.parse(expected)


BAD = {
    "no object": ([], "filters"),
    "unknown": ({"severity": ["P1"]}, "filters.severity"),
    "no list": ({"sources": "a"}, "filters.sources"),
    "no texts": ({"sources": [1]}, "filters.sources"),
    "labels that are none": ({"labels": {"a": 1}}, "filters.labels"),
    "too many": ({"sources": ["a"] * 101}, "filters.sources"),
    "an unknown kind": ({"event_types": ["alert_received"]}, "filters.event_types"),
}


@pytest.mark.parametrize(("given", "field"), BAD.values(), ids=BAD)
def test_words_that_ask_for_nothing_are_refused_by_their_field(given: object, field: str) -> None:
    with pytest.raises(InvalidFields) as refused:
        selection.selection(given)
    assert [violation.field for violation in refused.value.violations] == [field]


def test_kinds_of_changes_are_told_apart_also_by_the_state_they_led_to() -> None:
    chosen = selection.selection({"event_types": ["incident_resolved", "NOTE"]})

    def change(kind: int, state: int = incident_pb2.INCIDENT_STATE_NEW) -> incident_pb2.IncidentChange:
        return incident_pb2.IncidentChange(kind=kind, incident=incident_pb2.Incident(state=state))  # type: ignore[arg-type]

    resolved = incident_pb2.INCIDENT_STATE_RESOLVED
    told = {
        "note": chosen.tells(change(incident_pb2.CHANGE_KIND_NOTE)),
        "resolved": chosen.tells(change(incident_pb2.CHANGE_KIND_STATE, resolved)),
        "acknowledged": chosen.tells(change(incident_pb2.CHANGE_KIND_STATE)),
        "opened": chosen.tells(change(incident_pb2.CHANGE_KIND_OPENED)),
        "snapshot": chosen.tells(change(incident_pb2.CHANGE_KIND_SNAPSHOT)),
    }
    assert told == {"note": True, "resolved": True, "acknowledged": False, "opened": False, "snapshot": True}


def test_a_change_is_told_in_the_fields_that_rest_has() -> None:
    change = incident_pb2.IncidentChange(
        kind=incident_pb2.CHANGE_KIND_OPENED, resume_token="t", incident=incident_pb2.Incident(title="x")
    )
    shown = json.loads(jsoncodec.codec(change.DESCRIPTOR).dumps(change))
    assert json.loads(messages.change('b"', change)) == {"type": "change", "subscription_id": 'b"', **shown}


def test_a_message_that_many_are_told_is_printed_once() -> None:
    printed, times = Printed(), 0

    def encode(message: incident_pb2.IncidentChange) -> object:
        nonlocal times
        times += 1
        return {"resume_token": message.resume_token}

    change = incident_pb2.IncidentChange(resume_token="t")
    texts = {printed.text(change, encode) for _ in range(100)}
    assert (texts, times) == ({b'{"resume_token":"t"}'}, 1)
    for number in range(KEPT + 1):  # what was printed long ago is forgotten
        printed.text(incident_pb2.IncidentChange(resume_token=str(number)), encode)
    printed.text(change, encode)
    assert times == KEPT + 3


def test_an_event_that_its_sender_may_not_report_is_told_so_as_a_call_would_be() -> None:
    violation = event_pb2.FieldViolation(field="service", message="not covered", rule="scope")
    result = event_pb2.EventResult(
        disposition=event_pb2.DISPOSITION_REJECTED, reason="not_covered", violations=[violation]
    )
    refused = messages.rejection(result)
    assert refused is not None
    assert (refused.reason, refused.metadata) == (ErrorReason.PERMISSION_DENIED, {"field": "service"})
    assert messages.rejection(event_pb2.EventResult(disposition=event_pb2.DISPOSITION_NEW)) is None


ENDS = {
    "slow": (SlowSubscriber(20.0), "slow", 1013),
    "revoked": (Unauthenticated(again=True), "revoked", 1008),
    "gone": (DomainError(ErrorReason.CANCELLED, "gone"), "gone", 1000),
    "a defect": (DomainError(ErrorReason.INTERNAL, "defect"), "failed", 1011),
}


@pytest.mark.parametrize(("error", "cause", "code"), ENDS.values(), ids=ENDS)
def test_a_connection_ends_with_a_cause_and_a_code(error: DomainError, cause: str, code: int) -> None:
    last = farewell.of(errors.status_error(error))
    assert (last.cause, last.code) == (cause, code)
    assert (last.error is None) == (cause == "gone")


@pytest.mark.parametrize("reason", [ErrorReason.PERMISSION_DENIED, ErrorReason.RATE_LIMITED, ErrorReason.OVERLOADED])
def test_a_refused_call_does_not_end_the_connection(reason: ErrorReason) -> None:
    assert not farewell.ends_connection(errors.status_error(DomainError(reason, "no")))


def test_every_field_of_an_event_may_stand_beside_type_and_id() -> None:
    names = {field.name for field in event_pb2.Event.DESCRIPTOR.fields}
    assert not names & {"type", "id", "event"}
    frame = frames.parse('{"type":"event","id":0,"source":"s","title":"t","labels":{"a":"b"}}', 1_000, 10)
    assert isinstance(frame, frames.Events)
    assert (frame.id, frame.single, frames.kind(frame)) == (0, True, "event")
    assert frame.request == ingest_service_pb2.SubmitEventsRequest(
        events=[event_pb2.Event(source="s", title="t", labels={"a": "b"})]
    )


def test_a_refusal_bears_the_id_of_its_message_and_its_subscription() -> None:
    with pytest.raises(BadFrame) as bad:
        frames.parse('{"type":"subscribe","id":"q","subscription_id":"s","filtr":"x"}', 1_000, 10)
    assert (bad.value.id, bad.value.subscription_id) == ("q", "s")
    assert "did you mean filter" in bad.value.error.message

"""The compiled checker breaks the same rules of the same fields as protovalidate, on random and on boundary values."""

import functools
from collections.abc import Iterable, Mapping

import protovalidate
import pytest
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from incidentmanager.v1 import event_pb2, incident_service_pb2, ingest_service_pb2

from llm_incident_manager.domain.event import Event
from llm_incident_manager.transport import checker
from llm_incident_manager.transport.checker.rules import quote
from llm_incident_manager.transport.handlers import validity
from llm_incident_manager.transport.translate import events
from tests.support import compiled, random_messages
from tests.support.builders import NOW

Broken = set[tuple[str, str]]

CASES = {
    message.full_name: message
    for message in compiled.file("checked.proto").message_types_by_name.values()
    if message.name != "Idle"
}
REQUESTS = {
    method.input_type.full_name: method.input_type
    for service in (
        ingest_service_pb2.DESCRIPTOR.services_by_name["IngestService"],
        incident_service_pb2.DESCRIPTOR.services_by_name["IncidentService"],
    )
    for method in service.methods
}
OURS = {event_pb2.Event.DESCRIPTOR.full_name: event_pb2.Event.DESCRIPTOR, **REQUESTS}


def path_of(elements: Iterable[protovalidate.FieldPathElementPb]) -> str:
    path = ""
    for element in elements:
        path += ("." if path else "") + element.field_name
        if element.subscript is not None:
            path += f"[{quote(element.subscript.value)}]"
    return path


def oracle(message: Message) -> Broken:
    found = (violation.proto for violation in protovalidate.collect_violations(message))
    return {(path_of(v.field.elements if v.field else ()), v.rule_id) for v in found}


@functools.cache
def checker_and_messages(descriptor: Descriptor) -> tuple[checker.Checker, st.SearchStrategy[Message]]:
    return checker.compile_checker(descriptor), random_messages.messages(descriptor)


def disagreements(check: checker.Checker, message: Message) -> dict[str, Broken]:
    ours = {(violation.field, violation.rule) for violation in check(message)}
    theirs = oracle(message)
    return {} if ours == theirs else {"only ours": ours - theirs, "only protovalidate": theirs - ours}


def assert_agreement(descriptor: Descriptor, data: st.DataObject) -> None:
    check, messages = checker_and_messages(descriptor)
    assert disagreements(check, data.draw(messages)) == {}


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_supported_option_means_what_protovalidate_says(name: str, data: st.DataObject) -> None:
    assert_agreement(CASES[name], data)


@pytest.mark.parametrize("name", OURS)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_request_of_ours_is_judged_as_protovalidate_judges_it(name: str, data: st.DataObject) -> None:
    assert_agreement(OURS[name], data)


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_an_event_is_taken_exactly_when_nothing_can_be_named_against_it(data: st.DataObject) -> None:
    """The hot path judges the translated event; it must never take what the checker would refuse, nor the reverse."""
    check, messages = checker_and_messages(event_pb2.Event.DESCRIPTOR)
    message = data.draw(messages)
    assert isinstance(message, event_pb2.Event)
    named = (*check(message), *events.missing(message))
    assert (validity.valid_event(message, NOW) is None) == bool(named)


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_repeats_is_judged_as_what_comes_for_the_first_time(data: st.DataObject) -> None:
    """Fields that events share are judged once; whatever else an event says, it must be taken or refused all the same,
    and a refused one must still have everything that can be named against it."""
    _, messages = checker_and_messages(event_pb2.Event.DESCRIPTOR)
    repeats = validity.Repeats(limit=2)
    one, two = data.draw(messages), data.draw(messages)
    assert isinstance(one, event_pb2.Event)
    assert isinstance(two, event_pb2.Event)
    for name in data.draw(st.sets(st.sampled_from(sorted(event_pb2.Event.DESCRIPTOR.fields_by_name)))):
        _take_over(one, two, name)
    for message in (one, two, one):
        given, expected = event_pb2.Event.FromString(message.SerializeToString()), validity.valid_event(message, NOW)
        assert in_order(repeats.valid_event(given, NOW)) == in_order(expected)
        assert expected is not None or given.SerializeToString(deterministic=True) == message.SerializeToString(
            deterministic=True
        )


def in_order(event: Event | None) -> str:
    """All it says. NaN is like NaN, and the entries of a map have no order."""
    return repr(event and [sorted(value.items()) if isinstance(value, Mapping) else value for value in event])


def _take_over(one: Message, two: Message, name: str) -> None:
    only: Message = event_pb2.Event.FromString(one.SerializeToString())
    for other in set(event_pb2.Event.DESCRIPTOR.fields_by_name) - {name}:
        only.ClearField(other)
    two.ClearField(name)
    two.MergeFrom(only)

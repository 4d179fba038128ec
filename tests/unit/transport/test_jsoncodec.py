"""JSON to messages and back: agreement with protobuf's own codec, the spellings taken, and what bad JSON is told."""

import functools
import json
import math
from typing import Any, cast

import pytest
from google.protobuf import any_pb2, json_format
from google.protobuf.descriptor import Descriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from incidentmanager.v1 import event_pb2, incident_pb2, severity_pb2

from llm_incident_manager.domain.errors import InvalidFields
from llm_incident_manager.transport.rest.jsoncodec import codec, enums, problems, text
from tests.support import compiled, random_messages

FILE = compiled.file("transcoded.proto")
EVERYTHING = compiled.message_class("transcoded.proto", "transcoded.v1.Everything")
ENVELOPE = compiled.message_class("transcoded.proto", "transcoded.v1.Envelope")
CODEC = codec(FILE.message_types_by_name["Everything"])
EVENTS = codec(event_pb2.Event.DESCRIPTOR)
TYPES = [FILE.message_types_by_name["Everything"], event_pb2.Event.DESCRIPTOR, incident_pb2.Incident.DESCRIPTOR]
OF_TYPE = pytest.mark.parametrize("descriptor", TYPES, ids=lambda descriptor: descriptor.name)
NAMES = [field.name for field in FILE.message_types_by_name["Everything"].fields]
LOOSE = {"struct_value", "list_value", "any_json", "fieldmask_value", "child", "children", "map_message"}
FEW = settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))

Loaded = Any
"""A message whose type is known from its descriptor alone."""


def load(**fields: object) -> Loaded:
    """The message that the JSON of the fields means."""
    return CODEC.loads(json.dumps(fields).encode())


def shown(**fields: object) -> dict[str, Any]:
    """Those of the printed fields that were set."""
    printed = cast("dict[str, Any]", CODEC.encode(EVERYTHING(**fields)))
    return {name: printed[name] for name in fields}


def told(raw: bytes | str) -> dict[str, str]:
    with pytest.raises(InvalidFields) as caught:
        CODEC.loads(raw.encode() if isinstance(raw, str) else raw)
    return {violation.field: violation.message for violation in caught.value.violations}


@functools.cache
def messages(descriptor: Descriptor) -> st.SearchStrategy[Message]:
    """Messages as JSON can carry them; the type with 48 fields nests less, to keep them small."""
    return random_messages.messages(descriptor, depth=1 if len(descriptor.fields) > 45 else 2, for_json=True)


def same(left: Message, right: Message) -> bool:
    """Equal bytes: NaN equals itself, and -0.0 does not equal 0.0."""
    return left.SerializeToString(deterministic=True) == right.SerializeToString(deterministic=True)


@OF_TYPE
@FEW
@given(data=st.data())
def test_what_is_printed_is_read_back_as_the_same_message(descriptor: Descriptor, data: st.DataObject) -> None:
    message = data.draw(messages(descriptor))
    assert same(codec(descriptor).loads(codec(descriptor).dumps(message)), message)


@OF_TYPE
@FEW
@given(data=st.data(), proto_names=st.booleans())
def test_what_protobuf_prints_is_read_as_protobuf_reads_it(
    descriptor: Descriptor, data: st.DataObject, *, proto_names: bool
) -> None:
    message = data.draw(messages(descriptor))
    raw = json_format.MessageToJson(message, preserving_proto_field_name=proto_names).encode()
    assert same(codec(descriptor).loads(raw), json_format.Parse(raw, type(message)()))


@OF_TYPE
@FEW
@given(data=st.data())
def test_but_for_enums_and_masks_protobuf_prints_the_same_values(descriptor: Descriptor, data: st.DataObject) -> None:
    message = data.draw(messages(descriptor))
    official = json_format.MessageToDict(message, preserving_proto_field_name=True)
    ours = cast("dict[str, Any]", codec(descriptor).encode(message))
    for field in descriptor.fields:
        if field.name in official and field.message_type is None and field.enum_type is None:
            assert repr(ours[field.name]) == repr(official[field.name])


def test_defaults_are_printed_and_unset_messages_and_optionals_are_not() -> None:
    printed = json.loads(EVENTS.dumps(event_pb2.Event()))
    assert printed["title"] == ""
    assert printed["action"] == "UNSPECIFIED"
    assert printed["labels"] == {}
    assert printed["affected_services"] == []
    assert printed["input_tokens"] == 0
    assert "event_time" not in printed
    assert not {"optional_value", "child", "choice_text"} & json.loads(CODEC.dumps(EVERYTHING())).keys()


def test_values_are_printed_as_the_contract_says() -> None:
    moment = Timestamp(seconds=1795293531, nanos=123_000_000)
    assert shown(state=1, enum_value=2, int64_value=-5, uint64_value=2**64 - 1, int32_value=7) == {
        "state": "IN_PROGRESS",
        "enum_value": "Z",
        "int64_value": "-5",
        "uint64_value": str(2**64 - 1),
        "int32_value": 7,
    }
    assert shown(timestamp_value=moment, duration_value=Duration(seconds=-1, nanos=-500_000_000)) == {
        "timestamp_value": "2026-11-21T20:38:51.123Z",
        "duration_value": "-1.500s",
    }
    assert shown(float_value=1.1, double_value=-math.inf, bytes_value=b"\xff\xfe", map_value15={True: "t"}) == {
        "float_value": 1.1,
        "double_value": "-Infinity",
        "bytes_value": "//4=",
        "map_value15": {"true": "t"},
    }
    assert shown(fieldmask_value={"paths": ["a_b", "c"]}, wrapper_int64_value={"value": 5}, optional_number=0) == {
        "fieldmask_value": "a_b,c",
        "wrapper_int64_value": "5",
        "optional_number": 0,
    }


@pytest.mark.parametrize("value", [1073289644474368.0, 16777217.0, 3.4028234663852886e38, 1.401298464324817e-45, 0.9])
def test_a_short_float_is_printed_as_protobuf_prints_it(value: float) -> None:
    message = EVERYTHING(float_value=value)
    assert shown(float_value=value) == {"float_value": json_format.MessageToDict(message)["floatValue"]}


def test_map_entries_are_printed_in_key_order() -> None:
    labels = {"b": "2", "a": "1", "c": "3"}
    assert list(shown(labels=labels)["labels"]) == ["a", "b", "c"]


def test_a_number_no_enum_value_has_is_printed_as_it_is() -> None:
    assert shown(state=99)["state"] == 99


def test_a_packed_message_is_printed_with_its_type() -> None:
    packed = any_pb2.Any()
    packed.Pack(event_pb2.FieldViolation(field="title", message="m", rule="r"))
    strange = any_pb2.Any(type_url="type.googleapis.com/no.Such", value=b"x")
    show = codec(FILE.message_types_by_name["Envelope"])
    assert show.encode(ENVELOPE(payload=packed)) == {
        "payload": {"@type": packed.type_url, "field": "title", "message": "m", "rule": "r"}
    }
    assert show.encode(ENVELOPE(payload=strange)) == {"payload": {"@type": strange.type_url, "value": "eA=="}}


@pytest.mark.parametrize(
    "spelled",
    [
        "IN_PROGRESS",
        "in_progress",
        "In Progress",
        "in-progress",
        "InProgress",
        "WORK_STATE_IN_PROGRESS",
        "work_state_in_progress",
        "workStateInProgress",
        1,
    ],
)
def test_an_enum_is_read_in_any_spelling(spelled: object) -> None:
    assert load(state=spelled).state == 1


def test_the_published_examples_are_read() -> None:
    event = EVENTS.loads(b'{"source": "monitoring", "severity": "P2", "incident_type": "Infrastructure"}')
    infrastructure = severity_pb2.INCIDENT_TYPE_INFRASTRUCTURE
    assert event == event_pb2.Event(source="monitoring", severity="P2", incident_type=infrastructure)


def test_a_prefix_is_kept_where_no_name_would_be_left() -> None:
    spelling = enums.spelling(FILE.enum_types_by_name["WorkState"])
    assert spelling.names[3] == "WORK_STATE_2FA"
    assert spelling.number("work-state-2fa") == 3


def test_an_enum_whose_values_differ_by_separators_alone_is_refused_at_start() -> None:
    source = 'syntax = "proto3"; package two; enum E { E_A_B = 0; E_AB = 1; }'
    with pytest.raises(enums.AmbiguousEnum, match=r"two\.E: two values are spelled 'eab'"):
        enums.Spelling(compiled.from_source(source, "two_alike.proto").enum_types_by_name["E"])


def test_values_are_read_generously() -> None:
    assert load(int64Value="5", uint32_value=1.0, int32_value="1e2").int32_value == 100
    assert load(double_value="-Infinity").double_value == -math.inf
    assert math.isnan(load(float_value="NaN").float_value)
    assert load(bytes_value="_-4").bytes_value == load(bytes_value="/+4=").bytes_value == b"\xff\xee"
    assert load(timestamp_value="2026-11-21t21:38:51.000000001+01:00").timestamp_value == Timestamp(
        seconds=1795293531, nanos=1
    )
    assert load(fieldmask_value="aB,c.dE").fieldmask_value.paths == ["a_b", "c.d_e"]
    assert load(string_value=None, child=None, labels=None) == EVERYTHING()
    assert load(map_enum={"a": "y"}, repeated_enum=["last", 1]).repeated_enum == [2, 1]
    assert load(struct_value={"a": [1, None, {"b": True}]}).struct_value["a"][2]["b"] is True


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"stringValue": 5}, "string_value must be a string; got 5"),
        ({"bool_value": "true"}, 'bool_value must be true or false; got "true"'),
        ({"bool_value": 1}, "bool_value must be true or false; got 1"),
        ({"int32_value": True}, "int32_value must be a whole number; got true"),
        ({"int32_value": 1.5}, "int32_value must be a whole number; got 1.5"),
        ({"int32_value": 2**31}, "int32_value must lie between -2147483648 and 2147483647; got 2147483648"),
        ({"uint64_value": -1}, "uint64_value must lie between 0 and 18446744073709551615; got -1"),
        ({"double_value": "nan"}, 'double_value must be a number; got "nan"'),
        ({"float_value": 1e39}, "float_value must fit a 32-bit floating-point number; got 1e+39"),
        ({"bytes_value": "a"}, 'bytes_value must be base64; got "a"'),
        ({"bytes_value": "é"}, 'bytes_value must be base64; got "é"'),
        ({"state": "later"}, 'state must be one of UNSPECIFIED, IN_PROGRESS, DONE, WORK_STATE_2FA; got "later"'),
        ({"state": 77}, "state must be one of UNSPECIFIED, IN_PROGRESS, DONE, WORK_STATE_2FA; got 77"),
        ({"labels": ["a"]}, "labels must be an object; got an array"),
        ({"labels": {"a": 1}}, 'labels["a"] must be a string; got 1'),
        ({"map_value3": {"x": "v"}}, 'map_value3["x"] must be a whole number; got "x"'),
        ({"map_value3": {"1": "v", "01": "w"}}, "map_value3 must name each key once; got an object"),
        ({"repeated_value": "a"}, 'repeated_value must be an array; got "a"'),
        ({"repeated_value": ["a", None]}, "repeated_value[1] must be a string; got null"),
        (
            {"children": [{"child": {"int32_value": 0.5}}]},
            "children[0].child.int32_value must be a whole number; got 0.5",
        ),
        ({"child": "a"}, 'child must be an object; got "a"'),
        ({"chidl": {}}, "chidl is no field of Everything; did you mean child?"),
        ({"string_value": "a", "stringValue": "b"}, "string_value is given twice, once as stringValue; keep one"),
        ({"choice_text": "a", "choice_number": 1}, "choice_number cannot be given together with choice_text"),
        ({"duration_value": 5}, 'duration_value must be a duration with a unit, as "90s", "1.5s" or "1h30m"; got 5'),
        ({"duration_value": "99999999h"}, 'duration_value must be at most 315576000000 seconds; got "99999999h"'),
        ({"fieldmask_value": 5}, 'fieldmask_value must be field paths with commas between them, as "a,b.c"; got 5'),
        ({"struct_value": []}, "struct_value must be an object; got an array"),
    ],
)
def test_a_wrong_value_is_named_with_the_remedy(fields: dict[str, object], says: str) -> None:
    assert list(told(json.dumps(fields)).values()) == [says]


def test_every_wrong_value_is_named_at_once_and_long_ones_are_cut() -> None:
    assert told(json.dumps({"int32_value": "x", "nothing": 1, "labels": "x" * 65})) == {
        "int32_value": 'int32_value must be a whole number; got "x"',
        "nothing": "nothing is no field of Everything",
        "labels": f'labels must be an object; got "{"x" * 64}…"',
    }


def test_a_body_of_nothing_but_mistakes_is_answered_soon_and_shortly() -> None:
    fields = {f"unknown_{n}": n for n in range(20_000)} | {
        "int32_value": "9" * 100_000,
        "duration_value": "9" * 100_000,
    }
    assert len(told(json.dumps(fields))) == problems.LIMIT


TEXTS = st.text(max_size=4) | st.sampled_from(["1s", "P0", "2", "-0", "2026-11-21T20:38:51Z"])
KEYS = st.text(max_size=3) | st.sampled_from(NAMES)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


@FEW
@given(fields=st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=6))
def test_any_json_gives_a_message_or_says_which_fields_are_wrong(fields: dict[str, object]) -> None:
    try:
        message = CODEC.loads(json.dumps(fields).encode())
    except (InvalidFields, text.MalformedJson):
        return
    assert same(CODEC.loads(CODEC.dumps(message)), message) or fields.keys() & LOOSE


def test_the_body_itself_must_be_an_object() -> None:
    assert told(b"[]") == {"": "the body must be an object; got an array"}
    assert told(b"null") == {"": "the body must be an object; got null"}


def test_a_type_that_contains_itself_has_one_codec() -> None:
    message = load(child={"child": {"children": [{"string_value": "deep"}]}})
    assert message.child.child.children[0].string_value == "deep"
    assert '"deep"' in CODEC.dumps(message).decode()

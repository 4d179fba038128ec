"""Query parameters: what they mean, and what bad ones are told. The gateway's expectations are run by `make cases`."""

import pytest
from google.protobuf.message import Message

from llm_incident_manager.transport.rest import query
from llm_incident_manager.transport.rest.jsoncodec import codec
from llm_incident_manager.transport.rest.jsoncodec.problems import Unacceptable
from tests.support import compiled

EVERYTHING = compiled.message_class("transcoded.proto", "transcoded.v1.Everything")
DESCRIPTOR = compiled.file("transcoded.proto").message_types_by_name["Everything"]


def decode(text: str) -> Message:
    arguments = query.TEXT_DECODERS.of(DESCRIPTOR)(query.parse(text))
    return EVERYTHING(**arguments)


def told(text: str) -> list[str]:
    with pytest.raises(Unacceptable) as caught:
        decode(text)
    return [violation.message for violation in caught.value.violations()]


def value_of(message: Message, name: str) -> object:
    """A field as JSON."""
    encoded = codec(DESCRIPTOR).encode(message)
    assert isinstance(encoded, dict)
    return encoded[name]


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        pytest.param("stringValue=a", "string_value", "a", id="lowerCamelCase"),
        pytest.param("string_value=a+b%20c", "string_value", "a b c", id="plus is a space"),
        pytest.param("string_value=", "string_value", "", id="empty text"),
        pytest.param("bool_value=TRUE", "bool_value", True, id="boolean in any case"),
        pytest.param("bool_value=1", "bool_value", True, id="boolean by digit"),
        pytest.param("state=in-progress", "state", "IN_PROGRESS", id="enum with hyphen"),
        pytest.param("state=InProgress", "state", "IN_PROGRESS", id="enum in CamelCase"),
        pytest.param("state=WORK_STATE_DONE", "state", "DONE", id="enum with prefix"),
        pytest.param("double_value=-Infinity", "double_value", "-Infinity", id="infinity"),
        pytest.param("int32_value=1e3", "int32_value", 1000, id="whole number with exponent"),
        pytest.param("labels[app.io/x]=v&labels[y]=w", "labels", {"app.io/x": "v", "y": "w"}, id="keys with dots"),
        pytest.param("labels.region=eu", "labels", {"region": "eu"}, id="key after a dot"),
        pytest.param("child.child.int32_value=1", "child", None, id="nested"),
        pytest.param("duration_value=1h30m", "duration_value", "5400s", id="duration with units"),
        pytest.param("times=2026-11-21T21:00:00%2B01:00", "times", ["2026-11-21T20:00:00Z"], id="zone"),
        pytest.param("times=2026-11-21T20:00:00Z", "times", ["2026-11-21T20:00:00Z"], id="repeated time"),
        pytest.param("any_json=[1,%22a%22,null]", "any_json", [1, "a", None], id="any JSON"),
    ],
)
def test_parameters_are_read_generously(text: str, field: str, value: object) -> None:
    encoded = value_of(decode(text), field)
    if field == "child":
        assert decode(text).child.child.int32_value == 1  # type: ignore[attr-defined]
    else:
        assert encoded == value


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("page_sise=1", "page_sise is no field of Everything"),
        ("string_valu=1", "string_valu is no field of Everything; did you mean string_value?"),
        ("child.nothing=1", "child.nothing is no field of Everything"),
        ("int32_value=abc", 'int32_value must be a whole number; got "abc"'),
        ("int32_value=1.5", 'int32_value must be a whole number; got "1.5"'),
        ("int32_value=", 'int32_value must be a whole number; got ""'),
        ("int32_value=2147483648", 'int32_value must lie between -2147483648 and 2147483647; got "2147483648"'),
        ("int32_value=1&int32_value=2", "int32_value is given 2 times; keep one"),
        ("int32_value=1&int32Value=2", "int32_value is given twice, once as int32Value; keep one"),
        ("int32_value.x=1", "int32_value has no fields or keys: give it one value"),
        ("child=1&child.int32_value=1", "child is given a value and fields; keep one"),
        ("choice_text=a&choice_number=1", "choice_number cannot be given together with choice_text"),
        ("state=later", 'state must be one of UNSPECIFIED, IN_PROGRESS, DONE, WORK_STATE_2FA; got "later"'),
        ("state=7", "state must be one of UNSPECIFIED, IN_PROGRESS, DONE, WORK_STATE_2FA; got 7"),
        ("map_value3[a]=x", 'map_value3["a"] must be a whole number; got "a"'),
        ("times=2026", 'times[0] must be an RFC 3339 time with a zone, as "2026-11-21T20:38:51Z"; got "2026"'),
        ("struct_value={", 'struct_value must be JSON; got "{"'),
        ("string_value=%ff", "query must be UTF-8 once its escapes are decoded"),
        (".a=1", ".a is no field path, as a, a.b or a[key]"),
        ("a[b=1", "a[b is no field path, as a, a.b or a[key]"),
        ("&".join("repeated_value=x" for _ in range(1001)), "query must have at most 1000 parameters"),
    ],
)
def test_a_bad_parameter_is_named_with_its_value_and_the_remedy(text: str, says: str) -> None:
    assert told(text) == [says]


def test_all_bad_parameters_are_named_at_once() -> None:
    assert len(told("int32_value=x&nothing=1&state=2&bool_value=maybe")) == 3


def test_ignored_parameters_are_for_others() -> None:
    assert query.parse("key=secret&string_value=a", ignored={"key"}) == {"string_value": ["a"]}

"""JSON text: what is refused although orjson would take it, and that nothing else is."""

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from incidentmanager.v1.ingest_service_pb2 import SubmitEventsRequest

from llm_incident_manager.domain.errors import InvalidFields
from llm_incident_manager.transport.rest.jsoncodec import codec, text


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "empty document"),
        (b"{", "unexpected end"),
        (b'{"a": NaN}', "expected a JSON value"),
        (b'{"a": "\xff"}', "not valid UTF-8"),
        (b'{"string_value": "a", "string_value": "a"}', 'the key "string_value" is given twice'),
        (b'{"labels": {"a": "1", "a" : "2"}}', 'the key "a" is given twice'),
        (b'{"labels": {"a": "\\":", "a": "2"}}', 'the key "a" is given twice'),
        (b'{"a" : 1, "b": ":", "a" : "\\":"}', 'the key "a" is given twice'),
        (b"[" * 33 + b"]" * 33, "more than 32 objects and arrays inside each other"),
        (b'{"a":' * 33 + b"1" + b"}" * 33, "more than 32 objects and arrays inside each other"),
        (b"[" * 100_000, "depth limit exceeded"),
        (b"[" + b",".join([b'{"a":1}'] * 20_001) + b"]", "more than 20000 objects: send fewer at once"),
    ],
)
def test_text_that_is_no_json_is_refused_with_the_reason(raw: bytes, says: str) -> None:
    with pytest.raises(text.MalformedJson, match=f"the body is not valid JSON: .*{says}"):
        text.loads(raw)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(st.sampled_from('a":\\ ,{}'), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.sampled_from('ab":\\'), max_size=3), inner),
    max_leaves=12,
)


@given(value=JSON, indent=st.sampled_from([None, 1]), colon=st.sampled_from([":", " :", ": ", "\n : "]))
def test_json_without_doubles_is_taken_however_it_is_laid_out(value: object, indent: int | None, colon: str) -> None:
    raw = json.dumps(value, indent=indent, separators=(",", colon)).encode()
    assert text.loads(raw) == orjson.loads(raw)


@given(
    value=st.dictionaries(st.sampled_from(["a", 'b"', "c:", "d\\"]), JSON, min_size=1),
    colon=st.sampled_from([":", " : "]),
)
def test_a_key_given_twice_is_found_wherever_it_stands(value: dict[str, object], colon: str) -> None:
    members = [f"{json.dumps(key)}{colon}{json.dumps(item)}" for key, item in value.items()]
    with pytest.raises(text.MalformedJson, match="is given twice"):
        text.loads(f'[{{"x"{colon}{{{",".join([*members, members[0]])}}}}}]'.encode())


def test_what_has_too_many_elements_is_not_looked_into() -> None:
    few, many = (b'{"events":[' + b",".join([b'{"a":1,"a":2}'] * number) + b"]}" for number in (3, 10_001))
    with pytest.raises(text.MalformedJson, match='the key "a" is given twice'):
        text.loads(few)
    assert text.loads(many) == orjson.loads(many)


def test_what_was_not_looked_into_is_refused_by_its_field() -> None:
    raw = b'{"events":[' + b",".join([b'{"source":"a","source":"b"}'] * 10_001) + b"]}"
    with pytest.raises(InvalidFields) as caught:
        codec(SubmitEventsRequest.DESCRIPTOR).loads(raw)
    assert [violation.field for violation in caught.value.violations] == ["events"]

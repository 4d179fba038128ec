"""HTTP requests to messages by the annotations of methods, and replies back."""

import itertools
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from google.api import annotations_pb2, http_pb2
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto, MethodOptions
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_incident_manager.domain.errors import InvalidFields
from llm_incident_manager.transport import methods
from llm_incident_manager.transport.rest import bindings
from llm_incident_manager.transport.rest.annotation import AnnotationError
from llm_incident_manager.transport.rest.jsoncodec.text import MalformedJson
from tests.support import compiled

LIBRARY = compiled.file("transcoded.proto").services_by_name["Library"]
ROUTER = bindings.router(LIBRARY.methods)
REPLY = compiled.message_class("transcoded.proto", "transcoded.v1.Reply")
_names = (f"bound{n}" for n in itertools.count())


def request(method: str, url: str, body: object = None) -> Message:
    """The request message of a URL and a JSON body."""
    path, _, query = url.partition("?")
    found = ROUTER.match(method, path)
    assert found is not None, url
    raw = b"" if body is None else json.dumps(body).encode()
    return found.route.target.build(found.variables, query.encode(), raw)


def fields(message: Message) -> dict[str, Any]:
    return MessageToDict(message, preserving_proto_field_name=True)


def told(method: str, url: str, body: object = None) -> dict[str, str]:
    with pytest.raises(InvalidFields) as caught:
        request(method, url, body)
    return {violation.field: violation.message for violation in caught.value.violations}


def bound(rule: http_pb2.HttpRule, **options: bool) -> MethodDescriptor:
    """A method with an annotation, over the messages of transcoded.proto."""
    name = next(_names)
    file = FileDescriptorProto(name=f"{name}.proto", package=name, syntax="proto3")
    file.dependency.extend(["transcoded.proto", "google/api/annotations.proto"])
    method = file.service.add(name="S").method.add(
        name="M", input_type=".transcoded.v1.Request", output_type=".transcoded.v1.Reply", **options
    )
    extended: Any = MethodOptions()  # extensions are typed by their own registry
    extended.Extensions[annotations_pb2.http].CopyFrom(rule)
    method.options.CopyFrom(extended)
    pool = descriptor_pool.Default()
    pool.AddSerializedFile(file.SerializeToString())
    return pool.FindServiceByName(f"{name}.S").methods_by_name["M"]


def test_path_query_and_body_meet_in_one_message() -> None:
    assert fields(request("GET", "/v1/shelves/7?number=3&param=a&param=b&foo.a=x")) == {
        "name": "shelves/7", "number": 3, "param": ["a", "b"], "foo": {"a": "x"},
    }  # fmt: skip
    assert fields(request("GET", "/v1/by-id/a%2Fb/c")) == {"message_id": "a/b", "sub": {"subfield": "c"}}
    assert fields(request("GET", "/v1/count/12?sub.subfield=x")) == {"number": 12, "sub": {"subfield": "x"}}
    assert fields(request("POST", "/v1/shelves/7/books", {"messageId": "m", "byName": "n"})) == {
        "name": "shelves/7", "message_id": "m", "by_name": "n",
    }  # fmt: skip


def test_an_empty_body_is_an_empty_object() -> None:
    assert fields(request("POST", "/v1/shelves/7/books")) == {"name": "shelves/7"}


def test_a_field_given_twice_must_be_equal() -> None:
    assert fields(request("POST", "/v1/shelves/7/books", {"name": "shelves/7"})) == {"name": "shelves/7"}
    assert told("POST", "/v1/shelves/7/books", {"name": "shelves/8"}) == {
        "name": 'name is given twice, as "shelves/8" and as "shelves/7"; keep one'
    }
    assert told("GET", "/v1/count/12?number=13") == {"number": "number is given twice, as 13 and as 12; keep one"}
    assert told("PATCH", "/v1/resources/r1", {"id": "r2"}) == {
        "resource.id": 'resource.id is given twice, as "r2" and as "r1"; keep one'
    }


def test_problems_of_all_parts_are_told_at_once() -> None:
    assert told("PATCH", "/v1/resources/r1?number=x&nothing=1", {"size": "big", "titel": 1}) == {
        "number": 'number must be a whole number; got "x"',
        "nothing": "nothing is no field of Request",
        "resource.size": 'resource.size must be a whole number; got "big"',
        "resource.titel": "resource.titel is no field of Resource; did you mean title?",
    }
    assert told("GET", "/v1/count/many?zzzz=1") == {
        "number": 'number must be a whole number; got "many"',
        "zzzz": "zzzz is no field of Request",
    }


def test_a_parameter_that_belongs_into_the_body_is_refused() -> None:
    assert told("POST", "/v1/shelves/7/books?message_id=m") == {
        "message_id": "message_id is no parameter here: put it in the body"
    }
    assert told("PATCH", "/v1/resources/r1?resource.title=t", {}) == {
        "resource": "resource is no parameter here: put it in the body"
    }


def test_a_body_where_none_belongs_is_refused() -> None:
    assert told("GET", "/v1/count/1", {"number": 1}) == {"": "the body must be empty here: use parameters"}


def test_a_patch_without_mask_takes_the_fields_its_body_gives() -> None:
    given = {"id": "r1", "title": "", "etag": "e", "size": 0}
    assert list(request("PATCH", "/v1/resources/r1", given).update_mask.paths) == ["title", "size"]  # type: ignore[attr-defined]
    asked = request("PATCH", "/v1/resources/r1?update_mask=size", {"title": "t", "size": 1})
    assert list(asked.update_mask.paths) == ["size"]  # type: ignore[attr-defined]


def test_a_malformed_body_names_the_method() -> None:
    found = ROUTER.match("POST", "/v1/shelves/7/books")
    assert found is not None
    with pytest.raises(MalformedJson, match="the body is not valid JSON: ") as caught:
        found.route.target.build(found.variables, b"", b"{")
    assert caught.value.metadata == {"method": "transcoded.v1.Library/Create"}


def test_a_reply_is_printed_whole_or_as_its_response_body() -> None:
    reply = REPLY(resource={"id": "r1"}, names=["a"], count=5)
    printed = {b.annotation.method.name: json.loads(b.render(reply)) for b in bindings.bindings_of(LIBRARY.methods)}
    resource = {"id": "r1", "title": "", "etag": "", "size": 0}
    assert printed == {
        "Get": {"resource": resource, "names": ["a"], "count": "5"},
        "Count": "5", "Create": resource, "Update": resource, "Names": ["a"],
    }  # fmt: skip


def test_custom_methods_and_additional_bindings_have_routes_and_unbound_methods_none() -> None:
    found = ROUTER.match("LIST", "/v1/names/a/b")
    assert found is not None
    assert found.route.target.full_name == "transcoded.v1.Library/Names"
    assert ROUTER.allowed("/v1/by-id/1/2") == ["GET"]
    assert "Unbound" not in {b.annotation.method.name for b in bindings.bindings_of(LIBRARY.methods)}


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        (http_pb2.HttpRule(get="/v1/**/x"), "'\\*\\*' must come last"),
        (http_pb2.HttpRule(get="/v1/{name=**}/x"), "'\\*\\*' must come last"),
        (http_pb2.HttpRule(get="v1"), "expected '/'"),
        (http_pb2.HttpRule(get="/v1/{nothing}"), "'nothing' in the path is no scalar field"),
        (http_pb2.HttpRule(get="/v1/{param}"), "'param' in the path is no scalar field"),
        (http_pb2.HttpRule(get="/v1/{sub}"), "'sub' in the path is no scalar field"),
        (http_pb2.HttpRule(get="/v1", body="*"), "GET takes no body"),
        (http_pb2.HttpRule(post="/v1", body="nothing"), "body 'nothing' is no field"),
        (http_pb2.HttpRule(post="/v1", response_body="nothing"), "response_body 'nothing' is no field"),
        (http_pb2.HttpRule(), "has no path"),
    ],
)
def test_a_senseless_annotation_is_refused_at_start(rule: http_pb2.HttpRule, says: str) -> None:
    method = bound(rule)
    with pytest.raises(AnnotationError, match=f"{method.full_name}: .*{says}"):
        bindings.bindings_of([method])


def test_nested_additional_bindings_and_client_streams_are_refused_at_start() -> None:
    inner = http_pb2.HttpRule(get="/v1/b", additional_bindings=[http_pb2.HttpRule(get="/v1/c")])
    with pytest.raises(AnnotationError, match="must not have additional_bindings themselves"):
        bindings.bindings_of([bound(http_pb2.HttpRule(get="/v1/a", additional_bindings=[inner]))])
    with pytest.raises(AnnotationError, match="a client stream cannot be called over HTTP"):
        bindings.bindings_of([bound(http_pb2.HttpRule(get="/v1/a"), client_streaming=True)])


def test_every_method_of_ours_that_is_annotated_has_its_routes() -> None:
    ours = [method.descriptor for method in methods.all_methods()]
    routes = bindings.router(ours)
    for binding in bindings.bindings_of(ours):
        path = binding.annotation.template.text.replace("{incident.id}", "x").replace("{event_id}", "x")
        found = routes.match(binding.annotation.http_method, path.replace("{incident_id}", "x"))
        assert found is not None
        assert found.route.target.full_name == binding.full_name


NAMES = [
    "name",
    "number",
    "param",
    "foo",
    "foo.a",
    "foo.a.b",
    "sub[x]",
    "update_mask",
    "byName",
    "by_number",
    "x[",
    "",
    ".",
]
PARAMETERS = st.lists(st.tuples(st.sampled_from(NAMES) | st.text(max_size=3), st.text(max_size=3)), max_size=4)


@settings(max_examples=200, deadline=None)
@given(parameters=PARAMETERS, raw=st.binary(max_size=6))
def test_any_query_gives_a_message_or_says_which_parameters_are_wrong(
    parameters: list[tuple[str, str]], raw: bytes
) -> None:
    found = ROUTER.match("GET", "/v1/count/1")
    assert found is not None
    for query in (urlencode(parameters).encode(), raw):
        try:
            message = found.route.target.build(found.variables, query, b"")
        except InvalidFields:
            continue
        assert fields(message)["number"] == 1


@settings(max_examples=200, deadline=None)
@given(path=st.text(st.sampled_from("/v1count{}*:%2Ff*é ."), max_size=12).map("/v1".__add__))
def test_any_path_is_matched_or_not_and_never_fails(path: str) -> None:
    found = ROUTER.match("GET", path)
    assert found is None or found.route.method == "GET"

"""Examples of HTTP annotations, and what their documentation says in words.

No running server takes annotations from outside: the door is the transcoder, given a method that is annotated so.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from google.api import http_pb2
from google.protobuf.json_format import MessageToDict, ParseDict

from cases import transcoding
from cases.case import Case, Doors, Unreadable, difference, needed
from llm_incident_manager.domain.errors import InvalidFields
from llm_incident_manager.transport.rest import template
from llm_incident_manager.transport.rest.annotation import AnnotationError

NAME = "http_rule"


def recognises(case: Case) -> bool:
    """An annotation with a request, or a statement."""
    return {"rule", "http"} <= case.keys()


async def run(case: Case, doors: Doors) -> str:
    """Puts the request to a method annotated so, or proves the statement."""
    if "statement" in case:
        return _statement(case["statement"])
    rule = ParseDict(needed(case, "rule", dict), http_pb2.HttpRule())
    http, expected = needed(case, "http", dict), needed(case, "expect_request", dict)
    body = b"" if http.get("body") is None else json.dumps(http["body"]).encode()
    routes = transcoding.routes(transcoding.like(_shape(rule, expected)), rule)
    message = transcoding.request(routes, http["method"], http["url"], body)
    if message is None:
        return "no route takes it"
    return difference(MessageToDict(message, preserving_proto_field_name=True), expected)


def _shape(rule: http_pb2.HttpRule, expected: Mapping[str, Any]) -> dict[str, Any]:
    """Values of all fields the request needs: those expected, and texts for those that only templates name."""
    shape: dict[str, Any] = json.loads(json.dumps(expected))
    for each in (rule, *rule.additional_bindings):
        kind = each.WhichOneof("pattern")
        path = each.custom.path if kind == "custom" else getattr(each, kind or "get")
        for variable in template.parse(path).variables:
            _name(shape, variable.field.split("."))
    return shape


def _name(shape: dict[str, Any], steps: list[str]) -> None:
    for step in steps[:-1]:
        shape = shape.setdefault(step, {})
    shape.setdefault(steps[-1], "")


def _statement(text: str) -> str:
    proof = next((proof for words, proof in _PROOFS.items() if all(word in text.lower() for word in words)), None)
    if proof is None:
        raise Unreadable(f"a statement that nobody has made a program of: {text}")
    return "" if proof() else f"it does not hold: {text}"


def _bound(path: str, url: str, *, body: str = "", sent: bytes = b"", method: str = "post") -> dict[str, Any] | None:
    """What a request of the fields a, b and sub.c becomes; None when it is refused."""
    rule = http_pb2.HttpRule(body=body)
    setattr(rule, method, path)
    try:
        routes = transcoding.routes(transcoding.like({"a": "", "b": "", "sub": {"c": ""}, "many": [""]}), rule)
        message = transcoding.request(routes, method.upper(), url, sent)
    except (AnnotationError, InvalidFields):
        return None
    return None if message is None else MessageToDict(message, preserving_proto_field_name=True)


def _bodiless() -> bool:
    both = _bound("/v1/{a}", "/v1/1?b=2&sub.c=3") == {"a": "1", "b": "2", "sub": {"c": "3"}}
    return both and _bound("/v1/{a}", "/v1/1", sent=b'{"b": "2"}') is None


def _whole_body() -> bool:
    taken = _bound("/v1/{a}", "/v1/1", body="*", sent=b'{"b": "2"}') == {"a": "1", "b": "2"}
    return taken and _bound("/v1/{a}", "/v1/1?b=2", body="*") is None


def _same(one: str, other: str) -> bool:
    left, right = template.parse(one), template.parse(other)
    return (left.segments, left.variables) == (right.segments, right.variables)


def _refused(text: str) -> bool:
    try:
        template.parse(text)
    except template.TemplateError:
        return True
    return False


def _single_segment() -> bool:
    every = "".join(map(chr, range(0x20, 0x7F)))
    sent = "".join(f"%{ord(sign):02X}" for sign in every)
    return _bound("/v1/{a}", f"/v1/{sent}") == {"a": every}


def _many_segments() -> bool:
    return _bound("/v1/{a=**}", "/v1/x%20y/z%2Fz%2fz%21") == {"a": "x y/z%2Fz%2fz!"}


def _last() -> bool:
    return _bound("/v1/{a=**}/x", "/v1/1/x") is None and _bound("/v1/{a=**}:x", "/v1/1/2:x") == {"a": "1/2"}


def _no_leading_slash() -> bool:
    return _bound("/{a=**}", "/x/y") == {"a": "x/y"}


def _not_repeated() -> bool:
    return _bound("/v1/{many}", "/v1/1") is None and _bound("/v1/{sub}", "/v1/1") is None


def _not_nested_bindings() -> bool:
    inner = http_pb2.HttpRule(get="/v1/b", additional_bindings=[http_pb2.HttpRule(get="/v1/c")])
    rule = http_pb2.HttpRule(get="/v1/a", additional_bindings=[inner])
    try:
        transcoding.routes(transcoding.like({"a": ""}), rule)
    except AnnotationError:
        return True
    return False


def _repeated_parameters() -> bool:
    return _bound("/v1/{a}", "/v1/1?many=x&many=y") == {"a": "1", "many": ["x", "y"]}


def _no_repeated_messages() -> bool:
    routes = transcoding.routes(transcoding.like({"a": "", "many": [{"b": ""}]}), http_pb2.HttpRule(get="/v1/{a}"))
    try:
        transcoding.request(routes, "GET", "/v1/1?many.b=2")
    except InvalidFields:
        return True
    return False


def _proofs() -> Iterator[tuple[tuple[str, ...], Callable[[], bool]]]:
    yield ("body omitted",), _bodiless
    yield ("body", "*", "quer"), _whole_body
    yield ("body", "*", "every field not bound"), _whole_body
    yield ("body", "no", "http body"), _bodiless
    yield ("repeated message",), _no_repeated_messages
    yield ("primitive", "path"), _not_repeated
    yield ("{var}", "{var=*}"), lambda: _same("/v1/{var}", "/v1/{var=*}")
    yield ("must not", "another variable"), lambda: _refused("/v1/{a={b}}")
    yield ("must not", "other variables"), lambda: _refused("/v1/{a={b}}")
    yield ("** must be last",), _last
    yield ("single-segment",), _single_segment
    yield ("multi-segment",), _many_segments
    yield ("must not capture", "leading"), _no_leading_slash
    yield ("repeated", "path"), _not_repeated
    yield ("additional_bindings", "nest"), _not_nested_bindings
    yield ("additional_bindings", "must not"), _not_nested_bindings
    yield ("repeated", "param"), _repeated_parameters


_PROOFS = dict(_proofs())
"""Statements by the words they have in common however they are put, and what proves them."""

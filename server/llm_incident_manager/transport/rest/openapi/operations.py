"""One way to call a method, as an OpenAPI operation."""

from collections.abc import Mapping
from typing import Any

from google.protobuf.descriptor import Descriptor

from llm_incident_manager.transport.methods import Method
from llm_incident_manager.transport.rest.annotation import WHOLE, Annotation
from llm_incident_manager.transport.rest.jsoncodec.schema import Schema, Schemas, required_fields
from llm_incident_manager.transport.rest.openapi import hints, paths, refusals, texts
from llm_incident_manager.transport.rest.openapi.paths import Json
from llm_incident_manager.transport.rest.openapi.refusals import Answers

_LINES = "One JSON object a line: `result`, or `error` as the last one. The stream ends when the client goes away."
_EVENTS = (
    "Server-sent events, sent when the Accept header names this type: `data` is the JSON of one reply, `id` its resume "
    "token where it has one; an error is the event `error`."
)


def operation(method: Method, annotation: Annotation, schemas: Schemas, refused: Answers) -> Json:
    """The operation, with its examples where it is the method's main path."""
    service, told = method.service.rpartition(".")[2], texts.about(method.descriptor)
    suffix = f"_{annotation.number + 1}" if annotation.number else ""
    found: Json = {
        "operationId": f"{service}_{method.name}{suffix}",
        "tags": [service],
        "summary": texts.summary(told),
        "description": _description(method, told, annotation),
        "parameters": paths.parameters(annotation, schemas),
        "responses": _success(method, annotation, schemas) | refused.of(method, body=bool(annotation.body)),
        "x-permission": method.permission,
    }
    if annotation.body:
        found["requestBody"] = _request_body(method, annotation, schemas)
    samples = () if annotation.number else texts.examples(method)
    if samples:
        found["x-codeSamples"] = [sample for example in samples for sample in _samples(example)]
    return found


def _description(method: Method, told: str, annotation: Annotation) -> str:
    alias = " An alias of the main path." if annotation.number else ""
    return f"{told}{alias}\n\ngRPC: `{method.full_name}`. Needs permission `{method.permission}`."


def _samples(example: Mapping[str, Any]) -> list[Json]:
    kinds = (("curl", "Shell"), ("grpcurl", "Shell"), ("python", "Python"))
    return [
        {"lang": lang, "label": f"{kind}: {example['title']}", "source": example[kind]}
        for kind, lang in kinds
        if kind in example
    ]


def _success(method: Method, annotation: Annotation, schemas: Schemas) -> Json:
    if not texts.is_available(method):
        return {}
    content = _content(annotation, schemas)
    return {str(method.success_status): {"description": "Success.", "headers": refusals.REQUEST_ID, "content": content}}


def _content(annotation: Annotation, schemas: Schemas) -> Json:
    reply = annotation.method.output_type
    body = annotation.response_body
    schema = schemas.field(reply.fields_by_name[body]) if body else schemas.message(reply)
    if not annotation.method.server_streaming:
        return {"application/json": {"schema": schema}}
    line = {"description": _LINES, "oneOf": [_only("result", schema), _only("error", refusals.STATUS_REF)]}
    events = {"type": "string", "description": _EVENTS}
    return {"application/x-ndjson": {"schema": line}, "text/event-stream": {"schema": events}}


def _only(name: str, schema: Schema) -> Schema:
    return {"type": "object", "properties": {name: schema}, "required": [name]}


def _request_body(method: Method, annotation: Annotation, schemas: Schemas) -> Json:
    content: Json = {"schema": _body(annotation, schemas)}
    shown = [example["body"] for example in texts.examples(method) if example.get("body") is not None]
    if shown:
        content["example"] = shown[0]
    return {"required": _needs_body(annotation), "content": {"application/json": content}}


def _needs_body(annotation: Annotation) -> bool:
    required = required_fields(annotation.method.input_type)
    return bool(
        required.difference(annotation.path_fields) if annotation.body == WHOLE else annotation.body in required
    )


def _body(annotation: Annotation, schemas: Schemas) -> Schema:
    request: Descriptor = annotation.method.input_type
    if annotation.body == WHOLE:
        return schemas.message(request, annotation.path_fields)
    field = request.fields_by_name[annotation.body]
    if field.is_repeated or field.message_type is None:
        return schemas.field(field)
    bound = (path.removeprefix(f"{field.name}.") for path in annotation.path_fields)
    resource = field.message_type
    return schemas.message(resource, {*bound, *hints.read_only(resource)}) | hints.EDITS.get(resource.full_name, {})

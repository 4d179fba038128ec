"""The OpenAPI 3.1 document of the REST interface, derived from the same annotations and codecs that serve it."""

import functools
from collections.abc import Iterable, Iterator
from importlib import metadata
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from llm_incident_manager.transport import methods
from llm_incident_manager.transport.methods import Method
from llm_incident_manager.transport.rest.annotation import WHOLE, Annotation, annotations_of, find_field
from llm_incident_manager.transport.rest.jsoncodec import text, wellknown
from llm_incident_manager.transport.rest.jsoncodec.schema import Schema, Schemas, required_fields
from llm_incident_manager.transport.rest.template import ANY, DEEP, Template

Json = dict[str, Any]
"""A part of the document: JSON, whose shape no type says."""

_DEEPEST = 3
"""Messages inside each other whose fields are listed as parameters."""
_INLINE = wellknown.PARSERS.keys() | wellknown.WRAPPERS
_STATUS: Schema = {
    "type": "object",
    "description": "google.rpc.Status. The first detail is a google.rpc.ErrorInfo with a stable reason.",
    "properties": {
        "code": {"type": "integer", "format": "int32", "description": "google.rpc.Code"},
        "message": {"type": "string", "description": "For people; may change."},
        "details": {
            "type": "array",
            "items": {"type": "object", "properties": {"@type": {"type": "string"}}, "required": ["@type"]},
        },
    },
    "required": ["code", "message"],
}
_STATUS_REF = {"$ref": "#/components/schemas/Status"}


@functools.cache
def document_json() -> bytes:
    """The document of this server's contract, as JSON text."""
    return text.dumps(document(methods.all_methods(), metadata.version("llm-incident-manager")))


def document(contract: Iterable[Method], version: str) -> Json:
    """The document of some methods; those without an HTTP annotation do not appear."""
    schemas = Schemas()
    paths: dict[str, Json] = {}
    for method in contract:
        for annotation in annotations_of(method.descriptor):
            operation = _operation(method, annotation, schemas)
            paths.setdefault(_path(annotation.template), {})[annotation.http_method.lower()] = operation
    error = {"description": "The call failed.", "content": {"application/json": {"schema": _STATUS_REF}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "LLM Incident Manager", "version": version},
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(schemas.components.items())) | {"Status": _STATUS},
            "responses": {"Error": error},
        },
    }


def _path(template: Template) -> str:
    """The path as OpenAPI writes it: every wildcard a parameter, named for its field or its place."""
    names = _wildcards(template)
    parts = [f"{{{names[i]}}}" if i in names else segment for i, segment in enumerate(template.segments)]
    return "/" + "/".join(parts) + (f":{template.verb}" if template.verb else "")


def _wildcards(template: Template) -> dict[int, str]:
    fields = {place: v.field for v in template.variables for place in range(v.start, v.end)}
    wild = [place for place, segment in enumerate(template.segments) if segment in (ANY, DEEP)]
    return {place: fields.get(place, f"segment{place}") for place in wild}


def _operation(method: Method, annotation: Annotation, schemas: Schemas) -> Json:
    service = method.service.rpartition(".")[2]
    suffix = f"_{annotation.number + 1}" if annotation.number else ""
    operation: Json = {
        "operationId": f"{service}_{method.name}{suffix}",
        "tags": [service],
        "parameters": [*_path_parameters(annotation, schemas), *_query_parameters(annotation, schemas)],
        "responses": {
            str(method.success_status): {"description": "Success.", "content": _content(annotation, schemas)},
            "default": {"$ref": "#/components/responses/Error"},
        },
        "x-permission": method.permission,
    }
    if annotation.body:
        operation["requestBody"] = {"content": {"application/json": {"schema": _body(annotation, schemas)}}}
    return operation


def _content(annotation: Annotation, schemas: Schemas) -> Json:
    reply = annotation.method.output_type
    body = annotation.response_body
    schema = schemas.field(reply.fields_by_name[body]) if body else schemas.message(reply)
    if not annotation.method.server_streaming:
        return {"application/json": {"schema": schema}}
    line = {"oneOf": [_only("result", schema), _only("error", _STATUS_REF)]}
    return {"application/x-ndjson": {"schema": line}, "text/event-stream": {"schema": {"type": "string"}}}


def _only(name: str, schema: Schema) -> Schema:
    return {"type": "object", "properties": {name: schema}, "required": [name]}


def _body(annotation: Annotation, schemas: Schemas) -> Schema:
    request = annotation.method.input_type
    if annotation.body == WHOLE:
        return schemas.message(request, annotation.path_fields)
    return schemas.field(request.fields_by_name[annotation.body])


def _path_parameters(annotation: Annotation, schemas: Schemas) -> Iterator[Json]:
    for name in dict.fromkeys(_wildcards(annotation.template).values()):
        field = find_field(annotation.method.input_type, name)
        schema = schemas.field(field) if field is not None else {"type": "string"}
        yield {"name": name, "in": "path", "required": True, "schema": schema}


def _query_parameters(annotation: Annotation, schemas: Schemas) -> Iterator[Json]:
    """Every field that neither path nor body brings."""
    if annotation.body == WHOLE:
        return
    request = annotation.method.input_type
    required = required_fields(request)
    for name, field in _leaves(request.fields, annotation):
        schema = schemas.field(field)
        parameter: Json = {"name": name, "in": "query", "required": name in required, "schema": schema}
        yield parameter | ({"style": "deepObject", "explode": True} if _is_map(field) else {})


def _leaves(
    fields: Iterable[FieldDescriptor], annotation: Annotation, prefix: str = "", depth: int = 0
) -> Iterator[tuple[str, FieldDescriptor]]:
    for field in fields:
        name = prefix + field.name
        message = field.message_type
        if name in annotation.path_fields or name == annotation.body:
            continue
        if message is None or message.full_name in _INLINE or _is_map(field):
            yield name, field
        elif not field.is_repeated and depth < _DEEPEST:
            yield from _leaves(message.fields, annotation, f"{name}.", depth + 1)


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry

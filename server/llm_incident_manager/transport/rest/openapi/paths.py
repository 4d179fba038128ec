"""Paths and parameters as OpenAPI writes them."""

from collections.abc import Iterable, Iterator
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from llm_incident_manager.transport.rest.annotation import WHOLE, Annotation, find_field
from llm_incident_manager.transport.rest.jsoncodec import wellknown
from llm_incident_manager.transport.rest.jsoncodec.schema import Schemas, required_fields
from llm_incident_manager.transport.rest.openapi import hints, texts
from llm_incident_manager.transport.rest.openapi.words import described
from llm_incident_manager.transport.rest.template import ANY, DEEP, Template

Json = dict[str, Any]
"""A part of the document: JSON, whose shape no type says."""

_DEEPEST = 3
"""Messages inside each other whose fields are listed as parameters."""
_INLINE = wellknown.PARSERS.keys() | wellknown.WRAPPERS


def path(template: Template) -> str:
    """The path with every wildcard a parameter. A dot of a field path becomes "_", since paths that differ only in
    the names of their parameters are one path to OpenAPI: {incident.id} has to be {incident_id}."""
    names = {place: parameter_name(field) for place, field in _wildcards(template).items()}
    parts = [f"{{{names[i]}}}" if i in names else segment for i, segment in enumerate(template.segments)]
    return "/" + "/".join(parts) + (f":{template.verb}" if template.verb else "")


def parameter_name(field: str) -> str:
    """The name of a path parameter."""
    return field.replace(".", "_")


def parameters(annotation: Annotation, schemas: Schemas) -> list[Json]:
    """All parameters of one way to call a method."""
    return [*_path_parameters(annotation, schemas), *_query_parameters(annotation, schemas)]


def _wildcards(template: Template) -> dict[int, str]:
    fields = {place: v.field for v in template.variables for place in range(v.start, v.end)}
    wild = [place for place, segment in enumerate(template.segments) if segment in (ANY, DEEP)]
    return {place: fields.get(place, f"segment{place}") for place in wild}


def _path_parameters(annotation: Annotation, schemas: Schemas) -> Iterator[Json]:
    for name in dict.fromkeys(_wildcards(annotation.template).values()):
        field = find_field(annotation.method.input_type, name)
        schema = schemas.field(field) if field is not None else {"type": "string"}
        if schema.get("type") == "string":
            schema = {"minLength": 1} | schema  # an empty segment is another path
        given: Json = {"name": parameter_name(name), "in": "path", "required": True, "schema": schema}
        yield given | (described(texts.about(field)) if field is not None else {})


def _query_parameters(annotation: Annotation, schemas: Schemas) -> Iterator[Json]:
    """Every field that neither path nor body brings."""
    if annotation.body == WHOLE:
        return
    request = annotation.method.input_type
    required = required_fields(request)
    for name, field in _leaves(request.fields, annotation):
        schema = schemas.field(field) | hints.FIELDS.get(field.full_name, {})
        parameter: Json = {"name": name, "in": "query", "required": name in required, "schema": schema}
        style = {"style": "deepObject", "explode": True} if _is_map(field) else {}
        yield parameter | style | described(texts.about(field))


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

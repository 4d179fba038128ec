"""What method descriptors declare about HTTP (google.api.http): read once, and checked for sense.

An annotation says which requests mean a method and which of its fields come from the path, the query and the body. It
handles no request: bindings.py carries annotations out.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from google.api import annotations_pb2, http_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor

from llm_incident_manager.transport.rest import template

WHOLE = "*"
"""As `body`: every field not bound by the path comes from the body."""
_BODILESS = frozenset({"GET", "HEAD", "DELETE"})


class AnnotationError(Exception):
    """A method's HTTP annotation makes no sense; the message names the method."""

    def __init__(self, method: MethodDescriptor, problem: str) -> None:
        """`problem` is a clause about the annotation."""
        super().__init__(f"{method.full_name}: {problem}")


@dataclass(frozen=True, slots=True)
class Annotation:
    """One way to call a method over HTTP. `number` is 0 for the main rule, 1 and up for additional bindings."""

    method: MethodDescriptor
    http_method: str
    template: template.Template
    body: str
    response_body: str
    number: int

    @property
    def path_fields(self) -> tuple[str, ...]:
        """Field paths of the request that the URL path binds."""
        return tuple(variable.field for variable in self.template.variables)


def annotations_of(method: MethodDescriptor) -> Iterator[Annotation]:
    """The ways to call a method, the main one first; none if it has no annotation.

    Raises:
        AnnotationError: it names unknown fields, or breaks a rule of google.api.http.
    """
    options: Any = method.GetOptions()  # typed for google's own registry, not for upb's descriptors
    if not options.HasExtension(annotations_pb2.http):
        return
    if method.client_streaming:
        raise AnnotationError(method, "a client stream cannot be called over HTTP")
    rule: http_pb2.HttpRule = options.Extensions[annotations_pb2.http]
    for number, each in enumerate((rule, *rule.additional_bindings)):
        if number and each.additional_bindings:
            raise AnnotationError(method, "additional_bindings must not have additional_bindings themselves")
        yield _annotation(method, each, number)


def find_field(message: Descriptor, path: str) -> FieldDescriptor | None:
    """The field at a dotted path of proto names; None if there is none."""
    *parents, name = path.split(".")
    for parent in parents:
        field = message.fields_by_name.get(parent)
        if field is None or field.is_repeated or field.message_type is None:
            return None
        message = field.message_type
    return message.fields_by_name.get(name)


def _annotation(method: MethodDescriptor, rule: http_pb2.HttpRule, number: int) -> Annotation:
    http_method, path = _pattern(method, rule)
    try:
        parsed = template.parse(path)
    except template.TemplateError as e:
        raise AnnotationError(method, str(e)) from e
    if template.DEEP in parsed.segments[:-1]:
        raise AnnotationError(method, f"in path template {path!r} '**' must come last")
    annotation = Annotation(method, http_method, parsed, rule.body, rule.response_body, number)
    _check_fields(annotation)
    return annotation


def _pattern(method: MethodDescriptor, rule: http_pb2.HttpRule) -> tuple[str, str]:
    kind = rule.WhichOneof("pattern")
    if kind is None:
        raise AnnotationError(method, "its HTTP annotation has no path")
    if kind == "custom":
        return rule.custom.kind.upper(), rule.custom.path
    path: str = getattr(rule, kind)
    return kind.upper(), path


def _check_fields(annotation: Annotation) -> None:
    method, request, reply = annotation.method, annotation.method.input_type, annotation.method.output_type
    for path in annotation.path_fields:
        field = find_field(request, path)
        if field is None or field.is_repeated or field.message_type is not None:
            raise AnnotationError(method, f"{path!r} in the path is no scalar field of {request.name}")
    if annotation.http_method in _BODILESS and annotation.body:
        raise AnnotationError(method, f"{annotation.http_method} takes no body")
    if annotation.body not in ("", WHOLE) and annotation.body not in request.fields_by_name:
        raise AnnotationError(method, f"body {annotation.body!r} is no field of {request.name}")
    if annotation.response_body and annotation.response_body not in reply.fields_by_name:
        raise AnnotationError(method, f"response_body {annotation.response_body!r} is no field of {reply.name}")

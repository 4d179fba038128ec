"""Carries HTTP annotations out: path, query and body to one request message, a reply message to JSON.

Every field of a request comes from one place; what is given in two must be equal. All problems of a request are told at
once. It calls no handler, and checks no validation rule: that is the checker's.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, MethodDescriptor
from google.protobuf.message import Message

from llm_incident_manager.domain.errors import InvalidFields
from llm_incident_manager.transport.rest import query
from llm_incident_manager.transport.rest.annotation import WHOLE, Annotation, annotations_of, find_field
from llm_incident_manager.transport.rest.jsoncodec import DECODERS, ENCODERS, Arguments, text
from llm_incident_manager.transport.rest.jsoncodec.problems import Problem, Rule, Unacceptable, describe
from llm_incident_manager.transport.rest.jsoncodec.scalars import Convert
from llm_incident_manager.transport.rest.router import Route, Router

Given = Iterable[tuple[str, object]]
"""Field paths of a request with the arguments for them."""

_MASK = "update_mask"
_GUARDS = frozenset({"etag"})
"""Fields of a resource that guard a write instead of being written: never part of a mask."""


class Binding:
    """One way to call one method over HTTP, compiled."""

    def __init__(self, annotation: Annotation) -> None:
        """Compiles the codecs of the method's request and reply, which all bindings share."""
        request = annotation.method.input_type
        self.annotation = annotation
        self.full_name = f"{annotation.method.containing_service.full_name}/{annotation.method.name}"
        self._factory: type[Message] = message_factory.GetMessageClass(request)
        self._from_path = {path: _text_converter(request, path) for path in annotation.path_fields}
        self._from_query = query.TEXT_DECODERS.of(request)
        self._from_body = _body_converter(annotation)
        self._to_reply = _reply_encoder(annotation)

    def build(self, variables: Mapping[str, str], query_string: bytes, body: bytes) -> Message:
        """The request message; `query_string` and `body` as they came, an empty body being an empty object.

        Raises:
            MalformedJson: the body is no JSON.
            InvalidFields: names every unknown, wrong, doubled or contradicted field.
        """
        problems: list[Problem] = []
        arguments: Arguments = {}
        for read in (partial(self._query, query_string), partial(self._body, body), partial(self._path, variables)):
            try:
                for path, value in read():
                    problems.extend(_put(arguments, path, value))
            except Unacceptable as refused:
                problems.extend(refused.problems)
            except text.MalformedJson as malformed:
                malformed.metadata["method"] = self.full_name
                raise
        if problems:
            raise InvalidFields(Unacceptable(problems).violations())
        if self.annotation.http_method == "PATCH":
            self._fill_mask(arguments)
        return self._factory(**arguments)

    def render(self, reply: Message) -> bytes:
        """The JSON text of a reply, or of its `response_body` field."""
        return text.dumps(self._to_reply(reply))

    def _query(self, query_string: bytes) -> Given:
        if not query_string:
            return ()
        tree = query.parse(query_string.decode("latin-1"))
        body = self.annotation.body
        misplaced = [name for name in tree if body in (WHOLE, name)]
        if misplaced:
            raise _refused(misplaced, "is no parameter here: put it in the body")
        return self._from_query(tree).items()

    def _body(self, body: bytes) -> Given:
        target = self.annotation.body
        if self._from_body is None:
            if body.strip():
                raise _refused([""], "must be empty here: use parameters")
            return ()
        if target == WHOLE:
            arguments = self._from_body(text.loads(body or b"{}"))
            assert isinstance(arguments, dict)
            return arguments.items()
        return [(target, _below(target, self._from_body, text.loads(body)))] if body else ()

    def _path(self, variables: Mapping[str, str]) -> Given:
        return ((path, _below(path, convert, variables[path])) for path, convert in self._from_path.items())

    def _fill_mask(self, arguments: Arguments) -> None:
        """A PATCH without a mask takes what its body gives; later nobody could tell that from what is unset."""
        body = self.annotation.body
        resource = arguments.get(body)
        if _MASK in self.annotation.method.input_type.fields_by_name and isinstance(resource, dict):
            bound = {path.removeprefix(f"{body}.") for path in self.annotation.path_fields}
            arguments.setdefault(_MASK, {"paths": [name for name in resource if name not in bound | _GUARDS]})


def bindings_of(methods: Iterable[MethodDescriptor]) -> tuple[Binding, ...]:
    """Every binding of the methods, main ones before their alternatives. Raises AnnotationError."""
    return tuple(Binding(annotation) for method in methods for annotation in annotations_of(method))


def router(methods: Iterable[MethodDescriptor]) -> Router[Binding]:
    """The routes of the methods' bindings.

    Raises:
        AnnotationError: an annotation makes no sense.
        TemplateError: two bindings would take the same requests.
    """
    return Router(Route(b.annotation.http_method, b.annotation.template, b) for b in bindings_of(methods))


def _put(arguments: Arguments, path: str, value: object) -> Iterator[Problem]:
    """Sets a field by path; a problem if another part of the request says otherwise."""
    *parents, name = path.split(".")
    for parent in parents:
        below = arguments.setdefault(parent, {})
        assert isinstance(below, dict)
        arguments = below
    if arguments.setdefault(name, value) != value:
        other = describe(arguments[name])
        yield Problem(path, f"is given twice, as {other} and as {describe(value)}; keep one", Rule.GIVEN_TWICE)


def _refused(paths: Iterable[str], says: str) -> Unacceptable:
    return Unacceptable([Problem(path, says, Rule.UNKNOWN_FIELD) for path in paths])


def _below(path: str, convert: Convert, value: object) -> object:
    """Converts a value, with its problems under the path of the field it is for."""
    try:
        return convert(value)
    except Unacceptable as refused:
        raise Unacceptable(refused.below(path)) from None


def _text_converter(request: Descriptor, path: str) -> Convert:
    field = find_field(request, path)
    assert field is not None, path  # annotations_of has checked it
    return query.TEXT_DECODERS.value(field)


def _body_converter(annotation: Annotation) -> Convert | None:
    request = annotation.method.input_type
    if not annotation.body:
        return None
    whole = annotation.body == WHOLE
    return DECODERS.of(request) if whole else DECODERS.field(request.fields_by_name[annotation.body])


def _reply_encoder(annotation: Annotation) -> Callable[[Message], object]:
    reply, name = annotation.method.output_type, annotation.response_body
    if not name:
        return ENCODERS.message(reply)
    encode = ENCODERS.field(reply.fields_by_name[name])
    return lambda message: getattr(message, name) if encode is None else encode(getattr(message, name))

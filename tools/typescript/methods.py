"""The methods that HTTP has, each with its verb, path, and the types of what goes in and what comes out."""

from collections.abc import Iterable, Iterator

from google.protobuf.descriptor import Descriptor

from llm_incident_manager.transport.methods import Method
from llm_incident_manager.transport.rest.annotation import WHOLE, Annotation, annotations_of
from tools.typescript.messages import MARK, Comments, doc, module_of, type_name


def module(methods: Iterable[Method], comments: Comments) -> str:
    """methods.d.ts."""
    served = [(method, rule) for method in methods for rule in list(annotations_of(method.descriptor))[:1]]
    wanted: dict[str, set[str]] = {}
    for method, _ in served:
        for message in (method.descriptor.input_type, method.descriptor.output_type):
            wanted.setdefault(module_of(message.file), set()).add(message.name)
    imports = [f'import type {{ {", ".join(sorted(names))} }} from "./{place}.js";' for place, names in wanted.items()]
    lines = [MARK, "", 'import type { Input, Line } from "./json.js";', *sorted(imports), ""]
    lines += doc('Every method by its name: `Methods["IngestService.SubmitEvent"]["response"]`.')
    lines.append("export interface Methods {")
    for method, rule in served:
        lines += _method(method, rule, comments)
    return "\n".join([*lines, "}", ""])


def _method(method: Method, rule: Annotation, comments: Comments) -> Iterator[str]:
    name = f"{method.service.rpartition('.')[2]}.{method.name}"
    request, response = method.descriptor.input_type, method.descriptor.output_type
    yield from doc(comments.get(name, ""), "  ")
    yield f'  "{name}": {{'
    yield f'    verb: "{rule.http_method}";'
    yield f'    path: "{rule.template.text}";'
    yield from doc("What the braces in the path stand for.", "    ")
    yield f"    parameters: {_parameters(rule)};"
    yield from _rest(request, rule)
    answer = f'{type_name(response)}["{rule.response_body}"]' if rule.response_body else type_name(response)
    if method.response_streaming:
        yield from doc("One of these a line; with server-sent events the result alone.", "    ")
        answer = f"Line<{answer}>"
    yield f"    response: {answer};"
    yield "  };"


def _parameters(rule: Annotation) -> str:
    """Texts by the names in the path, of which some lie inside a message: `{incident.id}`."""
    named = "; ".join(f'"{name}": string' for name in rule.path_fields)
    return f"{{ {named} }}" if named else "Record<string, never>"


def _rest(request: Descriptor, rule: Annotation) -> Iterator[str]:
    """The query and the body: whatever the path does not bind."""
    bound, name = set(rule.path_fields), type_name(request)
    left = [field.name for field in request.fields if field.name not in bound]
    if rule.body == WHOLE:
        yield "    query: Record<string, never>;"
        yield f"    body: Input<{_some(request, left)}>;"
        return
    query = [one for one in left if one != rule.body]
    yield f"    query: {f'Input<{_some(request, query)}>' if query else 'Record<string, never>'};"
    yield f"    body: {f'Input<{name}[{_quoted([rule.body])}]>' if rule.body else 'undefined'};"


def _some(message: Descriptor, names: Iterable[str]) -> str:
    """The message with these fields alone."""
    name, wanted = type_name(message), list(names)
    if not wanted:
        return "Record<string, never>"
    return name if len(wanted) == len(message.fields) else f"Pick<{name}, {_quoted(wanted)}>"


def _quoted(names: Iterable[str]) -> str:
    return " | ".join(f'"{one}"' for one in names)

"""The reference in docs/: methods with their examples, messages and enums, errors."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from llm_incident_manager.domain.errors import ErrorReason
from llm_incident_manager.transport import errors, methods, reasons
from llm_incident_manager.transport.methods import Method
from llm_incident_manager.transport.rest.annotation import WHOLE, Annotation, annotations_of
from tools.apidocs import fields

Comments = dict[str, str]
Examples = Mapping[str, Sequence[Mapping[str, Any]]]

_WRITTEN = "<!-- Written by `make gen` from proto/ and examples/api/: edit those. -->"
_METHODS = f"""\
{_WRITTEN}
# API reference

Every method is served over gRPC, and over HTTP where it has a path. `/openapi.json` describes the HTTP side to
programs, `/docs` shows it in a browser. Messages and enums are in [api-messages.md](api-messages.md), errors in
[api-errors.md](api-errors.md).

- **JSON** has the field names of the contract and prints defaults. Enums lose their prefix (`"P2"`) and are read in any
  case; unknown fields are refused. In the query a list is a repeated parameter, a nested field has a dotted name.
- **Streams** over HTTP are JSON lines of `{{"result": …}}` and at most one `{{"error": …}}`, or server-sent events when
  the Accept header names `text/event-stream`.
- **Writes** take a `request_id`: repeated within 24 hours with the same body they give the same answer.
- **Ids**: an incident's number (`INC-20261121-00042`) is taken wherever its id is.

The examples run as they stand, once the names in capitals are replaced; Python ones have a client around them:

```python
from llm_incident_client import pb
from llm_incident_client.client import IncidentClient

async with IncidentClient("localhost:50051") as client:
    ...
```
"""
_MESSAGES = f"""\
{_WRITTEN}
# Messages and enums

"required" means that a request without the field is refused. No text may hold the character NUL, and enums take only
the values listed. A rule that is broken is told by its field, the value and the remedy: see
[INVALID_FIELD](api-errors.md#invalid_field).
"""
_EVERY = ", ".join(reason.value for reason in reasons.ALWAYS)
_ERRORS = f"""\
{_WRITTEN}
# Errors

Every error is a google.rpc.Status whose first detail is a google.rpc.ErrorInfo with the domain `{errors.DOMAIN}`,
one of these reasons, and metadata. INVALID_FIELD adds a google.rpc.BadRequest that lists every bad field; where coming
back helps, a google.rpc.RetryInfo (over HTTP also `retry-after`) says when. Over HTTP the status is the JSON body.

Every method can answer with {_EVERY}. Those of one method alone stand beside it in [api.md](api.md).
"""


def methods_page(comments: Comments, examples: Examples) -> str:
    """docs/api.md."""
    contract = methods.all_methods()
    services = list(dict.fromkeys(method.service for method in contract))
    lines = [_METHODS, "| service | methods |", "| --- | --- |"]
    for service in services:
        links = " · ".join(f"[{m.name}](#{m.name.lower()})" for m in contract if m.service == service)
        lines.append(f"| [{_short(service)}](#{_short(service).lower()}) | {links} |")
    for service in services:
        lines += ["", f"## {_short(service)}", "", comments[_short(service)]]
        for method in (m for m in contract if m.service == service):
            lines += _method(method, comments, examples[method.full_name])
    return _text(lines)


def messages_page(comments: Comments) -> str:
    """docs/api-messages.md."""
    contract = methods.all_methods()
    roots = [each for m in contract for each in (m.descriptor.input_type, m.descriptor.output_type)]
    messages, found = fields.reachable(roots)
    lines = [_MESSAGES, "## Messages"]
    for message in messages:
        lines += fields.message_table(message, comments)
    lines += ["", "## Enums"]
    for enum in found:
        lines += fields.enum_table(enum, comments)
    return _text(lines)


def errors_page(comments: Comments) -> str:
    """docs/api-errors.md."""
    lines = [_ERRORS]
    for reason in ErrorReason:
        code, _, rest = comments[f"ErrorReason.ERROR_REASON_{reason.name}"].partition(". ")
        meaning, _, metadata = rest.partition(" Metadata: ")
        status = errors.http_of_reason(reason)
        lines += [f"## {reason.value}", "", meaning, "", f"gRPC {code.partition(' ')[0]} · HTTP {status}"]
        if metadata != "{}":
            lines += ["", f"Metadata, for instance: `{metadata}`"]
        lines.append("")
    return _text(lines)


def _method(method: Method, comments: Comments, examples: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    request, reply = method.descriptor.input_type.name, method.descriptor.output_type.name
    own = (reason for reason in reasons.of(method) if reason not in reasons.ALWAYS)
    told = ", ".join(f"[{reason.value}](api-errors.md#{reason.value.lower()})" for reason in own)
    yield from ("", f"### {method.name}", "", comments[f"{_short(method.service)}.{method.name}"], "")
    yield f"- gRPC: `{method.full_name}`{_shape(method)}"
    for annotation in annotations_of(method.descriptor):
        yield f"- HTTP: {_binding(annotation, method)}"
    yield f"- Request: [{request}](api-messages.md#{request.lower()})"
    yield f"- Reply: [{reply}](api-messages.md#{reply.lower()})"
    yield f"- Permission: `{method.permission}`"
    yield f"- Errors beside [those of every method](api-errors.md): {told or 'none'}"
    for example in examples:
        yield from _example(example)


def _shape(method: Method) -> str:
    if method.request_streaming:
        return ", a stream both ways"
    return ", a stream of replies" if method.response_streaming else ""


def _binding(annotation: Annotation, method: Method) -> str:
    body = {"": "", WHOLE: ", the request as body"}.get(annotation.body, f", `{annotation.body}` as body")
    reply = f", answers with `{annotation.response_body}`" if annotation.response_body else ""
    alias = " (alias)" if annotation.number else f"{body}{reply}, success is {method.success_status}"
    return f"`{annotation.http_method} {annotation.template.text}`{alias}"


def _example(example: Mapping[str, Any]) -> Iterator[str]:
    given = f" (given {example['given']})" if example.get("given") else ""
    yield from ("", f"**{example['title']}**{given}")
    for door in ("grpcurl", "curl"):
        if door in example:
            yield from ("", "```sh", example[door], "```")
    yield from ("", "```python", example["snippet"].rstrip(), "```", "")
    if "refused" in example:
        reason = example["refused"]
        yield f"Refused with [{reason}](api-errors.md#{reason.lower()})."
        return
    yield from (
        "The reply holds, among others:",
        "",
        "```json",
        json.dumps(example["expect"], ensure_ascii=False),
        "```",
    )


def _short(service: str) -> str:
    return service.rpartition(".")[2]


def _text(lines: Iterable[str]) -> str:
    return "\n".join(lines).rstrip() + "\n"

"""Runs schemathesis against a server: what is held against every answer, and what is not, with the reason."""

import asyncio
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tests.support.printed import Outcome
from tests.support.server import RunningServer

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "positive_data_acceptance",
    "unsupported_method",
    "use_after_free",
    "ensure_resource_availability",
)
"""Left out: negative_data_rejection, since the server reads more spellings than the schema names (null for a field that
is not given, a number as text, an enum in any case); allow_header_conformance, since an id may be spelled like the last
word of another path; missing_required_header and ignored_auth, since there are no such headers yet."""

_WORDS = frozenset(
    {"filter", "order_by", "group_by", "page_token", "page", "resume_token", "update_mask", "start", "end"}
)
"""Texts with a grammar or an origin that no schema tells: a valid one may be refused with 400."""
_OTHERS = frozenset(
    {"linked_incident_id", "source_incident_ids", "event_ids", "confirm", "roles", "permissions", "state", "target"}
)
"""Ids and names that have to differ from another, to be the same, or to be there: refused with 400 as well."""
_MOMENTS = frozenset({"until"})
"""Moments that must lie ahead of the server's clock: refused with 400 as well."""


async def fuzz(server: RunningServer, document: dict[str, Any], folder: Path, *options: str) -> Outcome:
    """Runs schemathesis with its configuration in `folder`; the outcome's `errors` is its whole report."""
    config = folder / "schemathesis.toml"
    config.write_text("\n".join(_config(document)), "utf-8")
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).parent / "schemathesis"),
        "--config-file",
        str(config),
        "run",
        f"{server.http}/openapi.json",
        *("--checks", ",".join(CHECKS), "--no-color", "--warnings", "off", "--request-timeout", "20"),
        *options,
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    assert process.returncode is not None
    return Outcome([], out.decode(), process.returncode)


def _config(document: dict[str, Any]) -> Iterator[str]:
    templates = [re.compile(re.sub(r"{[^}]*}", "[^/]+", path)) for path in document["paths"] if "{" in path]
    for path, verbs in document["paths"].items():
        read_as_id = "{" not in path and any(template.fullmatch(path) for template in templates)
        for operation in verbs.values():
            yield from _operation(operation, _names(operation, document), read_as_id=read_as_id)


def _names(operation: dict[str, Any], document: dict[str, Any]) -> Iterator[str]:
    """What a request is made of: its parameters and the fields of its body."""
    yield from (parameter["name"] for parameter in operation["parameters"])
    if "requestBody" in operation:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        named = document["components"]["schemas"].get(schema.get("$ref", "").rpartition("/")[2], schema)
        yield from named.get("properties", ())


def _operation(operation: dict[str, Any], names: Iterable[str], *, read_as_id: bool) -> Iterator[str]:
    responses = operation["responses"]
    told: dict[str, Any] = next(
        (answer.get("content", {}) for status, answer in responses.items() if status < "300"), {}
    )
    settings: list[str] = []
    if "application/x-ndjson" in told:  # a stream does not end by itself
        settings.append("enabled = false")
    if read_as_id:  # with another verb the last word of the path is an id, and refused as one
        settings.append('phases.coverage.unexpected-methods = ["PUT", "TRACE"]')
    if "501" in responses:
        settings.append('checks.not_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", "501"]')
    if not (_WORDS | _OTHERS | _MOMENTS).isdisjoint(names):
        accepted = ["2xx", "400", "401", "403", "404", "409", "429", "5xx"]
        settings.append(f"checks.positive_data_acceptance.expected-statuses = {accepted}")
    if settings:
        yield from ("", "[[operations]]", f'include-operation-id = "{operation["operationId"]}"', *settings)

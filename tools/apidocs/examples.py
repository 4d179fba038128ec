"""The examples of examples/api as they are shown: each request as a grpcurl call, a curl call and a Python program."""

import json
import shlex
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import yaml
from google.protobuf import json_format

from llm_incident_manager.transport import methods
from llm_incident_manager.transport.methods import Method
from llm_incident_manager.transport.rest.annotation import WHOLE, Annotation, annotations_of
from llm_incident_manager.transport.rest.jsoncodec import codec
from tools import shell

FOLDER = shell.ROOT / "examples/api"
GRPC, HTTP = "localhost:50051", "localhost:3000"
_KEYS = frozenset({"title", "given", "request", "python", "expect", "printed", "refused"})
_WIDE = 90
"""Requests longer than this many characters are shown over several lines."""
_PROGRAM = """\
import asyncio
{imports}
from llm_incident_client import pb
from llm_incident_client.client import IncidentClient


async def main() -> None:
    async with IncidentClient("{address}") as client:
{body}

asyncio.run(main())
"""

Json = dict[str, Any]


class BadExample(Exception):
    """An example cannot be shown; the message names file, method and remedy."""


def read() -> dict[str, list[Json]]:
    """The examples by the full name of their method, with their commands. Raises BadExample."""
    known = {method.full_name: method for method in methods.all_methods()}
    found: dict[str, list[Json]] = {}
    for path in sorted(FOLDER.glob("*.yaml")):
        for name, given in yaml.safe_load(path.read_text("utf-8")).items():
            method = known.get(f"incidentmanager.v1.{path.stem}/{name}")
            if method is None:
                raise BadExample(f"{path.name}: {path.stem} has no method {name}: correct the name or remove it")
            each = given if isinstance(given, list) else [given]
            found[method.full_name] = [_shown(method, example) for example in each]
    missing = sorted(known.keys() - found.keys())
    if missing:
        raise BadExample(f"no example for {', '.join(missing)}: add one to examples/api/<service>.yaml")
    return {name: found[name] for name in known}


def _shown(method: Method, example: Json) -> Json:
    unknown = example.keys() - _KEYS
    if unknown or not {"title", "request", "python"} <= example.keys():
        raise BadExample(f"{method.full_name}: see examples/api/IngestService.yaml for the keys; got {list(example)}")
    main = next(annotations_of(method.descriptor), None)
    shown = {key: example[key] for key in example if key not in ("python", "request")}
    shown["grpcurl"] = grpcurl(method, example["request"])
    if main is not None:
        body, _ = _split(main, example["request"])
        shown |= {"curl": curl(main, example["request"])} | ({} if body is None else {"body": body})
    return shown | {"python": program(example["python"]), "snippet": example["python"]}


def grpcurl(method: Method, request: Json | Sequence[Json]) -> str:
    """The request as gRPC's own JSON, which spells enums with their prefix."""
    read_request = codec(method.descriptor.input_type)
    given = request if isinstance(request, list) else [request]
    messages = [
        json_format.MessageToDict(read_request.loads(json.dumps(each).encode()), preserving_proto_field_name=True)
        for each in given
    ]
    data = "\n".join(_pretty(message) for message in messages)
    return f"grpcurl -plaintext -d {_quoted(data)} \\\n  {GRPC} {method.full_name}"


def curl(annotation: Annotation, request: Json) -> str:
    """The request by the method's main path."""
    body, parameters = _split(annotation, request)
    words = ["curl", "-sSN" if annotation.method.server_streaming else "-sS"]
    words += ["-X", annotation.http_method] if annotation.http_method not in ("GET", "POST") else []
    url = HTTP + _path(annotation, request)
    if body is not None:
        query = "&".join(f"{name}={quote(value, safe=',')}" for name, value in parameters)
        return f"{' '.join(words)} {_quoted(url + '?' + query) if query else url} \\\n  -d {_quoted(_pretty(body))}"
    pairs = [f" \\\n  --data-urlencode {_quoted(f'{name}={value}')}" for name, value in parameters]
    return f"{' '.join(words)}{' -G' if pairs else ''} {url}{''.join(pairs)}"


def program(snippet: str) -> str:
    """A whole Python program around what is done with a client."""
    imports = "from datetime import UTC, datetime\n" if "datetime(" in snippet else ""
    return _PROGRAM.format(imports=imports, address=GRPC, body=textwrap.indent(snippet, " " * 8))


def _split(annotation: Annotation, request: Json) -> tuple[object | None, list[tuple[str, str]]]:
    """What goes into the body (None without one) and what into the query; the path takes its own."""
    rest = _without(request, [path.split(".") for path in annotation.path_fields])
    if annotation.body == WHOLE:
        return rest, []
    body = rest.pop(annotation.body) if annotation.body else None
    return body, [*_parameters(rest)]


def _without(request: Json, paths: Sequence[Sequence[str]]) -> Json:
    """A copy without these fields."""
    found = dict(request)
    for first, *below in paths:
        if below:
            found[first] = _without(found[first], [below])
        else:
            found.pop(first)
    return found


def _parameters(fields: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in fields.items():
        if isinstance(value, dict):
            yield from _parameters(value, f"{prefix}{name}.")
        elif isinstance(value, list):
            yield from ((prefix + name, str(each)) for each in value)
        else:
            yield prefix + name, str(value).lower() if isinstance(value, bool) else str(value)


def _path(annotation: Annotation, request: Json) -> str:
    path = annotation.template.text
    for variable in annotation.path_fields:
        value: Any = request
        for name in variable.split("."):
            value = value[name]
        path = path.replace(f"{{{variable}}}", quote(value, safe=""))
    return path


def _pretty(value: object) -> str:
    line = json.dumps(value, ensure_ascii=False)
    return line if len(line) <= _WIDE else json.dumps(value, ensure_ascii=False, indent=2)


def _quoted(text: str) -> str:
    return f"'{text}'" if "'" not in text else shlex.quote(text)

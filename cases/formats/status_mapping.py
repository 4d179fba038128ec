"""What a gRPC status becomes over HTTP and the other way round, and how errors look.

Codes that a client can provoke are provoked on a real server; no client can provoke the others, so for these the door
is `errors.http_of_code`, for the look of errors `answers.refuse`. What a status of the web becomes is asked of our
client, which calls a web server that knows no gRPC.
"""

import json
import re
import uuid
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any

import aiohttp
import grpc
from google.protobuf import any_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2

from cases import http2
from cases.case import Case, Doors, Unreadable, difference, needed
from llm_incident_client.client import IncidentClient
from llm_incident_client.core import errors as client_errors
from llm_incident_client.core.retry import NO_RETRY
from llm_incident_manager.transport import errors
from llm_incident_manager.transport.errors import StatusError
from llm_incident_manager.transport.rest import answers, template
from llm_incident_manager.transport.rest.router import Route, Router

NAME = "status_mapping"

_ERROR = re.compile(r'(?:([A-Z_]+)|a non-status error) "([^"]*)"(?: with google\.rpc\.(\w+) detail)?')
_OTHERS = re.compile(r"other gateways answer ([\d ,or]+)")
_REGISTERED = "/api/v1/incidents/INC-20260101-00001/timeline"
"""Stands in for a path that is registered under GET alone."""

_UNKNOWN = str(uuid.UUID(int=0x0193_0000_0000_7000_8000_0000_0000_0000))
# method, path, body, headers: requests whose gRPC status is this one, without a reason that HTTP has a better word for.
_PROVOCATIONS: Mapping[str, tuple[str, str, object, dict[str, str]]] = {
    "OK": ("GET", "/api/v1/incidents", None, {}),
    "INVALID_ARGUMENT": ("GET", "/api/v1/incidents?page_size=-1", None, {}),
    "NOT_FOUND": ("GET", f"/api/v1/incidents/{_UNKNOWN}", None, {}),
    "DEADLINE_EXCEEDED": ("GET", "/api/v1/incidents", None, {"x-request-timeout": "0"}),
}


def recognises(case: Case) -> bool:
    """A code of one side, an error, or a request to what is registered."""
    return any(key in case for key in ("grpc_code", "expect_grpc", "error", "registered"))


async def run(case: Case, doors: Doors) -> str:
    """Whichever of the four kinds the case is."""
    if "grpc" in case:
        return await _to_http(case, doors)
    if "expect_grpc" in case:
        return difference(await _to_grpc(needed(case, "http", int)), case["expect_grpc"])
    if "error" in case:
        return await _body(case)
    if "registered" in case:
        return await _route(case, doors)
    raise Unreadable("it names no code, no error and no route")


def _routed(registered: Sequence[str], method: str, path: str) -> int:
    """The status that the server answers with for what its router finds."""
    pairs = (each.split() for each in registered)
    routes = Router(Route(known, template.parse(text), text) for known, text in pairs)
    if routes.match(method, path) is not None:
        return 200
    return 405 if routes.allowed(path) else 404


async def _to_http(case: Case, doors: Doors) -> str:
    name, expected = needed(case, "grpc", str), needed(case, "expect_http", int)
    if name in _PROVOCATIONS:
        status = await _status(doors, *_PROVOCATIONS[name])
        if status != expected:
            return f"the server answered {status}, expected {expected}"
    return difference(errors.http_of_code(case.get("grpc_code", code_pb2.Code.Value(name))), expected)


async def _status(doors: Doors, method: str, path: str, body: object, headers: dict[str, str]) -> int:
    url = await doors.http() + path
    async with aiohttp.request(method, url, json=body, headers=headers) as answer:
        return answer.status


async def _to_grpc(status: int) -> str:
    async with http2.answering(status) as address, IncidentClient(address, retries=NO_RETRY) as client:
        try:
            await client.get_incident("INC-20260101-00001")
        except client_errors.IncidentManagerError as error:
            code: grpc.StatusCode = error.code
            return code.name
    return "OK"


async def _body(case: Case) -> str:
    found = _ERROR.fullmatch(case["error"])
    if found is None:
        raise Unreadable(f"it describes its error as {case['error']!r}")
    status, headers, body = await _refusal(_failure(found[1], found[2], found[3]))
    details = [detail.get("@type") for detail in body.get("details", ())]
    wrong = [
        difference(status, case.get("expect_http", status)),
        difference(headers["content-type"], case.get("expect_content_type", headers["content-type"])),
    ]
    if case.get("expect_message_contains", "") not in body["message"]:
        wrong.append(f"the message is {body['message']!r}")
    if case.get("expect_detail_type", details[0] if details else None) not in (details or [None]):
        wrong.append(f"the details are {details}")
    return "; ".join(filter(None, wrong))


def _failure(code: str | None, message: str, detail: str | None) -> StatusError:
    """What the server makes of a handler's failure."""
    if code is None:
        return errors.internal("request-1")
    status = status_pb2.Status(code=code_pb2.Code.Value(code), message=message)
    if detail:
        packed = any_pb2.Any()
        packed.Pack(getattr(error_details_pb2, detail)())
        status.details.append(packed)
    return StatusError(status, errors.http_of_code(status.code))


async def _refusal(error: StatusError) -> tuple[int, dict[str, str], dict[str, Any]]:
    sent: list[MutableMapping[str, Any]] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    await answers.refuse(send, error)
    start, body = sent
    headers = {name.decode(): value.decode() for name, value in start["headers"]}
    return start["status"], headers, json.loads(body["body"])


async def _route(case: Case, doors: Doors) -> str:
    """What is registered under GET alone is put to a server, anything else to the transcoder's router."""
    registered, request = case["registered"], needed(case, "request", str).split()
    if len(request) != 2:
        raise Unreadable(f"its request is {case['request']!r}")
    method, path = request
    if registered is None or (isinstance(registered, str) and re.fullmatch(r"GET /\w+", registered)):
        stand_in = _REGISTERED if registered and path == registered.split()[1] else f"/nothing{path}"
        got = await _status(doors, method, stand_in, None, {})
    else:
        got = _routed([registered] if isinstance(registered, str) else registered, method, path)
    others = _OTHERS.search(case.get("by", ""))
    accepted = {needed(case, "expect_http", int), *map(int, re.findall(r"\d+", others[1] if others else ""))}
    return "" if got in accepted else f"got {got}, expected {' or '.join(map(str, sorted(accepted)))}"

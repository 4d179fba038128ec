"""Fault 45: the corpus in every text field of every method. No statement fails, and a text means itself."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from incidentmanager.v1 import incident_pb2

from llm_incident_manager.transport import methods
from llm_incident_manager.transport.methods import Method
from tests.support.access import filling, realm
from tests.support.access.doors import Answer, Doors
from tests.support.access.filling import Path
from tests.support.access.realm import Realm

AT_ONCE = 32
FAILED = frozenset({2, 4, 13, 14, 15})
"""UNKNOWN, DEADLINE_EXCEEDED, INTERNAL, UNAVAILABLE, DATA_LOSS: what a statement that fails or hangs becomes."""

CONTENDED = "still contended"
"""Of a refusal that says to come again: so many calls at once change the same few incidents here."""

SQL_ERRORS = re.compile(
    r"SQLError|syntax error|PostgresError|apsw\.|asyncpg\.exceptions|unrecognized token|UndefinedTable|call\.failed"
)


@dataclass
class Found:
    """How many fields were tried, with how many calls, and what is wrong."""

    fields: int = 0
    calls: int = 0
    literal: int = 0
    wrong: list[str] = field(default_factory=list)


async def everywhere(doors: Doors, one: Realm, payloads: Sequence[str], each: int) -> Found:
    """Every text field of every method gets `each` of the payloads, and all fields together get all of them."""
    found, places, offset, tasks = Found(), asyncio.Semaphore(AT_ONCE), 0, list[Any]()
    for method in methods.all_methods():
        for path, descriptor in filling.strings_in(method.request.DESCRIPTOR):
            if method.name == "Session" and path[0] == "frame":
                continue  # its events go where those of StreamEvents do
            found.fields += 1
            chosen = [payloads[(offset + n) % len(payloads)] for n in range(min(each, len(payloads)))]
            offset += each
            tasks += [_one(doors, method, one, path, descriptor, payload, found, places) for payload in chosen]
    await asyncio.gather(*tasks)
    return found


async def _one(
    doors: Doors,
    method: Method,
    one: Realm,
    path: Path,
    descriptor: FieldDescriptor,
    payload: str,
    found: Found,
    places: asyncio.Semaphore,
) -> None:
    async with places:
        for value in _values(descriptor, payload):
            answer = await _asked(doors, method, _request(method, one, path, value), one)
            for _ in range(3):
                if CONTENDED not in answer.message:
                    break
                answer = await _asked(doors, method, _request(method, one, path, value), one)
            found.calls += 1
            if answer.code in FAILED:
                found.wrong.append(f"{method.name} {'.'.join(path)} = {payload!r}: {answer.code} {answer.message}")


def _values(descriptor: FieldDescriptor, payload: str) -> Sequence[Any]:
    """As it is; of a map as key and as value."""
    if descriptor.type == FieldDescriptor.TYPE_STRING:
        return [payload]
    assert descriptor.message_type is not None
    of_text = descriptor.message_type.fields_by_name["value"].type == FieldDescriptor.TYPE_STRING
    return [{payload: "x"}, {"x": payload}] if of_text else [{payload: 1}]


def _request(method: Method, one: Realm, path: Path, value: Any) -> Message:  # noqa: ANN401  # a text or a map
    if method.request_streaming:
        return _streamed(method, path, value)
    ids = one.own(method)
    if path[:2] == ("selection", "matching"):
        ids.pop(("selection", "named", "ids"), None)
    request = filling.request(method, ids)
    if path[0] == "acknowledge" or (len(path) > 1 and path[0] in _VERBS_OF_APPLY):
        request.ClearField("acknowledge")
    filling.put(request, path, value)
    return request


_VERBS_OF_APPLY = frozenset({"escalate", "de_escalate", "resolve", "reopen", "assign", "add_note"})


def _streamed(method: Method, path: Path, value: Any) -> Message:  # noqa: ANN401  # a text or a map
    request = method.request()
    if path[0] == "frame":
        filling.put(request, ("frame",), {"first_sequence": 1, "events": [{"source": "shield", "title": "streamed"}]})
    filling.put(request, path, value)
    return request


async def _asked(doors: Doors, method: Method, request: Any, one: Realm) -> Answer:  # noqa: ANN401  # any message
    who = replace(one.owner, roles=("platform_admin",))
    if method.request_streaming:
        before = _opening(method, request)
        messages = [*before, request.SerializeToString()]
        return await doors.stream(method, messages, who, first=5.0, most=len(messages))
    if method.response_streaming:
        return await doors.stream(method, [request.SerializeToString()], who, first=0.05, most=1)
    return await doors.rpc(method, request, who)


def _opening(method: Method, request: Any) -> list[bytes]:  # noqa: ANN401  # any message
    """What goes before a message of a stream."""
    if method.name == "StreamEvents":
        return [] if request.HasField("open") else realm.opening(f"producer-{next(filling.numbers)}")
    if method.name == "Session" and not request.HasField("register"):
        register = {"agent_id": f"agent-{next(filling.numbers)}", "protocol_version": 1}
        return [method.request(register=register).SerializeToString()]
    return []


async def literally(doors: Doors, one: Realm, payloads: Sequence[str]) -> Found:
    """A payload as title, as label and as dedup key is found by filters that quote it, alone and unchanged."""
    found, places = Found(), asyncio.Semaphore(AT_ONCE)

    async def meant(payload: str) -> None:
        async with places:
            await _literal(doors, one, payload, found)

    await asyncio.gather(*map(meant, payloads))
    return found


async def _literal(doors: Doors, one: Realm, payload: str, found: Found) -> None:
    key = f"literal-{next(filling.numbers)}"
    labels = {"canary": one.canary, payload: payload}
    made = await realm.an_incident(doors, one, title=payload, labels=labels, dedup_key=f"{key}{payload}")
    quoted = _quoted(payload)
    filters = {
        "title": f"title = {quoted}",
        "label": f"labels.{quoted} = {quoted}",
        "words": f"{quoted} AND id = {_quoted(made.id)}",
        "negation": f"NOT title = {quoted} AND id = {_quoted(made.id)}",
    }
    for what, text in filters.items():
        page = await realm.ask(doors, one.owner, "ListIncidents", filter=text, page_size=100)
        found.literal += 1
        found.wrong += _judged(what, payload, made, page.incidents)
    again = await realm.asked(
        doors, one.owner, "CreateIncident", source="x", title="x", dedup_key=f"{key}{payload}", service=one.service
    )
    if again.reason != "FINGERPRINT_TAKEN":
        found.wrong.append(f"dedup_key {payload!r}: {again}")


def _judged(
    what: str, payload: str, made: incident_pb2.Incident, incidents: Sequence[incident_pb2.Incident]
) -> Sequence[str]:
    ids, titles = [each.id for each in incidents], {each.title for each in incidents}
    if what == "negation":
        return [] if not ids else [f"{what} {payload!r} finds {ids}"]
    if made.id not in ids or titles != {payload} or dict(made.labels)[payload] != payload:
        return [f"{what} {payload!r} finds {titles}"]
    return []


def _quoted(text: str) -> str:
    """As the filter language quotes."""
    plain = text.replace("\\", "\\\\").replace('"', '\\"').replace("*", "\\*")
    return '"' + re.sub(r"[\x01-\x1f\x7f]", lambda found: f"\\x{ord(found.group()):02x}", plain) + '"'


def told_by(log: str) -> Mapping[str, int]:
    """Traces of failed statements in a server's log, by what they are."""
    counts: dict[str, int] = {}
    for found in SQL_ERRORS.findall(log):
        counts[found] = counts.get(found, 0) + 1
    return counts

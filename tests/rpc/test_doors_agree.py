"""Every unary method answers alike through gRPC and REST: equal messages, equal codes, equal details.

Generated from the descriptors, so that no method can be forgotten. Writes carry one request id through both doors:
the second door must then give the first one's answer, which also proves that both built the same request.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeAlias

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from incidentmanager.v1 import event_pb2

from llm_incident_manager.transport import methods
from llm_incident_manager.transport.methods import Method
from tests.support import access_requests, agent_requests, governance_requests
from tests.support.doors import Answer, by_grpc, by_http
from tests.support.server import RunningServer

pytestmark = pytest.mark.asyncio(loop_scope="module")

UNARY = [m for m in methods.all_methods() if not m.request_streaming and not m.response_streaming]
BY_NAME = {method.name: method for method in UNARY}
GOOD = event_pb2.Event(source="shield", title="Prompt injection", kind="prompt_injection.direct", severity="high")
BAD = event_pb2.Event(title="no source", input_tokens=-1)
numbers = itertools.count(1)

Requests: TypeAlias = list[tuple[Message, bool]]
"""Requests of a method, and whether they should succeed."""


def request(name: str, /, **fields: object) -> Message:
    method = BY_NAME[name]
    if "request_id" in method.request.DESCRIPTOR.fields_by_name:
        fields.setdefault("request_id", f"r-{next(numbers)}")
    return method.request(**fields)


async def both(server: RunningServer, message: Message, name: str) -> Answer:
    method = BY_NAME[name]
    over_grpc = await by_grpc(server, method, message)
    status, over_http = await by_http(server, method, message)
    if name in access_requests.TOLD_ONCE and over_grpc.code == 0:
        assert over_grpc.value.pop("secret").startswith("lim_")
        assert over_http.value.pop("secret", "") == ""
    assert over_http == over_grpc
    if over_grpc.code == 0:
        assert status == method.success_status
    return over_grpc


async def an_incident(server: RunningServer) -> str:
    opened = await both(
        server,
        request(
            "CreateIncident",
            source="ann",
            title=f"Problem {next(numbers)}",
            labels={"n": str(next(numbers))},
            dedup_key=f"k{next(numbers)}",
        ),
        "CreateIncident",
    )
    incident = str(opened.value["incident_id"])
    await told(server, incident)
    return incident


async def told(server: RunningServer, incident: str) -> None:
    """Waits until somebody was told: routing and notifying go on after the answer, and would show at one door only."""
    timeline = request("ListTimeline", incident_id=incident)
    async with asyncio.timeout(10):
        while True:
            entries = (await by_grpc(server, BY_NAME["ListTimeline"], timeline)).value["entries"]
            if any(entry["kind"] == "TIMELINE_KIND_NOTIFIED" for entry in entries):
                return


async def submit_event(_: RunningServer) -> Requests:
    name = "SubmitEvent"
    return [(request(name, event=GOOD), True), (request(name, event=BAD), False), (request(name), False)]


async def submit_alert(_: RunningServer) -> Requests:
    name, good = "SubmitAlert", {"source": "monitoring", "title": "High CPU Usage", "external_id": "ext-1"}
    bad = {"title": "no source", "annotations": {"": "x"}}
    return [(request(name, alert=good), True), (request(name, alert=bad), False), (request(name), False)]


async def submit_events(_: RunningServer) -> Requests:
    name = "SubmitEvents"
    return [(request(name, events=[GOOD, BAD, GOOD]), True), (request(name), False)]


async def by_event_id(name: str, server: RunningServer) -> Requests:
    submitted = await by_grpc(server, BY_NAME["SubmitEvent"], request("SubmitEvent", event=GOOD))
    unknown = "01890000-0000-7000-8000-000000000000"
    ids = [(submitted.value["event_id"], True), (unknown, False), ("not-an-id", False)]
    return [(request(name, event_id=given), fine) for given, fine in ids]


async def list_incidents(server: RunningServer) -> Requests:
    name = "ListIncidents"
    await an_incident(server)
    return [
        (request(name), True),
        (request(name, filter='severity >= P3 AND source = "ann"', order_by="severity desc", page_size=1), True),
        (request(name, filter="nonsense = = 1"), False),
        (request(name, page_size=-1), False),
        (request(name, page=1, page_token="x"), False),
        (request(name, start="soon"), False),
    ]


async def create_incident(_: RunningServer) -> Requests:
    name = "CreateIncident"
    return [
        (request(name, source="a", title=f"t{next(numbers)}", dedup_key=f"d{next(numbers)}"), True),
        (request(name), False),
    ]


async def update_incident(server: RunningServer) -> Requests:
    name, incident = "UpdateIncident", await an_incident(server)
    edit = {"id": incident, "title": "new", "labels": {"a": "b"}}
    title = {"id": incident, "title": "x"}
    return [
        (request(name, incident=edit, update_mask=FieldMask(paths=["title", "labels"])), True),
        (request(name, incident=title, update_mask=FieldMask(paths=["state"])), False),
        (request(name, incident={**title, "etag": "99"}, update_mask=FieldMask(paths=["title"])), False),
    ]


async def by_incident_id(method: Method, server: RunningServer) -> Requests:
    """A request as full as the method takes it, for an incident that is NEW and for two that do not exist."""
    name, fields = method.name, method.request.DESCRIPTOR.fields_by_name
    assert "incident_id" in fields, f"{name} needs requests of its own here"
    incident = await an_incident(server)
    offered = {
        "text": "a note",
        "assignees": ["ann", "bob"],
        "until": {"seconds": 4_000_000_000},
        "source_incident_ids": [incident],
        "event_ids": [incident],
        "linked_incident_id": await an_incident(server) if "linked_incident_id" in fields else "",
        "url": "https://example.com/trace",
    }
    extra = {field: value for field, value in offered.items() if field in fields}
    possible = name not in ("StartWork", "DeEscalate", "Resolve", "Close", "Reopen", "AnalyzeCorrelations")
    found = [
        (request(name, incident_id=incident, **extra), possible),
        (request(name, incident_id="INC-20200101-99999", **extra), False),
        (request(name, incident_id="x" * 65, **extra), False),
    ]
    if possible and "etag" in fields:
        found.append((request(name, incident_id=incident, **extra, etag="99"), False))
    return found


async def apply_to_incidents(server: RunningServer) -> Requests:
    name, incident = "ApplyToIncidents", await an_incident(server)
    one = f'id = "{incident}"'
    return [
        (request(name, filter=one, add_note={"text": "all of them"}, preview=True, expected_count=1), True),
        (request(name, filter=one, acknowledge={}, expected_count=1), True),
        (request(name, filter=one, close={}), True),
        (request(name, filter=one, acknowledge={}, expected_count=7), False),
        (request(name, filter=one), False),
        (request(name, filter=" ", acknowledge={}), False),
        (request(name, filter="severity =", acknowledge={}), False),
    ]


async def dead_letters(name: str, _: RunningServer) -> Requests:
    """Of a server that has none."""
    unknown = {"named": {"ids": ["00000000-0000-7000-8000-000000000000"]}}
    return [
        (request(name, selection={"matching": {"topic": "incidents.notify"}}, reason="r", expected_count=0), True),
        (request(name, selection={"matching": {}}, reason="r", preview=True), True),
        (request(name, selection={"matching": {"topic": "nothing"}}, reason="r"), False),
        (request(name, selection={"matching": {}}, reason="r", expected_count=7), False),
        (request(name, selection=unknown, reason="r"), False),
        (request(name, selection={}, reason="r"), False),
        (request(name, reason="r"), False),
    ]


async def get_dead_letter(_: RunningServer) -> Requests:
    name = "GetDeadLetter"
    return [(request(name, dead_letter_id="00000000-0000-7000-8000-000000000000"), False)]


async def get_bus_status(_: RunningServer) -> Requests:
    return [(request("GetBusStatus"), True)]


async def get_incident_metrics(server: RunningServer) -> Requests:
    name = "GetIncidentMetrics"
    await an_incident(server)
    return [
        (request(name, group_by="severity", filter='source = "ann"'), True),
        (request(name), True),
        (request(name, group_by="title"), False),
        (request(name, start="yesterday"), False),
    ]


async def merge(server: RunningServer) -> Requests:
    name, into, source = "Merge", await an_incident(server), await an_incident(server)
    return [
        (request(name, incident_id=into, source_incident_ids=[source]), True),
        (request(name, incident_id=into, source_incident_ids=[into]), False),
        (request(name, incident_id=into, source_incident_ids=[source], etag="99"), False),
        (request(name, incident_id=into), False),
    ]


async def unmerge(server: RunningServer) -> Requests:
    into, source = await an_incident(server), await an_incident(server)
    await by_grpc(server, BY_NAME["Merge"], request("Merge", incident_id=into, source_incident_ids=[source]))
    return [
        (request("Unmerge", incident_id=source, reason="by mistake"), True),
        (request("Unmerge", incident_id=into), False),
    ]


async def split(server: RunningServer) -> Requests:
    name, key = "Split", f"split{next(numbers)}"
    events = [event_pb2.Event(source="shield", title=f"part {n}", dedup_key=key) for n in range(2)]
    submitted = [await by_grpc(server, BY_NAME["SubmitEvent"], request("SubmitEvent", event=each)) for each in events]
    incident = str(submitted[0].value["incident_id"])
    return [
        (request(name, incident_id=incident, event_ids=[submitted[1].value["event_id"]], reason="another"), True),
        (request(name, incident_id=incident, event_ids=["not-an-id"]), False),
        (request(name, incident_id=incident), False),
    ]


async def unlink_incidents(server: RunningServer) -> Requests:
    one, other = await an_incident(server), await an_incident(server)
    pair = {"incident_id": one, "linked_incident_id": other}
    await by_grpc(server, BY_NAME["LinkIncidents"], request("LinkIncidents", **pair))
    return [(request("UnlinkIncidents", **pair), True), (request("UnlinkIncidents", **pair), False)]


async def remove_attachment(server: RunningServer) -> Requests:
    incident, url = await an_incident(server), "https://example.com/x.log"
    added = await by_grpc(server, BY_NAME["AddAttachment"], request("AddAttachment", incident_id=incident, url=url))
    named = {"incident_id": incident, "attachment_id": added.value["attachment"]["id"]}
    return [(request("RemoveAttachment", **named), True), (request("RemoveAttachment", **named), False)]


async def request_analysis(server: RunningServer) -> Requests:
    """Nobody can be asked here, and both doors say so."""
    name, incident = "RequestAnalysis", await an_incident(server)
    wishes: list[list[int]] = [[1, 2], [], [1, 1], [0]]
    return [(request(name, incident_id=incident, questions=questions), False) for questions in wishes]


async def list_audit_records(server: RunningServer) -> Requests:
    name, resource = "ListAuditRecords", f"incident/{await an_incident(server)}"
    fine = (request(name, resource=resource, action="incident.", page_size=5), True)
    return [fine, (request(name, page_token="forged"), False), (request(name, page_size=-1), False)]


async def whole_audit(name: str, server: RunningServer) -> Requests:
    return [(request(name), True)]


SPECIAL: dict[str, Callable[[RunningServer], Awaitable[Requests]]] = {
    "SubmitEvent": submit_event,
    "SubmitAlert": submit_alert,
    "SubmitEvents": submit_events,
    "GetEvent": partial(by_event_id, "GetEvent"),
    "ExplainEvent": partial(by_event_id, "ExplainEvent"),
    "ListIncidents": list_incidents,
    "CreateIncident": create_incident,
    "UpdateIncident": update_incident,
    "ApplyToIncidents": apply_to_incidents,
    "GetIncidentMetrics": get_incident_metrics,
    "GetDeadLetter": get_dead_letter,
    "GetBusStatus": get_bus_status,
    "ReplayDeadLetters": partial(dead_letters, "ReplayDeadLetters"),
    "DropDeadLetters": partial(dead_letters, "DropDeadLetters"),
    "ListAuditRecords": list_audit_records,
    "ListAuditCheckpoints": partial(whole_audit, "ListAuditCheckpoints"),
    "VerifyAudit": partial(whole_audit, "VerifyAudit"),
    "Merge": merge,
    "Unmerge": unmerge,
    "Split": split,
    "UnlinkIncidents": unlink_incidents,
    "RemoveAttachment": remove_attachment,
    "RequestAnalysis": request_analysis,
}
"""Methods that are asked otherwise than by an incident's id."""


async def of_access(server: RunningServer, method: Method) -> Requests:
    async def ask(name: str, fields: dict[str, Any]) -> dict[str, Any]:
        answer = await by_grpc(server, BY_NAME[name], request(name, **fields))
        assert answer.code == 0, answer
        value: dict[str, Any] = answer.value
        return value

    wanted = await access_requests.REQUESTS[method.name](ask)
    return [(request(method.name, **fields), fine) for fields, fine in wanted]


async def requests_for(server: RunningServer, method: Method) -> Requests:
    if method.name in access_requests.REQUESTS:
        return await of_access(server, method)
    if method.name in agent_requests.REQUESTS:
        wanted = await agent_requests.REQUESTS[method.name](server)
        return [(request(method.name, **fields), fine) for fields, fine in wanted]
    if method.name in governance_requests.REQUESTS:
        return [(request(method.name, **fields), fine) for fields, fine in governance_requests.REQUESTS[method.name]]
    special = SPECIAL.get(method.name)
    return await (by_incident_id(method, server) if special is None else special(server))


@pytest.mark.parametrize("method", UNARY, ids=lambda method: method.name)
async def test_both_doors_give_the_same_answer(server: RunningServer, method: Method) -> None:
    for message, fine in await requests_for(server, method):
        answer = await both(server, message, method.name)
        assert (answer.code == 0) is fine, answer


async def test_verbs_agree_all_the_way_through_a_life(server: RunningServer) -> None:
    incident = await an_incident(server)
    for name, fields in [
        ("Acknowledge", {"actor": "ann"}),
        ("StartWork", {}),
        ("Escalate", {"reason": "no idea"}),
        ("DeEscalate", {}),
        ("Resolve", {"resolved_by": "bob", "root_cause": "disk"}),
        ("Close", {}),
        ("Reopen", {"reason": "again"}),
    ]:
        answer = await both(server, request(name, incident_id=incident, **fields), name)
        assert answer.code == 0, answer


async def test_a_request_id_with_another_body_is_refused_alike(server: RunningServer) -> None:
    await both(server, request("CreateIncident", source="a", title="one", request_id="same"), "CreateIncident")
    answer = await both(server, request("CreateIncident", source="a", title="two", request_id="same"), "CreateIncident")
    assert answer.code == 6

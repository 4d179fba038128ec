"""Every unary method answers alike through gRPC and REST: equal messages, equal codes, equal details.

Generated from the descriptors, so that no method can be forgotten. Writes carry one request id through both doors:
the second door must then give the first one's answer, which also proves that both built the same request.
"""

import itertools
from typing import Any

import pytest
from google.protobuf.message import Message
from incidentmanager.v1 import event_pb2

from llm_incident_manager.transport import methods
from llm_incident_manager.transport.methods import Method
from tests.support.doors import Answer, by_grpc, by_http
from tests.support.server import RunningServer

pytestmark = pytest.mark.asyncio(loop_scope="module")

UNARY = [m for m in methods.all_methods() if not m.request_streaming and not m.response_streaming]
BY_NAME = {method.name: method for method in UNARY}
EVENT = {"source": "shield", "title": "Prompt injection", "kind": "prompt_injection.direct", "severity": "high"}
numbers = itertools.count(1)


def request(name: str, **fields: Any) -> Message:
    method = BY_NAME[name]
    if "request_id" in method.request.DESCRIPTOR.fields_by_name:
        fields.setdefault("request_id", f"r-{next(numbers)}")
    return method.request(**fields)


async def both(server: RunningServer, message: Message, name: str) -> Answer:
    method = BY_NAME[name]
    over_grpc = await by_grpc(server, method, message)
    status, over_http = await by_http(server, method, message)
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
    return str(opened.value["incident_id"])


async def requests_for(server: RunningServer, method: Method) -> list[tuple[Message, bool]]:
    """Requests of a method, and whether they should succeed."""
    name, fields = method.name, method.request.DESCRIPTOR.fields_by_name
    if name in ("SubmitEvent", "SubmitEvents"):
        good, bad = event_pb2.Event(**EVENT), event_pb2.Event(title="no source", input_tokens=-1)
        if name == "SubmitEvent":
            return [(request(name, event=good), True), (request(name, event=bad), False), (request(name), False)]
        return [(request(name, events=[good, bad, good]), True), (request(name), False)]
    if name in ("GetEvent", "ExplainEvent"):
        submitted = await by_grpc(
            server, BY_NAME["SubmitEvent"], request("SubmitEvent", event=event_pb2.Event(**EVENT))
        )
        unknown = "01890000-0000-7000-8000-000000000000"
        ids = [(submitted.value["event_id"], True), (unknown, False), ("not-an-id", False)]
        return [(request(name, event_id=given), fine) for given, fine in ids]
    if name == "ListIncidents":
        await an_incident(server)
        return [
            (request(name), True),
            (request(name, filter='severity >= P3 AND source = "ann"', order_by="severity desc", page_size=1), True),
            (request(name, filter="nonsense = = 1"), False),
            (request(name, page_size=-1), False),
            (request(name, page=1, page_token="x"), False),
            (request(name, start="soon"), False),
        ]
    if name == "CreateIncident":
        return [
            (request(name, source="a", title=f"t{next(numbers)}", dedup_key=f"d{next(numbers)}"), True),
            (request(name), False),
        ]
    if name == "UpdateIncident":
        incident = await an_incident(server)
        from google.protobuf.field_mask_pb2 import FieldMask

        mask = FieldMask(paths=["title", "labels"])
        edit = {"id": incident, "title": "new", "labels": {"a": "b"}}
        return [
            (request(name, incident=edit, update_mask=mask), True),
            (request(name, incident={"id": incident, "title": "x"}, update_mask=FieldMask(paths=["state"])), False),
            (
                request(
                    name, incident={"id": incident, "title": "x", "etag": "99"}, update_mask=FieldMask(paths=["title"])
                ),
                False,
            ),
        ]
    assert "incident_id" in fields, f"{name} needs requests of its own here"
    incident = await an_incident(server)
    extra: dict[str, Any] = {}
    if "text" in fields:
        extra["text"] = "a note"
    if "assignees" in fields:
        extra["assignees"] = ["ann", "bob"]
    if "until" in fields:
        extra["until"] = {"seconds": 4_000_000_000}
    if "source_incident_ids" in fields:
        extra["source_incident_ids"] = [incident]
    if "event_ids" in fields:
        extra["event_ids"] = [incident]
    possible = name in ("Acknowledge", "Escalate", "Assign", "AddNote", "ListTimeline", "GetIncident")
    wrong = {"etag": "99"} if "etag" in fields and possible else {}
    found = [
        (request(name, incident_id=incident, **extra), possible),
        (request(name, incident_id="INC-20200101-99999", **extra), False),
        (request(name, incident_id="x" * 65, **extra), False),
    ]
    return [*found, (request(name, incident_id=incident, **extra, **wrong), False)] if wrong else found


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

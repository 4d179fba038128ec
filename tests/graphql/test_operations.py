"""Queries, mutations and subscriptions through a third party's client."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from gql import Client, gql
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.exceptions import TransportQueryError
from gql.transport.websockets import WebsocketsTransport

from tests.support.callers import first_key
from tests.support.server import RunningServer

pytestmark = pytest.mark.asyncio(loop_scope="module")

INCIDENTS = """query (
  $filter: IncidentFilter, $first: Int, $after: String, $page: Int, $pageSize: Int, $orderBy: String
) {
  incidents(filter: $filter, first: $first, after: $after, page: $page, pageSize: $pageSize, orderBy: $orderBy) {
    edges { cursor node { id title severity state labels } }
    pageInfo { hasNextPage hasPreviousPage endCursor }
    totalCount totalCountIsLowerBound
  }
}"""
SUBMIT = "mutation ($event: EventInput!) { submitEvent(event: $event) { status incidentId eventId disposition } }"


async def ask(client: Client, text: str, **variables: object) -> dict[str, Any]:
    query = gql(text)
    query.variable_values = variables
    async with client as session:
        answer: dict[str, Any] = await session.execute(query)
        return answer


async def refused(client: Client, text: str, **variables: object) -> dict[str, Any]:
    """The first error."""
    with pytest.raises(TransportQueryError) as caught:
        await ask(client, text, **variables)
    assert caught.value.errors
    error: dict[str, Any] = caught.value.errors[0]
    return error


async def submitted(client: Client, **fields: object) -> dict[str, Any]:
    reply = await ask(client, SUBMIT, event={"source": "llm-sentinel", "severity": "P1", **fields})
    answer: dict[str, Any] = reply["submitEvent"]
    return answer


async def test_what_was_submitted_is_found_page_by_page(client: Client) -> None:
    for n in range(5):
        await submitted(client, title=f"slow {n}", dedupKey=f"slow-{n}", labels={"of": "pages"}, service="chat")
    wanted = {"labels": {"of": "pages"}, "service": ["chat", "search"], "severity": ["P0", "P1"], "open": True}
    titles, cursor = [], None
    while True:
        page = (await ask(client, INCIDENTS, filter=wanted, first=2, after=cursor, orderBy="id"))["incidents"]
        titles += [edge["node"]["title"] for edge in page["edges"]]
        assert (page["totalCount"], page["totalCountIsLowerBound"]) == (5, False)
        cursor = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert titles == [f"slow {n}" for n in range(5)]
    second = (await ask(client, INCIDENTS, filter=wanted, page=2, pageSize=2, orderBy="id"))["incidents"]
    assert [edge["node"]["title"] for edge in second["edges"]] == ["slow 2", "slow 3"]
    assert (second["pageInfo"]["hasPreviousPage"], second["pageInfo"]["hasNextPage"]) == (True, True)


async def test_a_filter_takes_texts_as_they_are(client: Client) -> None:
    odd = 'a "quoted" \\ * OR 1 = 1'
    await submitted(client, title="odd", service=odd, labels={odd: odd})
    for wanted in ({"service": [odd]}, {"labels": {odd: odd}}, {"service": [odd], "expression": "title = odd"}):
        page = (await ask(client, INCIDENTS, filter=wanted))["incidents"]
        assert [edge["node"]["title"] for edge in page["edges"]] == ["odd"]
    assert (await ask(client, INCIDENTS, filter={"service": ["*"]}))["incidents"]["edges"] == []
    error = await refused(client, INCIDENTS, filter={"service": []})
    assert "filter.service is an empty list" in error["message"]


async def test_an_incident_tells_all_that_belongs_to_it(client: Client) -> None:
    ids = [(await submitted(client, title=f"related {n}", dedupKey=f"related-{n}"))["incidentId"] for n in range(3)]
    for text, variables in (
        ('addNote(incidentId: $a, text: "looked at it") { text kind }', {"a": ids[0]}),
        ('addAttachment(incidentId: $a, url: "https://example.com/log", title: "log") { title url }', {"a": ids[0]}),
        (
            'linkIncidents(incidentId: $a, linkedIncidentId: $b, reason: "same deploy") { relation reason }',
            {"a": ids[0], "b": ids[1]},
        ),
        ("merge(incidentId: $a, sourceIncidentIds: [$b]) { incident { id } }", {"a": ids[0], "b": ids[2]}),
    ):
        heads = ", ".join(f"${name}: ID!" for name in variables)
        await ask(client, f"mutation ({heads}) {{ {text} }}", **variables)
    found = await ask(
        client,
        """query ($a: ID!, $c: ID!) {
          incident(id: $a) {
            timeline(first: 50) { kind text time details }
            notes: timeline(first: 5, kind: NOTE) { text }
            related { relation reason incident { id } }
            attachments { title }
            sla { acknowledgeDeadline }
          }
          merged: incident(id: $c) { state mergedIntoIncident { id } }
        }""",
        a=ids[0],
        c=ids[2],
    )
    incident = found["incident"]
    assert [entry["text"] for entry in incident["notes"]] == ["looked at it"]
    assert {"OPENED", "NOTE", "ATTACHMENT", "LINKED", "MERGED"} <= {entry["kind"] for entry in incident["timeline"]}
    related = {(each["relation"], each["incident"]["id"]) for each in incident["related"]}
    assert related == {("LINKED", ids[1]), ("MERGED_FROM", ids[2])}
    assert [each["title"] for each in incident["attachments"]] == ["log"]
    assert found["merged"] == {"state": "CLOSED", "mergedIntoIncident": {"id": ids[0]}}


async def test_the_verbs_move_an_incident(client: Client) -> None:
    id_ = (await submitted(client, title="to be moved"))["incidentId"]
    steps = (
        ('acknowledge(incidentId: $id, actor: "ann")', "ACKNOWLEDGED"),
        ("startWork(incidentId: $id)", "IN_PROGRESS"),
        ('escalate(incidentId: $id, reason: "stuck")', "ESCALATED"),
        ('assign(incidentId: $id, assignees: ["bob"])', "ESCALATED"),
        ('snooze(incidentId: $id, until: "2099-01-01T00:00:00Z")', "ESCALATED"),
        ('resolve(incidentId: $id, method: AUTOMATED, notes: "restarted", rootCause: "leak")', "RESOLVED"),
        ("close(incidentId: $id)", "CLOSED"),
        ('reopen(incidentId: $id, reason: "back")', "IN_PROGRESS"),
    )
    for call, state in steps:
        moved = await ask(client, f"mutation ($id: ID!) {{ it: {call} {{ state assignees }} }}", id=id_)
        assert moved["it"]["state"] == state, call
    edit = 'updateIncident(incident: $i, updateMask: "title,severity") { title severity }'
    edited = await ask(
        client, f"mutation ($i: IncidentInput!) {{ {edit} }}", i={"id": id_, "title": "another", "severity": "P0"}
    )
    assert edited["updateIncident"] == {"title": "another", "severity": "P0"}
    error = await refused(client, "mutation ($id: ID!) { acknowledge(incidentId: $id) { state } }", id=id_)
    told = error["extensions"]
    assert (told["code"], told["reason"], told["metadata"]["state"]) == (
        *("FAILED_PRECONDITION", "ILLEGAL_TRANSITION"),
        "IN_PROGRESS",
    )


async def test_a_repeat_under_its_id_is_answered_alike(client: Client) -> None:
    create = (
        'mutation ($t: String!) { createIncident(title: $t, source: "x", requestId: "once") { incidentId status } }'
    )
    first, again = [await ask(client, create, t="once") for _ in range(2)]
    assert first == again
    error = await refused(client, create, t="otherwise")
    assert error["extensions"]["reason"] == "REQUEST_ID_REUSED"


async def test_events_are_read_by_id(client: Client) -> None:
    sent = [await submitted(client, title=f"event {n}", dedupKey=f"event-{n}") for n in range(2)]
    ids = [each["eventId"] for each in sent]
    found = await ask(
        client,
        """query ($ids: [ID!]!, $id: ID!) {
          events(ids: $ids) { eventId disposition event { title metrics } incident { id } }
          event(id: $id) { eventId receiveTime }
          explainEvent(eventId: $id) { steps severity { severity } }
        }""",
        ids=[*ids, "01890000-0000-7000-8000-000000000000"],
        id=ids[0],
    )
    assert [(each["event"]["title"], each["incident"]["id"]) for each in found["events"]] == [
        (f"event {n}", each["incidentId"]) for n, each in enumerate(sent)
    ]
    assert found["event"]["eventId"] == ids[0]
    assert found["explainEvent"]["severity"] == {"severity": "P1"}
    assert found["explainEvent"]["steps"]


async def test_figures_health_and_who_asks(client: Client) -> None:
    await submitted(client, title="counted")
    found = await ask(
        client,
        """{ metrics { total { count openCount timeToResolve { count } } }
             incidentMetrics(groupBy: "severity") { groups { value figures { count } } }
             health { ready checks } version me { subject tenant roles } }""",
    )
    assert found["metrics"]["total"]["openCount"] >= 1
    assert "P1" in {group["value"] for group in found["incidentMetrics"]["groups"]}
    assert (found["health"]["ready"], found["health"]["checks"]["database"]) == (True, "ok")
    assert found["version"]
    assert found["me"]["tenant"] == "default"


async def test_one_field_that_fails_takes_no_other_along(server: RunningServer) -> None:
    body = {"query": '{ version incident(id: "INC-20260101-00001") { id } }'}
    async with aiohttp.request("POST", f"{server.http}/graphql", json=body) as reply:
        answer = await reply.json()
    assert reply.status == 200
    assert answer["data"] == {"version": answer["data"]["version"], "incident": None}
    (error,) = answer["errors"]
    assert (error["path"], error["extensions"]["reason"]) == (["incident"], "NOT_FOUND")
    assert error["extensions"]["metadata"]["id"] == "INC-20260101-00001"


@pytest.mark.parametrize(
    ("body", "headers", "status", "says"),
    [
        ('[{"query": "{ version }"}]', {}, 400, "batches are not taken"),
        ('{"query": "{ version"}', {}, 400, "does not parse"),
        ('{"query": ""}', {}, 400, "give a GraphQL document"),
        ("{", {}, 400, "no JSON"),
        ('{"query": "{ version }"}', {"Content-Type": "text/plain"}, 400, "send application/json"),
        ('{"query": "{ nothing }"}', {}, 400, "Cannot query field 'nothing'"),
        ('{"query": "query A { version } query B { version }"}', {}, 400, "operationName"),
        ('{"query": "{ version }", "variables": [1]}', {}, 400, "variables: give an object"),
        ('{"query": "subscription { incidentChanged { kind } }"}', {}, 400, "graphql-transport-ws"),
        (json.dumps({"query": "{ version }", "variables": {"x": "y" * 300_000}}), {}, 413, "larger than 262144 bytes"),
    ],
)
async def test_a_wrong_request_is_told_what_is_wrong(
    server: RunningServer, body: str, headers: dict[str, str], status: int, says: str
) -> None:
    sent = {"Content-Type": "application/json", **headers}
    async with aiohttp.request("POST", f"{server.http}/graphql", data=body, headers=sent) as reply:
        answer = await reply.json()
    assert reply.status == status
    assert says in answer["errors"][0]["message"]
    assert answer["errors"][0]["extensions"]["reason"]
    assert "data" not in answer


async def test_another_verb_is_refused_with_the_one_that_is_taken(server: RunningServer) -> None:
    async with aiohttp.request("DELETE", f"{server.http}/graphql") as reply:
        assert (reply.status, reply.headers["Allow"]) == (405, "POST")
    wanted = {"Accept": "application/graphql-response+json"}
    async with aiohttp.request(
        "POST", f"{server.http}/graphql", json={"query": "{ version }"}, headers=wanted
    ) as reply:
        assert reply.headers["Content-Type"] == wanted["Accept"]
        assert reply.headers["X-Request-Id"]


async def test_a_role_may_what_it_may_elsewhere(server: RunningServer) -> None:
    key = await first_key(server, "viewer", subject="eve")
    transport = AIOHTTPTransport(f"{server.http}/graphql", headers={"X-API-Key": key})
    client = Client(transport=transport)
    assert (await ask(client, "{ me { subject roles } }"))["me"] == {"subject": "eve", "roles": ["viewer"]}
    error = await refused(client, SUBMIT, event={"source": "x", "title": "x"})
    assert error["extensions"]["reason"] == "PERMISSION_DENIED"
    assert error["extensions"]["metadata"] == {"permission": "EVENT_WRITE"}
    wrong = Client(transport=AIOHTTPTransport(f"{server.http}/graphql", headers={"X-API-Key": key[:-1] + "x"}))
    assert (await refused(wrong, "{ version }"))["extensions"]["reason"] == "UNAUTHENTICATED"


def sockets(server: RunningServer, **payload: str) -> Client:
    url = server.http.replace("http", "ws", 1) + "/graphql/ws"
    return Client(transport=WebsocketsTransport(url, init_payload=payload))


CHANGES = """subscription ($filter: IncidentFilter, $token: String) {
  incidentChanged(filter: $filter, resumeToken: $token) {
    kind heartbeat resumeToken incident { title state timeline(first: 1) { kind } }
  }
}"""


async def told(client: Client, text: str, until: Callable[[dict[str, Any]], bool], **variables: object) -> list[Any]:
    """What a subscription tells, up to what is waited for."""
    found: list[Any] = []
    query = gql(text)
    query.variable_values = variables
    async with asyncio.timeout(20), client as session:
        async for answer in session.subscribe(query):
            found.append(next(iter(answer.values())))
            if until(found[-1]):
                break
    return found


async def test_changes_are_told_and_resumed_without_gap_or_repeat(server: RunningServer, client: Client) -> None:
    wanted = {"labels": {"of": "changes"}}
    began = asyncio.Event()

    def opened(change: dict[str, Any]) -> bool:
        began.set()
        return bool(change["incident"])

    following = asyncio.create_task(told(sockets(server), CHANGES, opened, filter=wanted))
    await asyncio.wait_for(began.wait(), 20)
    for n in range(3):
        await submitted(client, title=f"change {n}", dedupKey=f"change-{n}", labels=wanted["labels"])
    first = (await following)[-1]
    assert (first["kind"], first["incident"]["title"]) == ("OPENED", "change 0")
    assert first["incident"]["timeline"] == [{"kind": "OPENED"}]
    rest = await told(
        sockets(server),
        CHANGES.replace("incidentChanged", "incidentCreated"),
        lambda change: bool(change["incident"]) and change["incident"]["title"] == "change 2",
        filter=wanted,
        token=first["resumeToken"],
    )
    assert [each["incident"]["title"] for each in rest if each["incident"]] == ["change 1", "change 2"]


async def test_a_socket_bears_the_credential_of_its_beginning(server: RunningServer) -> None:
    key = await first_key(server, "viewer", subject="sue")
    async with sockets(server, **{"X-API-Key": key}) as session:
        assert (await session.execute(gql("{ me { subject } }")))["me"] == {"subject": "sue"}
    producer = await first_key(server, "producer")
    with pytest.raises(TransportQueryError, match="needs permission INCIDENT_READ"):
        await told(
            sockets(server, authorization=f"Bearer {producer}", **{"X-API-Key": producer}), CHANGES, lambda _: True
        )

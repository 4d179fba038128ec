"""A page of incidents with their timelines through GraphQL, and the same without, over one HTTP connection."""

import http.client
import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

from bench import measuring, surroundings
from bench.databases import Database
from bench.measuring import Line, Target
from bench.recorder import quantiles

INCIDENTS = 200
TIMES = 60
WARM_UP = 5
AIM_MS = 50.0
_FIELDS = "id number title severity state service createTime"
_PAGE = "{{ incidents(first: 50) {{ edges {{ cursor node {{ {0} }} }} pageInfo {{ hasNextPage }} }} }}"
QUERIES: Mapping[str, str] = {
    "page of 50": _PAGE.format(_FIELDS),
    "page of 50 with timelines": _PAGE.format(_FIELDS + " timeline(first: 10) { kind text actor time }"),
    "page of 50 with timelines, related ones and count": _PAGE.format(
        _FIELDS + " timeline(first: 10) { kind text actor time } related(first: 2) { relation incident { id } }"
    ).replace("pageInfo", "totalCount pageInfo"),
}
_SUBMIT = "mutation ($events: [EventInput!]!) { submitEvents(events: $events) { accepted } }"
_ACKNOWLEDGE = "mutation ($id: ID!) { acknowledge(incidentId: $id) { state } }"


def lines(database: Database) -> Iterator[Line]:
    """One line for each query, asked again and again of a server with some incidents, each with some entries."""
    with measuring.server(database) as target:
        connection = http.client.HTTPConnection("127.0.0.1", target.http, timeout=30)
        events = [
            {"source": "bench", "title": f"t{n}", "dedupKey": f"k{n}", "severity": "P1"} for n in range(INCIDENTS)
        ]
        _ask(connection, _SUBMIT, events=events)
        page = _ask(connection, QUERIES["page of 50"])["incidents"]
        for edge in page["edges"]:
            _ask(connection, _ACKNOWLEDGE, id=edge["node"]["id"])
        time.sleep(2.0)  # routes and notifications add their entries
        for name, query in QUERIES.items():
            yield {"query": name, **_measured(connection, target, query)}


def _measured(connection: http.client.HTTPConnection, target: Target, query: str) -> Line:
    taken: list[tuple[float, int]] = []
    used, found = 0.0, {}
    for n in range(-WARM_UP, TIMES):
        if n == 0:
            used = target.child.cpu_seconds()
        since = time.perf_counter()
        found = _ask(connection, query)
        if n >= 0:
            taken.append((time.perf_counter() - since, 1))
    p50, p95, p99 = (round(1000 * value, 1) for value in quantiles(taken))
    entries = [len(edge["node"].get("timeline", ())) for edge in found["incidents"]["edges"]]
    return {
        "p50_ms": p50,
        "p95_ms": p95,
        "p99_ms": p99,
        "aim_ms": AIM_MS,
        "missed": p95 > AIM_MS,
        "server_cpu_ms": round(1000 * (target.child.cpu_seconds() - used) / TIMES, 1),
        "entries": sum(entries),
        "load_average": surroundings.load_average(),
    }


def _ask(connection: http.client.HTTPConnection, query: str, **variables: object) -> dict[str, Any]:
    body = json.dumps({"query": query, "variables": variables})
    connection.request("POST", "/graphql", body, {"Content-Type": "application/json"})
    answer = json.loads(connection.getresponse().read())
    if "errors" in answer:
        raise SystemExit(f"GraphQL refuses: {answer['errors']}")
    data: dict[str, Any] = answer["data"]
    return data

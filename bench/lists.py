"""Lists of incidents on a large database: each documented way to ask, through gRPC, with the count every time.

Each question is asked a number of times with other values, after one unmeasured time.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
from incidentmanager.v1 import incident_service_pb2 as pb
from incidentmanager.v1 import incident_service_pb2_grpc

from bench import measuring, population, surroundings
from bench.databases import Database
from bench.measuring import Line
from bench.processes import Child
from bench.recorder import quantiles
from bench.stock import StockedPostgres, StockedSqlite
from llm_incident_manager.domain.time import SECOND
from tools.ports import free_port

TIMES = 20
_DEADLINE = 30.0
Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Question:
    """A way to ask: what the n-th request says. `aim` is the p95 in milliseconds that it must not exceed."""

    name: str
    says: Callable[[int], Fields]
    aim: float = 50.0


def _same(**fields: object) -> Callable[[int], Fields]:
    return lambda _: fields


def _of(template: str, values: tuple[str, ...], start: int = 0) -> Callable[[int], Fields]:
    return lambda n: {"filter": template.format(values[(start + n) % len(values)])}


def _span(days: int, **more: object) -> Callable[[int], Fields]:
    def says(n: int) -> Fields:
        end = datetime.fromtimestamp(population.UNTIL // SECOND, UTC) - timedelta(days=1 + 17 * n)
        return {"start": f"{end - timedelta(days=days - 1):%Y-%m-%d}", "end": f"{end:%Y-%m-%d}", **more}

    return says


def _search(words: tuple[str, ...], **more: object) -> Callable[[int], Fields]:
    return lambda n: {"search": words[n % len(words)], **more}


_OPEN = "state = (NEW OR ACKNOWLEDGED OR IN_PROGRESS OR ESCALATED)"
_LABEL, _CELL = population.RARE_LABEL
_FREQUENT = ("prompts", "blocked", "billing", "monitor", "reports")
_RARE = (population.RARE_WORD,)
_TWO = ("prompts blocked", "caches stalled", "tokens leaking", "vectors stale", "queues locked")

QUESTIONS = (
    Question("newest", _same()),
    Question("state_rare", _same(filter="state = ESCALATED")),
    Question("state_frequent", _same(filter="state = CLOSED")),
    Question("open", _same(filter=_OPEN)),
    Question("severity_exact", _of("severity = {}", ("P0", "P1", "P2", "P3", "P4"))),
    Question("severity_at_least", _same(filter="severity >= P1")),
    Question("source", _of('source = "{}"', population.SOURCES)),
    Question("incident_type", _of("incident_type = {}", ("SECURITY", "DATA", "PERFORMANCE", "UNKNOWN"))),
    Question("service_frequent", _of('service = "{}"', population.SERVICES[:5])),
    Question("service_rare", _of('service = "{}"', population.SERVICES[-20:])),
    Question("service_absent", _of('service = "{}"', ("nobody", "no-such", "none"))),
    Question("kind", _of('kind = "{}"', population.KINDS)),
    Question("provider", _of('provider = "{}"', population.PROVIDERS)),
    Question("environment", _of('environment = "{}"', population.ENVIRONMENTS)),
    Question("application", _of('application = "{}"', population.SERVICES and ("archive", "billing", "wiki"))),
    Question("model", _of('model = "{}"', population.MODELS)),
    Question("deployment", _of('deployment = "{}"', tuple(f"eu-west-{n}" for n in range(20)))),
    Question("label_frequent", _of('labels.region = "{}"', population.REGIONS)),
    Question("label_rare", _same(filter=f'labels.{_LABEL} = "{_CELL}"')),
    Question("label_present", _same(filter=f"labels.{_LABEL}:*")),
    Question("assignee", _of('assignees:"{}"', population.PEOPLE)),
    Question("state_and_severity", _same(filter="state = NEW AND severity >= P1")),
    Question("open_and_service", _of(_OPEN + ' AND service = "{}"', population.SERVICES)),
    Question("service_and_severity", _of('service = "{}" AND severity = P0', population.SERVICES)),
    Question("service_and_kind", _of('service = "{}" AND kind = "' + population.KINDS[3] + '"', population.SERVICES)),
    Question("service_and_label", _of('service = "{}" AND labels.region = "eu-west"', population.SERVICES)),
    Question(
        "source_kind_state",
        _of('source = "llm-shield" AND kind = "{}" AND state = RESOLVED', population.KINDS),
    ),
    Question("either", _of('service = "{}" OR severity = P0', population.SERVICES)),
    Question("not", _same(filter="NOT state = CLOSED AND NOT severity = P4")),
    Question("day", _span(1)),
    Question("month", _span(30)),
    Question("month_and_state", _span(30, filter="state = RESOLVED")),
    Question("month_and_service", _span(30, filter=f'service = "{population.SERVICES[9]}"')),
    Question("page_2", _same(page=2)),
    Question("page_200", _same(page=200)),
    Question("order_create_time", _same(order_by="create_time")),
    Question("order_update_time", _same(order_by="update_time desc")),
    Question("order_severity", _same(order_by="severity desc, create_time desc")),
    Question("order_number", _same(order_by="number desc")),
    Question("order_within_service", _of('service = "{}"', population.SERVICES[-20:])),
    Question("search_rare", _search(_RARE), 100.0),
    Question("search_frequent", _search(_FREQUENT), 100.0),
    Question("search_two_words", _search(_TWO), 100.0),
    Question("search_prefix", _search(("crypto*", "embed*", "poison*")), 100.0),
    Question("search_and_filter", _search(_TWO, filter="severity >= P1"), 100.0),
    Question("search_nothing", _search(("nonexistentword",)), 100.0),
    Question("bare_word_frequent", _of("{}", _FREQUENT), 100.0),
    Question("bare_word_rare", _of("{}", _RARE), 100.0),
)


def lines(database: Database, count: int, only: frozenset[str]) -> Iterator[Line]:
    """One line for each question to a database that was filled with so many."""
    assert isinstance(database, StockedSqlite | StockedPostgres)
    with ExitStack() as stack:
        place = stack.enter_context(measuring.folder())
        ports = measuring.Ports(free_port(), free_port())
        env = {"GRPC_PORT": str(ports.grpc), "API_PORT": str(ports.http), "DATABASE_URL": database.kept()}
        env |= database.also  # or the server would soon delete most of the stock, whose incidents are old
        child = Child("-m", "llm_incident_manager", "serve", folder=place, env=env)
        stack.callback(child.stop)
        child.wait_until_ready(ports.http)
        channel = stack.enter_context(grpc.insecure_channel(f"127.0.0.1:{ports.grpc}"))
        stub = incident_service_pb2_grpc.IncidentServiceStub(channel)  # type: ignore[arg-type]  # see _asked
        for question in QUESTIONS:
            if not only or question.name in only:
                yield {"incidents": count, **_asked(question, stub, child, database)}
        deep = _deep_token(stub)
        if not only or "page_token_deep" in only:
            yield {"incidents": count, **_asked(Question("page_token_deep", deep), stub, child, database)}


def _asked(
    question: Question,
    stub: Any,  # noqa: ANN401  # the generated stub is typed for asynchronous channels only
    child: Child,
    database: Database,
) -> Line:
    taken: list[tuple[float, int]] = []
    errors: dict[str, int] = {}
    server, engine, reply = 0.0, 0.0, pb.ListIncidentsResponse()
    for n in range(-1, TIMES):
        if n == 0:
            server, engine = child.cpu_seconds(), database.cpu_seconds()
        since = time.perf_counter()
        try:
            reply = stub.ListIncidents(pb.ListIncidentsRequest(**question.says(max(n, 0))), timeout=_DEADLINE)
        except grpc.RpcError as error:
            errors[error.code().name] = errors.get(error.code().name, 0) + 1
        if n >= 0:
            taken.append((time.perf_counter() - since, 1))
    p50, p95, _ = (round(1000 * value, 1) for value in quantiles(taken))
    return {
        "question": question.name,
        "p50_ms": p50,
        "p95_ms": p95,
        "aim_ms": question.aim,
        "missed": p95 > question.aim or bool(errors),
        "server_cpu_ms": round(1000 * (child.cpu_seconds() - server) / TIMES, 1),
        "database_cpu_ms": round(1000 * (database.cpu_seconds() - engine) / TIMES, 1),
        "last_found": len(reply.incidents),
        "last_count": reply.pagination.total_count,
        "errors": errors,
        "load_average": surroundings.load_average(),
    }


def _deep_token(stub: Any) -> Callable[[int], Fields]:  # noqa: ANN401  # as above
    """The token of a page far down."""
    reply = stub.ListIncidents(pb.ListIncidentsRequest(page=2_000, page_size=100), timeout=_DEADLINE)
    return _same(page_token=reply.pagination.next_page_token)

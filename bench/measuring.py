"""One measurement: starts a server or a floor, puts load on it, and makes a line of what was seen. Its files go."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from bench import scraping, secured, surroundings
from bench.databases import Database
from bench.processes import Child, Load
from bench.recorder import Spec
from tools.ports import free_port

WORKERS = "LLM_IM__WORKERS"
MOST_DRAIN_SECONDS = 20.0
Line = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Used:
    """Processor seconds at one moment."""

    server: float
    database: float
    client: float
    all: float


class Ports(NamedTuple):
    """Where a server listens."""

    grpc: int
    http: int


@dataclass(slots=True)
class Target:
    """A server to measure. A floor has neither database nor metrics; one that asks who calls tells no stranger its."""

    child: Child
    address: str
    folder: Path
    database: Database | None = None
    http: int = 0
    papers: str = ""


@contextmanager
def server(database: Database, *, rest: bool = False, closed: bool = False) -> Iterator[Target]:
    """A ready server on an empty database; `closed`: with every layer that asks who calls (`secured`)."""
    with folder() as place, ExitStack() as stack:
        ports = Ports(free_port(), free_port())
        child = start_server(database, place, ports, closed=closed)
        stack.callback(child.stop)
        papers = str(place / secured.FOLDER) if closed else ""
        child.wait_until_ready(ports.http, secured.context(papers))
        if (workers := int(database.also.get(WORKERS, "1"))) > 1:
            child.wait_until(lambda: scraping.workers_up(ports.http) == workers)
        address = f"127.0.0.1:{ports.http if rest else ports.grpc}"
        yield Target(child, address, place, database, 0 if closed else ports.http, papers)


def start_server(database: Database, place: Path, ports: Ports, *, closed: bool = False) -> Child:
    """Starts a server on an empty database and waits for nothing."""
    env = {"GRPC_PORT": str(ports.grpc), "API_PORT": str(ports.http), "DATABASE_URL": database.fresh(place)}
    env |= database.also
    options = secured.prepared(place, env) if closed else ()
    return Child("-m", "llm_incident_manager", "serve", *options, folder=place, env=env)


@contextmanager
def floor(kind: str) -> Iterator[Target]:
    """A bare server, "grpc" or "rest"."""
    with folder() as place, ExitStack() as stack:
        port = free_port()
        child = Child("-m", "bench.floors", kind, str(port), folder=place)
        stack.callback(child.stop)
        child.wait_until_listening(port)
        yield Target(child, f"127.0.0.1:{port}", place)


def measure(target: Target, spec: Spec) -> Line:
    """Runs the load and says what came of it."""
    with ExitStack() as stack:
        load = Load(replace(spec, address=target.address, papers=target.papers), target.folder)
        stack.callback(load.stop)
        load.hear()
        before = target.database.size() if target.database else 0
        average = surroundings.load_average()
        opens = _used(target, load.hear())
        closes = _used(target, load.hear())
        result: Line = load.hear()["result"]
    line = _figures(result, opens, closes)
    line["rss_mb"] = target.child.peak_rss() >> 20
    line["bytes_per_event"] = None
    line |= {"offered_rate": spec.rate or None, "in_flight": spec.in_flight * spec.streams}
    line |= {"streams": spec.streams, "frame_events": spec.frame_events} if spec.kind == "frames" else {}
    line |= {name: result[name] for name in ("sent", "acknowledged", "outcomes", "errors")}
    line["load_average"] = average
    if target.http:
        line |= scraping.means(target.http)
    if target.database:
        line |= _afterwards(target, target.database, before, result["acknowledged"])
    return line


def _used(target: Target, said: Line) -> Used:
    database = target.database.cpu_seconds() if target.database else 0.0
    return Used(target.child.cpu_seconds(), database, said["cpu"], surroundings.busy_seconds())


def _figures(result: Line, opens: Used, closes: Used) -> Line:
    events, seconds = max(1, result["in_window"]), result["seconds"]
    p50, p95, p99 = result["milliseconds"] or (None, None, None)
    own = [getattr(closes, name) - getattr(opens, name) for name in ("server", "database", "client")]
    others = closes.all - opens.all - sum(own)
    server, database, client = (round(1e6 * used / events, 1) for used in own)
    return {
        "rate": round(result["in_window"] / seconds),
        "p50_ms": p50,
        "p95_ms": p95,
        "p99_ms": p99,
        "cpu_us_per_event": server,
        "database_cpu_us_per_event": database,
        "client_cpu_us_per_event": client,
        "server_cores": round(own[0] / seconds, 2),
        "client_cores": round(own[2] / seconds, 2),
        "other_cores": round(others / seconds, 2),
        "seconds": round(seconds, 2),
    }


def _afterwards(target: Target, database: Database, before: int, events: int) -> Line:
    """What was put off, how long it took, and what all of it takes on disk once the server has ended."""
    backlog, since = database.backlog(), time.perf_counter()
    left = backlog
    while left and time.perf_counter() - since < MOST_DRAIN_SECONDS:
        time.sleep(0.2)
        left = database.backlog()
    drained = round(time.perf_counter() - since, 1)
    target.child.stop()
    return {
        "bytes_per_event": round((database.size() - before) / max(1, events)),
        "after_commit_backlog": backlog,
        "after_commit_backlog_left": left,
        "drain_seconds": None if left else drained if backlog else 0.0,
    }


@contextmanager
def folder() -> Iterator[Path]:
    """A place for data and logs, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as name:
        yield Path(name)

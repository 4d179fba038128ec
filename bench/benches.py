"""The benchmarks by name: which load each puts on which server, and which floor a figure is held against."""

import statistics
from contextlib import ExitStack
from dataclasses import replace

from bench import handling, measuring, surroundings
from bench.databases import Database
from bench.measuring import Line
from bench.processes import Load
from bench.recorder import Spec, quantiles
from tools.ports import free_port

STARTS = 3
SECURED = "ingest_storm_secured"
"""The storm over mutual TLS, with an API key, limits and redaction."""
_CALLS_AT_ONCE = 128

STORM = Spec("frames", new_every=100, in_flight=4_000, streams=2, frame_events=500)
NEW = replace(STORM, new_every=1)
CHANNELS = replace(STORM, in_flight=1_000, streams=8, channels=8)
PACED = replace(STORM, rate=10_000.0, frame_events=50, streams=1)
HANDLER = Spec("frames", new_every=1, rate=100.0)
WATCHERS = Spec("watch", rate=10.0, streams=1_000, groups=100, warm_up=8.0)
UNARY = Spec("unary", in_flight=_CALLS_AT_ONCE)
REST = Spec("rest", in_flight=_CALLS_AT_ONCE)
WEBSOCKET = Spec("socket", new_every=100, in_flight=2_000, streams=2, frame_events=100)
WEBSOCKET_WATCHERS = replace(WATCHERS, kind="socket_watch")

# Events a second that are prepared: more than this machine can take, since a load ends early when it has used them up.
_PREPARED = {"frames": 60_000, "unary": 8_000, "rest": 15_000, "watch": 100, "socket": 30_000, "socket_watch": 100}
_OVER_HTTP = ("rest", "socket", "socket_watch")
_SERVERS = {
    "ingest_storm": STORM,
    "ingest_storm_keys": replace(STORM, keys=True),
    "ingest_storm_channels": CHANNELS,
    "ingest_storm_secured": STORM,
    "ingest_new": NEW,
    "ingest_paced_10k": PACED,
    "unary": UNARY,
    "rest_single": REST,
    "handler": HANDLER,
    "watchers": WATCHERS,
    "watchers_of_all": replace(WATCHERS, rate=1.0, groups=0),
    "websocket": WEBSOCKET,
    "websocket_watchers": WEBSOCKET_WATCHERS,
    "websocket_watchers_of_all": replace(WEBSOCKET_WATCHERS, rate=1.0, groups=0),
}
FLOORS = {
    "floor_frames": replace(STORM, echo=True),
    "floor_unary": replace(UNARY, echo=True),
    "floor_rest": replace(REST, echo=True),
}
FLOOR_OF = {"unary": "floor_unary", "rest_single": "floor_rest"}
NAMES = (
    "start",
    "ingest_storm",
    "ingest_storm_keys",
    "ingest_storm_channels",
    "ingest_storm_secured",
    "ingest_new",
    "ingest_paced_10k",
    "floor_frames",
    "floor_unary",
    "unary",
    "floor_rest",
    "rest_single",
    "handler",
    "watchers",
    "watchers_of_all",
    "websocket",
    "websocket_watchers",
    "websocket_watchers_of_all",
)
"""All, in the order in which they run: a floor goes right before the figure that is held against it."""


def run(name: str, database: Database, seconds: float) -> Line:
    """Measures one."""
    if name == "start":
        return _start(database)
    spec = _sized({**_SERVERS, **FLOORS}[name], seconds)
    rest = spec.kind in _OVER_HTTP
    closed = name == SECURED
    opened = measuring.floor("rest" if rest else "grpc") if spec.echo else None
    with opened or measuring.server(database, rest=rest, closed=closed) as target:
        line = measuring.measure(target, spec)
        return {**line, **handling.delays(database, spec.warm_up)} if name == "handler" else line


def _start(database: Database) -> Line:
    """From the start of the process, on an empty directory, to the first acknowledgement; the median of some."""
    runs = [_one_start(database) for _ in range(STARTS)]
    p50, p95, p99 = (round(1000 * value) for value in quantiles([(seconds, 1) for seconds, _, _ in runs]))
    return {
        "rate": None,
        "p50_ms": p50,
        "p95_ms": p95,
        "p99_ms": p99,
        "cpu_us_per_event": None,
        "rss_mb": max(rss for _, rss, _ in runs) >> 20,
        "bytes_per_event": None,
        "cpu_seconds": round(statistics.median(cpu for _, _, cpu in runs), 2),
        "starts": STARTS,
        "errors": {},
        "load_average": surroundings.load_average(),
    }


def _one_start(database: Database) -> tuple[float, int, float]:
    """Seconds, memory in bytes, and processor seconds of one start."""
    ports = measuring.Ports(free_port(), free_port())
    with measuring.folder() as place, ExitStack() as stack:
        load = Load(Spec("start", f"127.0.0.1:{ports.grpc}", events=1), place)
        stack.callback(load.stop)
        load.hear()
        child = measuring.start_server(database, place, ports)
        stack.callback(child.stop)
        at: float = load.hear()["result"]["at"]
        return at - child.started, child.peak_rss(), child.cpu_seconds()


def with_floors(names: list[str]) -> list[str]:
    """The names in order, with the floors they are held against."""
    wanted = {*names, *(FLOOR_OF[name] for name in names if name in FLOOR_OF)}
    return [name for name in NAMES if name in wanted]


def _sized(spec: Spec, seconds: float) -> Spec:
    sized = replace(spec, seconds=seconds)
    rate = spec.rate or _PREPARED[spec.kind] / (4 if spec.echo else 1)
    return replace(sized, events=int(rate * sized.lasts) // spec.frame_events * spec.frame_events)

"""What the server tells about itself: the size of its batches and the time its stages take, from /metrics."""

import http.client
import re
from collections import defaultdict

PREFIX = "incident_manager_"
_DOWN = re.compile(rf'^{PREFIX}worker_up\{{worker="\d+"\}} 0.0$', re.MULTILINE)
_LABELS = r'(?:\{(?:worker="\d+",?)?(?:stage="(\w+)")?\})?'
_SAMPLE = re.compile(rf"^{PREFIX}(\w+)_(sum|count){_LABELS} (\S+)$", re.MULTILINE)


def means(port: int) -> dict[str, object]:
    """Since the start of the server: events in a batch, and milliseconds a batch spends in each stage."""
    found: dict[tuple[str, str], dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for name, part, stage, value in _SAMPLE.findall(_page(port)):
        found[name, stage][part] += float(value)  # of all workers
    mean = {key: parts["sum"] / parts["count"] for key, parts in found.items() if parts.get("count")}
    stages = {stage: round(1000 * value, 2) for (_, stage), value in mean.items() if stage}
    return {"batch_events": round(mean.get(("batch_events", ""), 0), 1), "stage_ms": stages}


def workers_up(port: int) -> int:
    """How many of a server's workers serve."""
    return _page(port).count(f'{PREFIX}worker_up{{worker="') - len(_DOWN.findall(_page(port)))


def _page(port: int) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/metrics")
        return connection.getresponse().read().decode()
    finally:
        connection.close()

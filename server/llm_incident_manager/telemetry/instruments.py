"""Makes the metrics that areas count with, and prints them. Keeps two registries: what this process alone has counted,
and what is asked of the database, which is the same whichever process asks."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

from prometheus_client import (
    GC_COLLECTOR,
    PLATFORM_COLLECTOR,
    PROCESS_COLLECTOR,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
)
from prometheus_client.exposition import choose_encoder

from llm_incident_manager.telemetry import gathering

PREFIX = "incident_manager_"

CALL = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Buckets, in seconds, of what somebody waits for."""

M = TypeVar("M", Counter, Gauge, Histogram)


class Page(NamedTuple):
    """What a scraper gets."""

    body: bytes
    content_type: str


class Children(dict[tuple[str, ...], M]):
    """The children of one metric by their label values, made on first use and kept, so that a record costs one or two
    microseconds."""

    def __init__(self, metric: M) -> None:
        """None yet."""
        super().__init__()
        self._parent: M = metric

    def __missing__(self, labels: tuple[str, ...]) -> M:
        """A new child."""
        child: M = self._parent.labels(*labels)
        self[labels] = child
        return child


class Instruments:
    """Makes metrics of one server, each with the common prefix."""

    def __init__(self) -> None:
        """With what the interpreter and the operating system tell of the process."""
        disable_created_metrics()  # type: ignore[no-untyped-call]  # they double the page and say nothing that process_start_time_seconds does not
        self._own = CollectorRegistry()
        self._database = CollectorRegistry()
        for collector in (PROCESS_COLLECTOR, PLATFORM_COLLECTOR, GC_COLLECTOR):
            self._own.register(collector)

    def counter(self, name: str, text: str, *labels: str) -> Counter:
        """What this process has counted."""
        return Counter(PREFIX + name, text, labels, registry=self._own)

    def gauge(self, name: str, text: str, *labels: str) -> Gauge:
        """How something stands in this process."""
        return Gauge(PREFIX + name, text, labels, registry=self._own)

    def shared(self, name: str, text: str, *labels: str) -> Gauge:
        """How something stands in the database."""
        return Gauge(PREFIX + name, text, labels, registry=self._database)

    def histogram(self, name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        """How what this process has measured is spread."""
        return Histogram(PREFIX + name, text, labels, buckets=buckets, registry=self._own)

    def told(self) -> bytes:
        """What this process has counted, for `page` of another worker."""
        return gathering.told(self._own)

    def page(self, accept: str = "", workers: Mapping[int, bytes | None] | None = None) -> Page:
        """All metrics in the format that the Accept header asks for: text, or OpenMetrics.

        `workers` is what all workers of this server have told, this one included; None of one that did not answer.
        """
        encode: Callable[[Any], bytes]  # takes whatever can `collect`
        encode, content_type = choose_encoder(accept)
        if workers is None:
            return Page(encode(gathering.Chained(self._own, self._database)), content_type)
        return Page(encode(gathering.Together(workers, self._database, f"{PREFIX}worker_up")), content_type)

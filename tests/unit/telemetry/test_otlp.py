"""Spans on their way to a collector, and what a dead one costs."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from llm_incident_manager.telemetry import traces

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
UNSAMPLED = PARENT[:-2] + "00"
SERVICE = {"service.name": "incidents", "service.instance.id": "one"}


class Collector(HTTPServer):
    """Takes OTLP over HTTP on the loopback interface."""

    def __init__(self) -> None:
        self.requests: list[ExportTraceServiceRequest] = []
        super().__init__(("127.0.0.1", 0), Take)
        self.thread = threading.Thread(target=self.serve_forever, args=(0.01,))
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1/traces"

    def spans(self) -> list[Span]:
        return [s for r in self.requests for res in r.resource_spans for scope in res.scope_spans for s in scope.spans]


class Take(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append(ExportTraceServiceRequest.FromString(body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def collector() -> Iterator[Collector]:
    it = Collector()
    yield it
    traces.stop(0)
    it.shutdown()
    it.thread.join()
    it.server_close()


def test_spans_arrive_with_name_parent_facts_and_links(collector: Collector) -> None:
    traces.send_to(collector.url, sample_ratio=1, service=SERVICE)
    with traces.child_of(PARENT), traces.span("call", {"method": "SubmitEvent", "events": 2}, links=[PARENT]) as call:
        call.set("ok", value=True)
        inner = traces.begin("stage.triage")
        inner.end()
    traces.stop(5)
    spans = {span.name: span for span in collector.spans()}
    assert spans["call"].trace_id.hex() == PARENT[3:35]
    assert spans["call"].parent_span_id.hex() == PARENT[36:52]
    assert call.traceparent == f"00-{PARENT[3:35]}-{spans['call'].span_id.hex()}-01"
    assert spans["stage.triage"].parent_span_id == spans["call"].span_id
    assert {fact.key for fact in spans["call"].attributes} == {"method", "events", "ok"}
    assert [link.span_id.hex() for link in spans["call"].links] == [PARENT[36:52]]
    resource = collector.requests[0].resource_spans[0].resource
    assert SERVICE.items() <= {fact.key: fact.value.string_value for fact in resource.attributes}.items()


def test_an_error_is_told_by_its_type_and_not_its_text(collector: Collector) -> None:
    traces.send_to(collector.url, sample_ratio=1, service=SERVICE)
    with pytest.raises(ValueError, match="hunter2"), traces.span("stage"):
        raise ValueError("password=hunter2")
    traces.stop(5)
    (span,) = collector.spans()
    assert span.status.code == Status.STATUS_CODE_ERROR
    assert [(fact.key, fact.value.string_value) for fact in span.attributes] == [("error.type", "ValueError")]
    assert b"hunter2" not in collector.requests[0].SerializeToString()


def test_the_ratio_decides_where_a_trace_starts_and_the_parent_elsewhere(collector: Collector) -> None:
    traces.send_to(collector.url, sample_ratio=0, service=SERVICE)
    with traces.span("starts here") as started:
        assert traces.is_valid(started.traceparent)
        assert int(started.traceparent[-2:], 16) & 1 == 0
    with traces.span("sampled elsewhere", parent=PARENT):
        pass
    with traces.span("unsampled elsewhere", parent=UNSAMPLED) as unsampled:
        assert unsampled.traceparent[3:35] == UNSAMPLED[3:35]
    traces.stop(5)
    assert [span.name for span in collector.spans()] == ["sampled elsewhere"]


@pytest.fixture
def black_hole() -> Iterator[str]:
    """The URL of a collector that takes the connection and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/v1/traces"
        traces.stop(0)  # also after a failure: the exporter's retries would disturb every later test


async def test_a_collector_that_never_answers_holds_nobody_up(black_hole: str) -> None:
    traces.send_to(black_hole, sample_ratio=1, service=SERVICE)
    slowest, before = 0.0, asyncio.get_running_loop().time()
    for _ in range(5_000):  # more than the queue holds
        started = time.perf_counter()
        with traces.span("batch", {"events": 100}):
            await asyncio.sleep(0)
        slowest = max(slowest, time.perf_counter() - started)
    assert slowest < 2, "the exporter itself waits ten seconds for an answer; a collection of garbage takes part of one"
    stopping = time.perf_counter()
    await asyncio.to_thread(traces.stop, 0.2)
    assert time.perf_counter() - stopping < 1
    assert asyncio.get_running_loop().time() - before < 30


def test_the_queue_to_a_dead_collector_does_not_grow() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        traces.send_to(f"http://127.0.0.1:{held.getsockname()[1]}/v1/traces", sample_ratio=1, service=SERVICE)
        for _ in range(5_000):
            with traces.span("batch"):
                pass
        backend = traces._backend
        traces.stop(0.1)
    queue = backend._provider._active_span_processor._span_processors[0]._batch_processor._queue  # type: ignore[union-attr]  # no public look at it
    assert len(queue) <= 2_048

"""Trace context: what is handed on when tracing is off, and how spans hang together when it is on."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence

import pytest

from llm_incident_manager.telemetry import traces
from llm_incident_manager.telemetry.traces import Attributes

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"
OTHER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
INVALID = [
    *("", "x", PARENT.upper(), PARENT + "-00", PARENT[:-1], f"ff{PARENT[2:]}", PARENT + "\n", " " + PARENT),
    *(f"00-{'0' * 32}-b7ad6b7169203331-01", f"00-{TRACE}-{'0' * 16}-01"),
]


class Written:
    """A span that remembers what was done to it."""

    def __init__(self, number: int, name: str, attributes: Attributes, parent: str, links: Sequence[str]) -> None:
        trace = parent[3:35] or f"{number:032x}"
        self.traceparent = f"00-{trace}-{number:016x}-01"
        self.name, self.attributes, self.parent, self.links = name, dict(attributes), parent, tuple(links)
        self.error: BaseException | None = None
        self.ended = 0

    def set(self, name: str, value: str | float | bool) -> None:
        self.attributes[name] = value

    def fail(self, error: BaseException) -> None:
        self.error = error

    def end(self) -> None:
        self.ended += 1


class Book:
    """A backend that keeps all spans."""

    def __init__(self) -> None:
        self.spans: list[Written] = []

    def start(self, name: str, attributes: Attributes, parent: str, links: Sequence[str]) -> Written:
        self.spans.append(Written(len(self.spans) + 1, name, attributes, parent, links))
        return self.spans[-1]

    def shutdown(self, seconds: float) -> None:
        self.spans.clear()


@pytest.fixture
def book() -> Iterator[Book]:
    it = Book()
    traces.use(it)
    yield it
    traces.use(None)


def test_a_traceparent_is_known_by_its_form() -> None:
    assert traces.is_valid(PARENT)
    assert [text for text in INVALID if traces.is_valid(text)] == []


def test_off_nothing_of_opentelemetry_is_imported() -> None:
    code = (
        "import sys; from llm_incident_manager.telemetry import logs, metrics, traces\n"
        "with traces.span('x'): pass\n"
        "sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_off_an_incoming_context_is_handed_on() -> None:
    with traces.span("batch", parent=PARENT) as span:
        assert span.traceparent == traces.current_traceparent() == PARENT
        with traces.span("stage"):
            assert traces.current_traceparent() == PARENT
    assert traces.current_traceparent() == ""


@pytest.mark.parametrize("text", INVALID)
def test_off_an_invalid_context_is_not_handed_on(text: str) -> None:
    with traces.span("batch", parent=text) as span:
        assert span.traceparent == ""


def test_off_spans_swallow_facts_and_pass_errors() -> None:
    with traces.span("batch", {"events": 3}) as span:
        span.set("more", 1)
    with pytest.raises(ValueError, match="no"), traces.span("batch"):
        raise ValueError("no")


def test_off_a_request_without_context_gets_a_trace_id_that_is_not_sampled() -> None:
    seen = set()
    for given in (None, "", "garbage"):
        with traces.child_of(given) as entered:
            assert traces.is_valid(traces.current_traceparent())
            assert entered.traceparent == traces.current_traceparent()
            assert traces.current_traceparent().endswith("-00")
            seen.add(traces.trace_id(traces.current_traceparent()))
    assert len(seen) == 3
    assert traces.current_traceparent() == ""


def test_a_request_with_context_keeps_it() -> None:
    with traces.child_of(PARENT):
        assert traces.current_traceparent() == PARENT
        assert traces.trace_id(PARENT) == TRACE


def test_on_a_request_without_context_starts_with_its_first_span(book: Book) -> None:
    with traces.child_of(None), traces.span("call"):
        pass
    assert [span.parent for span in book.spans] == [""]


def test_on_spans_are_children_of_what_is_around_them(book: Book) -> None:
    with traces.child_of(PARENT), traces.span("call"):
        with traces.span("batch", {"events": 3}) as batch:
            batch.set("new", 1)
        with traces.span("reply"):
            pass
    call, first, second = book.spans
    assert (call.parent, first.parent, second.parent) == (PARENT, call.traceparent, call.traceparent)
    assert first.attributes == {"events": 3, "new": 1}
    assert [span.ended for span in book.spans] == [1, 1, 1]


def test_on_a_given_parent_goes_before_what_is_around(book: Book) -> None:
    with traces.span("pump"), traces.span("notify", parent=OTHER):
        pass
    assert book.spans[1].parent == OTHER


def test_on_an_invalid_parent_starts_a_trace(book: Book) -> None:
    with traces.span("pump"), traces.span("notify", parent="garbage"):
        pass
    assert book.spans[1].parent == ""


def test_links_are_checked_and_bounded(book: Book) -> None:
    with traces.span("batch", links=[PARENT, "garbage", *[OTHER] * 100]):
        pass
    assert book.spans[0].links == (PARENT, *[OTHER] * 31)


def test_an_error_marks_its_span_and_passes(book: Book) -> None:
    with pytest.raises(ValueError, match="no"), traces.span("stage"):
        raise ValueError("no")
    (span,) = book.spans
    assert isinstance(span.error, ValueError)
    assert span.ended == 1
    assert traces.current_traceparent() == ""


async def test_tasks_at_once_do_not_mix(book: Book) -> None:
    async def call(name: str) -> str:
        with traces.span(name):
            await asyncio.sleep(0)
            with traces.span(f"{name}.inner"):
                await asyncio.sleep(0)
            return traces.current_traceparent()

    outer = await asyncio.gather(*(call(str(number)) for number in range(10)))
    parents = {span.name: span.parent for span in book.spans if span.name.endswith(".inner")}
    assert parents == {f"{number}.inner": outer[number] for number in range(10)}


async def test_a_stream_closed_elsewhere_ends_its_span(book: Book) -> None:
    async def stream() -> AsyncIterator[int]:
        with traces.span("stream"):
            yield 1
            yield 2

    reading = stream()
    assert await anext(reading) == 1
    await asyncio.create_task(reading.aclose())  # type: ignore[attr-defined]  # an async generator
    assert book.spans[0].ended == 1


def test_a_span_that_is_begun_is_not_the_current_one(book: Book) -> None:
    span = traces.begin("stream", {"a": 1}, PARENT)
    assert traces.current_traceparent() == ""
    span.end()
    assert (book.spans[0].parent, book.spans[0].ended) == (PARENT, 1)


def test_stopping_turns_tracing_off_and_empties_the_queue(book: Book) -> None:
    with traces.span("x"):
        assert traces.is_on()
    traces.stop(0.1)
    assert not traces.is_on()
    assert book.spans == []
    traces.stop(0.1)

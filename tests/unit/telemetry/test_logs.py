"""Log lines: what stands in each, in which form, and that nothing about them can hurt the server."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from llm_incident_manager.telemetry import logs, traces

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Stream(io.StringIO):
    """Standard error of a test."""

    terminal = False

    def isatty(self) -> bool:
        return self.terminal

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]


@pytest.fixture
def stream() -> Iterator[Stream]:
    it = Stream()
    logs.configure("info", "json", it)
    yield it
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, logs._Foreign)]:
        root.removeHandler(handler)


def fail(error: Exception) -> None:
    raise error


LOG = logs.get("early")  # made before any set-up, as loggers of modules are


def test_a_line_is_json_with_time_level_event_and_logger(stream: Stream) -> None:
    LOG.info("incident.opened", number="INC-20261121-00001", events=3)
    (line,) = stream.lines()
    stamp = line.pop("timestamp")
    assert stamp.endswith("Z")
    assert "T" in stamp
    assert line == {
        "level": "info",
        "logger": "early",
        "event": "incident.opened",
        "number": "INC-20261121-00001",
        "events": 3,
    }


def test_lines_below_the_level_are_not_written(stream: Stream) -> None:
    for write in (LOG.debug, LOG.info, LOG.warning, LOG.error):
        write("x.happened")
    logs.configure("warning", "json", stream)
    LOG.info("x.happened")
    LOG.warning("x.last")
    assert [line["level"] for line in stream.lines()] == ["info", "warning", "error", "warning"]


def test_request_id_and_trace_id_stand_in_every_line(stream: Stream) -> None:
    with logs.bound(request_id="r1"), traces.child_of(TRACEPARENT):
        LOG.info("x.inside")
        logging.getLogger("somebody.else").warning("inside too")
    LOG.info("x.outside")
    inside, foreign, outside = stream.lines()
    assert (inside["request_id"], inside["trace_id"]) == ("r1", "0af7651916cd43dd8448eb211c80319c")
    assert (foreign["request_id"], foreign["trace_id"]) == (inside["request_id"], inside["trace_id"])
    assert outside.keys().isdisjoint({"request_id", "trace_id"})


async def test_two_requests_at_once_do_not_mix(stream: Stream) -> None:
    async def request(name: str) -> None:
        with logs.bound(request_id=name):
            await asyncio.sleep(0)
            LOG.info("x.done", expected=name)

    await asyncio.gather(*(request(str(number)) for number in range(10)))
    assert all(line["request_id"] == line["expected"] for line in stream.lines())


def test_bound_fields_nest_and_end(stream: Stream) -> None:
    with logs.bound(request_id="a", other=1):
        with logs.bound(request_id="b"):
            LOG.info("x.inner")
        LOG.info("x.outer")
    assert [(line["request_id"], line["other"]) for line in stream.lines()] == [("b", 1), ("a", 1)]


def test_a_logger_keeps_what_it_is_given(stream: Stream) -> None:
    LOG.bind(topic="incidents.notify").info("outbox.claimed")
    assert stream.lines()[0]["topic"] == "incidents.notify"


def test_lines_of_other_libraries_look_the_same(stream: Stream) -> None:
    logging.getLogger("uvicorn.error").warning("started on %s", "127.0.0.1:3000")
    logging.getLogger("grpc").debug("chatter")
    (line,) = stream.lines()
    del line["timestamp"]
    assert line == {"level": "warning", "logger": "uvicorn.error", "event": "started on 127.0.0.1:3000"}


def test_other_libraries_never_chatter(stream: Stream) -> None:
    logs.configure("debug", "json", stream)
    logging.getLogger("asyncio").debug("Using selector")
    LOG.debug("x.seen")
    assert [line["event"] for line in stream.lines()] == ["x.seen"]


def test_setting_up_twice_writes_each_line_once(stream: Stream) -> None:
    logs.configure("info", "json", stream)
    logging.getLogger("grpc").warning("once")
    assert len(stream.lines()) == 1


def test_secrets_are_hidden_in_fields_events_and_exceptions(stream: Stream) -> None:
    LOG.warning("refused password=hunter2", api_key="hunter2", nested={"token": ["hunter2"]})
    logging.getLogger("aiohttp").error("https://ann:%s@example.org/", "hunter2")
    try:
        fail(ConnectionError("postgresql://ann:hunter2@db/x"))
    except ConnectionError:
        LOG.exception("store.failed")
        logging.getLogger("asyncpg").exception("failed")
    written = stream.getvalue()
    assert "hunter2" not in written
    assert written.count("[hidden]") >= 6


def test_an_exception_brings_its_traceback(stream: Stream) -> None:
    try:
        fail(IndexError("list index out of range"))
    except IndexError:
        LOG.exception("x.failed", step=2)
    (line,) = stream.lines()
    assert (line["level"], line["step"]) == ("error", 2)
    assert line["exception"].endswith("IndexError: list index out of range")


class Unprintable:
    def __str__(self) -> str:
        raise RuntimeError("not today")


@pytest.mark.parametrize(
    "value",
    [object(), Unprintable(), {1: {2}}, float("nan"), 2**200, "\udc80", b"\xff", {"\udc80": 1}],
    ids=lambda value: type(value).__name__,
)
def test_no_value_breaks_a_line(stream: Stream, value: object) -> None:
    LOG.info("x.happened", value=value)
    assert stream.lines()[0]["event"] == "x.happened"


def test_a_bad_log_call_of_a_library_does_not_stop_it(stream: Stream) -> None:
    record = logging.makeLogRecord({"name": "careless", "levelname": "WARNING", "msg": "%d apples", "args": ("no",)})
    for handler in [handler for handler in logging.getLogger().handlers if isinstance(handler, logs._Foreign)]:
        handler.handle(record)
    assert stream.lines()[0]["event"] == "%d apples ('no',)"


class Gone(Stream):
    def write(self, text: str) -> int:
        raise BrokenPipeError


def test_a_log_that_cannot_be_written_does_not_stop_the_server(stream: Stream) -> None:
    logs.configure("info", "json", Gone())
    LOG.info("x.happened")
    logging.getLogger("grpc").warning("lost")
    closed = Stream()
    logs.configure("info", "json", closed)
    closed.close()
    LOG.info("x.happened")


def test_a_terminal_gets_readable_lines() -> None:
    terminal = Stream()
    terminal.terminal = True
    logs.configure("info", "auto", terminal)
    try:
        fail(ValueError("token=hunter2hunter2"))
    except ValueError:
        LOG.exception("x.failed", api_key="hunter2")
    text = terminal.getvalue()
    assert "x.failed" in text
    assert "\x1b[" in text
    assert text.count("hunter2") == 0
    assert "ValueError: token=[hidden]" in text


def test_auto_is_json_where_nobody_looks() -> None:
    pipe = Stream()
    logs.configure("info", "auto", pipe)
    LOG.info("x.happened")
    assert pipe.lines()[0]["event"] == "x.happened"


def test_pretty_without_a_terminal_has_no_colours() -> None:
    pipe = Stream()
    logs.configure("info", "pretty", pipe)
    LOG.info("x.happened", a=1)
    assert "x.happened" in pipe.getvalue()
    assert "\x1b[" not in pipe.getvalue()

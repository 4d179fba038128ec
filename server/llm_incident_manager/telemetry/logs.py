"""Writes log lines: JSON, or readable ones on a terminal, each with time, level, event, request id and trace id.

Secrets are hidden before anything is rendered. Lines of other libraries (uvicorn, grpc, asyncio) take the same way.
A log that cannot be written never stops the server.
"""

import json
import logging
import sys
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from contextvars import ContextVar
from types import MappingProxyType, TracebackType
from typing import Any, Protocol, TextIO, cast

import orjson
import structlog

from llm_incident_manager.telemetry import redaction, traces

_Fields = MutableMapping[str, Any]  # structlog's own type of a line's fields
_Step = Callable[[Any, str, _Fields], Any]

_bound: ContextVar[Mapping[str, object]] = ContextVar("bound", default=MappingProxyType({}))

_SAFE = ("timestamp", "level", "logger", "trace_id")
"""Fields of our own making, which need no look."""


class Logger(Protocol):
    """Writes lines. The event is `word.past_tense`, everything that varies is a field."""

    def debug(self, event: str, **fields: object) -> None:
        """For developers."""
        ...

    def info(self, event: str, **fields: object) -> None:
        """Something happened that an operator may look for later."""
        ...

    def warning(self, event: str, **fields: object) -> None:
        """Something is not as it should be, and the server went on."""
        ...

    def error(self, event: str, **fields: object) -> None:
        """Something failed; with `exc_info=True` the current exception is added."""
        ...

    def exception(self, event: str, **fields: object) -> None:
        """An error with the current exception."""
        ...

    def bind(self, **fields: object) -> "Logger":
        """A logger whose lines all bear the fields."""
        ...


def configure(level: str = "info", style: str = "auto", stream: TextIO | None = None) -> None:
    """Sets up all logging of the process; may be called again.

    `level` is debug, info, warning or error. `style` is json, pretty or auto: pretty when the stream is a terminal.
    The stream is standard error unless given. Other libraries log from info, or from `level` if that is higher.
    """
    out = sys.stderr if stream is None else stream
    number = logging.getLevelNamesMapping()[level.upper()]
    pretty = style == "pretty" or (style == "auto" and out.isatty())
    steps = [*_STEPS, _readable(colours=out.isatty()) if pretty else _json]
    structlog.configure(
        processors=[_add_bound, structlog.processors.add_log_level, _add_name, *steps],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=lambda name="": _Writer(out, name),
        cache_logger_on_first_use=False,
    )
    _take_over(_Foreign(steps, _Writer(out)), max(number, logging.INFO))


def hand_over() -> None:
    """Gives all lines to the standard logging of the program around us, below the logger `llm_incident_manager`.
    Changes nothing once logging has been set up."""
    if structlog.is_configured():
        return
    plain = structlog.processors.KeyValueRenderer(key_order=["event"])
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, _add_bound, *_STEPS[2:], plain],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=lambda name="": logging.getLogger(f"llm_incident_manager.{name}"),
        cache_logger_on_first_use=False,
    )


def get(name: str) -> Logger:
    """A logger whose lines bear `logger=name`. May be made before `configure`; each line follows the latest set-up."""
    return cast("Logger", structlog.get_logger(name))


class bound:  # noqa: N801  # reads as a statement: `with bound(request_id=…)`
    """All lines written inside, by whomever, bear the fields; for instance request_id. Costs a microsecond, since it
    stands around every call."""

    __slots__ = ("_before", "_fields")

    def __init__(self, **fields: object) -> None:
        """Takes the fields."""
        self._fields = fields

    def __enter__(self) -> None:
        self._before = _bound.get()
        _bound.set({**self._before, **self._fields})

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        # Not by a token: a generator may be closed in a context that it does not belong to.
        _bound.set(self._before)


class _Writer:
    """The end of every line."""

    def __init__(self, stream: TextIO, name: str = "") -> None:
        self._stream = stream
        self.name = name

    def write(self, line: str) -> None:
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            # The terminal, pipe or disk is gone, and there is no other place to say so.
            return

    debug = info = warning = error = critical = exception = msg = write


class _Foreign(logging.Handler):
    """Takes the lines of libraries that use the standard logging module."""

    def __init__(self, steps: Sequence[_Step], writer: _Writer) -> None:
        super().__init__()
        self._steps = steps
        self._writer = writer

    def emit(self, record: logging.LogRecord) -> None:
        fields: _Fields = {"event": _text(record), "level": record.levelname.lower(), "logger": record.name}
        line: Any = _add_bound(None, "", fields)
        if record.exc_info:
            line["exc_info"] = record.exc_info
        for step in self._steps:
            line = step(None, "", line)
        self._writer.write(line)


def _text(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001  # a library's faulty log call must not stop what it was doing
        return f"{record.msg} {record.args}"


def _take_over(handler: _Foreign, number: int) -> None:
    root = logging.getLogger()
    for old in [old for old in root.handlers if isinstance(old, _Foreign)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(number)


def _add_bound(_: object, __: str, fields: _Fields) -> _Fields:
    return {**_bound.get(), **fields}


def _add_name(writer: _Writer, _: str, fields: _Fields) -> _Fields:
    fields["logger"] = writer.name
    return fields


def _add_trace(_: object, __: str, fields: _Fields) -> _Fields:
    if traceparent := traces.current_traceparent():
        fields["trace_id"] = traces.trace_id(traceparent)
    return fields


def _hide_secrets(_: object, __: str, fields: _Fields) -> _Fields:
    own = {name: fields.pop(name) for name in _SAFE if name in fields}
    return own | redaction.redacted(fields)


def _json(_: object, __: str, fields: _Fields) -> str:
    try:
        return orjson.dumps(fields).decode()
    except TypeError:  # half a character, from an undecodable header for instance
        return json.dumps(fields)


def _readable(*, colours: bool) -> _Step:
    console = structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=structlog.dev.plain_traceback)
    return cast("_Step", console)


_STEPS: tuple[_Step, ...] = (
    _add_trace,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
    _hide_secrets,
)

"""Follows one request through calls, batches and notifications: W3C context in, spans to a collector, context out.

Off unless configured: then nothing of OpenTelemetry is imported, spans cost next to nothing, and an incoming
traceparent is still handed on. On, spans leave by OTLP/HTTP from a thread of their own with a bounded queue; a dead
collector costs dropped spans, never a wait. The library's own notion of a current span is not used, since it breaks
where generators are involved; ours is one context variable that holds a traceparent.
"""

import random
import re
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from types import TracebackType
from typing import Protocol, Self

Attributes = Mapping[str, str | float | bool]

NO_ATTRIBUTES: Attributes = {}
MOST_LINKS = 32

_matches = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}").fullmatch
_names = random.Random()  # noqa: S311  # trace ids have to be distinct, not secret
_current: ContextVar[str] = ContextVar("traceparent", default="")


class Recording(Protocol):
    """A started span of a backend."""

    @property
    def traceparent(self) -> str:
        """The context that children of the span continue."""
        ...

    def set(self, name: str, value: str | float | bool) -> None:
        """Adds a fact."""
        ...

    def fail(self, error: BaseException) -> None:
        """Marks the span as failed."""
        ...

    def end(self) -> None:
        """Ends the span; later calls do nothing."""
        ...


class Backend(Protocol):
    """What records spans when tracing is on."""

    def start(self, name: str, attributes: Attributes, parent: str, links: Sequence[str]) -> Recording:
        """Starts a span; an empty parent starts a trace."""
        ...

    def shutdown(self, seconds: float) -> None:
        """Sends what is queued, for so long at most."""
        ...


class _Nothing:
    """The span of a server that records none: it only hands its parent on."""

    __slots__ = ("traceparent",)

    def __init__(self, traceparent: str) -> None:
        self.traceparent = traceparent

    def set(self, name: str, value: str | float | bool) -> None:
        """Forgets the fact."""

    def fail(self, error: BaseException) -> None:
        """Forgets the error."""

    def end(self) -> None:
        """Has nothing to end."""


_NOTHING = _Nothing("")
_backend: Backend | None = None


def send_to(endpoint: str, *, sample_ratio: float, service: Mapping[str, str]) -> None:
    """Turns tracing on: spans go to the full URL of an OTLP/HTTP collector.

    `sample_ratio` (0 to 1) holds for traces that start here; others follow their parent. `service` are resource
    attributes such as service.name. Headers and certificates come from the standard OTEL_EXPORTER_OTLP_ variables.
    """
    from llm_incident_manager.telemetry import otlp

    use(otlp.Otlp(otlp.exporter(endpoint), sample_ratio=sample_ratio, service=service))


def stop(seconds: float = 2.0) -> None:
    """Turns tracing off and sends what is queued, for so long at most. Blocks; call it off the event loop."""
    backend = _backend
    use(None)
    if backend is not None:
        backend.shutdown(seconds)


def use(backend: Backend | None) -> None:
    """Sends spans to a backend from now on; None turns tracing off. Called by the composition root and by tests."""
    global _backend  # noqa: PLW0603  # tracing is on or off for the process, and asking must cost nothing
    _backend = backend


def is_on() -> bool:
    """Whether spans are recorded."""
    return _backend is not None


def is_valid(traceparent: str) -> bool:
    """Whether the text is a W3C traceparent with ids that are not zero."""
    return _matches(traceparent) is not None


def trace_id(traceparent: str) -> str:
    """The 32 hex digits that all spans of a trace share; empty for an empty traceparent."""
    return traceparent[3:35]


def current_traceparent() -> str:
    """The context of what runs now, to be handed on with metadata, rows and webhooks; empty when there is none."""
    return _current.get()


def begin(
    name: str, attributes: Attributes = NO_ATTRIBUTES, parent: str | None = None, links: Sequence[str] = ()
) -> Recording:
    """Starts a span that the caller ends; for streams and generators, since it does not become the current one.

    `parent` defaults to the current context; an invalid one counts as none. At most 32 `links` are kept.
    """
    if parent is None:
        known = _current.get()
    else:
        known = parent if _matches(parent) else ""
    if _backend is None:
        return _Nothing(known) if known else _NOTHING
    return _backend.start(name, attributes, known, [link for link in links if _matches(link)][:MOST_LINKS])


class span:  # noqa: N801  # reads as a statement: `with span("triage")`
    """A span around a block, awaits included; inside, it is the current context. Errors mark it and pass."""

    __slots__ = ("_before", "recording")

    def __init__(
        self, name: str, attributes: Attributes = NO_ATTRIBUTES, parent: str | None = None, links: Sequence[str] = ()
    ) -> None:
        """Takes what `begin` takes; the span starts here."""
        self.recording = begin(name, attributes, parent, links)

    def __enter__(self) -> Recording:
        self._before = _current.get()
        _current.set(self.recording.traceparent)
        return self.recording

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        # The value from before, not a token: a generator may be closed in a context that the token does not belong to.
        _current.set(self._before)
        if error is not None:
            self.recording.fail(error)
        self.recording.end()


class child_of:  # noqa: N801  # reads as a statement: `with child_of(row.traceparent)`
    """What happens inside belongs to the trace of a traceparent; makes no span itself.

    Without a valid one, and with tracing off, a trace id is made up, marked as not sampled: log lines, rows and
    webhooks of one request can then be told apart from those of others. With tracing on the first span decides.
    """

    __slots__ = ("_before", "traceparent")

    def __init__(self, traceparent: str | None) -> None:
        """`traceparent` as it came in; None, an empty and an invalid one count as none."""
        known = traceparent if traceparent and is_valid(traceparent) else ""
        self.traceparent = known or ("" if _backend is not None else _made_up())
        self._before = ""

    def __enter__(self) -> Self:
        self._before = _current.get()
        _current.set(self.traceparent)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        _current.set(self._before)


def _made_up() -> str:
    digits = f"{_names.getrandbits(192):048x}"
    return f"00-{digits[:32]}-{digits[32:]}-00"

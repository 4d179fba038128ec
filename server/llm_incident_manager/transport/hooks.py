"""The hooks of the chain, in the order every call passes them. Each is one concern, blind to the call's shape."""

import asyncio
import random
from collections.abc import Callable, Mapping
from time import perf_counter  # a stop-watch for metrics, not a source of time
from typing import TypeVar

from llm_incident_manager.domain.disposition import Violation
from llm_incident_manager.domain.errors import DomainError, ErrorReason, StoreUnavailable
from llm_incident_manager.ports.stores import StoreBroken
from llm_incident_manager.telemetry import logs, redaction, traces
from llm_incident_manager.telemetry.metrics import Metrics
from llm_incident_manager.transport import errors
from llm_incident_manager.transport.admission import Admission, Door
from llm_incident_manager.transport.call import Call, Chain, Proceed
from llm_incident_manager.transport.errors import StatusError
from llm_incident_manager.transport.identity import Identity
from llm_incident_manager.transport.limits import Limiter, Quota, Source
from llm_incident_manager.transport.tls import ServerTls
from llm_incident_manager.transport.tls_version import TlsVersion

T = TypeVar("T")

_names = random.Random()  # noqa: S311  # request ids have to be distinct, not secret, and the system's source costs 10 us

REQUEST_ID = "x-request-id"
TRACEPARENT = "traceparent"
LONGEST_REQUEST_ID = 128
DEFAULT_DEADLINE = 30.0
LONG: Mapping[str, float] = {"VerifyAudit": 600.0}
"""Unary methods that may take longer, and how long, if their caller says that it waits."""


class RequestId:
    """Gives the call a name and a place in a trace; both stand in every log line of it."""

    name = "request_id"
    after: frozenset[str] = frozenset()

    async def around(self, call: Call, proceed: Proceed[T]) -> T:
        """Takes the caller's x-request-id when it gave a sensible one."""
        given = call.metadata.get(REQUEST_ID, "")
        call.request_id = given if given and _is_sensible(given) else f"{_names.getrandbits(128):032x}"
        with (
            traces.child_of(call.metadata.get(TRACEPARENT)),
            traces.span(call.method.full_name) as span,
            logs.bound(request_id=call.request_id),
        ):
            call.traceparent = span.traceparent
            return await proceed()


def _is_sensible(name: str) -> bool:
    return len(name) <= LONGEST_REQUEST_ID and name.isprintable() and redaction.hide(name) == name


_IN_FLOODS = frozenset({ErrorReason.OVERLOADED, ErrorReason.UNAUTHENTICATED, ErrorReason.RATE_LIMITED})


class Log:
    """One line a call: info when it failed or streams, debug otherwise and when it was one too many or nobody knows of
    whom, since there may be tens of thousands of these a second; a metric counts them."""

    name = "log"
    after = frozenset({"request_id"})

    def __init__(self) -> None:
        """Logs as "call"."""
        self._log = logs.get("call").bind()

    async def around(self, call: Call, proceed: Proceed[T]) -> T:
        """Writes the line when the call is over."""
        started = perf_counter()
        try:
            return await proceed()
        finally:
            quiet = call.code == "OK" and not call.method.response_streaming
            quiet = quiet or call.facts.get("reason") in _IN_FLOODS
            write = self._log.debug if quiet else self._log.info
            took = round((perf_counter() - started) * 1000, 2)
            write(
                "call.ended",
                method=call.method.full_name,
                transport=call.transport,
                code=call.code,
                ms=took,
                **call.facts,
            )


class Count:
    """Counts and times calls."""

    name = "metrics"
    after = frozenset({"request_id"})

    def __init__(self, metrics: Metrics) -> None:
        """Records into these metrics."""
        self._metrics = metrics

    async def around(self, call: Call, proceed: Proceed[T]) -> T:
        """Records when the call is over, whatever became of it."""
        started, name, streams = perf_counter(), call.method.name, call.method.response_streaming
        if streams:
            self._metrics.stream_opened(name)
        try:
            return await proceed()
        finally:
            if streams:
                self._metrics.stream_closed(name)
            self._metrics.call_answered(call.transport, name, call.code, perf_counter() - started)


class Errors:
    """Turns whatever goes wrong further in into a status. Inside log and metrics, outside everything that refuses."""

    name = "errors"
    after = frozenset({"log", "metrics"})

    def __init__(self) -> None:
        """Logs defects as "call"."""
        self._log = logs.get("call").bind()

    async def around(self, call: Call, proceed: Proceed[T]) -> T:
        """Raises StatusError and nothing else, except that a cancelled call stays cancelled."""
        try:
            return await proceed()
        except asyncio.CancelledError:
            call.code = "CANCELLED"
            raise
        except DomainError as error:
            raise self._refused(call, errors.status_error(error), error.reason) from error
        except (
            StoreBroken
        ) as error:  # it ends this process; after the next start a repeat finds what really was written
            self._log.exception("call.failed", method=call.method.full_name)
            ended = StoreUnavailable("its disk fails, and this server ends")
            raise self._refused(call, errors.status_error(ended), ended.reason) from error
        except Exception as error:
            self._log.exception("call.failed", method=call.method.full_name)
            raise self._refused(call, errors.internal(call.request_id), ErrorReason.INTERNAL) from error

    def _refused(self, call: Call, status: StatusError, reason: str) -> StatusError:
        call.code = status.code
        call.facts["reason"] = reason
        return status


class Deadline:
    """Ends unary calls at the caller's deadline, or ours."""

    name = "deadline"
    after = frozenset({"errors"})

    async def around(self, call: Call, proceed: Proceed[T]) -> T:
        """Raises DEADLINE_EXCEEDED. Streams live as long as their caller wants."""
        if call.method.response_streaming:
            return await proceed()
        limit = limit_of(call)
        try:
            async with asyncio.timeout(limit):
                return await proceed()
        except TimeoutError as error:
            message = (
                f"not done within {limit:.3g} s; a write may still have happened: ask, or repeat with a request_id"
            )
            metadata = {"deadline_ms": str(int(limit * 1000))}
            raise DomainError(ErrorReason.DEADLINE_EXCEEDED, message, metadata) from error


def limit_of(call: Call) -> float:
    """Seconds that a unary call may take."""
    most = LONG.get(call.method.name, DEFAULT_DEADLINE)
    return DEFAULT_DEADLINE if call.time_left is None else min(most, call.time_left)


class Permission:
    """Refuses a principal that lacks what the method declares."""

    name = "permission"
    after = frozenset({"identity", "quota"})

    async def around(self, call: Call, proceed: Proceed[T]) -> T:
        """Raises PERMISSION_DENIED."""
        principal, needed = call.principal, call.method.permission
        if principal is None or (needed and not principal.may(needed)):
            message = f"{call.method.full_name} needs permission {needed}: ask an administrator for a role that has it"
            if principal is not None and needed in principal.permissions:
                message = f"{call.method.full_name} is about a whole tenant, and this credential about a part of it"
            raise DomainError(ErrorReason.PERMISSION_DENIED, message, {"permission": needed})
        return await proceed()


Check = Callable[[object], tuple[Violation, ...]]


class Validate:
    """Gives the call the compiled checker of its request type; the handler's edge runs it on each request message."""

    name = "validate"
    after = frozenset({"permission"})

    def __init__(self, checkers: Mapping[str, Check]) -> None:
        """`checkers` by the full name of the method."""
        self._checkers = checkers

    async def around(self, call: Call, proceed: Proceed[T]) -> T:
        """Sets the check."""
        call.check = self._checkers[call.method.full_name]
        return await proceed()


def chain(
    metrics: Metrics,
    checkers: Mapping[str, Check],
    door: Door,
    source: Source,
    identity: Identity,
    limiter: Limiter,
    *,
    tls: ServerTls | None = None,
) -> Chain:
    """The one chain, outermost first. Where TLS is spoken its version is looked at."""
    return Chain(
        (
            RequestId(),
            Log(),
            Count(metrics),
            Errors(),
            Deadline(),
            *((TlsVersion(tls),) if tls is not None else ()),
            source,
            Admission(door),
            identity,
            Quota(limiter),
            Permission(),
            Validate(checkers),
        )
    )

"""Asks a service one question by gRPC, and tells what came of it by the rules that gRPC has for trying again."""

from collections.abc import Sequence

import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2
from grpc import aio

from llm_incident_manager.adapters.integrations import messages
from llm_incident_manager.adapters.integrations.line import Line
from llm_incident_manager.adapters.integrations.messages import METHODS, Frames, NoAnswer
from llm_incident_manager.domain import controls
from llm_incident_manager.domain.analysis import Service
from llm_incident_manager.ports.consultant import Finding, Inquiry, Refusal
from llm_incident_manager.ports.outbound import NotAllowed, OutboundFailed
from llm_incident_manager.telemetry import logs, redaction

MOST_SAID = 200
"""Characters of what a service says of a failure that are kept."""
LONGEST_WAIT = 3600.0
"""Seconds; a service that asks for more patience gets so much."""

_AGAIN = frozenset(
    {
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.OUT_OF_RANGE,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DATA_LOSS,
    }
)
"""Trying again may help; RESOURCE_EXHAUSTED only when the service says when."""
_WELL = frozenset(
    {
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.ALREADY_EXISTS,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.UNIMPLEMENTED,
        grpc.StatusCode.UNAUTHENTICATED,
    }
)
"""The service is there and has judged the question."""
_ADDRESSES = ("ipv4:", "ipv6:")
_DETAILS = "grpc-status-details-bin"


class GrpcConsultant:
    """Implements ports.consultant.Consultant."""

    def __init__(
        self, service: Service, line: Line, frames: Frames, seconds: float, frameworks: Sequence[str] = ()
    ) -> None:
        """A question has so many seconds."""
        self._service = service
        self._line = line
        self._frames = frames
        self._seconds = seconds
        self._frameworks = frameworks
        self._log = logs.get("consult")

    @property
    def service(self) -> Service:
        """Who is asked."""
        return self._service

    async def ask(self, inquiry: Inquiry) -> Finding | Refusal:
        """Asks once, within the service's deadline."""
        try:
            answer = await self._call(inquiry)
            return messages.finding(inquiry.question, answer, self._frames)
        except aio.AioRpcError as error:
            refusal = refusal_of(error)
            self._log.warning("consult.failed", service=self._service, cause=redaction.hide(error.details() or ""))
            if refusal.well is False:
                self._line.doubt()
        except NoAnswer as error:
            refusal = Refusal(str(error), well=False)
        except NotAllowed as error:
            refusal = Refusal(str(error))
        except OutboundFailed as error:
            refusal = Refusal(str(error), retryable=True, well=False)
        except OSError as error:
            why = error.strerror or type(error).__name__
            refusal = Refusal(f"its credentials cannot be read ({why}): correct integrations.{self._service}")
        self._log.warning("consult.refused", service=self._service, analysis=inquiry.analysis_id, why=refusal.detail)
        return refusal

    async def close(self) -> None:
        """Ends what is under way."""
        await self._line.close()

    async def _call(self, inquiry: Inquiry) -> bytes:
        channel = await self._line.channel()
        data = messages.request(inquiry, self._frames, self._frameworks)
        trace = (("traceparent", inquiry.traceparent),) if inquiry.traceparent else ()
        call: aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(METHODS[inquiry.question].path)
        answer: bytes = await call(data, timeout=self._seconds, metadata=(*self._line.metadata, *trace))
        return answer


def refusal_of(error: aio.AioRpcError) -> Refusal:
    """What a failed call means."""
    code, said = error.code(), (error.details() or "")
    wait = _retry_after(error)
    if any(mark in said for mark in _ADDRESSES):  # the core's own words, which tell of the network: for the log only
        said = "no connection: the server's log says why"
    shown = controls.spelled(redaction.hide(said))[:MOST_SAID]
    detail = f"{code.name}: {shown}" if shown else code.name
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED:
        return Refusal(detail, retryable=wait is not None, retry_after=wait, well=None if wait is not None else False)
    well = True if code in _WELL else None if wait is not None else False
    return Refusal(detail, retryable=code in _AGAIN, retry_after=wait, well=well)


def _retry_after(error: aio.AioRpcError) -> float | None:
    """The wait in seconds that the service asks for."""
    for name, value in error.trailing_metadata() or ():
        if name == _DETAILS and isinstance(value, bytes):
            return _in_status(value)
    return None


def _in_status(value: bytes) -> float | None:
    try:
        for detail in status_pb2.Status.FromString(value).details:
            info = error_details_pb2.RetryInfo()
            if detail.Unpack(info):
                return _seconds(info.retry_delay)
    except DecodeError:  # what cannot be read asks for nothing
        return None
    return None


def _seconds(delay: Duration) -> float:
    return min(max(0.0, delay.seconds + delay.nanos / 1e9), LONGEST_WAIT)

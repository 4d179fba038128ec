"""How every call is made: metadata, deadline, retries, and errors of one kind. Knows no method by name."""

import secrets
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

import grpc
from incidentmanager.v1.admin_service_pb2_grpc import AdminServiceStub
from incidentmanager.v1.analytics_service_pb2_grpc import AnalyticsServiceStub
from incidentmanager.v1.audit_service_pb2_grpc import AuditServiceStub
from incidentmanager.v1.incident_service_pb2_grpc import IncidentServiceStub
from incidentmanager.v1.ingest_service_pb2_grpc import IngestServiceStub

from llm_incident_client import pb
from llm_incident_client.core import channel, errors, retry

RequestT = TypeVar("RequestT", bound=pb.Message)
ReplyT = TypeVar("ReplyT", bound=pb.Message)

_STREAM_EVENTS = "/incidentmanager.v1.IngestService/StreamEvents"


def new_request_id() -> str:
    """A name for one write, so that repeating it is safe."""
    return secrets.token_hex(16)


class Caller:
    """A channel with an identity and a policy."""

    def __init__(self, options: channel.ChannelOptions, policy: retry.RetryPolicy, deadline: timedelta) -> None:
        """`deadline` bounds a unary call with all its repeats, unless the call brings its own."""
        self.channel = channel.open_channel(options)
        self._options = options
        self._policy = policy
        self._deadline = deadline

    async def close(self) -> None:
        """Ends the channel and what still runs on it."""
        await self.channel.close()

    async def unary(
        self,
        method: grpc.aio.UnaryUnaryMultiCallable[RequestT, ReplyT],
        request: RequestT,
        deadline: timedelta | None = None,
        *,
        patient: bool = False,
    ) -> ReplyT:
        """One call, repeated where that is safe. Raises IncidentManagerError.

        `patient`: one attempt may take as long as the whole call, for what takes long when all is well.
        """

        async def attempt(seconds: float) -> ReplyT:
            return await method(request, timeout=seconds, metadata=await self._metadata())

        within = deadline or self._deadline
        policy = replace(self._policy, attempt_timeout=within) if patient else self._policy
        return await retry.run(attempt, policy, within)

    async def stream(
        self, method: grpc.aio.UnaryStreamMultiCallable[RequestT, ReplyT], request: RequestT
    ) -> AsyncGenerator[ReplyT, None]:
        """The replies of one server stream, which has no deadline and is not repeated. Raises IncidentManagerError."""
        call = method(request, metadata=await self._metadata())
        try:
            async for reply in call:
                yield reply
        except grpc.aio.AioRpcError as cause:
            raise errors.from_rpc(cause) from cause
        finally:
            call.cancel()

    async def events(self) -> "grpc.aio.StreamStreamCall[bytes, pb.StreamEventsResponse]":
        """Starts a StreamEvents call that takes serialised requests."""
        parse: Callable[[bytes], pb.StreamEventsResponse] = pb.StreamEventsResponse.FromString
        method: grpc.aio.StreamStreamMultiCallable[bytes, pb.StreamEventsResponse] = self.channel.stream_stream(
            _STREAM_EVENTS, request_serializer=None, response_deserializer=parse
        )
        return method(metadata=await self._metadata())

    async def _metadata(self) -> channel.Metadata:
        return await channel.identity(self._options)


class MethodGroup:
    """Some of the service's methods, on one channel."""

    def __init__(self, caller: Caller) -> None:
        """`caller` makes the calls."""
        self._caller = caller
        self._ingest = IngestServiceStub(caller.channel)
        self._incidents = IncidentServiceStub(caller.channel)
        self._analytics = AnalyticsServiceStub(caller.channel)
        self._admin = AdminServiceStub(caller.channel)
        self._audit = AuditServiceStub(caller.channel)

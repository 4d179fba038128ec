"""How every call is made: metadata, deadline, retries, and errors of one kind. Knows no method by name."""

import secrets
from collections.abc import AsyncGenerator, Callable, Iterable
from datetime import timedelta
from time import monotonic
from typing import TypeVar

import grpc
from incidentmanager.v1.admin_service_pb2_grpc import AdminServiceStub
from incidentmanager.v1.analytics_service_pb2_grpc import AnalyticsServiceStub
from incidentmanager.v1.audit_service_pb2_grpc import AuditServiceStub
from incidentmanager.v1.edge_agent_service_pb2_grpc import EdgeAgentServiceStub
from incidentmanager.v1.governance_service_pb2_grpc import GovernanceServiceStub
from incidentmanager.v1.incident_service_pb2_grpc import IncidentServiceStub
from incidentmanager.v1.ingest_service_pb2_grpc import IngestServiceStub

from llm_incident_client import pb
from llm_incident_client.core import attempts, breaker, channel, errors, tokens, tracing

RequestT = TypeVar("RequestT", bound=pb.Message)
ReplyT = TypeVar("ReplyT", bound=pb.Message)

_STREAM_EVENTS = "/incidentmanager.v1.IngestService/StreamEvents"


def new_request_id() -> str:
    """A name for one write, so that repeating it is safe."""
    return secrets.token_hex(16)


class Caller:
    """A channel with an identity and a conduct."""

    def __init__(self, options: channel.ChannelOptions, conduct: attempts.Conduct, deadline: timedelta) -> None:
        """`deadline` bounds a unary call with all its repeats, unless the call brings its own."""
        self.channel = channel.open_channel(options)
        self._options = options
        self._attempts = attempts.Attempts(conduct)
        self._deadline = deadline
        self._trace = tracing.find()

    @property
    def breaker_state(self) -> breaker.State:
        """What the circuit breaker lets through now."""
        return self._attempts.state

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

        within = deadline or self._deadline
        ends = monotonic() + within.total_seconds()

        async def attempt(seconds: float) -> ReplyT:
            timeout, metadata = max(seconds, ends - monotonic()) if patient else seconds, await self._metadata()
            try:
                return await method(request, timeout=timeout, metadata=metadata)
            except grpc.aio.AioRpcError as error:
                if not self._renews(error, metadata):
                    raise
            return await method(request, timeout=timeout, metadata=await self._metadata())

        name = request.DESCRIPTOR.name.removesuffix("Request")  # buf's lint holds this convention
        return await self._attempts.run(name, attempt, within)

    def _renews(self, error: grpc.aio.AioRpcError, metadata: channel.Metadata) -> bool:
        """Whether the token was refused and another one can be had: it may have been withdrawn before its time."""
        source = self._options.bearer
        if error.code() is not grpc.StatusCode.UNAUTHENTICATED or not isinstance(source, tokens.RenewedToken):
            return False
        source.forget(dict(metadata)["authorization"].removeprefix("Bearer "))
        return True

    def renews(self, error: errors.IncidentManagerError) -> bool:
        """The same of a stream, which a server ends with its token: whether it may be opened again with another one."""
        source = self._options.bearer
        if error.code is not grpc.StatusCode.UNAUTHENTICATED or not isinstance(source, tokens.RenewedToken):
            return False
        source.forget()
        return True

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

    async def both(
        self, method: "grpc.aio.StreamStreamMultiCallable[RequestT, ReplyT]", requests: Iterable[RequestT]
    ) -> AsyncGenerator[ReplyT, None]:
        """The replies to a stream of requests, as `stream` gives them."""
        call = method(iter(requests), metadata=await self._metadata())
        try:
            async for reply in call:
                yield reply
        except grpc.aio.AioRpcError as cause:
            raise errors.from_rpc(cause) from cause
        finally:
            call.cancel()

    async def events(self) -> "grpc.aio.StreamStreamCall[bytes, pb.StreamEventsResponse]":
        """Starts a StreamEvents call that takes serialised requests."""
        return await self.both_ways(_STREAM_EVENTS, pb.StreamEventsResponse.FromString)

    async def both_ways(
        self, path: str, parse: Callable[[bytes], ReplyT]
    ) -> "grpc.aio.StreamStreamCall[bytes, ReplyT]":
        """Starts a call with streams in both directions that takes serialised requests."""
        method: grpc.aio.StreamStreamMultiCallable[bytes, ReplyT] = self.channel.stream_stream(
            path, request_serializer=None, response_deserializer=parse
        )
        return method(metadata=await self._metadata())

    async def _metadata(self) -> channel.Metadata:
        return (*await channel.identity(self._options), *self._trace())


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
        self._governance = GovernanceServiceStub(caller.channel)
        self._agents = EdgeAgentServiceStub(caller.channel)

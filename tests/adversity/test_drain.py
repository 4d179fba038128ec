"""SIGTERM loses nothing: readiness off, streams told, calls finished, exit code 0."""

import asyncio
import signal
from typing import TypeAlias

import grpc
from grpc.aio import UnaryStreamMultiCallable, UnaryUnaryMultiCallable
from grpc_health.v1 import health_pb2
from incidentmanager.v1 import (
    event_pb2,
    incident_pb2,
    incident_service_pb2,
    incident_service_pb2_grpc,
    ingest_service_pb2,
    ingest_service_pb2_grpc,
)

from llm_incident_client.client import IncidentClient
from tests.support.reading import read
from tests.support.server import running_server

pb = ingest_service_pb2
Ask: TypeAlias = health_pb2.HealthCheckRequest
Told: TypeAlias = health_pb2.HealthCheckResponse
CHECK, WATCH = "/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch"


async def test_health_is_serving_overall_and_per_service_and_stops_serving() -> None:
    async with running_server() as server, grpc.aio.insecure_channel(server.grpc) as channel:
        check: UnaryUnaryMultiCallable[Ask, Told] = channel.unary_unary(CHECK, Ask.SerializeToString, Told.FromString)
        watching: UnaryStreamMultiCallable[Ask, Told] = channel.unary_stream(
            WATCH, Ask.SerializeToString, Told.FromString
        )
        for service in ("", "incidentmanager.v1.IngestService", "incidentmanager.v1.IncidentService"):
            assert (await check(Ask(service=service))).status == Told.SERVING
        watch = watching(Ask(service=""))
        assert (await read(watch, Told)).status == Told.SERVING
        stream = incident_service_pb2_grpc.IncidentServiceStub(channel).WatchIncidents(
            incident_service_pb2.WatchIncidentsRequest()
        )
        assert (await read(stream, incident_pb2.IncidentChange)).heartbeat
        assert server.process is not None
        server.process.send_signal(signal.SIGTERM)
        assert (await read(watch, Told)).status == Told.NOT_SERVING
        last = await read(stream, incident_pb2.IncidentChange)
        assert last.drain
        assert last.resume_token
        assert await asyncio.wait_for(server.process.wait(), 15) == 0


async def test_a_stream_is_told_to_drain_after_its_acknowledgements() -> None:
    async with running_server() as server, grpc.aio.insecure_channel(server.grpc) as channel:
        call = ingest_service_pb2_grpc.IngestServiceStub(channel).StreamEvents()
        await call.write(pb.StreamEventsRequest(open=pb.StreamOpen(producer_id="p")))
        await call.read()
        events = [event_pb2.Event(source="s", title="t")] * 500
        await call.write(pb.StreamEventsRequest(frame=pb.EventFrame(first_sequence=1, events=events)))
        assert server.process is not None
        acknowledged = len((await read(call, pb.StreamEventsResponse)).acks.results)
        server.process.send_signal(signal.SIGTERM)
        while not (reply := await read(call, pb.StreamEventsResponse)).HasField("drain"):
            acknowledged += len(reply.acks.results)
        assert acknowledged == 500
        assert await call.read() is grpc.aio.EOF
        assert await asyncio.wait_for(server.process.wait(), 15) == 0


async def test_the_client_goes_on_after_a_restart_without_losing_or_doubling() -> None:
    async with running_server() as server, IncidentClient(server.grpc) as client:
        async with client.event_stream("steady") as stream:
            first = [await stream.send(event_pb2.Event(source="s", title="steady")) for _ in range(300)]
            await asyncio.gather(*first)
            await server.restart()
            second = [await stream.send(event_pb2.Event(source="s", title="steady")) for _ in range(300)]
            results = await asyncio.gather(*first, *second)
        assert len({result.event_id for result in results}) == 600
        listed = await client.list_incidents()
        assert [incident.event_count for incident in listed.incidents] == [600]

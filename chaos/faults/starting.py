"""Faults 7, 8 and 9: a server is asked to end, started twice, or restored from a backup that was taken under load."""

import asyncio
import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import grpc
from incidentmanager.v1 import incident_service_pb2, incident_service_pb2_grpc, ingest_service_pb2_grpc

from chaos.acks import ack_log
from chaos.audit import audit
from chaos.load import Load, Shape, first_ack
from chaos.registry import fault
from chaos.row import Figure, Outcome
from chaos.run import Run
from llm_incident_client import IncidentClient, pb
from tests.support.books import Books, books_in, books_of
from tests.support.command import command
from tests.support.server import RunningServer, running_server, status_of

GRACE = 4
REFUSED_SECONDS = 5.0


@fault(8, "two servers on one data directory, or one port", limit="the second refuses to start and says why")
async def two_servers(run: Run) -> Outcome:
    """Each way in turn; the first server goes on."""
    tried = 0
    wrong: list[str] = []
    slowest = 0.0
    async with ack_log(run.folder / "acks") as log, running_server() as first:
        elsewhere = {"DATABASE_URL": f"sqlite:///{run.folder / 'other'}"}
        same_data = {"DATABASE_URL": f"sqlite:///{first.data}", "GRPC_PORT": "0", "API_PORT": "0"}
        same_grpc = {**elsewhere, "GRPC_PORT": str(first.grpc_port), "API_PORT": "0"}
        same_http = {**elsewhere, "GRPC_PORT": "0", "API_PORT": str(first.http_port)}
        told = {"in use by process": same_data, "for gRPC": same_grpc, "for HTTP": same_http}
        for said, env in told.items():
            for _ in range(run.size(1, 20)):
                started = time.monotonic()
                second = await command("serve", env=env, cwd=run.folder)
                slowest = max(slowest, time.monotonic() - started)
                tried += 1
                if second.code != 1 or said not in second.err:
                    wrong.append(f"{env}: exit code {second.code}, {second.err[-300:]}")
        await first_ack(first.grpc, "still", log)
    return Outcome(
        [Figure("second servers refused", tried), Figure("slowest refusal", slowest, "s", most=10)], wrong=wrong
    )


@fault(9, "restore of a live backup taken under load", part="SQLite",
       limit="one consistent moment, lost 0 of what was acknowledged before, ledger exact")  # fmt: skip
async def backup_of_sqlite(run: Run) -> Outcome:
    """From SQLite, onto SQLite and onto PostgreSQL."""
    async with running_server() as server:
        return await _backup(run, server, {"DATABASE_URL": f"sqlite:///{server.data}"})


@fault(9, "restore of a live backup taken under load", part="PostgreSQL",
       limit="one consistent moment, lost 0 of what was acknowledged before, ledger exact")  # fmt: skip
async def backup_of_postgres(run: Run) -> Outcome:
    """From PostgreSQL, onto SQLite and onto PostgreSQL."""
    async with run.postgres() as (cluster, database):
        env = {"DATABASE_URL": cluster.dsn(database)}
        async with running_server(env=env) as server:
            return await _backup(run, server, env)


async def _backup(run: Run, server: RunningServer, env: Mapping[str, str]) -> Outcome:
    file = run.folder / "backup.zip"
    async with ack_log(run.folder / "acks") as log:
        load = Load("backup", run.chance, log, Shape(frame=20, pause=0.1, unary=2, rest=1))
        async with load.running(server.grpc, server.http):
            await log.reaches(run.size(1_000, 20_000), seconds=300)
            await log.flush()
            before = {ack.event_id for ack in log.read()}
            taken = await command("backup", str(file), "--json", env=env)
            await log.reaches(log.counted + 100)
        acked = {ack.event_id for ack in log.read()}
    wrong = [f"backup: {taken.err[-500:]}"] if taken.code else []
    lost = unknown = 0
    data = run.folder / "restored"
    async with run.postgres() as (cluster, database):
        for target in ({"DATABASE_URL": f"sqlite:///{data}"}, {"DATABASE_URL": cluster.dsn(database)}):
            restored = await command("restore", str(file), "--json", env=target)
            wrong += [f"restore: {restored.err[-500:]}"] if restored.code else []
            checked = await command("ledger", "check", env=target)
            wrong += [f"ledger check: {checked.out[-500:]}"] if checked.code else []
            kept = await _kept(target, data, books_in(cluster, database))
            lost += len(before - kept)
            unknown += len(kept - acked)
            await _serves(target, sorted(before)[:3], run.folder / f"{lost}-{len(wrong)}-{target['DATABASE_URL'][:6]}")
    figures = [
        Figure("acknowledged before the backup", len(before)),
        Figure("events nobody acknowledged", unknown, most=0),
    ]
    return Outcome(figures, len(acked), lost, 0, wrong=wrong)


async def _serves(env: Mapping[str, str], known: Sequence[str], acks: Path) -> None:
    """A server starts on it, knows what was acknowledged, and takes more."""
    async with running_server(env=env) as server, IncidentClient(server.grpc) as client, ack_log(acks) as log:
        for event_id in known:
            assert (await client.get_event(event_id)).event_id == event_id
        async with client.event_stream("backup-stream") as stream:
            (fresh,) = await (await stream.send_many([pb.Event(source="chaos", title="after the restore")]))
        assert fresh.incident_id
        await first_ack(server.grpc, "after the restore", log)


async def _kept(target: Mapping[str, str], data: Path, postgres: Books) -> set[str]:
    if target["DATABASE_URL"].startswith("postgresql"):
        return await asyncio.to_thread(postgres.first_event_ids)
    with books_of(data) as books:
        return books.first_event_ids()


@fault(7, "SIGTERM with 200 open streams and calls in flight", part="SQLite",
       limit="readiness off, streams told, lost 0, exit code 0 within grace + 2 s; a second one forces")  # fmt: skip
async def drain(run: Run) -> Outcome:
    """Half of the streams watch, half bring events; unary and REST callers do not pause."""
    env = {"LLM_IM__GRPC__DRAIN_GRACE_SECS": str(GRACE)}
    async with ack_log(run.folder / "acks") as log, running_server(env=env) as server:
        load = Load("drain", run.chance, log, Shape(unary=16, rest=8))
        async with grpc.aio.insecure_channel(server.grpc) as channel, AsyncExitStack() as stack:
            streams = await _opened(channel, 200)
            await stack.enter_async_context(load.running(server.grpc, server.http))
            await log.reaches(500)
            assert server.process is not None
            server.process.send_signal(signal.SIGTERM)
            started = time.monotonic()
            unready = asyncio.create_task(_unready(server, started))
            told = sum(await asyncio.gather(*map(_is_told, streams)))
            code = await asyncio.wait_for(server.process.wait(), 30)
            took = time.monotonic() - started
            await server.start()
        await server.terminate()
        forced = await _forced(server)
        with books_of(server.data) as books:
            found = await audit(log.read(), books, {"DATABASE_URL": f"sqlite:///{server.data}"})
    figures = [
        Figure("streams told to drain", told, least=len(streams)),
        Figure("readiness off after", await unready, "s", most=0.5),
        Figure("exit after", took, "s", most=GRACE + 2),
        Figure("exit code", code, least=0, most=0),
        Figure("exit after a second SIGTERM", forced, "s", most=1),
    ]
    return Outcome(figures, found.acked, found.lost, found.doubled, wrong=[*found.wrong, *load.errors])


Watch = grpc.aio.UnaryStreamCall[incident_service_pb2.WatchIncidentsRequest, pb.IncidentChange]
Bidi = grpc.aio.StreamStreamCall[pb.StreamEventsRequest, pb.StreamEventsResponse]


async def _opened(channel: grpc.aio.Channel, number: int) -> Sequence[Watch | Bidi]:
    watching = incident_service_pb2_grpc.IncidentServiceStub(channel).WatchIncidents
    streaming = ingest_service_pb2_grpc.IngestServiceStub(channel).StreamEvents
    opened: list[Watch | Bidi] = []
    for at in range(number // 2):
        opened.append(watch := watching(incident_service_pb2.WatchIncidentsRequest()))
        await watch.read()
        opened.append(bidi := streaming())
        await bidi.write(pb.StreamEventsRequest(open=pb.StreamOpen(producer_id=f"idle-{at}")))
        await bidi.read()
    return opened


async def _is_told(stream: Watch | Bidi) -> bool:
    """Whether a stream says that the server is going before it ends."""
    async with asyncio.timeout(30):
        while (message := await stream.read()) is not grpc.aio.EOF:
            if isinstance(message, pb.StreamEventsResponse) and message.HasField("drain"):
                return True
            if isinstance(message, pb.IncidentChange) and message.drain:
                return True
    return False


async def _unready(server: RunningServer, started: float) -> float:
    while await status_of(server.http_port, "/health/ready") == 200:
        await asyncio.sleep(0.01)
    return time.monotonic() - started


async def _forced(server: RunningServer) -> float:
    """Seconds from the second SIGTERM to the end, of a server that a stream keeps."""
    await server.start()
    async with grpc.aio.insecure_channel(server.grpc) as channel:
        await _opened(channel, 2)
        assert server.process is not None
        server.process.send_signal(signal.SIGTERM)
        await asyncio.sleep(0.2)
        server.process.send_signal(signal.SIGTERM)
        started = time.monotonic()
        await asyncio.wait_for(server.process.wait(), 30)
    return time.monotonic() - started

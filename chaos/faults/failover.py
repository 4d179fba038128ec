"""Fault 13: PostgreSQL fails over to a standby that had not everything."""

import asyncio
from collections.abc import Mapping

import aiohttp

from chaos.acks import ack_log
from chaos.faults.soak import scraped
from chaos.load import first_ack
from chaos.registry import fault
from chaos.row import Figure, Outcome
from chaos.run import Run
from llm_incident_client import IncidentClient, pb
from tests.support.books import books_in
from tests.support.postgres import DURABLE, Cluster
from tests.support.proxy import Proxy
from tests.support.server import RunningServer, running_server

SAYS = "acknowledged work is missing"


@fault(13, "failover to a standby that lags", part="PostgreSQL",
       limit="log, metric and readiness say what is missing and how much at most; work goes on")  # fmt: skip
async def failover(run: Run) -> Outcome:
    """The standby is away while more is acknowledged, the primary dies, the standby is promoted in its place."""
    primary = await asyncio.to_thread(Cluster.in_new_folder, DURABLE)
    try:
        standby = await asyncio.to_thread(primary.replica)
        try:
            return await _failover(run, primary, standby)
        finally:
            await asyncio.to_thread(standby.remove)
    finally:
        await asyncio.to_thread(primary.remove)


async def _failover(run: Run, primary: Cluster, standby: Cluster) -> Outcome:
    before, after = run.size(20, 200), run.size(20, 200)
    database = primary.create()
    async with Proxy("127.0.0.1", primary.port) as way, ack_log(run.folder / "acks") as log:
        env = {"DATABASE_URL": f"postgresql://postgres@{way.address}/{database}"}
        async with running_server(env=env) as server:
            await _submitted(server, "before", before)
            await _caught_up(primary, standby)
            await asyncio.to_thread(standby.stop)
            await _submitted(server, "after", after)
            await asyncio.to_thread(primary.kill)
            await asyncio.to_thread(standby.start)
            standby.sql("SELECT pg_promote(true, 30)")
            way.upstream = ("127.0.0.1", standby.port)
            way.cut()
            await first_ack(server.grpc, "goes on", log)
            told = await _told(server)
            kept = books_in(standby, database).count("event")
            metrics = await _metrics(server)
            logged = sum("record.missing" in line for line in server.log.splitlines())
    gone = before + after + 1 - kept
    figures = [
        Figure("acknowledged and gone with the primary", gone, least=1),
        Figure("logged", logged, least=1, most=1),
        Figure("metric", metrics["record_missing_total"], least=1, most=1),
    ]
    wrong = [] if SAYS in told and "up to" in told else [f"readiness says {told!r}"]
    return Outcome(figures, wrong=wrong)


async def _submitted(server: RunningServer, name: str, number: int) -> None:
    async with IncidentClient(server.grpc) as client:
        for each in range(number):
            await client.submit_event(pb.Event(source="chaos", title=name, dedup_key=f"{name}-{each % 5}"))


async def _caught_up(primary: Cluster, standby: Cluster) -> None:
    where = primary.sql("SELECT pg_current_wal_lsn()")
    async with asyncio.timeout(30):
        while standby.sql(f"SELECT pg_last_wal_replay_lsn() >= '{where}'") != "t":
            await asyncio.sleep(0.05)


async def _told(server: RunningServer) -> str:
    """What readiness says of the record, as soon as it does."""
    async with aiohttp.ClientSession(server.http) as session, asyncio.timeout(15):
        while True:
            async with session.get("/health/ready") as reply:
                checks: Mapping[str, str] = (await reply.json())["checks"]
            if "record" in checks:
                return checks["record"]
            await asyncio.sleep(0.1)


async def _metrics(server: RunningServer) -> dict[str, float]:
    async with aiohttp.ClientSession(server.http) as session:
        return await scraped(session)

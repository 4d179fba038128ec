"""Faults 4, 15, 18: a server dies between a provider's yes and its own commit, work that always fails, no provider."""

import asyncio
import time
from collections.abc import Sequence
from statistics import quantiles

from chaos.load import FOREVER, PATIENT
from chaos.provider import Call, Provider, a_provider, config
from chaos.registry import fault, later
from chaos.row import Figure, Outcome
from chaos.run import Run
from llm_incident_client import IncidentClient, pb
from tests.support.command import command
from tests.support.postgres import Cluster
from tests.support.server import RunningServer, running_server

SEVERITIES = ("P3", "P1", "P2", "P0")


async def submit(client: IncidentClient, name: str, severity: str = "P1") -> str:
    """Opens an incident of its own and returns its id."""
    event = pb.Event(source="chaos", title=name, dedup_key=name, severity=severity, idempotency_key=name)
    return (await client.submit_event(event)).incident_id


@fault(4, "kill -9 between a provider's 2xx and our commit", part="SQLite",
       limit="every notification delivered, seen as one (same key), repeated at most once a kill")  # fmt: skip
async def killed_after_the_provider(run: Run) -> Outcome:
    """The provider itself kills the server, at the very moment when it has said yes."""
    kills, at_once = run.size(4, 100), 5
    incidents: set[str] = set()
    async with a_provider() as provider, running_server(config=config(provider, "pager")) as server:
        for number in range(kills):
            struck = _strike(provider, server, run.chance.randrange(at_once))
            async with IncidentClient(server.grpc, retries=PATIENT, deadline=FOREVER) as client:
                names = [f"kill-{number}-{each}" for each in range(at_once)]
                sending = asyncio.gather(*(submit(client, name) for name in names))
                async with asyncio.timeout(20):
                    await struck.wait()
                await server.kill()
                await server.start()
                incidents.update(await sending)
            await provider.until(lambda: incidents <= provider.incidents())
    keys = provider.keys()
    figures = [
        Figure("kills", kills),
        Figure("incidents told", len(provider.incidents()), least=len(incidents), most=len(incidents)),
        Figure("keys an incident", len(keys) / len(incidents), least=1, most=1),
        Figure("repeats", keys.total() - len(keys), least=1),
        Figure("most deliveries of one message", max(keys.values()), most=2),
    ]
    return Outcome(figures)


def _strike(provider: Provider, server: RunningServer, at: int) -> asyncio.Event:
    """Kills the server when so many more messages and one were delivered; the event tells when it has."""
    struck, wanted = asyncio.Event(), len(provider.delivered) + at + 1

    def kill(_: Call) -> None:
        if len(provider.delivered) >= wanted and not struck.is_set() and server.process is not None:
            server.process.kill()
            struck.set()

    provider.after = kill
    return struck


@fault(15, "poison: work that crashes its handler, and a channel that never answers", part="PostgreSQL",
       limit="dead after exactly 5 deliveries with a reason, others not slower, a replay works")  # fmt: skip
async def poison(run: Run) -> Outcome:
    """One row is made unreadable behind the server's back; one channel swallows every message of one incident."""
    async with a_provider() as provider, run.postgres() as (cluster, database):
        env = {"DATABASE_URL": cluster.dsn(database)}
        told = config(provider, "pager", "second", delay=0.3, timeout=2)
        async with running_server(env=env, config=told) as server, IncidentClient(server.grpc) as client:
            before = await _paces(client, provider, "before", run.size(40, 400))
            poisoned = await _poisoned(client, provider, cluster, database)
            during = await _paces(client, provider, "during", run.size(40, 400))
            dead = await _dead_letters(cluster, database, run.size(3, 3))
            provider.behave = Poison().well
            cluster.sql("UPDATE outbox SET payload = replace(payload, 'spoiled:', '')", database)
            replayed = await command("bus", "dead", "replay", "--all", "--yes", server=server)
            await provider.until(lambda: poisoned <= provider.incidents("pager") & provider.incidents("second"))
    wrong = [f"replay: {replayed.err[-300:]}"] if replayed.code else []
    wrong += [f"attempts {attempts}: {why}" for attempts, why in dead if attempts != "5" or not why]
    figures = [
        Figure("dead letters", len(dead), least=3, most=3),
        Figure("p99 of others before", before, "s"),
        Figure("p99 of others meanwhile", during, "s", most=2 * before + run.size(2, 1)),
        Figure("delivered after the replay", len(poisoned), least=2),
    ]
    return Outcome(figures, wrong=wrong)


class Poison:
    """A provider whose channel `second` hangs for one incident."""

    def __init__(self, hangs: str = "", fails: str = "") -> None:
        """Names of incidents."""
        self._hangs, self._fails = hangs, fails

    async def well(self, call: Call) -> int:
        """What is answered."""
        if call.incident["title"] == self._fails:
            return 503
        if call.incident["title"] == self._hangs and call.channel == "second":
            await asyncio.sleep(30)
        return 200


async def _poisoned(client: IncidentClient, provider: Provider, cluster: Cluster, database: str) -> set[str]:
    """The incidents that poison the system. Both notifications of the first are spoiled while they wait."""
    provider.behave = Poison(hangs="hangs", fails="spoiled").well
    spoiled = await submit(client, "spoiled")
    await provider.until(lambda: sum(call.incident["id"] == spoiled for call in provider.calls) >= 2)
    where = f"incident_id = '{spoiled}' AND topic = 'incidents.notify'"
    spoil = (
        f"UPDATE outbox SET payload = 'spoiled:' || payload WHERE {where} AND payload NOT LIKE 'spoiled:%' RETURNING 1"
    )
    async with asyncio.timeout(10):
        while len(cluster.sql(spoil, database).split()) != 2:
            await asyncio.sleep(0.01)
    return {spoiled, await submit(client, "hangs")}


async def _paces(client: IncidentClient, provider: Provider, name: str, number: int) -> float:
    """The 99th percentile of the seconds from an event to its message, over incidents that nothing is wrong with."""
    sent: dict[str, float] = {}
    for each in range(number):
        started = time.monotonic()
        sent[await submit(client, f"{name}-{each}")] = started
        await asyncio.sleep(0.02)
    await provider.until(lambda: sent.keys() <= provider.incidents("pager"))
    waits = [call.at - sent[call.incident["id"]] for call in provider.delivered if call.incident["id"] in sent]
    return quantiles(waits, n=100)[98]


async def _dead_letters(cluster: Cluster, database: str, number: int) -> Sequence[tuple[str, str]]:
    """Attempts and reason of each, once there are so many."""
    async with asyncio.timeout(60):
        while True:
            lines = cluster.sql("SELECT attempts || '|' || last_error FROM outbox WHERE dead", database).splitlines()
            if len(lines) >= number:
                return [(line.partition("|")[0], line.partition("|")[2]) for line in lines]
            await asyncio.sleep(0.1)


@fault(18, "all channels down, an open P0", part="SQLite",
       limit="keeps trying, nothing dropped, everything delivered <= 2 min after the return")  # fmt: skip
async def no_provider(run: Run) -> Outcome:
    """Events keep coming during the outage; then the provider returns."""
    outage, incidents = run.size(5, 300), list[str]()
    async with a_provider() as provider:

        async def down(_: Call) -> int:
            return 503

        provider.behave = down
        told = config(provider, "pager", "second", delay=0.5, attempts=50)
        async with running_server(config=told) as server, IncidentClient(server.grpc) as client:
            until = time.monotonic() + outage
            while time.monotonic() < until:
                name = f"down-{len(incidents)}"
                incidents.append(await submit(client, name, SEVERITIES[len(incidents) % len(SEVERITIES)]))
                await asyncio.sleep(outage / 60)
            tried, returned = len(provider.calls), time.monotonic()
            provider.behave = Poison().well
            both = set(incidents)
            await provider.until(lambda: both <= provider.incidents("pager") & provider.incidents("second"), 150)
            late = time.monotonic() - returned
            letters = await command("bus", "dead", "list", "-o", "json", server=server)
    figures = [
        Figure("outage", outage, "s"),
        Figure("attempts meanwhile, by two channels that were left alone for a second each time", tried, least=12),
        Figure("delivered after the return within", late, "s", most=120),
        Figure("given up", len(letters.json_lines), most=0),
    ]
    return Outcome(figures, acked=len(incidents))


later(18, "all channels down: undeliverable alert, escalation, priority order", part="alert",
      limit="notifications_undeliverable raised, escalation goes on, P0 first after the return",
      why="channels with breakers and fallbacks, escalation and its alert have an issue of their own")  # fmt: skip
later(5, "kill -9 in the middle of a playbook step", limit="every run ends, no step twice without a person's word",
      why="playbooks have an issue of their own")  # fmt: skip

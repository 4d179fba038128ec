"""A receiver is broken, its notifications are given up; it is mended, and a replay delivers them once."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from tests.support.command import command
from tests.support.receiver import LOOPBACK, Receiver, a_receiver
from tests.support.server import RunningServer, running_server

pytestmark = pytest.mark.asyncio(loop_scope="module")
BROKEN = 500
ATTEMPTS = 5


@dataclass
class Place:
    """A server, and the receiver that its webhook leads to."""

    server: RunningServer
    receiver: Receiver

    async def given_up(self, title: str) -> str:
        """The incident of an event whose notification was tried five times, in vain."""
        self.receiver.answers = [BROKEN] * ATTEMPTS
        words = ["--title", title, "--source", "dead", "--severity", "P1", "--dedup-key", title]
        sent = await command("event", "send", *words, "--json", server=self.server)
        keys = {(await self.receiver.take()).headers["Idempotency-Key"] for _ in range(ATTEMPTS)}
        assert len(keys) == 1, "all attempts bear one key"
        async with asyncio.timeout(20):
            while not await self.letters(sent.json["incident_id"]):
                pass
        return str(sent.json["incident_id"])

    async def letters(self, incident: str = "") -> list[Any]:
        which = ["--incident", incident] if incident else []
        return (await command("bus", "dead", "list", *which, "--json", server=self.server)).json_lines

    async def metric(self, line: str) -> float:
        async with aiohttp.request("GET", f"{self.server.http}/metrics") as reply:
            text = await reply.text()
        return next(float(each.split()[-1]) for each in text.splitlines() if each.startswith(line))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place() -> AsyncIterator[Place]:
    """A server that gives up soon, and a receiver that works unless told otherwise."""
    async with a_receiver() as receiver:
        settings = {
            "notifications": {
                "channels": [{"type": "webhook", "webhook_url": receiver.url}],
                "max_attempts": ATTEMPTS,
                "base_delay_secs": 0.01,
            },
            "breaker": {"open_secs": 0.1},
            **LOOPBACK,
        }
        async with running_server(config=json.dumps(settings)) as server:
            yield Place(server, receiver)


async def test_a_broken_receiver_is_mended_and_the_replay_delivers(place: Place) -> None:
    incident = await place.given_up("one")
    (letter,) = await place.letters(incident)
    assert (letter["topic"], letter["attempts"]) == ("incidents.notify", ATTEMPTS)
    assert letter["reason"] == f"{ATTEMPTS} attempts failed: http 500"
    assert await place.metric('incident_manager_outbox_dead{topic="incidents.notify"}') == 1

    shown = await command("bus", "dead", "show", letter["id"], server=place.server)
    assert (shown.code, "http 500" in shown.out, incident in shown.out) == (0, True, True)
    replayed = await command("bus", "dead", "replay", letter["id"], "--reason", "mended", server=place.server)
    assert (replayed.code, replayed.out) == (0, "1 selected: 1 replayed, 0 gone meanwhile\n")
    told = await place.receiver.take()
    payload = json.loads(letter["payload"])
    assert (told.headers["Idempotency-Key"], told.headers["X-Incident-Delivery"]) == (
        payload["dedup_key"],
        payload["id"],
    )
    assert await place.letters(incident) == []
    assert await place.metric('incident_manager_outbox_dead{topic="incidents.notify"}') == 0
    again = await command("bus", "dead", "replay", letter["id"], server=place.server)
    assert (again.code, "NOT_FOUND" in again.err) == (3, True)
    assert place.receiver.received.empty(), "nothing was sent twice"
    timeline = (await command("incident", "timeline", incident, server=place.server)).out
    assert ("put back to work by dev: mended" in timeline, "webhook was told" in timeline) == (True, True)


async def test_many_are_looked_at_first_and_counted_when_they_are_replayed(place: Place) -> None:
    incidents = [await place.given_up(title) for title in ("two", "three")]
    replay = ["bus", "dead", "replay", "--topic", "incidents.notify"]
    looked = await command(*replay, "--dry-run", "--json", server=place.server)
    assert (looked.json["matched"], looked.json["replayed"], looked.json["preview"]) == (2, 2, True)
    assert [one["incident_id"] for one in looked.json["sample"]] == incidents
    unsure = await command(*replay, server=place.server)
    assert (unsure.code, "2 dead letters: add --yes" in unsure.err) == (2, True)
    other = await command(*replay, "--yes", "--expect", "3", server=place.server)
    assert (other.code, "COUNT_CHANGED" in other.err) == (1, True)
    assert len(await place.letters()) == 2, "nothing has changed so far"
    done = await command(*replay, "--yes", "--expect", "2", "-o", "yaml", server=place.server)
    assert (done.code, "replayed: 2" in done.out) == (0, True)
    assert {(await place.receiver.take()).body["incident"]["id"] for _ in incidents} == set(incidents)


async def test_what_need_not_be_sent_is_dropped_with_a_reason(place: Place) -> None:
    incident = await place.given_up("four")
    unexplained = await command("bus", "dead", "drop", "--incident", incident, "--yes", server=place.server)
    assert unexplained.code == 2
    drop = ["bus", "dead", "drop", "--incident", incident, "--reason", "told by phone", "--actor", "ann"]
    dropped = await command(*drop, "--yes", server=place.server)
    assert (dropped.code, dropped.out) == (0, "1 selected: 1 dropped, 0 gone meanwhile\n")
    assert await place.letters() == []
    assert place.receiver.received.empty()
    timeline = (await command("incident", "timeline", incident, server=place.server)).out
    assert "dropped by ann: told by phone" in timeline


async def test_lists_are_tables_and_csv_too(place: Place) -> None:
    incident = await place.given_up("five")
    table = (await command("bus", "dead", "list", server=place.server)).out
    assert ("REASON" in table, "http 500" in table) == (True, True)
    rows = (await command("bus", "dead", "list", "-o", "csv", server=place.server)).out.splitlines()
    assert (rows[0].split(",")[0], len(rows)) == ("id", 2)
    of_topic = await command("bus", "dead", "list", "--topic", "incidents.notify", "--json", server=place.server)
    assert await place.letters(incident) == of_topic.json_lines
    wrong = await command("bus", "dead", "list", "--topic", "nothing", server=place.server)
    assert (wrong.code, "incidents.routed, incidents.notify, incidents.consult, incidents.actions" in wrong.err) == (
        2,
        True,
    )
    reserved = await command("bus", "dead", "list", "--topic", "incidents.raw", server=place.server)
    assert (reserved.code, "reserved for an ingest log" in reserved.err) == (2, True)


async def test_the_status_of_the_bus_counts_them_topic_by_topic(place: Place) -> None:
    await place.given_up("six")
    status = (await command("bus", "status", "--json", server=place.server)).json_lines[0]
    topics = {topic["topic"]: topic for topic in status["topics"]}
    assert (status["backend"], list(topics)) == (
        "database",
        ["incidents.routed", "incidents.notify", "incidents.consult", "incidents.actions"],
    )
    assert topics["incidents.notify"]["dead"] == len(await place.letters())
    table = (await command("bus", "status", server=place.server)).out
    assert ("back end: database" in table, "WAITING" in table) == (True, True)


@pytest.mark.parametrize("arguments", [[], ["ID", "--all"], ["--all", "--topic", "incidents.notify"]], ids=" ".join)
async def test_what_cannot_be_meant_is_refused_before_anything_is_sent(arguments: list[str]) -> None:
    done = await command("bus", "dead", "replay", *arguments, "--address", "127.0.0.1:1")
    assert (done.code, done.out) == (2, "")


async def test_a_selection_that_names_nothing_is_refused(place: Place) -> None:
    url = f"{place.server.http}/api/v1/dead-letters/replay"
    bodies: list[dict[str, Any]] = [{}, {"selection": {}}, {"selection": {"named": {"ids": []}}}]
    for body in bodies:
        async with aiohttp.request("POST", url, json=body) as reply:
            assert (reply.status, "selection" in await reply.text()) == (400, True)

"""Many incidents at once, and incidents that belong together, from the command line."""

import asyncio
import os
import sys
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.command import command
from tests.support.server import RunningServer

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def opened(server: RunningServer, flock: str, count: int, severity: str = "P3") -> list[str]:
    """Numbers of new incidents that one filter finds."""
    numbers = []
    for index in range(count):
        words = ["--title", f"{flock} {index}", "--source", flock, "--service", f"{severity}-{index}"]
        sent = await command("event", "send", *words, "--severity", severity, "--json", server=server)
        shown = await command("incident", "show", sent.json["incident_id"], "--json", server=server)
        numbers.append(shown.json["number"])
    return numbers


async def states(server: RunningServer, flock: str) -> list[str]:
    """The states of a flock, oldest first."""
    asked = ["incident", "list", "--filter", f'source = "{flock}"', "--order-by", "create_time", "--json"]
    return [one["state"] for one in (await command(*asked, server=server)).json["incidents"]]


async def test_a_verb_looks_before_it_changes_many(server: RunningServer) -> None:
    await opened(server, "flock", 3)
    await opened(server, "flock", 1, severity="P0")
    which = ["--filter", 'severity <= P3 AND source = "flock"']
    looked = await command("incident", "ack", *which, "--dry-run", "--json", server=server)
    assert (looked.json["matched"], looked.json["changed"], looked.json["preview"]) == (3, 3, True)
    assert [one["title"] for one in looked.json["sample"]] == ["flock 0", "flock 1", "flock 2"]
    unsure = await command("incident", "ack", *which, server=server)
    assert (unsure.code, "3 incidents match: add --yes" in unsure.err) == (2, True)
    assert await states(server, "flock") == ["NEW"] * 4, "nothing has changed so far"
    other = await command("incident", "ack", *which, "--yes", "--expect", "2", server=server)
    assert (other.code, "COUNT_CHANGED" in other.err) == (1, True)
    done = await command("incident", "ack", *which, "--yes", "--expect", "3", "--actor", "ann", server=server)
    assert (done.code, done.out) == (0, "3 match: 3 changed, 0 unchanged, 0 refused\n")
    assert await states(server, "flock") == ["ACKNOWLEDGED"] * 3 + ["NEW"]


async def test_one_that_refuses_does_not_stop_the_others(server: RunningServer) -> None:
    numbers = await opened(server, "mixed", 3)
    await command("incident", "resolve", numbers[1], "--force", server=server)
    done = await command("incident", "escalate", "--filter", 'source = "mixed"', "-y", "--json", server=server)
    assert (done.code, done.json["changed"], done.json["failed"]) == (4, 2, 1)
    assert [(one["number"], one["reason"]) for one in done.json["failures"]] == [(numbers[1], "ILLEGAL_TRANSITION")]
    assert await states(server, "mixed") == ["ESCALATED", "RESOLVED", "ESCALATED"]
    assigned = await command("incident", "assign", "--filter", 'source = "mixed"', "-y", "ann", "bob", server=server)
    assert assigned.out.startswith("3 match: 3 changed")
    ended = await command("incident", "resolve", "--filter", 'source = "mixed"', "-y", "--limit", "2", server=server)
    assert (ended.code, await states(server, "mixed")) == (0, ["RESOLVED", "RESOLVED", "ESCALATED"])


async def test_a_person_is_asked(server: RunningServer) -> None:
    await opened(server, "asked", 2)
    assert await _answering(b"n\n", server) == 130
    assert await states(server, "asked") == ["NEW", "NEW"]
    assert await _answering(b"y\n", server) == 0
    assert await states(server, "asked") == ["ACKNOWLEDGED", "ACKNOWLEDGED"]


async def _answering(answer: bytes, server: RunningServer) -> int | None:
    """The exit code of a command at a terminal where somebody types."""
    ours, theirs = os.openpty()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "llm_incident_manager", "incident", "ack", "--filter", 'source = "asked"',
        stdin=theirs, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, "LLM_IM_ADDRESS": server.grpc},
    )  # fmt: skip
    os.write(ours, answer)
    async with asyncio.timeout(60):
        code = await process.wait()
    os.close(ours)
    os.close(theirs)
    return code


@pytest.mark.parametrize("arguments", [
    ["ack"], ["ack", "A", "B"], ["ack", "A", "--filter", "severity = P1"], ["ack", "A", "--dry-run"],
    ["ack", "A", "--expect", "1"], ["ack", "--filter", "severity = P1", "--etag", "x"],
], ids=" ".join)  # fmt: skip
async def test_what_cannot_be_meant_is_refused_before_anything_is_sent(arguments: list[str]) -> None:
    done = await command("incident", *arguments, "--address", "127.0.0.1:1")
    assert (done.code, done.out) == (2, "")


async def test_incidents_are_merged_found_and_taken_apart(server: RunningServer) -> None:
    target, source, other = await opened(server, "merged", 3)
    merged = await command("incident", "merge", target, source, other, "--actor", "ann", "--json", server=server)
    assert (merged.code, merged.json["number"], merged.json["event_count"]) == (0, target, 3)
    found = (await command("incident", "related", target, "--json", server=server)).json_lines
    assert {(one["relation"], one["incident"]["number"]) for one in found} == {
        ("MERGED_FROM", source), ("MERGED_FROM", other),
    }  # fmt: skip
    table = (await command("incident", "related", source, server=server)).out
    assert ("merged into" in table, target in table) == (True, True)
    apart = await command("incident", "unmerge", source, "--reason", "not the same", "--json", server=server)
    assert (apart.code, apart.json["incident"]["number"]) == (0, source)
    linked = await command("incident", "link", source, target, "--reason", "the same deploy", server=server)
    assert linked.out.startswith(f"linked to {target}")
    assert (await command("incident", "unlink", source, target, server=server)).code == 0


async def test_events_leave_for_an_incident_of_their_own(server: RunningServer) -> None:
    (number,) = await opened(server, "split", 1)
    words = ["--title", "split 0", "--source", "split", "--service", "P3-0"]
    second = await command("event", "send", *words, "--json", server=server)
    assert second.json["disposition"] == "ATTACHED"
    parted = await command("incident", "split", number, second.json["event_id"], "--json", server=server)
    assert (parted.json["moved_event_count"], parted.json["incident"]["event_count"]) == (1, 1)
    assert parted.json["new_incident"]["number"] != number


async def test_links_and_notes_hang_on_an_incident(server: RunningServer) -> None:
    (number,) = await opened(server, "hung", 1)
    await command("incident", "note", number, "look at the graph", server=server)
    assert "look at the graph" in (await command("incident", "notes", number, server=server)).out
    url = "https://example.com/graph.png"
    attached = await command("incident", "attach", number, url, "--title", "p95", "--json", server=server)
    assert url in (await command("incident", "attachments", number, server=server)).out
    assert (await command("incident", "detach", number, attached.json["id"], server=server)).code == 0
    assert (await command("incident", "attachments", number, "--json", server=server)).out == ""
    refused = await command("incident", "attach", number, "file:///etc/passwd", server=server)
    assert (refused.code, "url" in refused.err) == (1, True)


async def test_figures_tell_how_long_things_took(server: RunningServer) -> None:
    numbers = await opened(server, "timed", 2)
    await command("incident", "ack", numbers[0], server=server)
    await command("incident", "resolve", numbers[0], server=server)
    asked = ["incident", "metrics", "--filter", 'source = "timed"', "--group-by", "state"]
    told = (await command(*asked, "--json", server=server)).json
    assert (told["total"]["count"], told["total"]["open_count"], told["group_count"]) == (2, 1, 2)
    assert told["total"]["time_to_resolve"]["count"] == 1
    table = await command(*asked, server=server)
    assert [line.split()[0] for line in table.out.splitlines()[1:]] == ["NEW", "RESOLVED", "all"]


async def test_incidents_are_snoozed_one_by_its_name_or_all_that_match(server: RunningServer) -> None:
    number, other = await opened(server, "snoozed", 2)
    one = await command("incident", "snooze", number, "--until", "2099-01-01T06:00:00Z", "--json", server=server)
    assert (one.code, one.json["snoozed_until"]) == (0, "2099-01-01T06:00:00Z")
    shown = await command("incident", "show", number, server=server)
    assert "snoozed until" in shown.out
    many = await command("incident", "snooze", "--filter", 'source = "snoozed"', "-y", "--for", "1h30m", server=server)
    assert (many.code, many.out) == (0, "2 match: 2 changed, 0 unchanged, 0 refused\n")
    found = await command("incident", "show", other, "--json", server=server)
    left = datetime.fromisoformat(found.json["snoozed_until"]) - datetime.now(UTC)
    assert timedelta(minutes=80) < left < timedelta(minutes=91)
    await command("incident", "resolve", other, "--force", server=server)
    over = await command("incident", "snooze", other, "--for", "1h", server=server)
    assert (over.code, "ILLEGAL_TRANSITION" in over.err) == (4, True)


@pytest.mark.parametrize("arguments", [
    [], ["--for", "soon"], ["--for", "0s"], ["--for", "2h 3m"], ["--for", "99999999d"], ["--until", "tomorrow"],
    ["--for", "1h", "--until", "2099-01-01"],
], ids=" ".join)  # fmt: skip
async def test_a_snooze_without_a_clear_end_is_refused_before_anything_is_sent(arguments: list[str]) -> None:
    done = await command("incident", "snooze", "A", *arguments, "--address", "127.0.0.1:1")
    assert (done.code, done.out) == (2, "")

"""Replays: every line is accounted for, a second one creates nothing, and a restart in the middle does not show."""

import asyncio
import json
from collections import Counter
from pathlib import Path

import pytest

from tests.support import beside
from tests.support.books import books_of
from tests.support.command import command, start
from tests.support.server import RunningServer, running_server
from tests.support.waiting import until

ROOT = Path(__file__).resolve().parents[2]
DAY = ROOT / "examples" / "day_of_llm_events.jsonl"
DATA = beside.FOLDER / "data"


async def test_a_day_of_events_adds_up_and_a_second_replay_creates_nothing() -> None:
    lines = DAY.read_text("utf-8").splitlines()
    async with running_server() as server:
        first = await command("replay", str(DAY), "--now", "--json", server=server)
        again = await command("replay", str(DAY), "--now", "--json", server=server)
        listed = await command("incident", "list", "--limit", "0", "--json", server=server)
        for_people = await command("replay", str(DAY), server=server)
    assert (first.code, first.err, len(first.out.splitlines())) == (0, "", 1)
    told = first.json["dispositions"]
    assert (first.json["sent"], sum(told.values()), told["rejected"]) == (len(lines), len(lines), 0)
    assert first.json["incidents"] == len(listed.json["incidents"]) == told["new"]
    assert min(told["new"], told["attached"], told["duplicate"], told["applied"], told["ignored"]) > 0
    assert again.json["dispositions"] == {**dict.fromkeys(told, 0), "duplicate": len(lines)}
    assert again.json["incidents"] <= first.json["incidents"]
    assert "duplicate" in for_people.out
    assert {one["severity"] for one in listed.json["incidents"]} >= {"P1", "P2", "P3"}


@pytest.mark.parametrize("name", ["llm_status", "github_status"])
@pytest.mark.parametrize("options", [[], ["--without-title"]], ids=["with-title", "without-title"])
async def test_status_pages_add_up_and_leak_nothing(name: str, options: list[str]) -> None:
    file = DATA / name / "events.jsonl"
    beside.needs(file)
    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    async with running_server() as server:
        first = await command("replay", str(file), "--json", *options, server=server)
        again = await command("replay", str(file), "--json", *options, server=server)
        listed = await command("incident", "list", "--limit", "0", "--json", server=server)
        assert await server.terminate() == 0
        stored = (server.data / "incidents.db").read_bytes()
    told = first.json["dispositions"]
    assert first.json["sent"] == sum(told.values()) == len(rows)
    assert (told["rejected"], told["duplicate"]) == (0, 0)
    assert told["new"] == len(listed.json["incidents"]) > 0
    assert again.json["dispositions"]["duplicate"] == len(rows)
    stages = Counter(row["stage"] for row in rows)
    assert told["applied"] + told["ignored"] == sum(
        stages[name] for name in ("Resolved", "Completed", "Postmortem", "Scheduled", "In progress")
    )
    for row in rows[::7]:
        assert row["incident_id"].encode() not in stored
        if options:
            assert all(row["title"] != one["title"] for one in listed.json["incidents"])


async def test_bad_lines_are_told_by_number_and_count_as_rejected(tmp_path: Path) -> None:
    good = {"source": "s", "title": "t"}
    lines = [
        json.dumps(good),
        "{broken",
        "",
        json.dumps({"source": "", "title": "t"}),
        '{"sauce": 1}',
        json.dumps(good),
    ]
    file = tmp_path / "some.jsonl"
    file.write_text("\n".join(lines))
    async with running_server() as server:
        done = await command("replay", str(file), "--json", server=server)
        piped = await command("replay", "-", "--json", "--limit", "1", server=server, stdin=file.read_bytes())
    assert done.json["sent"] == 5
    assert done.json["dispositions"]["rejected"] == 3
    assert [line.split(":")[0] for line in done.err.splitlines()] == ["line 2", "line 5", "line 4"]
    assert piped.json["dispositions"]["duplicate"] == 1


@pytest.mark.parametrize("ending", ["restart", "kill"])
async def test_a_server_that_goes_away_in_the_middle_does_not_show(tmp_path: Path, ending: str) -> None:
    file = tmp_path / "many.jsonl"
    rows = ({"source": "s", "title": "t", "service": f"s{n % 50}", "labels": {"n": str(n)}} for n in range(6000))
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    async with running_server() as server:
        replay = await start("replay", str(file), "--rate", "3000", "--json", server=server)
        await until(lambda: stored(server) >= 1000)
        await (server.kill() if ending == "kill" else server.terminate())
        await server.start()
        async with asyncio.timeout(60):
            out, err = await replay.communicate()
        told = json.loads(out)
        assert replay.returncode == 0, err
        assert b"no connection" in err
        assert await server.terminate() == 0
        assert_books(server)
    assert (told["sent"], sum(told["dispositions"].values())) == (6000, 6000)
    assert (told["dispositions"]["new"], told["incidents"]) == (50, 50)
    assert told["dispositions"]["duplicate"] == 0, "numbers, not keys, keep what is sent again from counting"


def stored(server: RunningServer) -> int:
    with books_of(server.data) as books:
        return books.count("event")


def assert_books(server: RunningServer) -> None:
    with books_of(server.data) as books:
        assert books.count("event") == books.events_of_incidents() == 6000


async def test_the_pace_is_kept_whatever_the_answers(tmp_path: Path) -> None:
    file = tmp_path / "paced.jsonl"
    file.write_text("".join(f'{{"source": "s", "title": "t", "dedup_key": "{n}"}}\n' for n in range(300)))
    async with running_server() as server:
        done = await command("replay", str(file), "--rate", "200", "--json", server=server)
    assert 1.4 <= done.json["seconds"] <= 6.0


async def test_nobody_there_is_exit_code_five_once_patience_ends(tmp_path: Path) -> None:
    file = tmp_path / "one.jsonl"
    file.write_text('{"source": "s", "title": "t"}\n')
    done = await command("replay", str(file), "--address", "127.0.0.1:1", "--timeout", "0.5", "--json")
    assert (done.code, done.out) == (5, "")
    assert "no connection" in done.err

"""What commands print: for people in their time zone and colours, for programs as JSON, YAML and CSV."""

import asyncio
import csv
import io
import json
import os
import sys

import pytest
import pytest_asyncio
import yaml

from tests.support.command import command, start
from tests.support.server import RunningServer

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def number(server: RunningServer) -> str:
    """An incident with a title that a spreadsheet would compute. (None that a terminal would obey gets in.)"""
    words = ["--title", '=cmd|"x"', "--service", "printed", "--label", "set=printed", "--severity", "P0"]
    sent = await command("event", "send", *words, "--json", server=server)
    shown = await command("incident", "show", sent.json["incident_id"], "--json", server=server)
    found: str = shown.json["number"]
    return found


LIST = ("incident", "list", "--filter", 'labels.set = "printed"')


async def test_every_format_says_the_same(server: RunningServer, number: str) -> None:
    as_json = (await command(*LIST, "-o", "json", server=server)).json
    assert yaml.safe_load((await command("-o", "yaml", *LIST, server=server)).out) == as_json
    (row,) = csv.DictReader(io.StringIO((await command(*LIST, "-o", "csv", server=server)).out))
    incident = as_json["incidents"][0]
    assert (row["number"], row["severity"], row["create_time"]) == (number, "P0", incident["create_time"])
    assert json.loads(row["labels"]) == incident["labels"]
    assert row["title"] == f"'{incident['title']}", "no spreadsheet takes it for a formula"
    table = (await command(*LIST, server=server)).out
    assert number in table
    assert "\x1b" not in table


async def test_many_results_are_lines_documents_or_rows(server: RunningServer, number: str) -> None:
    await command("incident", "note", number, "first\nline", server=server)
    lines = (await command("incident", "timeline", number, "--json", server=server)).json_lines
    documents = await command("incident", "timeline", number, "-o", "yaml", server=server)
    rows = await command("incident", "timeline", number, "-o", "csv", server=server)
    assert list(yaml.safe_load_all(documents.out)) == lines
    assert [row["id"] for row in csv.DictReader(io.StringIO(rows.out))] == [line["id"] for line in lines]


async def test_people_read_times_of_their_zone_and_programs_utc(server: RunningServer, number: str) -> None:
    kathmandu = {"LLM_IM_TIME_ZONE": "Asia/Kathmandu"}
    assert "+05:45" in (await command("incident", "show", number, server=server, env=kathmandu)).out
    chosen = await command("incident", "show", number, "--time-zone", "UTC", server=server, env=kathmandu)
    assert ("+05:45" in chosen.out, "Z to " in chosen.out) == (False, True)
    for_programs = await command("incident", "show", number, "--json", server=server, env=kathmandu)
    assert for_programs.json["create_time"].endswith("Z")


async def test_colours_are_for_terminals_and_nobody_who_says_no(server: RunningServer, number: str) -> None:
    red = "\x1b[1;31mP0\x1b[0m"
    assert red not in (await command(*LIST, server=server)).out
    assert red in (await command(*LIST, "--color", "always", server=server)).out
    on_terminal = await _on_terminal(*LIST, address=server.grpc)
    assert (red in on_terminal, number[:12] in on_terminal) == (True, True)
    assert "\x1b[" not in await _on_terminal(*LIST, address=server.grpc, NO_COLOR="1")
    assert "\x1b[" not in await _on_terminal(*LIST, "--color", "never", address=server.grpc)


async def _on_terminal(*arguments: str, address: str, **env: str) -> str:
    """What a command writes to a terminal."""
    ours, theirs = os.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "200", "LLM_IM_ADDRESS": address, **env}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "llm_incident_manager", *arguments, stdout=theirs, env=environment
    )
    os.close(theirs)
    reading = asyncio.create_task(asyncio.to_thread(_read_all, ours))
    async with asyncio.timeout(60):
        assert await process.wait() == 0
        return await reading


def _read_all(terminal: int) -> str:
    found = b""
    try:
        while chunk := os.read(terminal, 65_536):
            found += chunk
    except OSError:  # how Linux says that nobody writes any more
        pass
    os.close(terminal)
    return found.decode()


async def test_a_watched_list_is_printed_again_when_something_changes(server: RunningServer, number: str) -> None:
    watching = await start(*LIST, "--open", "--watch", "--json", server=server)
    assert watching.stdout is not None
    async with asyncio.timeout(30):
        first = json.loads(await watching.stdout.readline())
        assert [(one["number"], one["state"]) for one in first["incidents"]] == [(number, "NEW")]
        await command("incident", "ack", number, server=server)
        while (again := json.loads(await watching.stdout.readline()))["incidents"][0]["state"] == "NEW":
            pass
        assert again["incidents"][0]["state"] == "ACKNOWLEDGED"
        watching.send_signal(2)
        _, err = await watching.communicate()
    assert (watching.returncode, err) == (130, b"")


async def test_an_event_is_shown_and_its_way_explained(server: RunningServer) -> None:
    sent = await command("event", "send", "--title", "explained", "--kind", "jailbreak", "--json", server=server)
    event = sent.json["event_id"]
    shown = await command("event", "show", event, server=server)
    assert "NEW (" in shown.out
    explained = await command("event", "explain", event, server=server)
    assert explained.out.startswith("1. received at")
    assert "disposition NEW" in explained.out
    assert "jailbreak" in explained.out.split("fingerprint")[1]
    as_yaml = await command("event", "explain", event, "-o", "yaml", server=server)
    assert yaml.safe_load(as_yaml.out)["event"]["event_id"] == event
    missing = await command("event", "explain", "00000000-0000-7000-8000-000000000000", server=server)
    assert missing.code == 3


async def test_fingerprints_tell_what_is_one_problem_without_sending_anything(server: RunningServer) -> None:
    events = [
        {"source": "s", "title": "Latency is 12 ms on req-abcdef123456", "model_requested": "gpt-4o-2024-08-06"},
        {"source": "s", "title": "Latency is 99 ms on req-fedcba654321", "model_requested": "gpt-4o-2024-11-20"},
        {"source": "s", "title": "Latency is 12 ms on req-abcdef123456", "model_requested": "o3"},
    ]
    lines = [json.dumps(event).encode() for event in events]
    grouped = (await command("fingerprint", "-", "--json", stdin=b"\n".join(lines))).json_lines
    assert [one["events"] for one in grouped] == [2, 1]
    alone = await command("fingerprint", "-", stdin=lines[0])
    assert alone.out.startswith(grouped[0]["fingerprint"]["value"])
    assert "gpt-4o" in alone.out
    sent = await command("event", "send", "--file", "-", "--json", server=server, stdin=lines[0])
    decided = await command("event", "explain", sent.json["event_id"], "--json", server=server)
    assert decided.json["fingerprint"] == grouped[0]["fingerprint"], "the server decides alike"
    wrong = await command("fingerprint", "-", stdin=b'{"title": 5}')
    assert (wrong.code, "line 1 is no event" in wrong.err) == (2, True)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
async def test_a_shell_gets_its_script(shell: str) -> None:
    done = await command("completion", shell)
    assert (done.code, "_LLM_INCIDENT_MANAGER_COMPLETE" in done.out) == (0, True)


async def test_words_are_completed_also_those_that_only_the_server_knows(server: RunningServer, number: str) -> None:
    async def completed(words: str) -> list[str]:
        env = {
            "_LLM_INCIDENT_MANAGER_COMPLETE": "complete_bash",
            "COMP_WORDS": f"llm-incident-manager {words}",
            "COMP_CWORD": str(len(words.split()) if not words.endswith(" ") else len(words.split()) + 1),
        }
        return (await command(server=server, env=env)).out.split()

    assert "timeline" in await completed("incident ti")
    assert number in await completed("incident show INC")
    assert await completed("incident show INC --address 127.0.0.1:1 X") == [], "nobody there: no words, no complaint"

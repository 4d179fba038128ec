"""The blocking client in whole programs: the interpreter's end, Ctrl-C, and forked processes."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from tests.support.server import RunningServer

pytestmark = pytest.mark.asyncio(loop_scope="module")
SECONDS = 20.0

BEGIN = """
import multiprocessing, os, sys
from llm_incident_client import pb
from llm_incident_client.sync import IncidentClient

address = sys.argv[1]
event = pb.Event(source="app", title="from a program", service="programs")
"""


async def program(folder: Path, text: str, server: RunningServer, *, interrupt_at: bytes = b"") -> tuple[int, str, str]:
    """Runs it to its end, with Ctrl-C after it printed a line: exit code and both outputs."""
    (folder / "program.py").write_text(BEGIN + text, "utf-8")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "program.py", server.grpc, cwd=folder,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(SECONDS):
            if interrupt_at:
                assert process.stdout is not None
                assert interrupt_at in await process.stdout.readline()
                process.send_signal(signal.SIGINT)
            out, err = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def test_a_program_may_end_without_closing_anything(tmp_path: Path, server: RunningServer) -> None:
    text = """
client = IncidentClient(address)
stream = client.event_stream("left-open").__enter__()
print(stream.send(event).result().incident_id == client.submit_event(event).incident_id)
changes = client.watch(snapshot=True)
next(changes)
"""
    assert await program(tmp_path, text, server) == (0, "True\n", "")


@pytest.mark.parametrize(
    "waits",
    ["next(client.watch(filter='service = \"nobody\"'))", "stream.send(event).result()", "stream.flush()"],
    ids=["watch", "result", "flush"],
)
async def test_ctrl_c_ends_whatever_waits(tmp_path: Path, server: RunningServer, waits: str) -> None:
    text = f"""
from datetime import timedelta
from llm_incident_client import StreamOptions

with IncidentClient(address) as client, IncidentClient("127.0.0.1:1") as nowhere:
    with nowhere.event_stream("p") as stream:
        stream.send(event)
        print("waiting", flush=True)
        {waits}
"""
    code, _, err = await program(tmp_path, text, server, interrupt_at=b"waiting")
    assert code == -signal.SIGINT
    assert err.rstrip().endswith("KeyboardInterrupt")
    assert "never retrieved" not in err


FORK = """
def say(what):
    print(what, flush=True)

def in_child(work):
    child = os.fork()
    if child == 0:
        try:
            work()
        except RuntimeError as error:
            say(error)
        sys.stdout.flush()
        os._exit(0)
    os.waitpid(child, 0)
"""


async def test_a_forked_process_is_told_what_cannot_work_and_the_parent_goes_on(
    tmp_path: Path, server: RunningServer
) -> None:
    text = (
        FORK
        + """
client = IncidentClient(address)
client.submit_event(event)
in_child(lambda: client.submit_event(event))
in_child(client.shutdown)
in_child(lambda: IncidentClient(address))
say(client.submit_event(event).incident_id != "")
"""
    )
    code, out, err = await program(tmp_path, text, server)
    theirs, mine, parent = out.splitlines()
    assert (code, parent) == (0, "True"), err
    assert "make the client in each process, after the fork" in theirs
    assert "'spawn', or fork before the first client is made" in mine


async def test_processes_forked_before_the_first_client_have_their_own(tmp_path: Path, server: RunningServer) -> None:
    text = (
        FORK
        + """
def report():
    with IncidentClient(address) as client:
        say(client.submit_event(event).incident_id != "")

in_child(report)
report()
"""
    )
    assert await program(tmp_path, text, server) == (0, "True\nTrue\n", "")


async def test_spawned_processes_have_clients_of_their_own(tmp_path: Path, server: RunningServer) -> None:
    text = """
def report(address):
    with IncidentClient(address) as client:
        return client.submit_event(pb.Event(source="app", title="spawned", service="spawned")).incident_id

if __name__ == "__main__":
    with IncidentClient(address) as client, multiprocessing.get_context("spawn").Pool(2) as pool:
        print(set(pool.map(report, [address] * 3)) == {report(address)})
"""
    assert await program(tmp_path, text, server) == (0, "True\n", "")

"""Fault 2: the power goes at a flush. What the disk may have by then is opened, checked and served from."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from pathlib import Path

import apsw

from chaos.acks import Ack, AckLog, ack_log
from chaos.disk_server import PROGRAM, environment
from chaos.load import Load, Shape, first_ack
from chaos.registry import fault
from chaos.row import Figure, Outcome
from chaos.run import Run
from llm_incident_client import IncidentClient
from llm_incident_manager.adapters.sql import audit
from llm_incident_manager.domain import audit_chain
from llm_incident_manager.domain.audit_chain import AuditRow
from tests.support.books import Books
from tests.support.command import command
from tests.support.server import running_server

SMALL = Shape(problems=40, frame=5, pause=0.02, unary=1, rest=1)


@fault(2, "power loss at a flush: unflushed writes dropped, torn, reordered", part="SQLite",
       limit="integrity_check ok, lost 0, audit chains whole, the server starts on it")  # fmt: skip
async def power_loss(run: Run) -> Outcome:
    """Under load the disk lays down what a power cut would leave at its flushes; each is checked, some are served."""
    images = run.folder / "images"
    images.mkdir()
    wanted, served = run.size(150, 600), run.size(2, 12)
    async with ack_log(run.folder / "acks") as log:
        env = environment(run.seed, images=images, acks=log.file)
        async with running_server(env=env, program=PROGRAM) as server:
            load = Load("power", run.chance, log, SMALL)
            async with load.running(server.grpc, server.http):
                looked = await _looked_at(images, wanted, served, log)
    figures = [
        Figure("power cuts", looked.total, least=wanted),
        Figure("of these while the log was moved into the file", looked.at_checkpoint, least=1),
        Figure("served from again", looked.served, least=served),
    ]
    return Outcome(figures, log.counted, looked.lost, wrong=looked.wrong)


class _Looked:
    """What was found so far."""

    def __init__(self) -> None:
        self.total = self.at_checkpoint = self.served = self.lost = 0
        self.wrong: list[str] = []


async def _looked_at(images: Path, wanted: int, served: int, log: AckLog) -> _Looked:
    looked = _Looked()
    async for image in _found(images):
        known = _known(log.file, int((image / "known").read_text("utf-8")))
        lost, wrong = await asyncio.to_thread(_look, image, known)
        looked.total += 1
        looked.lost += lost
        looked.wrong += [f"{image.name}: {text}" for text in wrong]
        looked.at_checkpoint += (image / "flushed").read_text("utf-8").endswith(".db")
        if looked.total % (wanted // served) == 0:
            looked.wrong += [f"{image.name}: {text}" for text in await _serve(image, known)]
            looked.served += 1
        await asyncio.to_thread(shutil.rmtree, image)
        if looked.total >= wanted:
            break
    return looked


async def _found(images: Path) -> AsyncIterator[Path]:
    """Images as they appear. Raises TimeoutError when none has for a while."""
    while True:
        async with asyncio.timeout(30):
            while not (found := sorted(each for each in images.iterdir() if not each.name.startswith("."))):
                await asyncio.sleep(0.01)
        for each in found:
            yield each


def _known(acks: Path, size: int) -> Sequence[Ack]:
    """What the client had been told when the power went."""
    with acks.open("rb") as file:
        lines = file.read(size).decode().split("\n")[:-1]
    return [Ack(*json.loads(line)) for line in lines]


def _look(image: Path, known: Sequence[Ack]) -> tuple[int, Sequence[str]]:
    """How many acknowledged events the image has lost, and what else is wrong with it."""
    if not known and not (image / "incidents.db").stat().st_size:
        return 0, []  # the power went before there was a database
    with closing(apsw.Connection(str(image / "incidents.db"))) as connection:
        health = connection.execute("PRAGMA integrity_check").fetchall()
        if health != [("ok",)]:
            return 0, [f"integrity_check says {health[:3]}"]
        books = Books(lambda sql: connection.execute(sql).fetchall())
        lost = {ack.event_id for ack in known} - (books.event_ids() if known else set())
        wrong = [f"{lost and len(lost)} acknowledged events lost"] if lost else []
        if known and (twice := books.fingerprints_open_twice()):
            wrong.append(f"open twice: {twice[:3]}")
        if known and (broken := _broken_chains(connection)):
            wrong.append(f"audit chains broken: {broken[:3]}")
        return len(lost), wrong


def _broken_chains(connection: apsw.Connection) -> Sequence[str]:
    columns = ", ".join(audit.AUDIT_COLUMNS)
    chains: dict[str, list[AuditRow]] = {}
    for values in connection.execute(f"SELECT {columns} FROM audit ORDER BY writer, sequence"):
        row = AuditRow(*values)
        chains.setdefault(row.writer, []).append(row)
    return [writer for writer, rows in chains.items() if audit_chain.first_broken(rows) is not None]


async def _serve(image: Path, known: Sequence[Ack]) -> Sequence[str]:
    """Starts the product on what is left, after its ledger check."""
    env = {"DATABASE_URL": f"sqlite:///{image}"}
    checked = await command("ledger", "check", "-o", "json", env=env)
    wrong = [f"ledger check: {checked.out[:300]}{checked.err[:300]}"] if known and checked.code else []
    async with running_server(env=env) as server, ack_log(image / "after") as log:
        await first_ack(server.grpc, "after-power-loss", log)
        async with IncidentClient(server.grpc) as client:
            for ack in known[-3:]:
                assert (await client.get_event(ack.event_id)).event_id == ack.event_id
    return wrong

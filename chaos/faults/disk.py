"""Fault 3: the disk is full, fails, cannot be written or cannot be flushed, at one write call after the other."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from chaos.acks import Ack, AckLog, ack_log
from chaos.audit import audit
from chaos.disk_server import PROGRAM, environment
from chaos.load import first_ack
from chaos.registry import fault
from chaos.row import Figure, Outcome
from chaos.run import Run
from llm_incident_client import IncidentClient, IncidentManagerError, RetryPolicy, pb
from tests.support.books import books_of
from tests.support.server import RunningServer, running_server

ALLOWED = {"UNAVAILABLE", "RESOURCE_EXHAUSTED"}
EVENTS = 12
"""So many calls are made in a case, unless one fails before."""
FOR_EVER = 1_000_000_000


@fault(3, "disk full, I/O error, read-only, failed flush, at each call", part="SQLite",
       limit="no ack, a code to come back, nothing corrupt, works <= 5 s after; a failed flush ends it")  # fmt: skip
async def failing_disk(run: Run) -> Outcome:
    """Each case orders the disk to fail from one of its calls on, once or until told otherwise."""
    async with ack_log(run.folder / "acks") as log:
        env = environment(run.seed, order=run.folder / "order")
        async with running_server(env=env, program=PROGRAM) as server:
            cases = Cases(server, run.folder / "order", log)
            for order in _orders(run):
                await cases.fail(order)
            for number in range(1, run.size(3, 12)):
                await cases.fail_flush(number)
            await log.flush()
            await server.terminate()
            with books_of(server.data) as books:
                found = await audit(log.read(), books, {"DATABASE_URL": f"sqlite:///{server.data}"})
    return Outcome(cases.figures(), found.acked, found.lost, found.doubled, wrong=[*found.wrong, *cases.wrong])


def _orders(run: Run) -> Iterator[str]:
    for kind in ("full", "io", "readonly"):
        for first in range(1, run.size(9, 120)):
            yield f"{kind} write {first} {first}"
            yield f"{kind} write {first} {FOR_EVER}"


@dataclass
class Cases:
    """What the cases have shown so far. Every event that failed is sent again until it is acknowledged."""

    server: RunningServer
    order: Path
    log: AckLog
    wrong: list[str] = field(default_factory=list)
    recoveries: list[float] = field(default_factory=list)
    exits: list[float] = field(default_factory=list)
    codes: Counter[str] = field(default_factory=Counter)
    _sent: int = 0

    async def fail(self, order: str) -> None:
        """One case of a disk that fails and comes back."""
        self._tell(order)
        failed = await self._until_it_fails()
        if failed is None and order.endswith(str(FOR_EVER)):
            self.wrong.append(f"{order}: {EVENTS} events were acknowledged by a disk that takes no writes")
        self.order.unlink()
        started = time.monotonic()
        await first_ack(self.server.grpc, self._key(), self.log)
        self.recoveries.append(time.monotonic() - started)
        await self._again(failed)

    async def fail_flush(self, number: int) -> None:
        """One case of a flush that fails: nothing may go on."""
        self._tell(f"fsync sync {number} {FOR_EVER}")
        started = time.monotonic()
        failed = await self._until_it_fails()
        assert self.server.process is not None
        async with asyncio.timeout(20):
            code = await self.server.process.wait()
        self.exits.append(time.monotonic() - started)
        if code == 0 or failed is None:
            self.wrong.append(f"flush {number} failed: exit code {code}, failed call {failed}")
        self.order.unlink()
        await self.server.start()
        await self._again(failed)

    def figures(self) -> list[Figure]:
        """What was measured."""
        return [
            Figure("cases", len(self.recoveries) + len(self.exits)),
            Figure("calls refused", self.codes.total(), least=len(self.recoveries) / 2),
            Figure("slowest first ack after the disk is well", max(self.recoveries), "s", most=5),
            Figure("slowest exit after a failed flush", max(self.exits), "s", most=5),
        ]

    def _tell(self, order: str) -> None:
        made = self.order.with_suffix(".new")
        made.write_text(order, "utf-8")
        made.rename(self.order)

    async def _until_it_fails(self) -> str | None:
        """The key of the event that failed; those before are acknowledged."""
        once = RetryPolicy(attempts=1, attempt_timeout=timedelta(seconds=10))
        async with IncidentClient(self.server.grpc, retries=once, deadline=timedelta(seconds=10)) as client:
            for _ in range(EVENTS):
                key = self._key()
                try:
                    await self._submit(client, key)
                except IncidentManagerError as error:
                    self.codes[error.code.name] += 1
                    if error.code.name not in ALLOWED:
                        self.wrong.append(f"{self.order.read_text('utf-8')}: {error.code.name} {error}")
                    return key
        return None

    async def _again(self, key: str | None) -> None:
        if key is not None:
            async with IncidentClient(self.server.grpc) as client:
                await self._submit(client, key)

    async def _submit(self, client: IncidentClient, key: str) -> None:
        event = pb.Event(source="chaos", title="disk", dedup_key=f"d{self._sent % 30}", idempotency_key=key)
        self.log.note(Ack("unary", key, (await client.submit_event(event, request_id=key)).event_id))

    def _key(self) -> str:
        self._sent += 1
        return f"disk-{self._sent}"

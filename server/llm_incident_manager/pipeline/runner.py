"""Runs stages over batches. The only place of BEFORE_ACK with spans, metrics and the decision to try again."""

from collections import Counter
from collections.abc import Mapping, Sequence
from time import perf_counter  # a stop-watch for metrics, not a source of time

from llm_incident_manager.domain.disposition import Disposition
from llm_incident_manager.domain.errors import StoreUnavailable
from llm_incident_manager.pipeline import assembly
from llm_incident_manager.pipeline.batch import Batch, Known, Submission, gather
from llm_incident_manager.pipeline.seen import Learned
from llm_incident_manager.pipeline.tools import Tools
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.stores import KeyTaken, Transaction
from llm_incident_manager.telemetry import traces

NOTHING = Known()
ATTEMPTS = 5
"""How often a batch is decided anew when another process was quicker with one of its keys."""


class Runner:
    """Takes submissions through BEFORE_ACK and its one commit."""

    def __init__(self, tools: Tools) -> None:
        """Works with these ports and rules."""
        self._tools = tools

    def prepare(self, submission: Submission) -> None:
        """Lets each stage do ahead what needs no database. Before `commit` and `decide`, once for each submission."""
        for stage in assembly.BEFORE_ACK:
            if hasattr(stage, "prepare"):
                stage.prepare(submission, self._tools)

    async def commit(self, submissions: Sequence[Submission]) -> None:
        """Decides and stores; afterwards each submission has its results or its error. Wakes what follows the commit.

        Raises StoreUnavailable when nothing was written.
        """
        why = ""
        for _ in range(ATTEMPTS):
            changes = Changes()
            try:
                await self.reserve(submissions)
                known = await self._tools.seen.recall(submissions, self._tools.clock.now())
                with traces.span("ingest.batch", links=[s.traceparent for s in submissions if s.traceparent]):
                    batch = await self._store(submissions, changes, known)
            except KeyTaken as taken:
                why = taken.message
            else:
                dispositions = Counter(row.disposition for row in changes.events)
                self.count(len(batch.accepted()), dispositions, len(changes.opened))
                self._learn(batch)
                self._tools.wake(changes)
                return
        raise StoreUnavailable(f"still contended after {ATTEMPTS} attempts: {why}")

    async def decide(
        self, tx: Transaction, submissions: Sequence[Submission], changes: Changes, known: Known = NOTHING
    ) -> Batch:
        """Runs the stages; the caller writes `changes` in the same transaction. Numbers must be reserved.

        `known` are idempotency keys that need not be looked up. Returns what was decided, for after the commit.
        """
        tools = self._tools
        batch = gather(submissions, changes, tools.clock.now(), known)
        for stage in assembly.BEFORE_ACK:
            started = perf_counter()
            with traces.span(f"stage.{stage.NAME}"):
                await stage.run(batch, tx, tools)
            tools.metrics.stage_ran(stage.NAME, perf_counter() - started)
        batch.finish()
        return batch

    async def _store(self, submissions: Sequence[Submission], changes: Changes, known: Known) -> Batch:
        async with self._tools.store.transaction() as tx:
            batch = await self.decide(tx, submissions, changes, known)
            started = perf_counter()
            await tx.write(changes)
        self._tools.metrics.stage_ran("commit", perf_counter() - started)
        return batch

    def _learn(self, batch: Batch) -> None:
        """Remembers the idempotency keys of a batch that is committed."""
        claimed, known = batch.claimed, batch.known.rows
        if claimed is not None and claimed.incarnation:
            told = [row for name, row in claimed.idempotency.items() if name not in known]
            self._tools.seen.learn(Learned(claimed.incarnation, batch.changes.idempotency, told), known)

    async def reserve(self, submissions: Sequence[Submission]) -> None:
        """Sees to it that every event could open an incident. Call before the transaction starts."""
        now = self._tools.clock.now()
        for tenant in {submission.tenant for submission in submissions}:
            count = sum(len(s.events) for s in submissions if s.tenant == tenant)
            await self._tools.numbers.reserve(tenant, now, count)

    def count(self, accepted: int, dispositions: Mapping[Disposition, int], opened: int) -> None:
        """Counts what a commit has accepted, and what became of it."""
        metrics = self._tools.metrics
        metrics.events_accepted(accepted)
        for disposition, count in dispositions.items():
            metrics.events_decided(disposition.name, count)
        metrics.incidents_opened(opened)

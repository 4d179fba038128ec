"""Whether an audit trail is what was written: each record follows from the one before it, and all of them reach as far
as signed checkpoints say. Names the first record that is not as it was. Reads nothing itself."""

from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from llm_incident_manager.domain import audit_chain, audit_checkpoint, time
from llm_incident_manager.domain.audit_chain import GENESIS, START, AuditRow, Head
from llm_incident_manager.domain.audit_checkpoint import Checkpoint
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.time import MINUTE, Instant

CHECKPOINTS = "checkpoints"
"""Stands for the writer where a checkpoint itself is bad."""

LATE = 10 * MINUTE
"""A record may be committed, or seen, so long after its time; an older one that a checkpoint lacks was inserted."""

_TYPES = (str, str, int, int, str, str, str, str, bytes, bytes, int, str, str, str, str, str)
"""Of the fields of a record: SQLite would take others as well."""

Signed = Callable[[Checkpoint], bool | None]
"""Whether a checkpoint's signature is right; None where its key is not known."""


class Fault(NamedTuple):
    """What is wrong with which record: the first of those that are not as they were."""

    what: str
    writer: str
    sequence: int


@dataclass(slots=True)
class Report:
    """What looking at a trail has shown. `proven_until` is the time of the newest checkpoint whose signature is right:
    what was written after it could have been changed by whoever can write the database."""

    records: int = 0
    chains: int = 0
    checkpoints: int = 0
    fault: Fault | None = None
    proven_until: Instant | None = None
    remarks: list[str] = field(default_factory=list)

    @property
    def intact(self) -> bool:
        """Whether nothing is wrong."""
        return self.fault is None


class _Ends:
    """Where checkpoints saw one chain end. Of all but the last only enough is kept to say which record differs first:
    the last one's hash covers all records before it."""

    __slots__ = ("hashes", "last", "number", "sequences")

    def __init__(self) -> None:
        self.sequences = array("q")
        self.hashes = array("Q")
        self.last = START
        self.number = 0

    def add(self, sequence: int, hash_: bytes, number: int) -> None:
        if sequence <= self.last.sequence:
            return
        self.sequences.append(sequence)
        self.hashes.append(_short(hash_))
        self.last, self.number = Head(sequence, hash_), number


class Trail:
    """The trail of one tenant under examination: first its checkpoints, then its records chain by chain."""

    def __init__(
        self, tenant: TenantId, signed: Signed, exported: Sequence[Checkpoint] = (), *, whole: bool = True
    ) -> None:
        """`exported` are checkpoints that were kept elsewhere; `whole`: all chains are there that checkpoints name."""
        self._tenant = tenant
        self._signed = signed
        self._exported = sorted(exported, key=lambda each: each.number)
        self._whole = whole
        self._ends: dict[str, _Ends] = {}
        self._retired: set[str] = set()
        self._said_retired: set[str] = set()
        self._seen: set[str] = set()
        self._newest: Checkpoint | None = None
        self._stored: dict[int, bytes] = {}
        self._bad_checkpoint: Fault | None = None
        self._writer = ""
        self._last = START
        self._place = 0
        self.report = Report()

    def take(self, stored: Iterable[Checkpoint]) -> None:
        """Takes the checkpoints that lie beside the records, from the first one on, and compares the exported ones."""
        previous = GENESIS
        for expected, checkpoint in enumerate(stored, 1):
            self.report.checkpoints += 1
            if checkpoint.number != expected or checkpoint.prev_hash != previous:
                self._blame(checkpoint, f"checkpoint {expected - 1 or 1} is missing, or it does not follow from it")
            self._trust(checkpoint)
            self._stored[checkpoint.number] = previous = checkpoint.hash
        for checkpoint in self._exported:
            self._trust(checkpoint)
            beside = self._stored.get(checkpoint.number)
            if beside is None:
                self._blame(checkpoint, "it was exported and is gone: the database was rolled back or cut off")
            elif beside != checkpoint.hash:
                self._blame(checkpoint, "another one was exported under its number: the database was rolled back")

    def look(self, rows: Iterable[AuditRow]) -> None:
        """Takes records in order of writer and sequence. After a fault nothing more counts."""
        for row in rows:
            if self.report.fault is not None:
                return
            if row.writer != self._writer:
                self._end_chain()
                self._begin(row.writer)
            self._one(row)

    def finish(self) -> Report:
        """What was found. Of several faults the first among the records counts."""
        self._end_chain()
        if self.report.fault is None and self._whole:
            for writer in sorted(writer for writer in self._ends.keys() - self._seen if not self._may_end(writer)):
                ends = self._ends[writer]
                self._find(
                    f"the whole chain is gone; checkpoint {ends.number} has {ends.last.sequence} records", writer, 1
                )
                break
        self.report.fault = self.report.fault or self._bad_checkpoint
        return self.report

    def _trust(self, checkpoint: Checkpoint) -> None:
        """Notes what a checkpoint says, unless it is forged."""
        if not _is_as_hashed(checkpoint):
            self._blame(checkpoint, "it was changed: its hash is another one")
            return
        signed = self._signed(checkpoint)
        if signed is False:
            self._blame(checkpoint, "its signature is wrong")
            return
        if signed is None:
            remark = f"key {checkpoint.key_id} is unknown: its checkpoints prove nothing here"
            if remark not in self.report.remarks:
                self.report.remarks.append(remark)
        elif self.report.proven_until is None or checkpoint.at > self.report.proven_until:
            self.report.proven_until = checkpoint.at
        if self._newest is None or checkpoint.at > self._newest.at:
            self._newest = checkpoint
        # Whoever can write the database can sign with a key of his own: that takes back nothing that ours has signed.
        (self._said_retired if signed is None else self._retired).update(checkpoint.retired)
        for end in checkpoint.ends:
            self._ends.setdefault(end.writer, _Ends()).add(end.sequence, end.hash, checkpoint.number)

    def _begin(self, writer: str) -> None:
        self._writer, self._last, self._place = writer, START, 0
        if writer in self._seen:
            self._find("its records are not in order", writer, 1)
        self._seen.add(writer)
        self.report.chains += 1

    def _one(self, row: AuditRow) -> None:
        self.report.records += 1
        if not all(map(isinstance, row, _TYPES)):
            self._find("it was changed: a field is of another type", row.writer, self._last.sequence + 1)
        elif row.tenant != self._tenant:
            self._find(f"it belongs to tenant {row.tenant}", row.writer, row.sequence)
        elif what := audit_chain.fault_of(row, self._last):
            self._find(what, row.writer, min(row.sequence, self._last.sequence + 1))
        else:
            self._compare(row)
            self._last = Head(row.sequence, row.hash)

    def _compare(self, row: AuditRow) -> None:
        """With what checkpoints know of the chain."""
        ends = self._ends.get(row.writer)
        if ends is None or row.sequence > ends.last.sequence:
            newest = self._newest
            if newest is not None and row.at < newest.at - LATE:
                what = (
                    f"checkpoint {newest.number} of {time.rfc3339(newest.at)} is younger and lacks it: it was inserted"
                )
                self._find(what, row.writer, row.sequence)
        elif row.sequence == ends.sequences[self._place]:
            last = row.sequence == ends.last.sequence
            if _short(row.hash) != ends.hashes[self._place] or (last and row.hash != ends.last.hash):
                first = ends.sequences[self._place - 1] + 1 if self._place else 1
                what = f"one of the records {first} to {row.sequence} was written anew: a checkpoint knows another one"
                self._find(what, row.writer, first)
            self._place += 1

    def _end_chain(self) -> None:
        ends = self._ends.get(self._writer)
        if ends is None or self._may_end(self._writer) or self.report.fault is not None:
            return
        if self._last.sequence < ends.last.sequence:
            what = f"the chain is cut off here: checkpoint {ends.number} knows it up to {ends.last.sequence}"
            self._find(what, self._writer, self._last.sequence + 1)

    def _may_end(self, writer: str) -> bool:
        """Whether retention may have ended the chain: a checkpoint says so, and where any is signed, a signed one."""
        return writer in self._retired or (self.report.proven_until is None and writer in self._said_retired)

    def _find(self, what: str, writer: str, sequence: int) -> None:
        if self.report.fault is None:
            self.report.fault = Fault(what, writer, sequence)

    def _blame(self, checkpoint: Checkpoint, what: str) -> None:
        if self._bad_checkpoint is None:
            self._bad_checkpoint = Fault(f"checkpoint {checkpoint.number}: {what}", CHECKPOINTS, checkpoint.number)


def _is_as_hashed(checkpoint: Checkpoint) -> bool:
    try:
        return checkpoint.hash == audit_checkpoint.hash_of(checkpoint)
    except (AttributeError, TypeError, ValueError):  # what a database holds may be of any type
        return False


def _short(hash_: bytes) -> int:
    return int.from_bytes(hash_[:8], "big")

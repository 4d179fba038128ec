"""Proves an audit trail without a server: from an export, a backup, or the database itself."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llm_incident_manager.adapters.audit import copies, signing
from llm_incident_manager.config import Settings
from llm_incident_manager.domain import audit_documents
from llm_incident_manager.domain.audit_checkpoint import Checkpoint
from llm_incident_manager.domain.audit_documents import BadDocument
from llm_incident_manager.domain.audit_proof import Fault, Report, Trail
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.ports.stores import StoreRefused

_OWN_KEY = "signatures were checked with the key that the export itself names: give --public-key to be sure of it"
_NO_KEY = "no public key was given: signatures were not checked"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is believed beside the trail: checkpoints that were kept elsewhere, and the keys that sign."""

    exported: Sequence[Checkpoint] = ()
    keys: Sequence[Path] = ()

    @classmethod
    def of(cls, checkpoints: Path | None, keys: Sequence[Path]) -> "Evidence":
        """Reads the file of checkpoints. Raises StoreRefused."""
        return cls(() if checkpoints is None else _checkpoints(checkpoints), tuple(keys))

    @classmethod
    def of_settings(cls, settings: Settings, given: "Evidence") -> "Evidence":
        """What is given, and otherwise what the settings name and is there. Raises StoreRefused."""
        beside = copies.copies(settings)
        file = None if beside is None or given.exported or not beside.file.exists() else beside.file
        exported = given.exported if file is None else _checkpoints(file)
        return cls(exported, given.keys or tuple(signing.key_files(settings)))

    def of_tenant(self, tenant: TenantId) -> Sequence[Checkpoint]:
        """The exported checkpoints of one tenant."""
        return [checkpoint for checkpoint in self.exported if checkpoint.tenant == tenant]


def of_export(file: Path, evidence: Evidence) -> Mapping[TenantId, Report]:
    """Proves a file that `audit export` wrote. Raises StoreRefused for one that is none."""
    try:
        with file.open("rb") as lines:
            return _export(file, iter(lines), evidence)
    except OSError as error:
        raise StoreRefused(f"cannot read {file} ({error.strerror}): check its name") from error
    except BadDocument as error:
        raise StoreRefused(f"{file} is no export of an audit trail ({error}): write one with audit export") from error


def trail_of(tenant: TenantId, evidence: Evidence, *, own_key: str | None = None, whole: bool = True) -> Trail:
    """A trail to examine, with the keys of the evidence or else the one that comes with it. Raises StoreRefused."""
    checker = signing.Checker.of_files(evidence.keys) if evidence.keys else signing.Checker.of_text(own_key)
    trail = Trail(tenant, checker.signed, evidence.of_tenant(tenant), whole=whole)
    if not evidence.keys:
        trail.report.remarks.append(_NO_KEY if own_key is None else _OWN_KEY)
    return trail


def _export(file: Path, lines: Iterator[bytes], evidence: Evidence) -> Mapping[TenantId, Report]:
    heading = audit_documents.parsed(next(lines, b""))
    if (heading.get("format"), heading.get("version")) != (audit_documents.FORMAT, audit_documents.VERSION):
        raise StoreRefused(f"{file} is no export of an audit trail, or of a later program")
    tenant = TenantId(str(heading["tenant"]))
    trail = trail_of(tenant, evidence, own_key=heading.get("public_key"), whole=heading.get("since") is None)
    return {tenant: _told(trail, _Lines(lines))}


class _Lines:
    """The documents of an export behind its heading, kind by kind."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines = lines
        self._next = self._read()

    def of(self, kind: str) -> Iterator[Mapping[str, Any]]:
        """Those of a kind that come next."""
        while self._next is not None and kind in self._next:
            yield self._next[kind]
            self._next = self._read()

    @property
    def rest(self) -> Mapping[str, Any] | None:
        """What comes next, whatever it is."""
        return self._next

    def _read(self) -> Mapping[str, Any] | None:
        line = next(self._lines, b"")
        return audit_documents.parsed(line) if line.endswith(b"\n") else None


def _told(trail: Trail, lines: _Lines) -> Report:
    trail.take(map(audit_documents.checkpoint_of, lines.of("checkpoint")))
    trail.look(map(audit_documents.record_of, lines.of("record")))
    report, end = trail.finish(), lines.rest
    if report.fault is None:
        counted = {"records": report.records, "checkpoints": report.checkpoints}
        if end is None or end.get("end") != counted:
            report.fault = Fault("the export is cut off, or lines of it were taken out", "", report.records + 1)
    return report


def _checkpoints(file: Path) -> Sequence[Checkpoint]:
    try:
        return copies.read(file)
    except OSError as error:
        raise StoreRefused(f"cannot read {file} ({error.strerror}): check its name") from error
    except BadDocument as error:
        raise StoreRefused(f"{error}: give the file that the server has kept") from error

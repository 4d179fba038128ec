"""Audit checkpoints outside the database: one file that is only ever appended to, each line on the disk before the next
step. Whoever changes the database does not reach it, if it lies on another machine or medium."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

from llm_incident_manager.config import Settings
from llm_incident_manager.domain import audit_documents
from llm_incident_manager.domain.audit_checkpoint import Checkpoint
from llm_incident_manager.domain.ids import TenantId

FILE = "audit-checkpoints.jsonl"
FOLDER = "checkpoints"


class CheckpointFile:
    """Implements ports.audit.Copies."""

    def __init__(self, folder: Path) -> None:
        """Touches nothing yet."""
        self.file = folder / FILE
        self._last: dict[TenantId, Checkpoint] | None = None

    async def last(self, tenant: TenantId) -> Checkpoint | None:
        """The newest of a tenant that was kept here. Raises OSError, BadDocument."""
        return (await self._known()).get(tenant)

    async def tenants(self) -> Sequence[TenantId]:
        """Of which there is any. Raises OSError, BadDocument."""
        return sorted(await self._known())

    async def keep(self, checkpoints: Sequence[Checkpoint]) -> None:
        """Keeps them, on the disk when this returns. Raises OSError."""
        known = await self._known()
        lines = b"".join(audit_documents.line(audit_documents.of_checkpoint(each)) for each in checkpoints)
        await asyncio.to_thread(_append, self.file, lines)
        known.update({each.tenant: each for each in checkpoints})

    def forget(self) -> None:
        """See Copies."""
        self._last = None

    async def _known(self) -> dict[TenantId, Checkpoint]:
        if self._last is None:
            found = await asyncio.to_thread(read, self.file) if self.file.exists() else []
            self._last = {each.tenant: each for each in found}
        return self._last


def copies(settings: Settings) -> CheckpointFile | None:
    """Where the settings want checkpoints to be kept; the embedded database has a folder beside it."""
    folder = settings.audit.export_directory
    if folder is None and settings.storage.type == "sqlite":
        folder = settings.storage.path / FOLDER
    return None if folder is None else CheckpointFile(folder)


def read(file: Path) -> Sequence[Checkpoint]:
    """All checkpoints of a file, in its order; a line that a crash has cut off is none. Raises OSError, BadDocument."""
    found = []
    with file.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.endswith(b"}\n"):
                continue
            try:
                found.append(audit_documents.checkpoint_of(audit_documents.parsed(line)))
            except audit_documents.BadDocument as error:
                raise audit_documents.BadDocument(f"{file}, line {number}: {error}") from error
    return found


def _append(file: Path, lines: bytes) -> None:
    new = not file.exists()
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        if _is_cut(descriptor):
            lines = b"\n" + lines
        while lines:
            lines = lines[os.write(descriptor, lines) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if new:
        _flush_folder(file.parent)


def _is_cut(descriptor: int) -> bool:
    """Whether a crash has cut the last line off: it stays a line of its own, which nobody reads."""
    size = os.fstat(descriptor).st_size
    return size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""Leases and processes between rows and values; the same for both databases. No statement is run here."""

from collections.abc import Sequence
from typing import Any

from llm_incident_manager.domain.time import Instant
from llm_incident_manager.ports.leases import Lease
from llm_incident_manager.ports.processes import Process, Seen


def taken(found: Sequence[Any], name: str, owner: str, until: Instant) -> Lease | None:
    """The lease whose fence a statement answered, if it did."""
    return Lease(name, owner, found[0][0], until) if found else None


def process_row(process: Process) -> tuple[str, str, str, Instant]:
    """What is stored of a process beside the moment it was seen."""
    return process.owner, ",".join(process.roles), process.version, process.started_at


def seen_of(row: Sequence[Any]) -> Seen:
    """The process of a row, and its silence."""
    owner, roles, version, started_at, silent_for = row
    return Seen(Process(owner, tuple(roles.split(",")), version, Instant(started_at)), max(0, silent_for))

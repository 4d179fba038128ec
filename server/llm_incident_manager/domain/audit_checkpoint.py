"""Signed statements of where a tenant's audit chains end. Each follows from the one before it by its hash."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import orjson

from llm_incident_manager.domain.audit_chain import GENESIS, Head
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.time import Instant

_PREFIX = b"llm-incident-manager audit checkpoint 1\n"
"""What is signed is nothing else, whatever else the key may be used for."""


class End(NamedTuple):
    """Where a chain ends: its last record and that one's hash."""

    writer: str
    sequence: int
    hash: bytes


class Checkpoint(NamedTuple):
    """One statement. `ends` are the chains that have grown since the checkpoint before, and all of them in the first
    one a process makes; `retired` are those that retention ends from now on; `records` counts those of all others."""

    tenant: TenantId
    number: int
    at: Instant
    records: int
    ends: tuple[End, ...]
    retired: tuple[str, ...]
    prev_hash: bytes
    hash: bytes
    key_id: str
    signature: bytes


class Draft(NamedTuple):
    """What a checkpoint is to say."""

    ends: Sequence[End]
    retired: Sequence[str]
    records: int


def draft_of(known: Mapping[str, Head], heads: Mapping[str, Head], retired: Sequence[str]) -> Draft:
    """What has come since the heads that are `known`."""
    ends = [End(writer, *head) for writer, head in sorted(heads.items()) if known.get(writer) != head]
    gone = sorted(set(retired) & heads.keys())
    return Draft(ends, gone, sum(head.sequence for writer, head in heads.items() if writer not in gone))


def unsigned(tenant: TenantId, before: Checkpoint | None, draft: Draft, at: Instant, key_id: str) -> Checkpoint:
    """The checkpoint behind that one, with no signature yet."""
    number, prev_hash = (1, GENESIS) if before is None else (before.number + 1, before.hash)
    made = Checkpoint(
        tenant, number, at, draft.records, tuple(draft.ends), tuple(draft.retired), prev_hash, b"", key_id, b""
    )
    return made._replace(hash=hash_of(made))


def root_of(ends: Sequence[End]) -> bytes:
    """One hash over all ends, in the order of their writers."""
    told = [[end.writer, end.sequence, end.hash.hex()] for end in sorted(ends)]
    return hashlib.sha256(orjson.dumps(told)).digest()


def statement(checkpoint: Checkpoint) -> bytes:
    """What is signed."""
    said = (
        checkpoint.tenant,
        checkpoint.number,
        checkpoint.at,
        checkpoint.records,
        root_of(checkpoint.ends).hex(),
        sorted(checkpoint.retired),
        checkpoint.prev_hash.hex(),
        checkpoint.key_id,
    )
    return _PREFIX + orjson.dumps(said)


def hash_of(checkpoint: Checkpoint) -> bytes:
    """By which the next one follows from it."""
    return hashlib.sha256(statement(checkpoint)).digest()

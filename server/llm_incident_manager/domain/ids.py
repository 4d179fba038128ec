"""Names of things: ids are canonical UUIDv7 strings, incidents also have a number that people can say."""

import re
from typing import NewType

from llm_incident_manager.domain.time import Instant

TenantId = NewType("TenantId", str)
EventId = NewType("EventId", str)
IncidentId = NewType("IncidentId", str)

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_NUMBER = re.compile(r"INC-\d{8}-\d{5,}")

NUMBER_BLOCK = 1_000
"""Incident numbers are leased in blocks of this size; what a process does not use stays a gap."""


def incident_number(day: str, n: int) -> str:
    """The number of a tenant's n-th incident of a UTC day (YYYYMMDD), for instance INC-20261121-00042."""
    return f"INC-{day}-{n:05d}"


def is_uuid(text: str) -> bool:
    """Whether the text is a canonical lower-case UUID."""
    return _UUID.fullmatch(text) is not None


def is_incident_number(text: str) -> bool:
    """Whether the text has the form of an incident number."""
    return _NUMBER.fullmatch(text) is not None


def first_of(moment: Instant) -> str:
    """The smallest id that can be made in that millisecond or later: ids below it are older. Not before 1970."""
    digits = f"{max(0, moment) // 1_000:012x}"
    return f"{digits[:8]}-{digits[8:]}-0000-0000-000000000000"


def made_at(uuid: str) -> Instant:
    """When a time-ordered id was made, to the millisecond. Raises ValueError for what is no UUID."""
    return Instant(int(uuid[:8] + uuid[9:13], 16) * 1_000)

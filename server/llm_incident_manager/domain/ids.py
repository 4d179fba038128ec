"""Names of things: ids are canonical UUIDv7 strings, incidents also have a number that people can say."""

import re
from typing import NewType

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

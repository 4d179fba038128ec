"""What timers are for. A timer belongs to an incident and is due at a moment."""

from enum import StrEnum


class TimerKind(StrEnum):
    """What a timer is for."""

    SNOOZE = "snooze"
    SLA = "sla"


KINDS = tuple(str(kind) for kind in TimerKind)
"""The kinds this program knows; those of a newer one are left to it."""

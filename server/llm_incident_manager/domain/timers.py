"""What timers are for. A timer belongs to an incident and is due at a moment."""

from enum import StrEnum


class TimerKind(StrEnum):
    """What a timer is for."""

    SNOOZE = "snooze"

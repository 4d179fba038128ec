"""The one refusal of the filter language: where it went wrong, and what to write instead."""

from llm_incident_manager.domain.errors import DomainError, ErrorReason

_MAX_SHOWN = 80


def shown(text: str) -> str:
    """What a message quotes of a caller's text: all of it unless it is long."""
    return repr(text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…")


class InvalidFilter(DomainError):
    """A filter or an order_by does not parse, names an unknown field, or compares what cannot be compared."""

    def __init__(self, problem: str, position: int, *, source: str = "filter") -> None:
        """`problem` names value and remedy; `position` counts characters from 1; `source` is the request's field."""
        message = f"{source}, character {position}: {problem}"
        super().__init__(ErrorReason.INVALID_FILTER, message, {"position": str(position)})
        self.position = position

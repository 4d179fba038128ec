"""What a written value means for a type of field: the typed value, or a refusal that names what is possible."""

import math
import re
from collections.abc import Callable, Mapping
from decimal import Decimal

from llm_incident_manager.domain import ids, moments, severity
from llm_incident_manager.domain.filter_errors import shown
from llm_incident_manager.domain.filter_fields import Type
from llm_incident_manager.domain.lifecycle import State
from llm_incident_manager.domain.severity import IncidentType, Severity

MAX_INTEGER = 2**63 - 1
"""The largest integer a database column holds."""


_WHOLE = re.compile(r"-?\d{1,40}", re.ASCII)
_DECIMAL = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)


_DURATION = re.compile(r"-?(?:\d{1,9}(?:\.\d{1,9})?(?:h|ms|m|us|s))+", re.ASCII)
_PART = re.compile(r"([0-9.]+)(h|ms|m|us|s)")
_MICROSECONDS = {"h": 3_600_000_000, "m": 60_000_000, "s": 1_000_000, "ms": 1_000, "us": 1}


class Unfit(ValueError):
    """A value that its field cannot have; the text says what it needs."""


def value_of(type_: Type, text: str) -> str | int | float:
    """The value of a text for a field of a type other than TIME, LIST and LABELS. Raises Unfit with the remedy."""
    return _READERS[type_](text)


def moment_of(text: str) -> moments.Moment:
    """The moment of a text. Raises Unfit with the remedy."""
    try:
        return moments.parse(text)
    except ValueError as error:
        raise Unfit(str(error)) from error


def _text(text: str) -> str:
    return text


def _id(text: str) -> str:
    folded = text.lower()
    if not ids.is_uuid(folded):
        raise Unfit(f"{shown(text)} is no incident id: give a UUID, or with = a number such as INC-20261121-00042")
    return folded


def _integer(text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise Unfit(f"{shown(text)} is not a whole number: write one, for instance 10")
    number = int(text)
    if abs(number) > MAX_INTEGER:
        raise Unfit(f"{shown(text)} is too large: write at most {MAX_INTEGER}")
    return number


def _number(text: str) -> float:
    number = float(text) if _DECIMAL.fullmatch(text) else math.nan
    if not math.isfinite(number):
        raise Unfit(f"{shown(text)} is not a number: write one, for instance 12.5")
    return number


def _duration(text: str) -> int:
    """Microseconds: digits beyond them are dropped."""
    if not _DURATION.fullmatch(text):
        raise Unfit(f"{shown(text)} is no duration: write seconds such as 90s or 1.5s, or 1h30m")
    total = sum(Decimal(amount) * _MICROSECONDS[unit] for amount, unit in _PART.findall(text))
    if total > MAX_INTEGER:
        raise Unfit(f"{shown(text)} is too long: write a shorter time")
    return int(-total if text.startswith("-") else total)


def _boolean(text: str) -> int:
    known = {"true": 1, "false": 0}.get(text.lower())
    if known is None:
        raise Unfit(f"{shown(text)} is neither true nor false: write one of these")
    return known


def _severity(text: str) -> int:
    known = severity.normalise(text)
    if known is None:
        words = ", ".join(Severity.__members__)
        raise Unfit(f"{shown(text)} is no severity: write one of {words}, or a word such as critical")
    return int(known)


def _state(text: str) -> str:
    return _word(text, "INCIDENT_STATE_", [state.value for state in State], "state")


def _incident_type(text: str) -> str:
    return _word(text, "INCIDENT_TYPE_", [type_.value for type_ in IncidentType], "incident type")


def _word(text: str, prefix: str, words: list[str], what: str) -> str:
    folded = text.strip().upper().replace(" ", "_").replace("-", "_").removeprefix(prefix)
    if folded not in words:
        raise Unfit(f"{shown(text)} is no {what}: write one of {', '.join(words)}")
    return folded


_READERS: Mapping[Type, Callable[[str], str | int | float]] = {
    Type.ID: _id,
    Type.TEXT: _text,
    Type.INTEGER: _integer,
    Type.NUMBER: _number,
    Type.DURATION: _duration,
    Type.BOOLEAN: _boolean,
    Type.SEVERITY: _severity,
    Type.STATE: _state,
    Type.INCIDENT_TYPE: _incident_type,
}

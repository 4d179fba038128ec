"""A checked filter as a tree of values, and its canonical text. Every value in it has its field's type."""

import re
from dataclasses import dataclass
from enum import StrEnum

from llm_incident_manager.domain import time
from llm_incident_manager.domain.filter_fields import Field, Type
from llm_incident_manager.domain.severity import Severity


class Op(StrEnum):
    """How two values are compared."""

    EQ = "="
    NE = "!="
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="


@dataclass(frozen=True, slots=True)
class Path:
    """What is looked at: a field; of `labels` the value at `key`; of a list field any one item."""

    field: Field
    key: str | None = None

    @property
    def nullable(self) -> bool:
        """Whether an incident may lack it."""
        return self.field.nullable or self.key is not None


@dataclass(frozen=True, slots=True)
class Compare:
    """True when the path has a value that compares so; with an absent value it is false."""

    path: Path
    op: Op
    value: str | int | float


@dataclass(frozen=True, slots=True)
class Like:
    """True when the path's text has `text` at its start, at its end or, with both ends open, anywhere.

    With `fold` the text is folded and the case of ASCII letters ignored. An absent value is like nothing.
    """

    path: Path
    text: str
    open_start: bool
    open_end: bool
    fold: bool


@dataclass(frozen=True, slots=True)
class Present:
    """True when a time is set, a text or list is not empty, `labels` has any or this key."""

    path: Path


@dataclass(frozen=True, slots=True)
class Search:
    """True when title or description contain the text, which is folded, ignoring the case of ASCII letters."""

    text: str


@dataclass(frozen=True, slots=True)
class Not:
    """True when the part is false."""

    part: "Node"


@dataclass(frozen=True, slots=True)
class And:
    """True when all parts are."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """True when any part is."""

    parts: tuple["Node", ...]


Node = Compare | Like | Present | Search | Not | And | Or

_ASCII_LOWER = str.maketrans({chr(code): chr(code + 32) for code in range(ord("A"), ord("Z") + 1)})
_BARE_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_/-]*(?:\.[A-Za-z_][A-Za-z0-9_/-]*)*", re.ASCII)
_KEYWORDS = frozenset({"AND", "OR", "NOT"})
_UNPRINTABLE = re.compile(r"[\x01-\x1f\x7f]")


def fold(text: str) -> str:
    """The text with ASCII letters in lower case: the one folding that Python and both databases do alike."""
    return text.translate(_ASCII_LOWER)


def number_key(number: str) -> str:
    """What numbers of incidents are ordered by: INC-YYYYMMDD- as it is, then the rest as a number of ten digits."""
    return number[:13] + (number[13:].rjust(10, "0")[-10:] if len(number) > 13 else "")


def text_of(node: Node) -> str:
    """The canonical filter: it parses to an equal tree."""
    match node:
        case And(parts):
            return " AND ".join(f"({text_of(part)})" if isinstance(part, Or) else text_of(part) for part in parts)
        case Or(parts):
            return " OR ".join(f"({text_of(part)})" if isinstance(part, And) else text_of(part) for part in parts)
        case Not(part):
            return f"NOT ({text_of(part)})" if isinstance(part, And | Or | Not) else f"NOT {text_of(part)}"
    return _leaf(node)


def _leaf(node: Compare | Like | Present | Search) -> str:
    match node:
        case Search(text):
            return quoted(text)
        case Present(path):
            return f"{_path(path)}:*"
        case Compare(path, op, value):
            return _comparison(path, op, value)
        case Like():
            return _like(node)


def _comparison(path: Path, op: Op, value: str | float) -> str:
    if path.field.type is Type.LIST:
        return f"{_path(path)}:{quoted(str(value))}"
    return f"{_path(path)} {op} {_value(path.field.type, value)}"


def _value(type_: Type, value: str | float) -> str:
    if type_ is Type.TIME:
        return f'"{time.rfc3339(time.Instant(int(value)))}"'
    if type_ is Type.DURATION:
        micros = int(value)
        seconds, fraction = divmod(abs(micros), 1_000_000)
        return f'"{"-" if micros < 0 else ""}{seconds}.{fraction:06}s"'
    if type_ is Type.SEVERITY:
        return Severity(int(value)).name
    if type_ is Type.BOOLEAN:
        return "true" if value else "false"
    if type_ in {Type.STATE, Type.INCIDENT_TYPE}:
        return str(value)
    return quoted(value) if isinstance(value, str) else repr(value)


def _like(like: Like) -> str:
    loose = like.fold and like.open_start and like.open_end
    start, end = "*" * (like.open_start and not loose), "*" * (like.open_end and not loose)
    operator = ":" if like.fold or like.path.field.type is Type.LIST else " = "
    return f'{_path(like.path)}{operator}"{start}{_escaped(like.text)}{end}"'


def _path(path: Path) -> str:
    if path.key is None:
        return path.field.name
    bare = _BARE_KEY.fullmatch(path.key) and _KEYWORDS.isdisjoint(path.key.split("."))
    return f"{path.field.name}.{path.key if bare else quoted(path.key)}"


def quoted(text: str) -> str:
    """A text as a value of a filter, where nothing of it has a meaning of its own."""
    return f'"{_escaped(text)}"'


def _escaped(text: str) -> str:
    plain = text.replace("\\", "\\\\").replace('"', '\\"').replace("*", "\\*")
    return _UNPRINTABLE.sub(lambda found: f"\\x{ord(found.group()):02x}", plain)

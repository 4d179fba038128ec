"""Cuts a filter into tokens: words, texts in quotes, numbers, operators. Knows no fields and no grammar."""

import re
from dataclasses import dataclass
from enum import Enum, auto

from llm_incident_manager.domain.filter_errors import InvalidFilter


class Kind(Enum):
    """What sort of token it is."""

    WORD = auto()
    STRING = auto()
    NUMBER = auto()
    AND = auto()
    OR = auto()
    NOT = auto()
    MINUS = auto()
    COMPARATOR = auto()
    DOT = auto()
    COMMA = auto()
    OPEN = auto()
    CLOSE = auto()
    END = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a filter from `start` up to `end` (offsets from 0). `stars` are offsets in `text` of wildcards."""

    kind: Kind
    text: str
    start: int
    end: int
    stars: tuple[int, ...] = ()


_KEYWORDS = {"AND": Kind.AND, "OR": Kind.OR, "NOT": Kind.NOT}
_PUNCTUATION = {"-": Kind.MINUS, ".": Kind.DOT, ",": Kind.COMMA, "(": Kind.OPEN, ")": Kind.CLOSE}
_WORD_END = r"""(?=[\s()=!<>:,"]|$)"""
_PATTERNS = (
    (Kind.COMPARATOR, re.compile(r"<=|>=|!=|=|<|>|:")),
    (Kind.WORD, re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)" + _WORD_END, re.ASCII)),
    (Kind.NUMBER, re.compile(r"\d+(?:\.\d+)?(?:[eE][+-]?\d+)?" + _WORD_END, re.ASCII)),
    (Kind.WORD, re.compile(r"""[^\s()=!<>:,."'-][^\s()=!<>:,."]*""")),
)
_SPACE = re.compile(r"\s*")
_ESCAPE = re.compile(
    r"\\(?:([0-7]{3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([abfnrtv\\\"'*?`]))", re.ASCII
)
_SIMPLE = dict(zip("abfnrtv", "\a\b\f\n\r\t\v", strict=True))
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def tokens(source: str) -> tuple[Token, ...]:
    """All tokens of a filter, the last one END. Raises InvalidFilter for texts without end and stray characters."""
    found: list[Token] = []
    at = _skip(source, 0)
    while at < len(source):
        found.append(_next(source, at))
        at = _skip(source, found[-1].end)
    return (*found, Token(Kind.END, "", at, at))


def _skip(source: str, at: int) -> int:
    space = _SPACE.match(source, at)
    return space.end() if space else at


def _next(source: str, at: int) -> Token:
    first = source[at]
    if first in "\"'":
        return _string(source, at)
    if first in _PUNCTUATION:
        return Token(_PUNCTUATION[first], first, at, at + 1)
    for kind, pattern in _PATTERNS:
        found = pattern.match(source, at)
        if found:
            return _token(kind, found.group(), at)
    raise InvalidFilter(f"{first!r} has no meaning here; put text that contains it in double quotes", at + 1)


def _token(kind: Kind, text: str, at: int) -> Token:
    _refuse_unstorable(text, at)
    control = _CONTROL.search(text)
    if control:
        problem = f"the control character {control.group()!r} has no meaning here: put text with it in double quotes"
        raise InvalidFilter(problem, at + control.start() + 1)
    stars = tuple(n for n, letter in enumerate(text) if letter == "*") if kind is Kind.WORD else ()
    kind = _KEYWORDS.get(text, kind) if kind is Kind.WORD else kind
    return Token(kind, text, at, at + len(text), stars)


def _string(source: str, start: int) -> Token:
    quote, at = source[start], start + 1
    letters: list[str] = []
    stars: list[int] = []
    while at < len(source) and source[at] != quote:
        if source[at] == "\\":
            letter, at = _escaped(source, at)
        else:
            letter = source[at]
            stars += [len(letters)] if letter == "*" else []
            at += 1
        letters.append(letter)
    if at >= len(source):
        raise InvalidFilter(f"the text that starts here has no end: close it with {quote}", start + 1)
    text = "".join(letters)
    _refuse_unstorable(text, start)
    return Token(Kind.STRING, text, start, at + 1, tuple(stars))


def _escaped(source: str, at: int) -> tuple[str, int]:
    found = _ESCAPE.match(source, at)
    if found is None:
        raise InvalidFilter("unknown escape in a text: write \\\\ for a backslash", at + 1)
    octal, *hexes, simple = found.groups()
    if simple:
        return _SIMPLE.get(simple, simple), found.end()
    code = int(octal, 8) if octal else int(next(digits for digits in hexes if digits), 16)
    if code > 0x10FFFF:
        raise InvalidFilter("this escape names no character: the largest is \\U0010FFFF", at + 1)
    return chr(code), found.end()


def _refuse_unstorable(text: str, at: int) -> None:
    """No database stores NUL or half a surrogate pair, so no incident can hold them."""
    if _UNSTORABLE.search(text):
        raise InvalidFilter("a text holds a NUL or half a character: leave it out", at + 1)

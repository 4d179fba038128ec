"""Path templates of google.api.http: parsed strictly; their variables cut out of a raw path and percent-decoded.

Grammar: "/" segments [":" verb]; a segment is a literal, `*` (one), `**` (any number) or `{field.path=segments}`. It
knows no method and no message: router.py picks among templates, bindings.py gives them meaning.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from urllib.parse import unquote

from llm_incident_manager.domain.disposition import Violation
from llm_incident_manager.domain.errors import InvalidFields

ANY = "*"
DEEP = "**"

# What a path segment may hold, without the characters that templates give a meaning: ':', '*' and, in a variable, '='.
_IN_VARIABLE = re.compile(r"(?:[A-Za-z0-9\-_.~!$&'()+,;@]|%[0-9A-Fa-f]{2})+")
_LITERAL = re.compile(r"(?:[A-Za-z0-9\-_.~!$&'()+,;@=]|%[0-9A-Fa-f]{2})+")
# A colon begins a verb in the last segment only.
_INNER_LITERAL = re.compile(r"(?:[A-Za-z0-9\-_.~!$&'()+,;@=:]|%[0-9A-Fa-f]{2})+(?=/)")
_VERB_OF_VARIABLE = re.compile(r"(?:[A-Za-z0-9\-_.~!$&'()+,;@=:]|%[0-9A-Fa-f]{2})+")
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*")
_WILD = re.compile(r"\*\*?")
_RESERVED = "21|23|24|26|27|28|29|2[Aa]|2[Bb]|2[Cc]|2[Ff]|3[Aa]|3[Bb]|3[Dd]|3[Ff]|40|5[Bb]|5[Dd]"


class Unescape(Enum):
    """Which escapes stay as they are in a variable of several segments; its value finds them.

    google.api.http keeps the slash only, for an escaped one separates nothing. Other transcoders can be told otherwise.
    """

    EXCEPT_SLASH = "(%2[Ff])"
    EXCEPT_RESERVED = f"(%(?:{_RESERVED}))"
    ALL = "((?!))"


class TemplateError(ValueError):
    """A template breaks the grammar; the message quotes it and says what was expected where."""


class UndecodablePath(InvalidFields):
    """A path variable is not UTF-8 once its percent escapes are decoded."""

    def __init__(self, field: str, text: str) -> None:
        """`text` is the variable as sent."""
        message = f"{field} in the path must be UTF-8 once its escapes are decoded; got {text[:64]!r}"
        super().__init__([Violation(field, message, "input.format")])


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable and the template segments [start, end) it covers; `deep` if DEEP is among them."""

    field: str
    start: int
    end: int
    deep: bool


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed template. `segments` holds literals, ANY and at most one DEEP, after which come only literals."""

    text: str
    segments: tuple[str, ...]
    verb: str = ""
    variables: tuple[Variable, ...] = ()

    def bind(self, parts: Sequence[str], unescape: Unescape = Unescape.EXCEPT_SLASH) -> dict[str, str]:
        """The variables of a path that is known to match, decoded, by field path.

        Raises:
            UndecodablePath: an escape does not decode to UTF-8.
        """
        extra = len(parts) - len(self.segments)  # what DEEP takes beyond one segment; -1 when it takes none
        deep_at = self.segments.index(DEEP) if DEEP in self.segments else len(parts)
        bound: dict[str, str] = {}
        for v in self.variables:
            first, after = v.start + extra * (v.start > deep_at), v.end + extra * (v.end > deep_at)
            bound[v.field] = _decode(v, parts[first:after], unescape)
        return bound


def _decode(variable: Variable, covered: Sequence[str], unescape: Unescape) -> str:
    """One segment is decoded fully; among several some escapes stay."""
    text = "/".join(covered)
    if "%" not in text:
        return text
    single = variable.end - variable.start == 1 and not variable.deep
    pieces = [text] if single else re.split(unescape.value, text)
    try:
        return "".join(piece if number % 2 else unquote(piece, errors="strict") for number, piece in enumerate(pieces))
    except UnicodeDecodeError as e:
        raise UndecodablePath(variable.field, text) from e


def parse(text: str) -> Template:
    """Parses a template. Raises TemplateError."""
    return Template(text, ()) if text == "/" else _Parser(text).template()


class _Parser:
    """Reads a template once, left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.segments: list[str] = []
        self.variables: list[Variable] = []

    def template(self) -> Template:
        self._expect("/")
        self._path()
        after_variable = self.text[self.at - 1] == "}"
        verb = self._match(_VERB_OF_VARIABLE if after_variable else _LITERAL, "a verb") if self._take(":") else ""
        if self.at < len(self.text):
            raise self._error("'/', a verb or the end")
        return Template(self.text, tuple(self.segments), verb, tuple(self.variables))

    def _path(self) -> None:
        """Segments separated by slashes, variables among them."""
        self._segment()
        while self._take("/"):
            self._segment()

    def _segment(self) -> None:
        if self._take("{"):
            self._variable()
        elif inner := _INNER_LITERAL.match(self.text, self.at):
            self.at = inner.end()
            self._add(inner.group())
        else:
            self._plain(_LITERAL)

    def _variable(self) -> None:
        field = self._match(_FIELD, "a field path")
        if any(field == other.field for other in self.variables):
            raise self._error(f"a field other than {field!r}, which is bound already")
        start = len(self.segments)
        if self._take("="):
            self._plain(_IN_VARIABLE)
            while self._take("/"):
                self._plain(_IN_VARIABLE)
        else:
            self._add(ANY)
        self._expect("}")
        deep = DEEP in self.segments[start:]
        self.variables.append(Variable(field, start, len(self.segments), deep))

    def _plain(self, literal: re.Pattern[str]) -> None:
        """A wildcard or a literal."""
        wild = _WILD.match(self.text, self.at)
        self._add(self._match(_WILD, "*") if wild else self._match(literal, "a literal, '*', '**' or '{'"))

    def _add(self, segment: str) -> None:
        if segment in (ANY, DEEP) and DEEP in self.segments:
            raise self._error("only literals after '**'")
        self.segments.append(segment)

    def _match(self, pattern: re.Pattern[str], expected: str) -> str:
        found = pattern.match(self.text, self.at)
        if not found:
            raise self._error(expected)
        self.at = found.end()
        return found.group()

    def _take(self, char: str) -> bool:
        taken = self.text.startswith(char, self.at)
        self.at += taken
        return taken

    def _expect(self, char: str) -> None:
        if not self._take(char):
            raise self._error(repr(char))

    def _error(self, expected: str) -> TemplateError:
        return TemplateError(f"path template {self.text!r}: expected {expected} at position {self.at}")

"""Path templates of google.api.http: parsed strictly; their variables cut out of a raw path and percent-decoded.

Grammar: "/" segments [":" verb]; a segment is a literal, `*` (one), `**` (any number) or `{field.path=segments}`. It
knows no method and no message: router.py picks among templates, bindings.py gives them meaning.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from llm_incident_manager.domain.disposition import Violation
from llm_incident_manager.domain.errors import InvalidFields

ANY = "*"
DEEP = "**"

# What a path segment may hold, without the characters that templates give a meaning: ':', '*' and '='.
_LITERAL = re.compile(r"(?:[A-Za-z0-9\-_.~!$&'()+,;@]|%[0-9A-Fa-f]{2})+")
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*")
_WILD = re.compile(r"\*\*?")
_ESCAPED_SLASH = re.compile("(%2[Ff])")


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

    def bind(self, parts: Sequence[str]) -> dict[str, str]:
        """The variables of a path that is known to match, decoded, by field path.

        Raises:
            UndecodablePath: an escape does not decode to UTF-8.
        """
        extra = len(parts) - len(self.segments)  # what DEEP takes beyond one segment; -1 when it takes none
        deep_at = self.segments.index(DEEP) if DEEP in self.segments else len(parts)
        return {
            v.field: _decode(v, parts[v.start + extra * (v.start > deep_at) : v.end + extra * (v.end > deep_at)])
            for v in self.variables
        }


def _decode(variable: Variable, covered: Sequence[str]) -> str:
    """One segment is decoded fully; among several an escaped slash stays escaped, for it separates nothing."""
    text = "/".join(covered)
    if "%" not in text:
        return text
    pieces = [text] if variable.end - variable.start == 1 and not variable.deep else _ESCAPED_SLASH.split(text)
    try:
        return "".join(
            piece if len(pieces) > 1 and _ESCAPED_SLASH.fullmatch(piece) else unquote(piece, errors="strict")
            for piece in pieces
        )
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
        verb = self._literal("a verb") if self._take(":") else ""
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
        else:
            self._plain()

    def _variable(self) -> None:
        field = self._match(_FIELD, "a field path")
        if any(field == other.field for other in self.variables):
            raise self._error(f"a field other than {field!r}, which is bound already")
        start = len(self.segments)
        if self._take("="):
            self._plain()
            while self._take("/"):
                self._plain()
        else:
            self._add(ANY)
        self._expect("}")
        deep = DEEP in self.segments[start:]
        self.variables.append(Variable(field, start, len(self.segments), deep))

    def _plain(self) -> None:
        """A wildcard or a literal."""
        wild = _WILD.match(self.text, self.at)
        self._add(self._match(_WILD, "*") if wild else self._literal("a literal, '*', '**' or '{'"))

    def _add(self, segment: str) -> None:
        if segment in (ANY, DEEP) and DEEP in self.segments:
            raise self._error("only literals after '**'")
        self.segments.append(segment)

    def _literal(self, expected: str) -> str:
        return self._match(_LITERAL, expected)

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

"""Translates a schema's regular expression (RE2 syntax) into a Python one that matches exactly the same strings.

Only the part of the syntax on which the two agree is taken; anything else is refused when the checker compiles. It
never guesses: a pattern that compiles means the same in every language that reads the schema.
"""

import re

from llm_incident_manager.transport.checker.rules import UncheckableRule

_LITERAL_ESCAPES = frozenset(r"\.+*?()|[]{}^$-/")
_CLASS_ESCAPES = frozenset("dDwWnrtfv")
_QUANTIFIERS = "*+?{"


def compile_pattern(pattern: str, where: str) -> re.Pattern[str]:
    """The compiled Python equivalent; use its `search`. Raises UncheckableRule for syntax that is not shared."""
    translator = _Translator(pattern, where)
    try:
        return re.compile(translator.run(), re.ASCII)
    except re.error as e:
        raise translator.refuse(str(e)) from e


class _Translator:
    """Walks the pattern once, left to right."""

    def __init__(self, pattern: str, where: str) -> None:
        self.pattern, self.where, self.at = pattern, where, 0

    def refuse(self, why: str) -> UncheckableRule:
        return UncheckableRule(self.where, f"pattern {self.pattern!r}", f"{why} at position {self.at}")

    def run(self) -> str:
        out = []
        while self.at < len(self.pattern):
            out.append(self._piece())
        return "".join(out)

    def _take(self) -> str:
        taken = self.pattern[self.at]
        self.at += 1
        return taken

    def _piece(self) -> str:
        match self._take():
            case "\\":
                return self._escape()
            case "[":
                return self._class()
            case "(":
                return self._group()
            case "$":
                return r"\Z"  # Python's $ also matches before a final newline
            case "*" | "+" | "?" | "{" as quantifier:
                return self._quantifier(quantifier)
            case plain:
                return plain

    def _escape(self) -> str:
        if self.at == len(self.pattern) or self.pattern[self.at] not in _LITERAL_ESCAPES | _CLASS_ESCAPES:
            raise self.refuse("an escape that regular expression languages disagree on")
        return "\\" + self._take()

    def _group(self) -> str:
        if self.pattern.startswith("?", self.at) and not self.pattern.startswith("?:", self.at):
            raise self.refuse("only (…) and (?:…) groups are portable")
        if self.pattern.startswith("?:", self.at):
            self.at += 2
            return "(?:"
        return "("

    def _quantifier(self, first: str) -> str:
        bounds = re.compile(r"\d{1,3}(,\d{0,3})?\}").match(self.pattern, self.at)
        if first == "{" and not bounds:
            raise self.refuse("write a literal brace as \\{")
        if first == "{" and bounds:
            self.at = bounds.end()
            first += bounds.group()
        lazy = self._take() if self.pattern.startswith("?", self.at) else ""
        if self.at < len(self.pattern) and self.pattern[self.at] in _QUANTIFIERS:
            raise self.refuse("a quantifier after a quantifier")
        return first + lazy

    def _class(self) -> str:
        out = "["
        if self.pattern.startswith("^", self.at):
            out += self._take()
        first = True
        while self.at < len(self.pattern):
            taken = self._take()
            if taken == "]" and not first:
                return out + "]"
            if taken in "[]" or self.pattern.startswith(("&&", "||", "~~", "--"), self.at - 1):
                raise self.refuse("escape brackets and doubled signs inside a character class")
            out += self._escape() if taken == "\\" else taken
            first = False
        raise self.refuse("an unclosed character class")

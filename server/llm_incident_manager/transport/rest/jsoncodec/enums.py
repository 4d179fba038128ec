"""Spellings of enum values: out without the type's prefix, in under any case, with or without it. Stateless tables."""

import functools
import re
from collections.abc import Mapping

from google.protobuf.descriptor import EnumDescriptor

from llm_incident_manager.transport.rest.jsoncodec.problems import Rule, Unacceptable, wrong

_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SEPARATORS = re.compile(r"[\s_\-.]+")


class AmbiguousEnum(Exception):
    """Two values of an enum are spelled alike once case, prefix and separators are taken away."""


class Spelling:
    """The names of one enum."""

    def __init__(self, enum: EnumDescriptor) -> None:
        """Raises AmbiguousEnum if two values could not be told apart."""
        prefix = _WORD.sub("_", enum.name).upper() + "_"
        self.names: Mapping[int, str] = {
            value.number: _short(value.name, prefix) for value in reversed(enum.values)
        }  # reversed, so that of aliases the first declared is printed
        self._numbers: dict[str, int] = {}
        for value in enum.values:
            for spelled in (value.name, _short(value.name, prefix)):
                key = _key(spelled)
                if self._numbers.setdefault(key, value.number) != value.number:
                    raise AmbiguousEnum(f"{enum.full_name}: two values are spelled {key!r}")
        self._exact = {**self._numbers, **{name: number for number, name in self.names.items()}}

    def number(self, value: object) -> int:
        """The number of a value given as a name in any spelling, or as a number. Raises Unacceptable."""
        if isinstance(value, str):
            found = self._exact.get(value)
            if found is None:
                found = self._numbers.get(_key(value))
            if found is not None:
                return found
        elif isinstance(value, int) and not isinstance(value, bool) and value in self.names:
            return value
        raise self._unknown(value)

    def from_text(self, text: str) -> int:
        """The same of a parameter, where a number is text as well. Raises Unacceptable."""
        bare = text.removeprefix("-")
        return self.number(int(text) if bare.isascii() and bare.isdigit() and len(bare) < 11 else text)

    def _unknown(self, value: object) -> Unacceptable:
        return wrong(Rule.ENUM, f"be one of {', '.join(self.names[n] for n in sorted(self.names))}", value)


@functools.cache
def spelling(enum: EnumDescriptor) -> Spelling:
    """The one Spelling of an enum. Raises AmbiguousEnum."""
    return Spelling(enum)


def _short(name: str, prefix: str) -> str:
    """The name without prefix, unless what is left would be no name."""
    short = name.removeprefix(prefix)
    return short if short[:1].isalpha() else name


def _key(spelled: str) -> str:
    return _SEPARATORS.sub("", spelled).lower()

"""Words: what a text consists of, and what a search wants. Both databases are given these words and make none. Pure."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from llm_incident_manager.domain.filter_errors import InvalidFilter, shown

MOST_WORDS = 16
"""Words a search may have."""
SHORTEST_START = 2
"""Letters that a star needs before it."""

_LONGEST = 40  # characters of a word; what is longer is an id or an encoding, which its beginning tells apart
_MOST_OF_DOCUMENT = 2_000  # different words that are kept of an incident
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Words:
    """What a search wants: every one of these words, and with `start` one word that begins so.

    `begun` is for stores: all words that begin with `start`, once they are known and few.
    """

    all_of: tuple[str, ...]
    start: str = ""
    begun: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Searches of equal meaning in equal words."""
        return " ".join([*self.all_of, f"{self.start}*"] if self.start else self.all_of)


def words_of(text: str) -> list[str]:
    """The words of a text in their order: runs of letters and digits, without case and accents."""
    if not text.isascii():
        parts = unicodedata.normalize("NFKD", text.casefold())
        text = "".join(each for each in parts if not unicodedata.combining(each))
    return [word[:_LONGEST] for word in _WORD.findall(text.lower())]


def document(title: str, description: str, labels: Mapping[str, str], notes: Iterable[str]) -> list[str]:
    """The different words by which an incident is found."""
    texts = (title, description, *labels, *labels.values(), *notes)
    found = dict.fromkeys(word for text in texts for word in words_of(text))
    return list(found)[:_MOST_OF_DOCUMENT]


def parse(text: str) -> Words:
    """What a text searches for. Raises InvalidFilter with position and remedy."""
    text = text.rstrip()
    starred = text.endswith("*")
    found = words_of(text)
    if (at := text.find("*")) >= 0 and (at < len(text) - 1 or not (found and text[-2:-1].isalnum())):
        raise _invalid("a star stands right behind the last word, for words that begin so", at)
    if not found:
        raise _invalid(f"{shown(text)} has no word: give letters or digits", 0)
    if len(found) > MOST_WORDS:
        raise _invalid(f"{len(found)} words are too many: give at most {MOST_WORDS}", 0)
    start = found.pop() if starred else ""
    if starred and len(start) < SHORTEST_START:
        raise _invalid(f"{shown(start + '*')} is too short: give at least {SHORTEST_START} letters before the star", 0)
    return Words(tuple(dict.fromkeys(found)), start)


def _invalid(problem: str, at: int) -> InvalidFilter:
    return InvalidFilter(problem, at + 1, source="search")

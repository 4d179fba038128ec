"""Says what is wrong with a configuration. Each problem names the key, its value, its origin and the remedy."""

import json
from collections.abc import Sequence
from typing import NamedTuple

_MOST_SHOWN = 120


class Problem(NamedTuple):
    """One thing to put right. `value` is ready to be shown: quoted, cut, or hidden when it is a secret."""

    key: str
    value: str
    origin: str
    remedy: str

    def __str__(self) -> str:
        """One line for people."""
        what = f"{self.key} = {self.value}" if self.value else self.key
        where = f" (from {self.origin})" if self.origin else ""
        return f"{what}{where}: {self.remedy}"


class ConfigError(Exception):
    """The configuration cannot be used; the server does not start."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Takes at least one problem; the message has a line for each."""
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


def shown(value: object) -> str:
    """A value as it stands in a message: JSON where possible, one line, not too long."""
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"

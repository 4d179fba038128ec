"""Contexts: servers a person works with, kept under names in one file that only its owner can read.

A context holds no secret, only the paths of files that do.
"""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from llm_incident_manager.cli.failures import BadUsage

FILE_VARIABLE = "LLM_IM_CONTEXTS"
CONTEXT_VARIABLE = "LLM_IM_CONTEXT"


@dataclass(frozen=True, slots=True)
class Context:
    """How to reach one server and how to look at it; what is empty keeps its default.

    `ca`, `certificate` and `key` are paths of PEM files, `api_key_file` and `token_file` those of files with an API key
    or a bearer token. `login` asks the `issuer` for one as `client_id`, for a `scope` and an `audience` if given.
    """

    address: str
    ca: str = ""
    certificate: str = ""
    key: str = ""
    server_name: str = ""
    api_key_file: str = ""
    token_file: str = ""
    issuer: str = ""
    client_id: str = ""
    scope: str = ""
    audience: str = ""
    actor: str = ""
    time_zone: str = ""
    output: str = ""

    @property
    def all_facts(self) -> dict[str, str]:
        """Everything by name."""
        return asdict(self)

    @property
    def facts(self) -> dict[str, str]:
        """What is not empty, by name."""
        return {name: value for name, value in asdict(self).items() if value}


@dataclass(slots=True)
class Book:
    """Everything in the file. `current` is used when a command names no context."""

    contexts: dict[str, Context] = field(default_factory=dict)
    current: str = ""

    def named(self, name: str) -> Context:
        """The context of that name. Raises BadUsage, naming the known ones."""
        if name not in self.contexts:
            known = ", ".join(sorted(self.contexts)) or "none yet; make one with `context add NAME --address HOST:PORT`"
            raise BadUsage(f"context {name!r} is not known; known: {known}")
        return self.contexts[name]


def path(environment: Mapping[str, str]) -> Path:
    """Where the file is: LLM_IM_CONTEXTS, or contexts.yaml in the user's configuration directory."""
    if given := environment.get(FILE_VARIABLE):
        return Path(given)
    base = environment.get("XDG_CONFIG_HOME") or str(Path(environment.get("HOME") or "~").expanduser() / ".config")
    return Path(base) / "llm-incident-manager" / "contexts.yaml"


def load(file: Path) -> Book:
    """The contexts of a file; none when there is no such file. Raises BadUsage for one that cannot be understood."""
    from llm_incident_manager.config import documents

    if not file.exists():
        return Book()
    try:
        given = documents.read(file)
    except documents.Unreadable as wrong:
        raise BadUsage(f"{file}: {wrong}") from None
    given = {} if given is None else given
    if not isinstance(given, dict) or given.keys() - {"current", "contexts"}:
        raise BadUsage(f"{file}: has to hold `contexts` and `current` and nothing else; correct it or remove it")
    contexts = {str(name): _context(file, str(name), facts) for name, facts in (given.get("contexts") or {}).items()}
    return Book(contexts, str(given.get("current") or ""))


def save(file: Path, book: Book) -> None:
    """Writes the file as a whole or not at all, readable by its owner alone. Raises OSError."""
    from llm_incident_manager.config import documents

    facts = {"current": book.current, "contexts": {name: one.facts for name, one in sorted(book.contexts.items())}}
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=file.parent)  # only its owner may read what mkstemp makes
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(documents.text(facts))
        Path(temporary).replace(file)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _context(file: Path, name: str, facts: object) -> Context:
    known = {one.name for one in fields(Context)}
    if not isinstance(facts, dict) or not facts.get("address") or facts.keys() - known:
        raise BadUsage(
            f"{file}: context {name!r} needs an address, and may have {', '.join(sorted(known))}; correct it"
        )
    return Context(**{key: str(value) for key, value in facts.items()})

"""The secret that API keys are digested with: from the settings, or made once beside the embedded database."""

import os
import secrets
from pathlib import Path

from llm_incident_manager.config import Settings
from llm_incident_manager.config.identity_sections import SHORTEST_PEPPER

FILE = "api-key-pepper"
_BYTES = 32


class PepperRefused(Exception):
    """There is no pepper to go by. The message says what was found and what to do; the start ends here."""


def draw(size: int) -> bytes:
    """So many bytes that nobody can guess."""
    return secrets.token_bytes(size)


def load(settings: Settings) -> bytes | None:
    """The pepper; None where several processes would need the same one and nobody has given it. The directory of the
    embedded database must exist. Raises PepperRefused."""
    given = settings.identity.api_keys
    if given.pepper is not None:
        return given.pepper.get_secret_value().encode()
    if given.pepper_file is not None:
        return _read(given.pepper_file)
    if settings.storage.type == "memory":
        return draw(_BYTES)
    if settings.storage.type == "postgresql":
        return None
    return _own(settings.storage.path / FILE)


def _own(file: Path) -> bytes:
    try:
        _make(file)
    except FileExistsError:
        pass
    except OSError as error:
        raise PepperRefused(f"{file} cannot be made ({error.strerror}): let this program write there") from error
    pepper = _read(file)
    if os.name == "posix" and file.stat().st_mode & 0o077:
        raise PepperRefused(f"others can read {file}: chmod 600 {file}, and make new API keys if they may have")
    return pepper


def _make(file: Path) -> None:
    """Whole, and on the disk, or not at all."""
    part = file.with_name(f"{FILE}.part")
    part.unlink(missing_ok=True)
    if file.exists():
        raise FileExistsError
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as target:
        target.write(f"{draw(_BYTES).hex()}\n")
        target.flush()
        os.fsync(target.fileno())
    part.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _read(file: Path) -> bytes:
    try:
        text = file.read_bytes().strip()
    except OSError as error:
        remedy = "name a file that this program can read, or take it from a backup"
        raise PepperRefused(
            f"the pepper of API keys cannot be read from {file} ({error.strerror}): {remedy}"
        ) from error
    if len(text) < SHORTEST_PEPPER:
        remedy = f"it needs {SHORTEST_PEPPER} characters nobody can guess: openssl rand -hex 32 > {file}"
        raise PepperRefused(f"the pepper of API keys in {file} is too short: {remedy}")
    return text

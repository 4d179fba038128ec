"""Kinds of values that settings hold: severities in any spelling, secrets, ports, durations."""

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, SecretStr

from llm_incident_manager.config.problems import shown
from llm_incident_manager.domain import roles
from llm_incident_manager.domain.severity import Severity, normalise

MIB = 1024 * 1024
MASK = "**********"


class Section(BaseModel):
    """A frozen part of the settings that knows all its keys. The docstring of a field is its entry in the manual."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


def _severity(value: object) -> object:
    if not isinstance(value, str):
        return value
    known = normalise(value)
    if known is None:
        raise ValueError("give P0 to P4, or critical, high, medium, low or info")
    return known


def _level(value: object) -> object:
    word = value.strip().lower() if isinstance(value, str) else value
    return {"warn": "warning", "trace": "debug", "err": "error"}.get(word, word) if isinstance(word, str) else word


def _roles(value: object) -> object:
    """Words in a list, or in one text with commas between them; each role once and in the order that roles have."""
    words = value.split(",") if isinstance(value, str) else value
    if not isinstance(words, list | tuple):
        return value
    wanted = [str(word).strip().lower() for word in words]
    known = ", ".join(roles.ALL)
    if not any(wanted):
        raise ValueError(f"a process without a role does nothing: give some of {known}")
    for word in wanted:
        if word not in roles.ALL:
            raise ValueError(f"there is no role {shown(word)}: give some of {known}")
    return tuple(role for role in roles.ALL if role in wanted)


def _without_credentials(secret: SecretStr | None) -> str | None:
    """The URL with user, password and parameters masked, so that an operator still sees which database it is."""
    if secret is None:
        return None
    parts = urlsplit(secret.get_secret_value())
    if not parts.scheme or not parts.netloc:
        return MASK
    _, at, host = parts.netloc.rpartition("@")
    return f"{parts.scheme}://{MASK if at else ''}{at}{host}{parts.path}{'?' + MASK if parts.query else ''}"


def _only_host(secret: SecretStr | None) -> str | None:
    """The URL without its path, which is the secret of many webhooks."""
    if secret is None:
        return None
    parts = urlsplit(secret.get_secret_value())
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/{MASK}" if parts.netloc else MASK


SeverityWord = Annotated[Severity, BeforeValidator(_severity), PlainSerializer(lambda severity: severity.name)]
Level = BeforeValidator(_level)
Roles = Annotated[tuple[roles.Role, ...], BeforeValidator(_roles)]
ConnectionString = Annotated[SecretStr, PlainSerializer(_without_credentials)]
WebhookUrl = Annotated[SecretStr, PlainSerializer(_only_host)]
FilePath = Annotated[Path, PlainSerializer(str)]
Port = Annotated[int, Field(ge=0, le=65_535)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
Bytes = Annotated[int, Field(ge=1024, le=256 * MIB)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
Ratio = Annotated[float, Field(ge=0, le=1)]

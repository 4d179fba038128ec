"""How output looks: which format, which time zone, whether in colour. Decisions only; prints nothing."""

import zoneinfo
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from enum import StrEnum

from llm_incident_manager.cli.failures import BadUsage


class Output(StrEnum):
    """Formats: a table for people, the others for programs."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"
    CSV = "csv"


class Colour(StrEnum):
    """When to colour."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


def coloured(choice: Colour, environment: Mapping[str, str], *, terminal: bool) -> bool:
    """Whether to write colours. NO_COLOR (https://no-color.org) goes before FORCE_COLOR; empty ones are not set."""
    if choice is not Colour.AUTO:
        return choice is Colour.ALWAYS
    if environment.get("NO_COLOR") or environment.get("TERM") == "dumb":
        return False
    return terminal or bool(environment.get("FORCE_COLOR"))


def zone(name: str) -> tzinfo | None:
    """The time zone of a name such as Europe/Berlin; UTC for an empty one, None for `local`. Raises BadUsage."""
    if name.lower() == "local":
        return None
    if not name or name.upper() == "UTC":
        return UTC
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        hint = "give UTC, local, or a name of the IANA database such as Europe/Berlin"
        raise BadUsage(f"time zone {name!r} is not known here: {hint}") from None


def moment(utc: datetime, where: tzinfo | None) -> str:
    """A time to the second as a clock of that zone shows it (None: of this machine), with Z or its offset."""
    text = utc.replace(tzinfo=UTC).astimezone(where).isoformat(" ", "seconds")
    return text.removesuffix("+00:00") + "Z" if where is UTC else text

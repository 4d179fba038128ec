"""Who gets in: which credentials count, what API keys are digested with, and how often one may be wrong."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BeforeValidator, SecretStr

from llm_incident_manager.config.issuers import Issuer
from llm_incident_manager.config.problems import Problem
from llm_incident_manager.config.values import Count, FilePath, Seconds, Section

SHORTEST_PEPPER = 32
"""Characters of a pepper: 128 bits in hexadecimal digits."""


def _words(value: object) -> object:
    return tuple(word.strip() for word in value.split(",") if word.strip()) if isinstance(value, str) else value


Order = Annotated[tuple[Literal["mtls", "api_key", "jwt"], ...], BeforeValidator(_words)]


class ApiKeys(Section):
    """API keys."""

    pepper: SecretStr | None = None
    """Secret that API keys are digested with, at least 32 characters and the same in all processes; without one the
    embedded database has its own in `storage.path`/api-key-pepper, and on postgresql there are no API keys."""
    pepper_file: FilePath | None = None
    """A file with it."""


class Lockout(Section):
    """What many wrong credentials lead to."""

    failures: Count = 30
    """So many guesses of one address (IPv6: of its /64) lock out whoever has not called so before; so many at one API
    key, from anywhere, slow further ones down, but not who has the right one."""
    window_secs: Seconds = 60.0
    """Within so long."""
    pause_secs: Seconds = 60.0
    """For so long."""


class Identity(Section):
    """Who gets in."""

    required: bool = False
    """Refuse whoever shows no credential. A credential that is shown is looked at in any case."""
    allow_anonymous: bool = False
    """Serve whoever reaches the server without asking who it is, also on addresses that are not loopback."""
    order: Order = ("api_key", "jwt", "mtls")
    """Which of several credentials of a call counts: the first of these; one left out never does."""
    api_keys: ApiKeys = ApiKeys()
    issuers: tuple[Issuer, ...] = ()
    """Whose bearer tokens count."""
    lockout: Lockout = Lockout()


def conflicts(identity: Identity) -> Iterator[Problem]:
    """What single values cannot show."""
    pepper = identity.api_keys.pepper
    if pepper is not None and identity.api_keys.pepper_file is not None:
        yield Problem("identity.api_keys.pepper", "(hidden)", "", "pepper_file is given as well: give one of them")
    if pepper is not None and len(pepper.get_secret_value()) < SHORTEST_PEPPER:
        remedy = f"give at least {SHORTEST_PEPPER} characters nobody can guess: openssl rand -hex 32"
        yield Problem("identity.api_keys.pepper", "(hidden)", "", remedy)
    if len(set(identity.order)) < len(identity.order):
        yield Problem("identity.order", ",".join(identity.order), "", "name each kind once")

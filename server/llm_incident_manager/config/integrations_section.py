"""The services beside the manager that it asks about their incidents, and when destinations are not called any more."""

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from llm_incident_manager.config.outbound_section import Outbound
from llm_incident_manager.config.problems import Problem, shown
from llm_incident_manager.config.values import Count, FilePath, Section
from llm_incident_manager.domain.analysis import Service
from llm_incident_manager.domain.destinations import is_loopback

_TARGET = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\s:/@\[\]]+)):([0-9]{1,5})\Z")


def split(target: str) -> tuple[str, int]:
    """Host and port of a target. Raises ValueError."""
    found = _TARGET.match(target)
    if found is None or not 0 < int(found[3]) < 65_536:
        raise ValueError("give host:port, such as sentinel.internal:50051 or [fd00::7]:50051, without a scheme")
    return found[1] or found[2], int(found[3])


def _target(value: str) -> str:
    if value:
        split(value)
    return value


Target = Annotated[str, AfterValidator(_target)]


class Integration(Section):
    """A service that is asked by gRPC."""

    target: Target = ""
    """`host:port` of the service; nobody is asked without. `outbound` says where it may lead."""
    sources: tuple[str, ...] = ()
    """Sources of events whose incidents it is asked about."""
    timeout_secs: Annotated[float, Field(gt=0, le=30)] = 30.0
    """Time one question may take, at most 30."""
    tls: bool = True
    """Speak TLS with it; without, only on this machine or when no credentials are given."""
    ca: FilePath | None = None
    """PEM file of the authorities that its certificate is held against; the system's unless given."""
    certificate_file: FilePath | None = None
    """PEM file of the certificate by which the manager is known there."""
    key_file: FilePath | None = None
    """PEM file of its key."""
    api_key: SecretStr | None = None
    """Sent as `x-api-key`."""
    token: SecretStr | None = None
    """Sent as `authorization: Bearer …`."""


class Sentinel(Integration):
    """Judges anomalies."""

    sources: tuple[str, ...] = ("llm-sentinel", "sentinel")
    """Sources of events whose incidents it is asked about."""


class Shield(Integration):
    """Judges threats and risks, and plans against them."""

    sources: tuple[str, ...] = ("llm-shield", "shield")
    """Sources of events whose incidents it is asked about."""


class Governance(Integration):
    """Judges controls."""

    sources: tuple[str, ...] = ("llm-governance-core", "llm-governance", "governance")
    """Sources of events whose incidents it is asked about."""
    frameworks: tuple[str, ...] = ()
    """Frameworks to look at, for instance GDPR; all that apply when empty."""


class Integrations(Section):
    """The services beside the manager, asked after an incident of theirs was opened, and whenever somebody wants it."""

    sentinel: Sentinel = Sentinel()
    shield: Shield = Shield()
    governance: Governance = Governance()
    apply_severity: bool = False
    """Let a severity that a service recommends raise the incident's; it is told in any case, and never lowers it."""
    max_attempts: Annotated[int, Field(ge=1, le=50)] = 5
    """Attempts before a question is given up and kept as a dead letter."""
    base_delay_secs: Annotated[float, Field(gt=0, le=3_600)] = 5.0
    """Wait before the second attempt; doubles with each further one, up to an hour."""

    def by_service(self) -> dict[Service, Integration]:
        """Those that are asked."""
        found: dict[Service, Integration] = {
            Service.SENTINEL: self.sentinel,
            Service.SHIELD: self.shield,
            Service.GOVERNANCE: self.governance,
        }
        return {service: each for service, each in found.items() if each.target}


class Breaker(Section):
    """When a channel, or a service that is asked, is not called any more. What is held back uses up no attempt."""

    failures: Count = 5
    """Failures in a row after which it is not called."""
    open_secs: Annotated[float, Field(gt=0, le=3_600)] = 60.0
    """Time until it is tried again, one call at a time."""
    successes: Count = 2
    """Successes in a row after which it is called as before."""


def conflicts(integrations: Integrations, outbound: Outbound) -> Iterator[Problem]:
    """Targets that cannot be asked, and credentials that cannot be used or that anybody could read."""
    taken: dict[str, str] = {}
    for service, each in integrations.by_service().items():
        key = f"integrations.{service}"
        host, _ = split(each.target)
        if remedy := outbound.remedy(host):
            yield Problem(f"{key}.target", shown(each.target), "", remedy)
        yield from _credentials(key, each, host)
        for source in map(str.lower, each.sources):
            if (other := taken.setdefault(source, key)) != key:
                yield Problem(f"{key}.sources", shown(source), "", f"{other} has this source as well: leave one out")


def _credentials(key: str, each: Integration, host: str) -> Iterator[Problem]:
    if (each.certificate_file is None) != (each.key_file is None):
        yield Problem(f"{key}.certificate_file", shown(str(each.certificate_file)), "", "give both, or none of them")
    if each.tls:
        return
    if each.certificate_file is not None or each.ca is not None:
        yield Problem(f"{key}.tls", shown(each.tls), "", "certificates are for TLS: set it to true, or leave them out")
    if (each.api_key is not None or each.token is not None) and not is_loopback(host):
        remedy = "credentials would cross the network in clear text: set it to true, or leave them out"
        yield Problem(f"{key}.tls", shown(each.tls), "", remedy)

"""The services beside the manager, asked by gRPC: built from the settings."""

from collections.abc import Mapping
from contextlib import AsyncExitStack

from llm_incident_manager.adapters.integrations.asking import GrpcConsultant
from llm_incident_manager.adapters.integrations.line import Credentials, Line
from llm_incident_manager.adapters.integrations.messages import Frames
from llm_incident_manager.config import Settings
from llm_incident_manager.config.integrations_section import Governance, Integration, split
from llm_incident_manager.domain.analysis import Service
from llm_incident_manager.ports.consultant import Consultant
from llm_incident_manager.ports.outbound import Addresses


def build(
    settings: Settings, addresses: Addresses, frames: Frames, stack: AsyncExitStack
) -> Mapping[Service, Consultant]:
    """Those with a target, closed by the stack; nothing is connected yet."""
    found: dict[Service, Consultant] = {}
    for service, each in settings.integrations.by_service().items():
        line = Line(split(each.target), service, addresses, _credentials(each), settings.outbound.max_response_bytes)
        frameworks = each.frameworks if isinstance(each, Governance) else ()
        found[service] = GrpcConsultant(service, line, frames, each.timeout_secs, frameworks)
        stack.push_async_callback(found[service].close)
    return found


def _credentials(each: Integration) -> Credentials:
    metadata: list[tuple[str, str]] = []
    if each.api_key is not None:
        metadata.append(("x-api-key", each.api_key.get_secret_value()))
    if each.token is not None:
        metadata.append(("authorization", f"Bearer {each.token.get_secret_value()}"))
    return Credentials(each.tls, each.ca, each.certificate_file, each.key_file, tuple(metadata))

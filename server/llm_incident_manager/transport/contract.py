"""The contract as this server keeps it: a checker and a handler for every method. A missing one stops the start."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from incidentmanager.v1 import event_pb2

from llm_incident_manager.domain.disposition import Violation
from llm_incident_manager.transport import methods
from llm_incident_manager.transport.checker import compile_checker
from llm_incident_manager.transport.dispatch import Glance, Streaming
from llm_incident_manager.transport.handlers import reception
from llm_incident_manager.transport.handlers.access import AccessHandlers
from llm_incident_manager.transport.handlers.agents import AgentHandlers
from llm_incident_manager.transport.handlers.analyses import AnalysisHandlers
from llm_incident_manager.transport.handlers.analytics import AnalyticsHandlers
from llm_incident_manager.transport.handlers.api_keys import ApiKeyHandlers
from llm_incident_manager.transport.handlers.audit import AuditHandlers
from llm_incident_manager.transport.handlers.bus_status import BusHandlers
from llm_incident_manager.transport.handlers.dead_letters import DeadLetterHandlers
from llm_incident_manager.transport.handlers.governance import GovernanceHandlers
from llm_incident_manager.transport.handlers.incidents import IncidentHandlers
from llm_incident_manager.transport.handlers.inferences import InferenceHandlers
from llm_incident_manager.transport.handlers.ingest import IngestHandlers
from llm_incident_manager.transport.handlers.merges import MergeHandlers
from llm_incident_manager.transport.handlers.relations import RelationHandlers
from llm_incident_manager.transport.handlers.roles import RoleHandlers
from llm_incident_manager.transport.handlers.services import Services
from llm_incident_manager.transport.handlers.sets import SetHandlers
from llm_incident_manager.transport.handlers.socket_events import SocketEvents
from llm_incident_manager.transport.handlers.tenants import TenantHandlers

_SUBMIT = "incidentmanager.v1.IngestService/SubmitEvent"
_BATCH = "incidentmanager.v1.IngestService/SubmitEvents"
Check = Callable[[Any], tuple[Violation, ...]]


@cache
def checkers() -> Mapping[str, Check]:
    """The compiled checker of every method's request, by the method's full name."""
    found = {method.full_name: compile_checker(method.descriptor.input_type) for method in methods.all_methods()}
    return {
        **found,
        _SUBMIT: reception.check_submit,
        _BATCH: reception.check_batch,
        methods.graphql().full_name: lambda _: (),
    }


@cache
def _check_event() -> Check:
    return compile_checker(event_pb2.Event.DESCRIPTOR)


def glances(services: Services) -> Mapping[str, Glance]:
    """What refuses requests that are still bytes, by the method's full name, where reading them is much work."""
    return {_BATCH: reception.Reception(services, _check_event()).glance}


def socket_events(services: Services) -> Streaming:
    """What answers events of a connection that counts none."""
    return SocketEvents(services, reception.Reception(services, _check_event())).run


def handlers(services: Services) -> Mapping[str, Callable[..., Any]]:
    """Every method's handler by its full name. Raises LookupError naming methods without one."""
    tables = {
        "incidentmanager.v1.IngestService": IngestHandlers(services, _check_event()).table(),
        "incidentmanager.v1.IncidentService": {
            **IncidentHandlers(services).table(),
            **MergeHandlers(services).table(),
            **RelationHandlers(services).table(),
            **AnalysisHandlers(services).table(),
            **SetHandlers(services).table(),
        },
        "incidentmanager.v1.AnalyticsService": AnalyticsHandlers(services).table(),
        "incidentmanager.v1.AuditService": AuditHandlers(services.auditing, services.pages.tokens).table(),
        "incidentmanager.v1.GovernanceService": GovernanceHandlers(services).table(),
        "incidentmanager.v1.AdminService": {
            **DeadLetterHandlers(services).table(),
            **BusHandlers(services.store, services.bus).table(),
            **AccessHandlers(services).table(),
            **ApiKeyHandlers(services).table(),
            **RoleHandlers(services).table(),
            **TenantHandlers(services).table(),
        },
        "incidentmanager.v1.EdgeAgentService": {
            **AgentHandlers(services, _check_event()).table(),
            **InferenceHandlers(services).table(),
        },
    }
    found = {f"{service}/{name}": handler for service, table in tables.items() for name, handler in table.items()}
    missing = [method.full_name for method in methods.all_methods() if method.full_name not in found]
    if missing:
        raise LookupError(f"no handler for {', '.join(missing)}")
    return found

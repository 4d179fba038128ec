"""The contract as this server keeps it: a checker and a handler for every method. A missing one stops the start."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from incidentmanager.v1 import event_pb2, ingest_service_pb2

from llm_incident_manager.domain.disposition import Violation
from llm_incident_manager.transport import methods
from llm_incident_manager.transport.checker import compile_checker
from llm_incident_manager.transport.handlers.incidents import IncidentHandlers
from llm_incident_manager.transport.handlers.ingest import IngestHandlers
from llm_incident_manager.transport.handlers.services import Services
from llm_incident_manager.transport.translate import events

_SUBMIT = "incidentmanager.v1.IngestService/SubmitEvent"
Check = Callable[[Any], tuple[Violation, ...]]


def checkers() -> Mapping[str, Check]:
    """The compiled checker of every method's request, by the method's full name."""
    found = {method.full_name: compile_checker(method.descriptor.input_type) for method in methods.all_methods()}
    submit = found[_SUBMIT]
    return {**found, _SUBMIT: lambda request: (*submit(request), *_missing(request))}


def _missing(request: ingest_service_pb2.SubmitEventRequest) -> Iterator[Violation]:
    """What the action of the event needs, named together with the fields that break their rules."""
    if request.HasField("event"):
        for lack in events.missing(request.event):
            yield Violation(f"event.{lack.field}", f"event.{lack.message}", lack.rule)


def handlers(services: Services) -> Mapping[str, Callable[..., Any]]:
    """Every method's handler by its full name. Raises LookupError naming methods without one."""
    tables = {
        "incidentmanager.v1.IngestService": IngestHandlers(
            services, compile_checker(event_pb2.Event.DESCRIPTOR)
        ).table(),
        "incidentmanager.v1.IncidentService": IncidentHandlers(services).table(),
    }
    found = {f"{service}/{name}": handler for service, table in tables.items() for name, handler in table.items()}
    missing = [method.full_name for method in methods.all_methods() if method.full_name not in found]
    if missing:
        raise LookupError(f"no handler for {', '.join(missing)}")
    return found

"""The door for callers in the same process: values instead of bytes, the same chain and handlers as everywhere."""

from typing import Any

from google.protobuf.message import Message
from incidentmanager.v1 import alert_pb2, incident_service_pb2, incident_verbs_pb2

from llm_incident_manager.domain.alert import Alert, AlertAck
from llm_incident_manager.domain.errors import DomainError
from llm_incident_manager.domain.incident import Incident, ResolutionMethod
from llm_incident_manager.ports.stores import Store
from llm_incident_manager.transport import methods
from llm_incident_manager.transport.call import Call
from llm_incident_manager.transport.dispatch import Dispatcher
from llm_incident_manager.transport.errors import StatusError
from llm_incident_manager.transport.translate import alerts, enums
from llm_incident_manager.usecases import sight

verbs = incident_verbs_pb2


class Inprocess:
    """Calls that never leave the process. All of them raise DomainError with the reason any door would tell."""

    def __init__(self, dispatcher: Dispatcher, store: Store) -> None:
        """Incidents are read from the store, once the chain has let the caller pass."""
        self._dispatcher = dispatcher
        self._store = store
        self._methods = {method.name: method for method in methods.all_methods()}

    async def submit_alert(self, alert: Alert) -> AlertAck:
        """Takes an alert; it is durable, as far as the store is, when this returns."""
        request = alert_pb2.SubmitAlertRequest(alert=alerts.message(alert))
        reply, _ = await self._call("SubmitAlert", request)
        return alerts.ack(reply)

    async def incident(self, incident_id: str) -> Incident:
        """An incident by id or number."""
        return await self._incident("GetIncident", incident_service_pb2.GetIncidentRequest(incident_id=incident_id))

    async def acknowledge(self, incident_id: str, actor: str) -> Incident:
        """Takes a NEW incident."""
        return await self._incident("Acknowledge", verbs.AcknowledgeRequest(incident_id=incident_id, actor=actor))

    async def resolve(
        self, incident_id: str, resolved_by: str, method: ResolutionMethod, notes: str, root_cause: str, *, force: bool
    ) -> Incident:
        """Ends an incident."""
        request = verbs.ResolveRequest(
            incident_id=incident_id,
            resolved_by=resolved_by,
            method=enums.METHOD_OUT[method],  # type: ignore[arg-type]  # an int of that enum
            notes=notes,
            root_cause=root_cause,
            force=force,
        )
        return await self._incident("Resolve", request)

    async def _incident(self, name: str, request: Any) -> Incident:
        _, call = await self._call(name, request)
        return await sight.incident(self._store, call.caller, request.incident_id)

    async def _call(self, name: str, request: Message) -> tuple[Any, Call]:
        call = Call(self._methods[name], "inprocess", {}, "inprocess")

        async def given() -> Message:
            return request

        try:
            return await self._dispatcher.unary(call, given), call
        except StatusError as error:
            if isinstance(error.__cause__, DomainError):
                raise error.__cause__ from None
            raise

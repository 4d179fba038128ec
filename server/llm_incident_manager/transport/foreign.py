"""Messages to and from services that others implement: what they are shown, and what is held against their answers."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from incidentmanager.v1 import event_pb2, incident_pb2

from llm_incident_manager.domain.disposition import Violation
from llm_incident_manager.domain.event import Event
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.transport import inspect
from llm_incident_manager.transport.checker import Checker, compile_checker
from llm_incident_manager.transport.redact import Redactor
from llm_incident_manager.transport.translate import events, incidents
from llm_incident_manager.transport.translate.incidents import AsOf


@cache
def _checker(of: Descriptor) -> Checker:
    return compile_checker(of)


class ForeignFrames:
    """Shows the server's values as it shows them to its own callers, and judges answers by the same rules as their
    requests."""

    def __init__(self, as_of: Callable[[], AsOf], redactor: Redactor) -> None:
        """`as_of` is what a message that is made now goes by; the redactor hides secrets in answers."""
        self._as_of = as_of
        self._redactor = redactor

    def incident(self, given: Incident) -> incident_pb2.Incident:
        """The incident as it is now."""
        return incidents.incident(given, self._as_of())

    def event(self, given: Event) -> event_pb2.Event:
        """An event."""
        return events.message(given)

    def judged(self, message: Message) -> Sequence[Violation]:
        """The rules that a message breaks, texts that steer terminals among them. Hides secrets in it."""
        data = self._redactor.redact(message)
        of: Any = message.DESCRIPTOR
        return (*_checker(of)(message), *inspect.steering(message, data))

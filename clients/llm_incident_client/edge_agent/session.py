"""An agent's session as a program uses it: a durable event stream, beside which orders come in and reports go out.

It reconnects by itself. Reports are sent again with each connection until the manager has recorded them; what a newer
message makes worthless (telemetry, heartbeats) is not kept.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol

from llm_incident_client import pb_agents as msg
from llm_incident_client.core.options import StreamOptions
from llm_incident_client.core.session import Call, Session
from llm_incident_client.core.stream import EventStream
from llm_incident_client.core.window import Opening
from llm_incident_client.edge_agent.connection import Connection

PROTOCOL_VERSION = 1
_MOST_RESULTS = 1_000  # of models, kept while there is no connection


class Listener(Protocol):
    """What a program does with what the manager says. Called from the event loop; none of it may block."""

    def registered(self, answer: msg.SessionRegistered) -> None:
        """A connection is open. Called for each."""

    def ordered(self, order: msg.DirectiveOrder) -> None:
        """A directive is to be applied or reverted. The same comes again until it is reported what became of it."""

    def recorded(self, reported: msg.DirectiveReported) -> None:
        """A report need not be sent again."""

    def configured(self, configuration: msg.EdgeAgentConfiguration) -> None:
        """The manager wants the agent to work so; answer with `applied_configuration`."""

    def asked(self, request: msg.InferenceRequest) -> None:
        """A model is to be run; answer with `answer`."""


class Ignoring:
    """A listener that does nothing: for programs that only send. Its methods are there to be overridden."""

    def registered(self, answer: msg.SessionRegistered) -> None:
        """Does nothing."""

    def ordered(self, order: msg.DirectiveOrder) -> None:
        """Does nothing: the manager will order again."""

    def recorded(self, reported: msg.DirectiveReported) -> None:
        """Does nothing."""

    def configured(self, configuration: msg.EdgeAgentConfiguration) -> None:
        """Does nothing."""

    def asked(self, request: msg.InferenceRequest) -> None:
        """Does nothing."""


class AgentSession(EventStream):
    """The session of one agent. Use it as an async context manager, from one event loop."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[Call]],
        registration: msg.EdgeAgentRegistration,
        listener: Listener,
        options: StreamOptions | None = None,
    ) -> None:
        """`connect` starts a Session call. Only one session of an agent lives at a time: a newer one ends this one."""
        super().__init__(connect, registration.agent_id, options)
        self.registration = registration
        self.configuration_version = ""
        self._listener = listener
        self._connection: Connection | None = None
        self._reports: dict[tuple[str, int], msg.DirectiveReport] = {}
        self._results: deque[msg.InferenceResult] = deque(maxlen=_MOST_RESULTS)
        self._configured: msg.ConfigurationApplied | None = None

    def report(self, report: msg.DirectiveReport) -> None:
        """Says what became of a directive, now and with every new connection until the manager has recorded it."""
        self._reports[report.directive_id, report.state] = report
        self._say(msg.SessionRequest(report=report))

    def tell(self, telemetry: msg.EdgeAgentTelemetry) -> None:
        """Says how the agent is, if there is a connection."""
        self._say(msg.SessionRequest(telemetry=telemetry))

    def answer(self, result: msg.InferenceResult) -> None:
        """Gives what a model made of a request; with the next connection when there is none."""
        if not self._say(msg.SessionRequest(inference_result=result)):
            self._results.append(result)

    def applied_configuration(self, applied: msg.ConfigurationApplied) -> None:
        """Says what became of a configuration."""
        if not applied.error:
            self.configuration_version = applied.version
        if not self._say(msg.SessionRequest(configuration_applied=applied)):
            self._configured = applied

    @property
    def is_connected(self) -> bool:
        """Whether the manager has answered on the connection there is."""
        return self._connection is not None and self._connection.is_open

    def _say(self, message: msg.SessionRequest) -> bool:
        connection = self._connection
        if connection is None or not connection.is_open:
            return False
        connection.say(message)
        return True

    @property
    def acknowledged_sequence(self) -> int:
        """The number of the last event that has its result; 0 before the first connection."""
        return self._window.acknowledged_sequence

    def resume(self, sequence: int, sent_at_most: int) -> None:
        """Goes on where a former process was, before the stream is entered: see Window.resume."""
        self._window.resume(sequence, sent_at_most)

    async def wait_until_ended(self) -> None:
        """Waits until the stream ends by itself, and raises the error that ended it."""
        self._check()
        assert self._task is not None
        await asyncio.wait((self._task,))
        self._check()

    # -- as an event stream ------------------------------------------------------------------------------------------

    def _new_session(self) -> Session:
        self._connection = connection = Connection(
            self._window,
            self._pace,
            settle=self._settle,
            on_open=self._opened,
            on_drain=self._draining,
            heard=self._heard,
        )
        return connection

    def _opening(self) -> bytes:
        register = msg.EdgeAgentRegistration()
        register.CopyFrom(self.registration)
        register.protocol_version = register.protocol_version or PROTOCOL_VERSION
        register.resume.acknowledged_sequence = self.acknowledged_sequence
        register.resume.configuration_version = self.configuration_version
        return msg.SessionRequest(register=register).SerializeToString()

    def _opened(self, opening: Opening, epoch: int) -> None:
        for report in self._reports.values():
            self._say(msg.SessionRequest(report=report))
        while self._results:
            self._say(msg.SessionRequest(inference_result=self._results.popleft()))
        if self._configured is not None and self._say(msg.SessionRequest(configuration_applied=self._configured)):
            self._configured = None
        super()._opened(opening, epoch)

    def _heard(self, reply: msg.SessionResponse) -> None:
        match reply.WhichOneof("message"):
            case "registered":
                self._listener.registered(reply.registered)
            case "order":
                self._listener.ordered(reply.order)
            case "reported":
                self._reports.pop((reply.reported.directive_id, reply.reported.state), None)
                self._listener.recorded(reply.reported)
            case "configuration":
                self._listener.configured(reply.configuration)
            case "inference":
                self._listener.asked(reply.inference)

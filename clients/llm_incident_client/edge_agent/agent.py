"""An Edge-Agent as a library: give it handlers and models, hand it events, and it does the rest.

async with EdgeAgent(AgentOptions("edge-7", Path("edge-agent"))) as agent:
    await agent.report(pb.Event(source="proxy", title="Provider answers 529"))
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from importlib.metadata import version
from types import TracebackType
from typing import Self

from llm_incident_client import pb
from llm_incident_client import pb_agents as msg
from llm_incident_client.core.options import StreamOptions, StreamState
from llm_incident_client.core.stream import serialise
from llm_incident_client.edge_agent import clock
from llm_incident_client.edge_agent.client import EdgeAgentClient
from llm_incident_client.edge_agent.configuration import Configuration, Setting
from llm_incident_client.edge_agent.directives.desk import DirectiveDesk
from llm_incident_client.edge_agent.directives.handling import DirectiveHandler, Registry
from llm_incident_client.edge_agent.directives.journal import Journal
from llm_incident_client.edge_agent.feeding import Feeder
from llm_incident_client.edge_agent.models.running import Model, ModelRunner
from llm_incident_client.edge_agent.options import AgentOptions
from llm_incident_client.edge_agent.priorities import priority_of
from llm_incident_client.edge_agent.resources import Gauge, Resources
from llm_incident_client.edge_agent.session import AgentSession
from llm_incident_client.edge_agent.spool import Priority, Spool
from llm_incident_client.edge_agent.status import Status, status_of

_log = logging.getLogger(__name__)
VERSION = version("llm-incident-client")
_LOOK = 1.0  # seconds between two looks at the machine
_WINDOW_BYTES = 16 * 1024 * 1024


class EdgeAgent:
    """Runs while its block does. Belongs to one event loop; `failed` tells when it cannot go on."""

    def __init__(
        self,
        options: AgentOptions,
        *,
        handlers: Mapping[str, DirectiveHandler] | None = None,
        models: Mapping[str, Model] | None = None,
        settings: Mapping[str, Setting] | None = None,
        gauges: Callable[[], Mapping[str, float]] = dict,
        now: clock.Clock = clock.now,
    ) -> None:
        """`handlers` by action's word (see directives.handling), `models` by id, `settings` that the manager may push,
        `gauges` for telemetry. Raises ValueError for a handler of no action."""
        self.options = options
        self.spool = Spool(options.data / "spool", options.spool)
        self.resources = Resources()
        self.failed: asyncio.Future[None] | None = None
        self._registry = Registry(handlers or {})
        self._client = EdgeAgentClient(options.server)
        self._session: AgentSession | None = None
        self._feeder = Feeder(self.spool, self._new_session, begins=self._begins, pause=options.pause)
        self.models = ModelRunner(models or {}, self._answer, lambda: self.resources, options.models)
        self._configuration = Configuration(options.data, {**self._own_settings(), **(settings or {})})
        self._gauges = gauges
        self._now = now
        self._telemetry_wanted = asyncio.Event()

    async def __aenter__(self) -> Self:
        """Opens what is on disk and connects in the background. Raises SpoolInUse, OSError."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._client)
            await stack.enter_async_context(self.spool)
            self._configuration.load()
            self._journal = Journal(self.options.data / "directives.journal", self._now())
            stack.callback(self._journal.close)
            self.desk = DirectiveDesk(
                self._journal, self._registry, self._report_directive, self.options.directives, self._now
            )
            self.failed = asyncio.get_running_loop().create_future()
            self.desk.start()
            self._tasks = [
                asyncio.create_task(work, name=name)
                for name, work in (
                    ("feeder", self._feeder.run()),
                    ("telemetry", self._tell()),
                    ("watch", self._watch()),
                )
            ]
            for task in self._tasks:
                task.add_done_callback(self._ended)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stops in good order: directives, models, events that wait as far as time allows, then the session."""
        async with self._stack:
            await self.desk.stop(revert=self.options.revert_on_stop)
            await self.models.stop()
            if not await self._feeder.drain(self.options.grace):
                _log.warning("%d events stay in the spool for the next start", self.spool.waiting)
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks)

    # -- events ------------------------------------------------------------------------------------------------------

    async def report(self, event: pb.Event, priority: Priority | None = None) -> None:
        """Takes an event; it is on the disk when this returns, and will reach the manager.

        Its time is now, unless it says otherwise. Raises ValueError for one that is too large, SpoolFull, SpoolBroken.
        """
        await self.spool.put(*self._packed(event, priority))

    def report_nowait(self, event: pb.Event, priority: Priority | None = None) -> "asyncio.Future[None]":
        """Like `report`, with a future that is done when the event is on the disk. Needs not be awaited."""
        return self.spool.put_nowait(*self._packed(event, priority))

    def _packed(self, event: pb.Event, priority: Priority | None) -> tuple[bytes, Priority]:
        if not event.HasField("event_time"):  # it may wait for days
            event.event_time.FromNanoseconds(int(self._now().wall * 1e9))
        return serialise(event), priority_of(event) if priority is None else priority

    def status(self) -> Status:
        """How everything stands."""
        return status_of(self.options, self._feeder, self.spool, self.desk, self.models, self._configuration.version)

    # -- the session -------------------------------------------------------------------------------------------------

    def _new_session(self, heard: Callable[[StreamState], None]) -> AgentSession:
        options = self.options
        capabilities = msg.EdgeAgentCapabilities(actions=self._registry.actions(), models=sorted(self.models.models))
        registration = msg.EdgeAgentRegistration(
            agent_id=options.agent_id,
            display_name=options.display_name,
            version=VERSION,
            capabilities=capabilities,
            service=options.service,
            environment=options.environment,
            labels=options.labels,
        )
        window = min(10_000, max(16, options.spool.max_events // 8))
        stream = StreamOptions(
            max_unacknowledged=window,
            max_unacknowledged_bytes=min(_WINDOW_BYTES, options.spool.max_bytes // 8),
            linger=timedelta(milliseconds=5),
            on_state=heard,
        )
        return self._client.session(registration, self, stream)

    def _begins(self, session: AgentSession) -> None:
        self._session = session
        session.configuration_version = self._configuration.version
        self.desk.repeat_reports()

    def registered(self, answer: msg.SessionRegistered) -> None:
        """The manager's answer: see Listener."""
        _log.info("registered as %s, epoch %d", self.options.agent_id, answer.epoch)
        self._telemetry_wanted.set()

    def ordered(self, order: msg.DirectiveOrder) -> None:
        """See Listener."""
        self.desk.order(order)

    def recorded(self, reported: msg.DirectiveReported) -> None:
        """See Listener."""
        self.desk.recorded(reported)

    def configured(self, configuration: msg.EdgeAgentConfiguration) -> None:
        """See Listener."""
        applied = self._configuration.apply(configuration)
        _log.info("configuration %s: %s", applied.version, applied.error or "applied")
        self._telemetry_wanted.set()  # it may be wanted at other times
        if self._session is not None:
            self._session.applied_configuration(applied)

    def asked(self, request: msg.InferenceRequest) -> None:
        """See Listener."""
        self.models.ask(request)

    def _report_directive(self, report: msg.DirectiveReport) -> None:
        if self._session is not None:
            self._session.report(report)

    def _answer(self, result: msg.InferenceResult) -> None:
        if self._session is not None:
            self._session.answer(result)

    # -- what goes on beside -----------------------------------------------------------------------------------------

    async def _tell(self) -> None:
        """Telemetry, at once with each connection and then as often as is wanted."""
        while True:
            if self._session is not None and self._session.is_connected:
                self._session.tell(self._telemetry())
            self._telemetry_wanted.clear()
            seconds = self._configuration.telemetry_seconds or self.options.telemetry_seconds
            try:
                async with asyncio.timeout(seconds):
                    await self._telemetry_wanted.wait()
            except TimeoutError:
                continue
            await asyncio.sleep(0)  # the connection counts as open one step after the answer

    def _telemetry(self) -> msg.EdgeAgentTelemetry:
        telemetry = msg.EdgeAgentTelemetry(
            resources=self.resources.snapshot(self.models.active, self.models.queued),
            counters=self.status().counters(),
            gauges=self._gauges(),
            spooled_events=self.spool.waiting,
        )
        telemetry.time.FromNanoseconds(int(self._now().wall * 1e9))
        return telemetry

    async def _watch(self) -> None:
        """Looks at the machine, at the desk, and at what the spool had to give up."""
        gauge = Gauge()
        while True:
            self.resources = gauge.look()
            if (error := self.desk.failure()) is not None:
                raise error
            if self.spool.untold and self._feeder.is_connected:
                await self._tell_losses()
            await asyncio.sleep(_LOOK)

    async def _tell_losses(self) -> None:
        given_up, untold = self.spool.given_up, self.spool.untold
        counts = self.spool.counts()
        event = pb.Event(
            source=self.options.agent_id,
            title=f"Edge-Agent {self.options.agent_id} has given up {untold} events",
            description=f"Ever: {counts.dropped} dropped and {counts.refused} refused since its spool was full, "
            f"{counts.lost} lost on its disk.",
            severity="P2",
            kind="edge_agent.events_lost",
            service=self.options.service,
            dedup_key=f"edge-agent-events-lost:{self.options.agent_id}",
            metrics={"events": float(untold)},
        )
        await self.report(event, Priority.HIGH)
        await self.spool.told(given_up)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None and self.failed is not None and not self.failed.done():
            self.failed.set_exception(error)
            self.failed.exception()  # whoever awaits it sees it

    # -- settings ----------------------------------------------------------------------------------------------------

    def _own_settings(self) -> dict[str, Setting]:
        own = self.options.models

        def cpu(text: str | None) -> Callable[[], None]:
            value = own.cpu_percent if text is None else _percentage(text)
            return lambda: self.models.limit(replace(self.models.limits, cpu_percent=value))

        def memory(text: str | None) -> Callable[[], None]:
            value = own.memory_percent if text is None else _percentage(text)
            return lambda: self.models.limit(replace(self.models.limits, memory_percent=value))

        return {"models.cpu_percent": cpu, "models.memory_percent": memory}


def _percentage(text: str) -> float:
    value = float(text)
    if not 0 < value <= 100:
        raise ValueError(f"{text!r} is no percentage above 0")
    return value

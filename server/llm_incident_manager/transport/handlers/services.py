"""What handlers work with, built once by the composition root."""

from dataclasses import dataclass

from llm_incident_manager.pipeline.batcher import Batcher
from llm_incident_manager.pipeline.numbers import Numbers
from llm_incident_manager.pipeline.runner import Runner
from llm_incident_manager.pipeline.tools import Tools
from llm_incident_manager.ports.bus import Bus
from llm_incident_manager.ports.clock import Clock
from llm_incident_manager.ports.stores import Store
from llm_incident_manager.telemetry.metrics import Metrics
from llm_incident_manager.transport.admission import Door
from llm_incident_manager.transport.drain import Drain
from llm_incident_manager.transport.handlers.access_desk import AccessDesk
from llm_incident_manager.transport.handlers.agent_desk import AgentServices
from llm_incident_manager.transport.handlers.watching import Watching
from llm_incident_manager.transport.paging import Pages
from llm_incident_manager.transport.translate.incidents import AsOf
from llm_incident_manager.usecases.analysing import Analysing
from llm_incident_manager.usecases.applying import Applying
from llm_incident_manager.usecases.auditing import Auditing
from llm_incident_manager.usecases.compliance import Compliance
from llm_incident_manager.usecases.dead_letters import DeadLetters
from llm_incident_manager.usecases.incidents import Incidents
from llm_incident_manager.usecases.linking import Linking
from llm_incident_manager.usecases.merging import Merging
from llm_incident_manager.usecases.snoozing import Snoozing
from llm_incident_manager.usecases.splitting import Splitting
from llm_incident_manager.usecases.unit import Units
from llm_incident_manager.usecases.watch import Feed


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """What one ingest stream may do: events in flight, events in a frame."""

    credits: int = 4_000
    max_frame_events: int = 1_000


@dataclass(frozen=True, slots=True)
class Services:
    """Use cases and what they stand on."""

    tools: Tools
    runner: Runner
    batcher: Batcher
    units: Units
    incidents: Incidents
    merging: Merging
    splitting: Splitting
    linking: Linking
    snoozing: Snoozing
    applying: Applying
    analysing: Analysing
    dead_letters: DeadLetters
    auditing: Auditing
    compliance: Compliance
    bus: Bus
    feed: Feed
    watching: Watching
    pages: Pages
    drain: Drain
    limits: StreamLimits
    door: Door
    access: AccessDesk
    agents: AgentServices

    @property
    def store(self) -> Store:
        """The database."""
        return self.tools.store

    @property
    def clock(self) -> Clock:
        """The time."""
        return self.tools.clock

    @property
    def numbers(self) -> Numbers:
        """Incident numbers."""
        return self.tools.numbers

    @property
    def metrics(self) -> Metrics:
        """Where counts go."""
        return self.tools.metrics

    def as_of(self) -> AsOf:
        """What an answer that is made now goes by."""
        return AsOf(self.tools.clock.now(), self.tools.sla)

"""How an agent stands, as one value: for people, for probes, and for telemetry."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from llm_incident_client.edge_agent.directives.desk import DirectiveDesk
from llm_incident_client.edge_agent.directives.handling import word
from llm_incident_client.edge_agent.feeding import Feeder
from llm_incident_client.edge_agent.models.running import ModelRunner
from llm_incident_client.edge_agent.options import AgentOptions
from llm_incident_client.edge_agent.spool import Counts, Spool


@dataclass(frozen=True, slots=True)
class Status:
    """Where the session, the spool and the directives stand. `results` counts acknowledged events by disposition."""

    agent_id: str
    server: str
    connected: bool
    phase: str
    error: str
    configuration: str
    spool: Counts
    results: Mapping[str, int]
    directives: list[dict[str, Any]]
    running: int
    queued: int

    def counters(self) -> dict[str, int]:
        """What telemetry and metrics count."""
        books = {f"spool_{name}": number for name, number in self.spool._asdict().items()}
        return books | {f"events_{name.lower()}": number for name, number in self.results.items()}

    def as_json(self) -> dict[str, Any]:
        """For people and probes."""
        return asdict(self) | {"spool": self.spool._asdict(), "results": dict(self.results)}


def status_of(
    options: AgentOptions, feeder: Feeder, spool: Spool, desk: DirectiveDesk, models: ModelRunner, configuration: str
) -> Status:
    """The status of an agent made of these parts."""
    held = [
        {
            "id": one.id,
            "action": word(one),
            "model": one.target.model,
            "tool": one.target.tool,
            "consumer": one.target.consumer,
            "texts": dict(one.parameters.texts),
            "numbers": dict(one.parameters.numbers),
            "flags": dict(one.parameters.flags),
        }
        for one in desk.active()
    ]
    return Status(
        agent_id=options.agent_id,
        server=options.server.address,
        connected=feeder.is_connected,
        phase=str(feeder.state.phase),
        error="" if feeder.is_connected or feeder.last_error is None else str(feeder.last_error),
        configuration=configuration,
        spool=spool.counts(),
        results=dict(spool.results),
        directives=held,
        running=models.active,
        queued=models.queued,
    )

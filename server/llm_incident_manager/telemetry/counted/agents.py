"""Edge-Agents: their sessions, directives, and requests for models."""

from llm_incident_manager.telemetry.instruments import CALL, Children, Instruments


class AgentMetrics:
    """Edge-Agents."""

    def __init__(self, make: Instruments) -> None:
        """Nothing is counted yet."""
        self._sessions = make.gauge("edge_agent_sessions", "Sessions of Edge-Agents that this process has.")
        self._lost = make.counter("edge_agents_lost", "Times an Edge-Agent gave no sign of life for too long.")
        text = "Moves of directives at agents, by the state they went to."
        self._moved = Children(make.counter("directive_moves", text, "state"))
        text = "From the approval of a directive until an agent says that it holds."
        self._applied = make.histogram("directive_apply_seconds", text, CALL)
        text = "Requests for models that agents run, by how they ended."
        self._inferences = Children(make.counter("edge_inferences", text, "status"))

    def agent_sessions(self, count: int) -> None:
        """Sets how many sessions there are."""
        self._sessions.set(count)

    def agent_lost(self) -> None:
        """Counts an agent that is missed."""
        self._lost.inc()

    def directive_moved(self, state: str, agents: int = 1) -> None:
        """Counts a directive that went to another state at so many agents."""
        self._moved[(state,)].inc(agents)

    def directive_applied(self, seconds: float) -> None:
        """Records how long it took after the approval."""
        self._applied.observe(seconds)

    def inference_ended(self, status: str) -> None:
        """Counts a request that has ended."""
        self._inferences[(status,)].inc()

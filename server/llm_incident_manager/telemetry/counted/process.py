"""This process: its event loop, what it depends on, and who works beside it."""

from llm_incident_manager.telemetry.instruments import CALL, Children, Instruments


class ProcessMetrics:
    """The process."""

    def __init__(self, make: Instruments) -> None:
        """Nothing is counted yet."""
        up = make.gauge("dependency_up", "1 while an optional dependency is used, else 0.", "dependency")
        self._dependencies = Children(up)
        late = "How late the event loop was to a wake-up."
        self._loop_lag = make.histogram("event_loop_lag_seconds", late, CALL)
        longest = "The longest such lag of the last minute."
        self._longest_lag = make.gauge("event_loop_lag_longest_seconds", longest)
        self._tasks = make.gauge("event_loop_tasks", "Tasks on the event loop.")
        self._processes = Children(make.shared("processes", "Living processes that have a role.", "role"))

    def dependency(self, name: str, *, up: bool) -> None:
        """Sets whether a dependency the server can do without is in use."""
        self._dependencies[(name,)].set(up)

    def loop_lagged(self, seconds: float, longest: float, tasks: int) -> None:
        """Records how late the event loop was, the longest lag of the last minute, and how many tasks there are."""
        self._loop_lag.observe(seconds)
        self._longest_lag.set(longest)
        self._tasks.set(tasks)

    def role_attended(self, role: str, processes: int) -> None:
        """Sets how many living processes have a role."""
        self._processes[(role,)].set(processes)

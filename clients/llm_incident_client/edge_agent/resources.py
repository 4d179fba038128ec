"""What the agent uses of its machine."""

import time
from dataclasses import dataclass

import psutil

from llm_incident_client import pb_agents as msg

_MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Resources:
    """One look: processors and memory of the machine in percent, own memory and disk traffic in MB (a second)."""

    cpu_percent: float = 0.0
    memory_percent: float = 0.0
    memory_mb: float = 0.0
    disk_mb_per_second: float = 0.0

    def snapshot(self, active: int, queued: int) -> msg.ResourceSnapshot:
        """As the manager is told."""
        return msg.ResourceSnapshot(
            cpu_percent=min(max(self.cpu_percent, 0.0), 100.0),
            memory_mb=self.memory_mb,
            disk_io_mb_per_second=self.disk_mb_per_second,
            active_requests=active,
            queued_requests=queued,
        )


class Gauge:
    """Looks at the machine. Rates are over the time since the look before."""

    def __init__(self) -> None:
        """The first look gives no rates."""
        self._process = psutil.Process()
        self._looked = time.monotonic()
        self._disk = _disk_bytes()
        psutil.cpu_percent()

    def look(self) -> Resources:
        """How things are. Does not block."""
        now, disk = time.monotonic(), _disk_bytes()
        seconds = max(now - self._looked, 0.001)
        found = Resources(
            cpu_percent=psutil.cpu_percent(),
            memory_percent=psutil.virtual_memory().percent,
            memory_mb=self._process.memory_info().rss / _MB,
            disk_mb_per_second=max(0.0, (disk - self._disk) / _MB / seconds),
        )
        self._looked, self._disk = now, disk
        return found


def _disk_bytes() -> int:
    counters = psutil.disk_io_counters()
    return 0 if counters is None else int(counters.read_bytes + counters.write_bytes)

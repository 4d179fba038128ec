"""Counts and times what happens, in words of the domain, and prints it for Prometheus. Reads no clock, keeps no names.

Label values must come from small closed sets (dispositions, stages, methods of the contract, configured channels):
each new one costs memory for good. A new metric goes into the file of its area in `counted/`.
"""

from collections.abc import Mapping

from llm_incident_manager.telemetry.counted.access import AccessMetrics
from llm_incident_manager.telemetry.counted.agents import AgentMetrics
from llm_incident_manager.telemetry.counted.calls import CallMetrics
from llm_incident_manager.telemetry.counted.destinations import DestinationMetrics
from llm_incident_manager.telemetry.counted.events import EventMetrics
from llm_incident_manager.telemetry.counted.graphql import GraphqlMetrics
from llm_incident_manager.telemetry.counted.outbound import OutboundMetrics
from llm_incident_manager.telemetry.counted.process import ProcessMetrics
from llm_incident_manager.telemetry.counted.security import SecurityMetrics
from llm_incident_manager.telemetry.counted.sockets import SocketMetrics
from llm_incident_manager.telemetry.counted.storage import StorageMetrics
from llm_incident_manager.telemetry.counted.timing import TimingMetrics
from llm_incident_manager.telemetry.counted.work import WorkMetrics
from llm_incident_manager.telemetry.instruments import Instruments, Page

__all__ = ["Metrics", "Page"]


class Metrics(
    EventMetrics,
    CallMetrics,
    WorkMetrics,
    TimingMetrics,
    StorageMetrics,
    ProcessMetrics,
    AccessMetrics,
    SecurityMetrics,
    OutboundMetrics,
    DestinationMetrics,
    SocketMetrics,
    AgentMetrics,
    GraphqlMetrics,
):
    """All metrics of one server, in registries of their own. Methods may be called from any thread."""

    def __init__(self, version: str) -> None:
        """`version` is shown by incident_manager_build_info."""
        self._instruments = make = Instruments()
        EventMetrics.__init__(self, make)
        CallMetrics.__init__(self, make)
        WorkMetrics.__init__(self, make)
        TimingMetrics.__init__(self, make)
        StorageMetrics.__init__(self, make)
        ProcessMetrics.__init__(self, make)
        AccessMetrics.__init__(self, make)
        SecurityMetrics.__init__(self, make)
        OutboundMetrics.__init__(self, make)
        DestinationMetrics.__init__(self, make)
        SocketMetrics.__init__(self, make)
        AgentMetrics.__init__(self, make)
        GraphqlMetrics.__init__(self, make)
        make.gauge("build_info", "Always 1; the label tells the version.", "version").labels(version).set(1)

    def told(self) -> bytes:
        """What this process has counted, for `page` of another worker."""
        return self._instruments.told()

    def page(self, accept: str = "", workers: Mapping[int, bytes | None] | None = None) -> Page:
        """All metrics in the format that the Accept header asks for: text, or OpenMetrics.

        `workers` is what all workers of this server have told, this one included; None of one that did not answer.
        """
        return self._instruments.page(accept, workers)

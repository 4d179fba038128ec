"""The blocking clients: the asynchronous ones in a thread of their own, with the same methods."""

import weakref
from collections.abc import Callable
from types import TracebackType
from typing import Self, Unpack

from llm_incident_client import client as asynchronous
from llm_incident_client import governance, sentinel, shield
from llm_incident_client.core import breaker, channel
from llm_incident_client.core.connection import Connection, Options
from llm_incident_client.sync.blocking import Blocking
from llm_incident_client.sync.methods import (
    GovernanceClientMethods,
    IncidentClientMethods,
    SentinelClientMethods,
    ShieldClientMethods,
)
from llm_incident_client.sync.portal import Portal


class Connected(Blocking):
    """A client in a thread of its own, ended with the `with` block, when it is dropped, or with the interpreter.

    Every method is the asynchronous client's, waits for its answer, and may be called from any thread. Works beside a
    running event loop, which it blocks. It does not survive a fork: make one in each process.
    """

    def __init__(self, make: Callable[[], Connection]) -> None:
        """`make` is called in the new thread."""
        portal: Portal[Connection] = Portal(make)
        super().__init__(portal)
        self._end = weakref.finalize(self, portal.stop)

    @property
    def breaker_state(self) -> breaker.State:
        """What the circuit breaker lets through now; always closed without one."""
        return self.portal.resource.breaker_state

    def __enter__(self) -> Self:
        """Connects on the first call."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Shuts the client down."""
        self.shutdown()

    def shutdown(self) -> None:
        """Ends the connection and the thread; what still waits gets ClientClosed. Close event streams first.

        A client that is dropped, or alive when the interpreter ends, is shut down as well.
        """
        self._end()


class IncidentClient(IncidentClientMethods, Connected):
    """A connection to the LLM Incident Manager: `with IncidentClient("localhost:50051") as client`.

    Writes carry a generated request_id unless given one, so a call repeated after a lost answer takes effect once.
    """

    def __init__(
        self, target: str | channel.ChannelOptions = channel.DEFAULT_ADDRESS, **options: Unpack[Options]
    ) -> None:
        """`target` is host:port for a plain channel, or options with TLS and identity; for the others see Options."""
        super().__init__(lambda: asynchronous.IncidentClient(target, **options))


class SentinelClient(SentinelClientMethods, Connected):
    """Reports anomalies, drift, latency and quality: `with SentinelClient("localhost:50051") as sentinel`."""

    def __init__(
        self,
        target: str | channel.ChannelOptions = channel.DEFAULT_ADDRESS,
        *,
        source: str = sentinel.SOURCE,
        **options: Unpack[Options],
    ) -> None:
        """`source` is the name under which it reports. A circuit breaker is there unless `breaker` is None."""
        super().__init__(lambda: sentinel.SentinelClient(target, source=source, **options))
        self.source = source


class ShieldClient(ShieldClientMethods, Connected):
    """Reports violations and threats: `with ShieldClient("localhost:50051") as shield`."""

    def __init__(
        self,
        target: str | channel.ChannelOptions = channel.DEFAULT_ADDRESS,
        *,
        source: str = shield.SOURCE,
        **options: Unpack[Options],
    ) -> None:
        """`source` is the name under which it reports. A circuit breaker is there unless `breaker` is None."""
        super().__init__(lambda: shield.ShieldClient(target, source=source, **options))
        self.source = source


class GovernanceClient(GovernanceClientMethods, Connected):
    """Asks what happened and whether rules were kept: `with GovernanceClient("localhost:50051") as governance`."""

    def __init__(
        self, target: str | channel.ChannelOptions = channel.DEFAULT_ADDRESS, **options: Unpack[Options]
    ) -> None:
        """For the options see Options. A circuit breaker is there unless `breaker` is None."""
        super().__init__(lambda: governance.GovernanceClient(target, **options))

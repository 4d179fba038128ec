"""The blocking client: the asynchronous one in a thread of its own, with the same methods."""

import weakref
from datetime import timedelta
from types import TracebackType
from typing import Self

from llm_incident_client.client import IncidentClient as AsyncClient
from llm_incident_client.core import channel, retry
from llm_incident_client.sync.methods import Methods
from llm_incident_client.sync.portal import Portal


class IncidentClient(Methods):
    """A connection to the LLM Incident Manager: `with IncidentClient("localhost:50051") as client`.

    Every method is the asynchronous client's, waits for its answer, and may be called from any thread. Writes carry a
    generated request_id unless given one, so a call repeated after a lost answer takes effect once. Works beside a
    running event loop, which it blocks. It does not survive a fork: make one in each process.
    """

    def __init__(
        self,
        target: str | channel.ChannelOptions = channel.DEFAULT_ADDRESS,
        *,
        retries: retry.RetryPolicy | None = None,
        deadline: timedelta = timedelta(seconds=30),
    ) -> None:
        """`target` is host:port for a plain channel, or options with TLS and identity; `deadline` bounds each call."""
        portal = Portal(lambda: AsyncClient(target, retries=retries, deadline=deadline))
        super().__init__(portal)
        self._end = weakref.finalize(self, portal.stop)

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

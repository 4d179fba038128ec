"""What every client is: a channel to one target that is closed in the end, and how calls on it behave."""

from collections.abc import Sequence
from datetime import timedelta
from types import TracebackType
from typing import Self, TypedDict, Unpack

from llm_incident_client.core import breaker, calls, channel
from llm_incident_client.core.attempts import Conduct
from llm_incident_client.core.breaker import BreakerPolicy
from llm_incident_client.core.limit import RateLimit
from llm_incident_client.core.observing import Observer, Observers
from llm_incident_client.core.retry import STANDARD, RetryPolicy

DEADLINE = timedelta(seconds=30)


class Options(TypedDict, total=False):
    """How a client behaves. They hold for unary calls; streams and watches have patience of their own."""

    retries: RetryPolicy | None
    """What is repeated; without it five attempts within the deadline, with throttling."""
    deadline: timedelta
    """Bounds each call with all its repeats and waits; 30 s unless told."""
    breaker: BreakerPolicy | None
    """When a target that does not answer is left alone; None for never."""
    limit: RateLimit | None
    """How often calls are made; None for as often as asked."""
    observers: Sequence[Observer]
    """Who is told of attempts, failures and results."""


class Connection(calls.MethodGroup):
    """A connection to the LLM Incident Manager. Belongs to the event loop it was made in.

    Writes carry a generated request_id unless given one, so a call repeated after a lost answer takes effect once.
    """

    def __init__(
        self, target: str | channel.ChannelOptions = channel.DEFAULT_ADDRESS, **options: Unpack[Options]
    ) -> None:
        """`target` is host:port for a plain channel, or options with TLS and identity; for the others see Options."""
        place = channel.ChannelOptions(target) if isinstance(target, str) else target
        conduct = Conduct(
            options.get("retries") or STANDARD,
            options.get("breaker"),
            options.get("limit"),
            Observers(options.get("observers", ())),
        )
        super().__init__(calls.Caller(place, conduct, options.get("deadline", DEADLINE)))

    @property
    def breaker_state(self) -> breaker.State:
        """What the circuit breaker lets through now; always closed without one."""
        return self._caller.breaker_state

    async def __aenter__(self) -> Self:
        """Connects on the first call."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the client."""
        await self.aclose()

    async def aclose(self) -> None:
        """Closes the channel and ends what still runs on it; close event streams first."""
        await self._caller.close()

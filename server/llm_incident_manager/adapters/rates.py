"""Rate limits of one process, kept in memory."""

from collections import OrderedDict

from llm_incident_manager.domain import rates
from llm_incident_manager.domain.rates import Permit, Rate
from llm_incident_manager.domain.time import SECOND, Instant
from llm_incident_manager.ports.clock import Clock

MOST_NAMES = 100_000


class ProcessRates:
    """Buckets in memory, the most recently used MOST_NAMES of them. Implements OwnRates."""

    def __init__(self, clock: Clock, most: int = MOST_NAMES) -> None:
        """`most` names are remembered; forgetting one fills its bucket, so give more than there are callers."""
        self._clock = clock
        self._most = most
        self._full_at: OrderedDict[str, float] = OrderedDict()
        self._latest = Instant(0)

    async def take(self, name: str, rate: Rate, cost: int = 1) -> Permit:
        """See Rates."""
        return self.take_now(name, rate, cost)

    def take_now(self, name: str, rate: Rate, cost: int = 1) -> Permit:
        """See OwnRates."""
        now = self._now()
        permit, state = rates.take(self._full_at.get(name, rates.EMPTY_STATE), now, rate, cost)
        self._remember(name, state)
        return permit

    async def give_back(self, name: str, rate: Rate, cost: int = 1) -> None:
        """See Rates."""
        self.give_back_now(name, rate, cost)

    def give_back_now(self, name: str, rate: Rate, cost: int = 1) -> None:
        """See OwnRates."""
        if (state := self._full_at.get(name)) is not None:
            self._full_at[name] = rates.give_back(state, rate, cost)

    def peek(self, name: str, rate: Rate, cost: int = 1) -> Permit:
        """See OwnRates."""
        return rates.take(self._full_at.get(name, rates.EMPTY_STATE), self._now(), rate, cost)[0]

    def learn(self, name: str, full_in: float) -> None:
        """See OwnRates."""
        self._remember(name, self._now() + full_in * SECOND)

    def _remember(self, name: str, state: float) -> None:
        self._full_at[name] = state
        self._full_at.move_to_end(name)
        if len(self._full_at) > self._most:
            self._full_at.popitem(last=False)

    def _now(self) -> Instant:
        """The time; all buckets are full after the clock was set back, or they would stay empty for as long."""
        now = self._clock.now()
        if now < self._latest:
            self._full_at.clear()
        self._latest = now
        return now

"""Limits how often things happen, by name: for one process alone, or for all that share a Redis."""

from typing import Protocol

from llm_incident_manager.domain.rates import Permit, Rate


class Rates(Protocol):
    """Buckets by name. A name that was never used has a full one."""

    async def take(self, name: str, rate: Rate, cost: int = 1) -> Permit:
        """Takes `cost` (at least 1) from the bucket if it may. Never fails and never waits for the bucket to fill.

        All callers of one name give the same rate; the burst may be another, as for what is urgent.
        """
        ...

    async def give_back(self, name: str, rate: Rate, cost: int = 1) -> None:
        """Puts back what `take` has just taken, since what it was taken for does not happen. Never fails."""
        ...


class OwnRates(Rates, Protocol):
    """Buckets of this process alone: they can be asked without leaving the event loop."""

    def take_now(self, name: str, rate: Rate, cost: int = 1) -> Permit:
        """As `take`, at once."""
        ...

    def give_back_now(self, name: str, rate: Rate, cost: int = 1) -> None:
        """As `give_back`, at once."""
        ...

    def peek(self, name: str, rate: Rate, cost: int = 1) -> Permit:
        """What `take_now` would say, without taking anything. `remaining` is what would be left."""
        ...

    def learn(self, name: str, full_in: float) -> None:
        """The bucket is full in so many seconds, says somebody who counts for more than this process."""
        ...

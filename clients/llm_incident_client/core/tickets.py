"""Where results go: the future of one event, or one future for many. Knows nothing of numbers and connections."""

from typing import Protocol

from llm_incident_client import pb


class Waiting(Protocol):
    """Somebody who can be told that it went wrong. A plain future is one."""

    def done(self) -> bool:
        """Whether nobody waits any more."""

    def set_exception(self, error: BaseException, /) -> None:
        """Delivers the error."""

    def exception(self) -> BaseException | None:
        """The error delivered; asking marks it as seen."""


class Ticket(Waiting, Protocol):
    """Somebody who waits for an event's result. A plain future is one."""

    def set_result(self, result: pb.EventResult, /) -> None:
        """Delivers the result."""


class ManyResults(Waiting, Protocol):
    """Somebody who waits for the results of many events. A plain future is one."""

    def set_result(self, results: list[pb.EventResult], /) -> None:
        """Delivers them, in order."""


class Batch:
    """The results of events handed over together. They arrive in order, so a list is all it takes."""

    __slots__ = ("_complete", "_expected", "_results", "future")

    def __init__(self, future: ManyResults) -> None:
        """`future` gets the list once all results are there."""
        self.future = future
        self._results: list[pb.EventResult] = []
        self._expected = 0
        self._complete = False

    def expect(self) -> None:
        """One more event belongs to it."""
        self._expected += 1

    def complete(self) -> None:
        """No more events will."""
        self._complete = True
        self._deliver()

    def done(self) -> bool:
        """Whether the future is."""
        return self.future.done()

    def set_result(self, result: pb.EventResult, /) -> None:
        """The next event's result."""
        self._results.append(result)
        if self._complete:
            self._deliver()

    def set_exception(self, error: BaseException, /) -> None:
        """The stream ended before all results were there."""
        self.future.set_exception(error)

    def exception(self) -> BaseException | None:
        """The future's."""
        return self.future.exception()

    def _deliver(self) -> None:
        if len(self._results) == self._expected and not self.future.done():
            self.future.set_result(self._results)


def fail(waiting: Waiting, error: BaseException) -> None:
    """Delivers an error, unless nobody waits any more."""
    if not waiting.done():
        waiting.set_exception(error)
        waiting.exception()  # whoever awaits it sees it; whoever dropped it is not warned once per event

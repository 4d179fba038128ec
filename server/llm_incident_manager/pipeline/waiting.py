"""What waits for its batch: tenants take turns, of each what is urgent goes first, and a sender keeps its order."""

import asyncio
from collections import deque
from collections.abc import Callable

from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.engines.admission import Priority
from llm_incident_manager.pipeline.batch import Submission

Waiting = tuple[Submission, "asyncio.Future[None]"]
Place = list[Waiting]
"""Where something waits; emptied when it was moved ahead."""

QUANTUM = 250
"""Events that a tenant may add to a batch in its turn. Unused ones count in the next turn while something waits, so
that large submissions get theirs (deficit round robin)."""


class Line:
    """What waits of one tenant."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.deficit = 0
        self._urgent: deque[Waiting] = deque()
        self._rest: deque[Place] = deque()
        self._streams: dict[object, deque[Place]] = {}

    def add(self, waiting: Waiting) -> None:
        """Puts it behind others of its priority. An urgent frame takes those that its stream sent before along."""
        submission = waiting[0]
        if submission.priority is Priority.URGENT:
            if submission.sender is not None:
                self._move_ahead(submission.sender)
            self._urgent.append(waiting)
            return
        place = [waiting]
        self._rest.append(place)
        if submission.sender is not None:
            self._streams.setdefault(submission.sender, deque()).append(place)

    def _move_ahead(self, sender: object) -> None:
        for place in self._streams.pop(sender, ()):
            self._urgent.append(place.pop())

    def head(self) -> Waiting | None:
        """What goes next."""
        if self._urgent:
            return self._urgent[0]
        while self._rest and not self._rest[0]:
            self._rest.popleft()
        return self._rest[0][0] if self._rest else None

    def pop(self) -> None:
        """Takes the head out."""
        if self._urgent:
            self._urgent.popleft()
            return
        sender = self._rest.popleft()[0][0].sender
        if sender is not None:
            places = self._streams[sender]
            places.popleft()
            if not places:
                del self._streams[sender]


class Turns:
    """The lines of all tenants that have something waiting, in the order of their turns."""

    def __init__(self) -> None:
        """Nobody waits."""
        self.events = 0
        self._lines: dict[TenantId, Line] = {}
        self._next: deque[TenantId] = deque()
        self._interrupted = False

    def add(self, waiting: Waiting) -> None:
        """Puts it into its tenant's line."""
        submission = waiting[0]
        self.events += len(submission.events)
        line = self._lines.get(submission.tenant)
        if line is None:
            line = self._lines[submission.tenant] = Line()
            self._next.append(submission.tenant)
        line.add(waiting)

    @property
    def waits(self) -> bool:
        """Whether anything waits; a frame of rejected events has none itself."""
        return bool(self._next)

    def fill(self, takes: Callable[[Waiting], bool]) -> None:
        """Gives out one after the other until nothing waits or one is not taken; that tenant begins the next time."""
        while self._next:
            tenant = self._next[0]
            line = self._lines[tenant]
            line.deficit += 0 if self._interrupted else QUANTUM
            self._interrupted = False
            if not self._turn(line, takes):
                return
            self._next.popleft()
            if line.head() is None:
                del self._lines[tenant]
            else:
                self._next.append(tenant)

    def _turn(self, line: Line, takes: Callable[[Waiting], bool]) -> bool:
        alone = len(self._next) == 1
        while (head := line.head()) is not None and (alone or len(head[0].events) <= line.deficit):
            if not takes(head):
                self._interrupted = True
                return False
            line.pop()
            events = len(head[0].events)
            line.deficit = 0 if alone else line.deficit - events
            self.events -= events
        return True

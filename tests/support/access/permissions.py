"""Fault 42: every method and every route, called by every role, a custom one, and nobody."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from llm_incident_manager.transport import methods
from llm_incident_manager.transport.methods import Method
from tests.support.access.doors import Answer, Doors, routes
from tests.support.access.who import CUSTOM, EVERY_ROLE, NARROWED, POWERLESS, Who

CALLERS: Sequence[Who | None] = (None, *EVERY_ROLE, CUSTOM, POWERLESS, NARROWED)
UNREADABLE = b"\xff\xff\xff"
NOT_JSON = b'{"unread": '


@dataclass
class Found:
    """How many answers were looked at, and what is wrong with which."""

    calls: int = 0
    refused: int = 0
    wrong: list[str] = field(default_factory=list)

    def judge(self, what: str, answer: Answer, expected: int) -> None:
        """`expected` is the code of a refusal, or 0 where identity and permission let the caller pass."""
        self.calls += 1
        self.refused += answer.refused
        if (answer.code if answer.refused else 0) != expected:
            self.wrong.append(
                f"{what}: {answer.code} {answer.reason} {answer.message}, expected {expected or 'to pass'}"
            )


def expected(method: Method, who: Who | None) -> int:
    """What the contract declares for a caller."""
    if who is None:
        return 16
    return 0 if who.may(method.permission) else 7


async def matrix(doors: Doors) -> Found:
    """Asks every method as every caller through all doors, with an empty request: nobody who passes changes anything.

    Who must not pass also sends what cannot be read: the refusal comes before anybody looks at it.
    """
    found = Found()
    for method in methods.all_methods():
        await asyncio.gather(*(_ask(doors, method, who, found) for who in CALLERS))
    return found


async def _ask(doors: Doors, method: Method, who: Who | None, found: Found) -> None:
    code, caller = expected(method, who), "nobody" if who is None else who.subject
    name = f"{method.name} as {caller}"
    if method.response_streaming:
        empty, unread = await _streams(doors, method, who, 20.0 if code else 1.0)
    else:
        empty, unread = await doors.rpc(method, b"", who), await doors.rpc(method, UNREADABLE, who)
    found.judge(name, empty, code)
    if code:
        found.judge(f"{name}, unreadable", unread, code)
    if (asked := await doors.graphql(method, method.request(), who)) is not None:
        found.judge(f"{name}, GraphQL", asked, code)
    for route in routes(method):
        told = await doors.http(route, method.request(), who)
        found.judge(f"{route} as {caller}", told, code)
        if code and route.body:
            unread = await doors.http(route, method.request(), who, raw=NOT_JSON)
            found.judge(f"{route} as {caller}, unreadable", unread, code)


async def _streams(doors: Doors, method: Method, who: Who | None, patience: float) -> tuple[Answer, Answer]:
    """A stream that is let in goes on; one reply or a moment of silence shows it. Who is refused is so before sending
    anything: a client that still writes may be told of that instead."""
    silent = method.request_streaming and patience > 1
    empty = await doors.stream(method, [] if silent else [b""], who, first=patience, most=1)
    return empty, await doors.stream(method, [] if silent else [UNREADABLE], who, first=patience, most=1)

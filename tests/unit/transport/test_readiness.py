"""Whether the server is well is found out once a moment, and told in words only to those who look after it."""

import asyncio

from llm_incident_manager.domain.errors import DomainError, ErrorReason
from llm_incident_manager.transport.drain import Drain
from llm_incident_manager.transport.readiness import Probes


class Database:
    """Counts how often it is looked at."""

    def __init__(self) -> None:
        self.looks = 0

    async def check(self) -> None:
        self.looks += 1
        raise DomainError(ErrorReason.NOT_AVAILABLE, "db.internal:5432 does not answer")


async def test_many_who_ask_cost_one_look() -> None:
    database = Database()
    probes = Probes({"database": database.check}, Drain(), {})
    answers = await asyncio.gather(*(probes.ask() for _ in range(100)))
    assert {answer.ready for answer in answers} == {False}
    assert database.looks == 1


async def test_the_end_is_told_at_once() -> None:
    end = Drain()
    probes = Probes({}, end, {})
    assert (await probes.ask()).ready
    end.begin(1.0)
    assert not (await probes.ask()).ready


async def test_in_brief_nothing_is_named_but_the_check() -> None:
    answer = await Probes({"database": Database().check}, Drain(), {"anonymous": "anybody may call"}).ask()
    assert answer.brief == {"database": "not ok", "anonymous": "not ok"}
    assert answer.checks["database"] == "db.internal:5432 does not answer"

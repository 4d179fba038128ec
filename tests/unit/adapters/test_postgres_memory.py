"""What is told when the database lacks what was committed: from when, how much at most, and what to do."""

from uuid import UUID

from llm_incident_manager.adapters.postgres.memory import Memory, Written, missing, written_by
from llm_incident_manager.domain.ids import made_at
from llm_incident_manager.domain.time import rfc3339
from llm_incident_manager.ports.changes import Changes
from tests.support.builders import make_incident, make_opening

NEWER = "01a20202-869b-7605-9a2d-bdbb96ff71c7"
OLDER = "01a20202-7af3-7605-9a2d-bdbb96ff71c7"  # 2.984 s before


class Database:
    """Answers as a database that has what it has; counts how often it was asked."""

    def __init__(self, *, whole: bool) -> None:
        self.whole, self.asked = whole, 0

    async def fetchrow(self, _: str, *__: object) -> tuple[bool, UUID]:
        self.asked += 1
        return self.whole, UUID(OLDER)


def test_it_says_since_when_and_how_much_at_most() -> None:
    said = missing(Written(OLDER, NEWER), UUID(OLDER))
    assert rfc3339(made_at(NEWER)) in said
    assert "up to 3.0 s are lost" in said
    assert "has no events at all" in missing(Written(NEWER, None), None)


def test_a_unit_of_work_is_known_by_its_newest_event_and_entry() -> None:
    opening = make_opening(make_incident())
    found = written_by([Changes(), opening])
    assert found == (max(row.id for row in opening.events), max(entry.id for entry in opening.timeline))
    assert written_by([Changes()]) == (None, None)


async def test_what_is_missing_is_reported_once_and_what_is_there_never() -> None:
    told: list[str] = []
    memory = Memory(told.append)
    lost, well = Database(whole=False), Database(whole=True)
    await memory.look(lost)  # type: ignore[arg-type]  # a connection is a large thing
    assert (told, lost.asked) == ([], 0), "nothing was committed, so nothing can be missing"
    memory.note(Written(NEWER, None))
    memory.note(Written(None, None))
    await memory.look(well)  # type: ignore[arg-type]
    assert (told, well.asked) == ([], 1)
    for _ in range(3):
        await memory.look(lost)  # type: ignore[arg-type]
    assert (len(told), lost.asked) == (1, 1)


async def test_what_was_committed_long_ago_proves_nothing() -> None:
    told: list[str] = []
    memory = Memory(told.append)
    memory.note(Written(NEWER, None))
    memory._at -= 3_601
    await memory.look(Database(whole=False))  # type: ignore[arg-type]
    assert told == []

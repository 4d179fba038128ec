"""Related incidents, links, attachments and notes, as they are stored on every database."""

import pytest

from llm_incident_manager.domain.errors import InvalidFields, NotFound
from llm_incident_manager.domain.ids import IncidentId
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.lifecycle import Verb
from llm_incident_manager.domain.relations import Attachment, Relation
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.domain.timeline import TimelineKind
from llm_incident_manager.ports.stores import Store
from llm_incident_manager.usecases.linking import MOST_ATTACHMENTS
from tests.support.builders import TENANT, make_id
from tests.support.desk import CALLER, Desk, desk_on


@pytest.fixture
def desk(store: Store) -> Desk:
    return desk_on(store)


async def link(desk: Desk, one: Incident, other: Incident, why: str = "") -> None:
    await desk.do(lambda tx, changes: desk.linking.link(tx, changes, CALLER, (one.id, other.number), "ann", why))


async def unlink(desk: Desk, one: Incident, other: Incident) -> None:
    await desk.do(lambda tx, changes: desk.linking.unlink(tx, changes, CALLER, (one.id, other.id), "ann"))


async def attach(desk: Desk, incident: Incident, url: str) -> Attachment:
    draft = Attachment("", TENANT, IncidentId(""), url, "a log", "text/plain", "ann", Instant(0))
    return await desk.do(lambda tx, changes: desk.linking.attach(tx, changes, CALLER, incident.id, draft))


async def detach(desk: Desk, incident: Incident, name: str) -> Attachment:
    return await desk.do(lambda tx, changes: desk.linking.detach(tx, changes, CALLER, incident.id, name, "ann"))


async def test_a_link_holds_for_both_until_one_takes_it_away(desk: Desk) -> None:
    one, other = await desk.opened("a"), await desk.opened("b")
    await link(desk, one, other, "the same deploy")
    await link(desk, other, one)
    assert await desk.related(one) == {(Relation.LINKED, other.id)}
    (seen,) = await desk.store.related(TENANT, other.id, (0, ""), 10)
    assert (seen.incident.id, seen.actor, seen.reason) == (one.id, "ann", "the same deploy")
    assert (await desk.told(one)).count("LINKED") == 1
    assert (await desk.now(one.id)).etag == one.etag, "notes and links never conflict with an edit"
    await unlink(desk, other, one)
    assert await desk.related(one) == set()
    with pytest.raises(NotFound):
        await unlink(desk, one, other)
    with pytest.raises(InvalidFields, match="same incident"):
        await link(desk, one, one)


async def test_relations_are_listed_by_kind_and_page_by_page(desk: Desk) -> None:
    first = await desk.opened("a")
    await desk.move(first, Verb.RESOLVE)
    middle = await desk.opened("a")
    await desk.move(middle, Verb.RESOLVE)
    last = await desk.opened("a")
    others = [await desk.opened(f"k{n}") for n in range(3)]
    for other in others:
        await link(desk, middle, other)
    expected = [
        (Relation.PREVIOUS, first.id),
        (Relation.NEXT, last.id),
        *((Relation.LINKED, other.id) for other in others),
    ]
    after: tuple[int, str] = (0, "")
    found: list[tuple[Relation, str]] = []
    while page := await desk.store.related(TENANT, middle.id, after, 2):
        found += [(each.relation, each.incident.id) for each in page]
        after = found[-1]
    assert found == expected


async def test_attachments_come_and_go_and_the_timeline_keeps_both(desk: Desk) -> None:
    incident = await desk.opened("a")
    added = [await attach(desk, incident, f"https://logs.example/{n}") for n in range(3)]
    assert list(await desk.store.attachments(TENANT, incident.id, "", 2)) == added[:2]
    assert list(await desk.store.attachments(TENANT, incident.id, added[1].id, 2)) == added[2:]
    assert await detach(desk, incident, added[0].id) == added[0]
    assert list(await desk.store.attachments(TENANT, incident.id, "", 10)) == added[1:]
    with pytest.raises(NotFound):
        await detach(desk, incident, added[0].id)
    with pytest.raises(NotFound):
        await detach(desk, await desk.opened("b"), added[1].id)
    assert (await desk.told(incident)).count("ATTACHMENT") == 4


async def test_an_incident_takes_so_many_attachments(desk: Desk) -> None:
    incident = await desk.opened("a")
    made = [
        Attachment(make_id(), TENANT, incident.id, "https://x.example/", "x", "", "ann", Instant(1))
        for _ in range(MOST_ATTACHMENTS)
    ]
    async with desk.store.transaction() as tx:
        from llm_incident_manager.ports.changes import Changes

        await tx.write(Changes(attachments=made))
    with pytest.raises(InvalidFields, match="remove others first"):
        await attach(desk, incident, "https://x.example/one-more")


async def test_notes_can_be_read_without_the_rest_of_the_timeline(desk: Desk) -> None:
    incident = await desk.opened("a")
    for text in ("one", "two", "three"):
        await desk.do(
            lambda tx, changes, text=text: desk.incidents.add_note(tx, changes, CALLER, incident.id, "ann", text)  # type: ignore[misc]
        )
    first = await desk.store.timeline(TENANT, incident.id, "", 2, TimelineKind.NOTE)
    rest = await desk.store.timeline(TENANT, incident.id, first[-1].id, 2, TimelineKind.NOTE)
    assert [entry.text for entry in (*first, *rest)] == ["one", "two", "three"]

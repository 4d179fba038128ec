"""Edge-Agents, directives and requests for models as every back end keeps them."""

from dataclasses import replace

import pytest

from llm_incident_manager.domain.agents import AgentState
from llm_incident_manager.domain.directives import (
    Change,
    DirectiveState,
    Wanted,
)
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.inference import InferencePriority, InferenceStatus
from llm_incident_manager.domain.time import MINUTE, SECOND, Instant
from llm_incident_manager.ports.agent_store import (
    AgentKey,
    AgentQuery,
    AgentRow,
    DirectiveQuery,
    InferenceKey,
    Pending,
    Sign,
)
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.stores import KeyTaken, Store
from tests.support.builders import NOW, TENANT
from tests.support.edge_builders import PROFILE, a_directive, a_request, an_agent, whole

OTHER = TenantId("other")


async def write(store: Store, *rows: AgentRow) -> None:
    async with store.transaction() as tx:
        await tx.write(Changes(agents=list(rows)))


async def test_what_is_written_is_read_again(store: Store) -> None:
    agent = an_agent("one", telemetry=b"\x00\xff", configuration_version="v", configuration_error="no")
    directive, request = a_directive("one", "two"), a_request("r")
    await write(store, agent, whole(directive), request)
    assert await store.agent(TENANT, "one") == agent
    assert await store.directive(TENANT, directive.id) == directive
    assert await store.inference(InferenceKey(TENANT, "r")) == request
    async with store.transaction() as tx:
        assert await tx.agent(TENANT, "one") == agent
        assert await tx.directive(TENANT, directive.id) == directive
        assert await tx.inference(InferenceKey(TENANT, "r")) == request
    assert await store.agent(OTHER, "one") is None
    assert await store.directive(OTHER, directive.id) is None


async def test_an_agent_id_is_its_first_owners_and_an_older_session_changes_nothing(store: Store) -> None:
    await write(store, an_agent("one"))
    with pytest.raises(KeyTaken):
        await write(store, an_agent("one", subject="key:2", epoch=2))
    newer = an_agent("one", epoch=2, connected_at=Instant(NOW + 1))
    await write(store, newer)
    with pytest.raises(KeyTaken):
        await write(store, an_agent("one", state=AgentState.DISCONNECTED))
    with pytest.raises(KeyTaken):
        await write(store, replace(newer, connected_at=Instant(NOW + 2)))  # another session of the same number
    assert await store.agent(TENANT, "one") == newer


async def test_agents_come_in_pages_by_id(store: Store) -> None:
    lost = an_agent("c", state=AgentState.LOST, profile=PROFILE._replace(service="other"))
    await write(store, an_agent("a"), an_agent("B"), lost, an_agent("d", OTHER))
    found = await store.agents(AgentQuery(TENANT, limit=2))
    assert [each.agent_id for each in found] == ["B", "a"]
    assert [each.agent_id for each in await store.agents(AgentQuery(TENANT, after="a"))] == ["c"]
    assert [each.agent_id for each in await store.agents(AgentQuery(TENANT, AgentState.LOST))] == ["c"]
    assert [each.agent_id for each in await store.agents(AgentQuery(TENANT, service="other"))] == ["c"]


async def test_signs_of_life_count_for_the_newest_session_only(store: Store) -> None:
    await write(store, an_agent("a", telemetry=b"before"), an_agent("b", epoch=3, state=AgentState.LOST))
    at, due = Instant(NOW + SECOND), Instant(NOW + MINUTE + SECOND)
    keys = [AgentKey(TENANT, each) for each in ("a", "b", "gone")]
    signs = [Sign(keys[0], 1, at, due, b""), Sign(keys[1], 2, at, due, b"x"), Sign(keys[2], 1, at, due, b"")]
    assert await store.note_signs(signs) == [keys[0]]
    assert await store.note_signs([]) == []
    noted = await store.agent(TENANT, "a")
    assert noted is not None
    assert (noted.last_seen_at, noted.due_at, noted.telemetry) == (at, due, b"before")
    assert await store.note_signs([Sign(keys[1], 3, at, due, b"now")]) == [keys[1]]
    back = await store.agent(TENANT, "b")
    assert back is not None
    assert (back.state, back.telemetry) == (AgentState.CONNECTED, b"now"), "it lives"
    assert await store.epochs("here") == {keys[0]: 1, keys[1]: 3}
    assert await store.epochs("elsewhere") == {}


async def test_silent_and_returned_agents_are_found(store: Store) -> None:
    await write(
        store,
        an_agent("never", due_at=None),
        an_agent("late", due_at=Instant(NOW + 2)),
        an_agent("later", OTHER, due_at=Instant(NOW + 1)),
        an_agent("back", reported_lost=True),
        an_agent("away", reported_lost=True, state=AgentState.LOST),
    )
    assert await store.silent_agents(NOW, 10) == []
    assert [each.agent_id for each in await store.silent_agents(Instant(NOW + 2), 10)] == ["later", "late"]
    assert [each.agent_id for each in await store.returned_agents(10)] == ["back"]


async def test_errands_are_those_of_agents_whose_sessions_the_process_has(store: Store) -> None:
    await write(store, an_agent("a"), an_agent("b", server="elsewhere", epoch=4), an_agent("c", server=""))
    wanted, done = a_directive("a", "b", "c"), a_directive("a", wanted=Wanted.NOTHING)
    await write(store, whole(wanted), whole(done))
    assert [(each.key.agent_id, each.epoch, each.directive_id) for each in await store.errands("here", 10)] == [
        ("a", 1, wanted.id)
    ]
    assert [(each.key.agent_id, each.epoch) for each in await store.errands("elsewhere", 10)] == [("b", 4)]
    assert await store.errands("", 10) == []


async def test_directives_come_in_pages_the_newest_first(store: Store) -> None:
    first, second = a_directive("a", incident="i"), a_directive("b", state=DirectiveState.APPLIED)
    await write(store, whole(first), whole(second), whole(a_directive("a", tenant=OTHER)))
    assert await store.directives(DirectiveQuery(TENANT)) == [second, first]
    assert await store.directives(DirectiveQuery(TENANT, limit=1)) == [second]
    assert await store.directives(DirectiveQuery(TENANT, before=second.id)) == [first]
    assert await store.directives(DirectiveQuery(TENANT, DirectiveState.APPLIED)) == [second]
    assert await store.directives(DirectiveQuery(TENANT, agent_id="a")) == [first]
    assert await store.directives(DirectiveQuery(TENANT, incident_id="i")) == [first]


async def test_a_move_writes_the_delivery_that_moved_and_the_state_of_all(store: Store) -> None:
    made = a_directive("a", "b")
    await write(store, whole(made))
    moved = replace(made.deliveries[0], state=DirectiveState.SENT, attempts=1)
    changed = made.changed({"a": moved}, Instant(NOW + 1))
    await write(store, Change(changed, (moved,)))
    assert await store.directive(TENANT, made.id) == changed
    assert await store.directives(DirectiveQuery(TENANT, DirectiveState.APPROVED)) == [changed]


async def test_what_is_due_is_found_and_what_waits(store: Store) -> None:
    assert await store.agents_pending(NOW) == Pending(False, False, False)
    directive, request = a_directive("a"), a_request("r")
    await write(store, whole(directive), request)
    assert await store.agents_pending(NOW) == Pending(False, False, True)
    over = Instant(NOW + MINUTE)
    assert await store.agents_pending(over) == Pending(True, True, True)
    async with store.transaction() as tx:
        assert await tx.due_directives(NOW, 10) == []
        assert await tx.due_directives(over, 10) == [directive]
        assert await tx.due_inferences(over, 10) == [request]
        await tx.forget_inferences([InferenceKey(TENANT, "r")])
    assert await store.inference(InferenceKey(TENANT, "r")) is None


async def test_requests_wait_by_urgency_and_then_by_age(store: Store) -> None:
    later = Instant(NOW + 1)
    rows = [
        a_request("old"),
        a_request("new", created_at=later),
        a_request("urgent", created_at=later, priority=InferencePriority.HIGH),
        a_request("given", status=InferenceStatus.PROCESSING, agent_id="a", epoch=1, server="here"),
        a_request("done", status=InferenceStatus.COMPLETED, result=b"result"),
    ]
    await write(store, *rows)
    async with store.transaction() as tx:
        assert [each.request_id for each in await tx.queued_inferences(10)] == ["urgent", "old", "new"]
        assert await tx.count_queued(TENANT) == 3
        assert await tx.count_queued(OTHER) == 0
        assert await tx.inferences_of(AgentKey(TENANT, "a")) == [rows[3]]
    keys = [InferenceKey(TENANT, each.request_id) for each in rows]
    assert await store.inference_results(keys) == [rows[4]]


@pytest.mark.needs("many_writers")
async def test_what_somebody_is_giving_out_nobody_else_does(store: Store) -> None:
    directive = a_directive("a")
    await write(store, whole(directive), a_request("r"))
    over = Instant(NOW + MINUTE)
    async with store.transaction() as one, store.transaction() as other:
        assert len(await one.queued_inferences(10)) == len(await one.due_directives(over, 10)) == 1
        assert list(await other.queued_inferences(10)) == []
        assert list(await other.due_directives(over, 10)) == []

"""What another tenant, service or team has does not exist for a caller: nothing tells of it, nothing reaches it."""

from collections.abc import Callable

import aiohttp
import pytest

from tests.support.access import isolation, realm
from tests.support.access.doors import Doors
from tests.support.access.realm import ALL_RIGHTS, BY_NAME, Realm
from tests.support.access.who import Who
from tests.support.server import RunningServer

pytestmark = pytest.mark.asyncio(loop_scope="module")

INTRUDERS: dict[str, Callable[[], Who]] = {
    "another tenant": lambda: Who("alpha", "ann", ALL_RIGHTS),
    "another service": lambda: Who("alpha", "ann", ALL_RIGHTS, services=("payments",)),
    "another team": lambda: Who("alpha", "ann", ALL_RIGHTS, teams=("red", "green")),
    "both": lambda: Who("alpha", "ann", ALL_RIGHTS, services=("payments", "search"), teams=("red",)),
}


@pytest.mark.parametrize("whose", INTRUDERS)
async def test_it_does_not_exist(whose: str, doors: Doors, mine: Realm, elsewhere: Realm, beside: Realm) -> None:
    theirs = elsewhere if whose == "another tenant" else beside
    found = await isolation.matrix(doors, mine, theirs, INTRUDERS[whose]())
    assert found.wrong == []
    assert (found.foreign, found.calls > 200) == (0, True)


@pytest.mark.parametrize("whose", INTRUDERS)
async def test_a_watch_never_tells_of_it(
    whose: str, doors: Doors, mine: Realm, elsewhere: Realm, beside: Realm
) -> None:
    theirs = elsewhere if whose == "another tenant" else beside
    assert await isolation.live(doors, mine, theirs, INTRUDERS[whose]()) == []


async def test_ten_thousand_guesses_find_nothing(doors: Doors, elsewhere: Realm, mine: Realm) -> None:
    found = await isolation.guesses(doors, elsewhere, mine.owner, 10_000, "41")
    assert (found.wrong, found.guesses) == ([], 10_000)


async def test_names_that_callers_choose_are_their_own(doors: Doors, mine: Realm, elsewhere: Realm) -> None:
    assert await isolation.chosen_names(doors, mine, elsewhere) == []


async def test_figures_of_the_server_name_no_tenant(server: RunningServer, mine: Realm, elsewhere: Realm) -> None:
    async with aiohttp.request("GET", f"{server.http}/metrics") as reply:
        text = await reply.text()
    assert "incident_manager_" in text
    assert [word for word in (mine.canary, elsewhere.canary, "alpha", "beta") if word in text] == []


async def test_events_of_another_service_are_refused_one_by_one(doors: Doors, mine: Realm, beside: Realm) -> None:
    producer = Who("alpha", "narrow", ("producer",), services=("payments",))
    good, bad = mine.event(title="mine"), beside.event(title="theirs")
    reply = await realm.ask(doors, producer, "SubmitEvents", events=[good, bad, good])
    assert [(each.disposition, each.reason) for each in reply.results][1] == (7, "not_covered")
    assert (reply.accepted, reply.rejected) == (2, 1)
    assert reply.results[1].violations[0].field == "service"
    for fields in ({}, {"request_id": "narrow"}):
        refused = await realm.asked(doors, producer, "SubmitEvent", event=bad, **fields)
        assert (refused.code, refused.reason) == (7, "PERMISSION_DENIED")
    streamed = await doors.stream(
        BY_NAME["StreamEvents"], realm.opening("narrow", good, bad), producer, first=5.0, most=2
    )
    acks = BY_NAME["StreamEvents"].response.FromString(streamed.parts[1]).acks  # type: ignore[attr-defined]
    assert [each.reason for each in acks.results][1] == "not_covered"


@pytest.mark.parametrize("action", ["ACTION_TRIGGER", "ACTION_RESOLVE", "ACTION_ACKNOWLEDGE"])
@pytest.mark.parametrize("request_id", ["", "by-key"])
async def test_a_fingerprint_is_no_way_to_reach_what_is_of_another_service(
    action: str, request_id: str, doors: Doors, mine: Realm, beside: Realm
) -> None:
    producer = Who("alpha", "narrow", ("producer",), services=("payments",))
    key = f"theirs-{action}-{request_id}"
    theirs = await realm.an_incident(doors, beside, dedup_key=key)
    before = await realm.asked(doors, beside.owner, "GetIncident", incident_id=theirs.id)
    event = mine.event(dedup_key=key, action=action, severity="critical")
    name = f"{request_id}-{action}" if request_id else ""
    reply = await realm.ask(doors, producer, "SubmitEvent", event=event, request_id=name)
    assert (reply.status, reply.reason, reply.incident_id) == ("ignored", "not_covered", "")
    after = await realm.asked(doors, beside.owner, "GetIncident", incident_id=theirs.id)
    fields = ("event_count", "state", "severity")
    was, now = (BY_NAME["GetIncident"].response.FromString(each.data) for each in (before, after))
    assert [getattr(now, name) for name in fields] == [getattr(was, name) for name in fields]


async def test_who_holds_a_fingerprint_is_told_only_to_those_who_see_it(
    doors: Doors, mine: Realm, beside: Realm
) -> None:
    narrow = Who("alpha", "narrow", ("responder",), services=(mine.service,))
    key = "held-by-another-service"
    own = await realm.an_incident(doors, mine, dedup_key=key)
    await realm.ask(doors, mine.owner, "Resolve", incident_id=own.id, force=True)
    theirs = await realm.an_incident(doors, beside, dedup_key=key)
    wanted = {"source": "x", "title": "x", "service": mine.service, "dedup_key": key}
    for verb, fields in (("CreateIncident", wanted), ("Reopen", {"incident_id": own.id})):
        refused = await realm.asked(doors, narrow, verb, **fields)
        assert (refused.code, refused.reason) == (6, "FINGERPRINT_TAKEN"), verb
        assert theirs.id not in repr(refused)
        told = await realm.asked(doors, mine.owner, verb, **fields)
        assert theirs.id in repr(told), verb


async def test_nobody_moves_an_incident_out_of_its_own_sight(doors: Doors, mine: Realm) -> None:
    red = Who("alpha", "red", ("responder",), teams=("red",))
    made = await realm.an_incident(doors, mine)
    edit = {"incident": {"id": made.id, "labels": {"team": "blue"}}, "update_mask": {"paths": ["labels"]}}
    refused = await realm.asked(doors, red, "UpdateIncident", **edit)
    assert (refused.code, refused.reason) == (7, "PERMISSION_DENIED")
    refused = await realm.asked(doors, red, "CreateIncident", source="x", title="x", labels={"team": "blue"})
    assert (refused.code, refused.reason) == (7, "PERMISSION_DENIED")
    edit["incident"] = {"id": made.id, "labels": {"team": "red", "more": "x"}}
    assert (await realm.asked(doors, red, "UpdateIncident", **edit)).code == 0

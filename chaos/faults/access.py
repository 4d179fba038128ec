"""Faults 40, 41, 42, 45 and 53: what callers must not reach, by every method of the contract."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from chaos.registry import fault
from chaos.row import Figure, Outcome
from chaos.run import Profile, Run
from tests.support.access import assignment, erasure, injection, isolation, payloads, permissions, replay, trusting
from tests.support.access.doors import Doors, doors_of
from tests.support.access.realm import ALL_RIGHTS, GIVES_UP_AT_ONCE, OPERATOR, Realm, ask, found_tenants, populate
from tests.support.access.who import Who
from tests.support.server import RunningServer, running_server


@dataclass
class Place:
    """A server with two tenants, and two owners in one of them."""

    server: RunningServer
    doors: Doors
    mine: Realm = field(default_factory=lambda: Realm(_owner("alpha"), "canary-mine", "payments", "red"))
    beside: Realm = field(default_factory=lambda: Realm(_owner("alpha"), "canary-beside", "search", "blue"))
    elsewhere: Realm = field(default_factory=lambda: Realm(_owner("beta"), "canary-beta", "payments-of-beta", "red"))


def _owner(tenant: str) -> Who:
    return Who(tenant, "ann", ALL_RIGHTS)


async def _places(run: Run) -> AsyncIterator[Place]:
    """One on each database; in the short profile on one of them, since tests/security tries both."""
    async with _place({}) as place:
        yield place
    if run.profile is Profile.CI:
        return
    async with run.postgres() as (cluster, name), _place({"DATABASE_URL": cluster.dsn(name)}) as place:
        yield place


@asynccontextmanager
async def _place(env: dict[str, str]) -> AsyncIterator[Place]:
    environment = {**trusting.ENVIRONMENT, **env}
    async with (
        running_server(env=environment, config=GIVES_UP_AT_ONCE, program=trusting.PROGRAM) as server,
        doors_of(server) as doors,
    ):
        place = Place(server, doors)
        await found_tenants(doors)
        for realm in (place.mine, place.beside, place.elsewhere):
            await populate(doors, realm)
        yield place


@fault(40, "a request comes again under its id", limit="the same answer and no effect; another one: ALREADY_EXISTS")
async def repeats(run: Run) -> Outcome:
    """Every writing method, by both doors; the ids of others are no repeats."""
    methods, calls, wrong = 0, 0, list[str]()
    async for place in _places(run):
        found = await replay.matrix(place.doors, place.mine, place.elsewhere)
        methods, calls, wrong = found.methods, calls + found.calls, wrong + found.wrong
    figures = [Figure("methods", methods, least=30), Figure("repeats", calls), Figure("wrong", len(wrong), most=0)]
    return Outcome(figures, wrong=wrong[:5])


@fault(41, "callers of another tenant, service or team", limit="0 foreign rows, NOT_FOUND as of an id nobody has")
async def foreigners(run: Run) -> Outcome:
    """Every method and route with their ids, filters, tokens and names, and random ids beside the real ones."""
    calls, foreign, guesses, wrong = 0, 0, 0, list[str]()
    async for place in _places(run):
        doors, mine = place.doors, place.mine
        for theirs, intruder in _intruders(place):
            found = await isolation.matrix(doors, mine, theirs, intruder)
            calls, foreign, wrong = calls + found.calls, foreign + found.foreign, wrong + found.wrong
            wrong += await isolation.live(doors, mine, theirs, intruder)
        guessed = await isolation.guesses(doors, place.elsewhere, mine.owner, run.size(10_000, 50_000), run.seed)
        guesses, wrong = guesses + guessed.guesses, wrong + guessed.wrong
        wrong += await isolation.chosen_names(doors, mine, place.elsewhere)
    figures = [
        Figure("calls", calls, least=1_000),
        Figure("guessed ids", guesses, least=10_000),
        Figure("foreign rows", foreign, most=0),
        Figure("wrong", len(wrong), most=0),
    ]
    return Outcome(figures, wrong=wrong[:5])


def _intruders(place: Place) -> list[tuple[Realm, Who]]:
    owner = place.mine.owner
    return [
        (place.elsewhere, owner),
        (place.beside, replace(owner, services=("payments",))),
        (place.beside, replace(owner, teams=("red",))),
    ]


@fault(42, "every method as every role and as nobody", limit="what the contract declares; what the server sets stays")
async def strangers(run: Run) -> Outcome:
    """Every method and route; and fields that only the server sets, wherever a request could carry them."""
    calls, refused, fields, wrong = 0, 0, 0, list[str]()
    async for place in _places(run):
        found = await permissions.matrix(place.doors)
        calls, refused, wrong = calls + found.calls, refused + found.refused, wrong + found.wrong
        for planted in (
            await assignment.unknown(place.doors, place.mine),
            await assignment.set_by_server(place.doors, place.mine),
        ):
            fields, wrong = fields + planted.fields, wrong + planted.wrong
    figures = [
        Figure("calls", calls, least=2_000),
        Figure("refused", refused),
        Figure("planted fields", fields, least=500),
        Figure("wrong", len(wrong), most=0),
    ]
    return Outcome(figures, wrong=wrong[:5])


@fault(45, "texts that would change a statement", limit="0 statements fail, and every text means itself")
async def injections(run: Run) -> Outcome:
    """The corpus in every text field of every method, and as what filters look for."""
    corpus = payloads.corpus()
    calls, fields, literal, errors, wrong = 0, 0, 0, 0, list[str]()
    async for place in _places(run):
        tried = await injection.everywhere(place.doors, place.mine, corpus, run.size(5, len(corpus)))
        meant = await injection.literally(place.doors, place.mine, corpus)
        calls, fields, literal = calls + tried.calls, tried.fields, literal + meant.literal
        errors += sum(injection.told_by(place.server.log).values())
        wrong += [*tried.wrong, *meant.wrong]
    figures = [
        Figure("payloads", len(corpus), least=400),
        Figure("fields", fields, least=100),
        Figure("calls", calls),
        Figure("searches", literal),
        Figure("failed statements", errors, most=0),
        Figure("wrong", len(wrong), most=0),
    ]
    return Outcome(figures, wrong=wrong[:5])


LASTING = ("incident", "event", "event_body", "incident_attachment", "incident_link", "incident_key", "api_key", "role")
"""Tables whose rows nobody adds to or takes from while nobody calls."""


@fault(53, "a tenant is erased", limit="nothing of it is left but its audit; others have what they had")
async def erasures(run: Run) -> Outcome:
    """Taken along first, and looked for in every table afterwards."""
    before, left, others, longest = 0, 0, 0, 0.0
    async for place in _places(run):
        tenant = place.elsewhere.owner.tenant
        rows, _ = await erasure.exported(place.doors, tenant)
        _, kept = await erasure.exported(place.doors, place.mine.owner.tenant)
        await ask(place.doors, OPERATOR, "EraseTenant", tenant_id=tenant, confirm=tenant)
        longest = max(longest, await erasure.erased(place.doors, tenant))
        _, counts = await erasure.exported(place.doors, tenant)
        _, still = await erasure.exported(place.doors, place.mine.owner.tenant)
        before += len(rows)
        left += sum(count for table, count in counts.items() if table not in erasure.AUDIT)
        others += sum(abs(still[table] - kept[table]) for table in LASTING)
    figures = [
        Figure("rows before", before, least=100),
        Figure("rows left", left, most=0),
        Figure("rows of others changed", others, most=0),
        Figure("took", longest, "s", most=86_400),
    ]
    return Outcome(figures)

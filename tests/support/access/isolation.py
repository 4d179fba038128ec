"""Fault 41: what one owner has does not exist for another: every method, every route, every way to name or to find it.

The other one may be of another tenant, or of the same tenant and narrowed to other services or teams.
"""

import asyncio
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import Message

from llm_incident_manager.domain.access import NARROWABLE
from llm_incident_manager.transport import methods
from llm_incident_manager.transport.methods import Method
from tests.support.access import filling, realm
from tests.support.access.doors import Answer, Doors, routes
from tests.support.access.filling import NAMES_OF, Path
from tests.support.access.realm import OF_THE_INSTALLATION, Realm
from tests.support.access.who import Who

NOT_FOUND, DENIED, INVALID = 5, 7, 3
UNKNOWN = "01890000-0000-7000-8000-000000000000"

NOT_SERVED = frozenset({"AnalyzeCorrelations"})
"""Methods that are in the contract and answer everybody that they are not available."""

MAKING = frozenset(
    {
        *("SubmitEvent", "SubmitAlert", "SubmitEvents", "StreamEvents", "CreateIncident", "CreateRole"),
        *("Session", "StreamInference", "SubmitBatch"),
    }
)
"""Methods that name nothing that exists. Names that their callers choose are tried in `chosen_names`."""

ASKING_NOTHING = frozenset({"ListFrameworks", "GetGovernanceMetrics"})
"""Methods whose few fields name nothing that belongs to anybody."""


@dataclass
class Found:
    """How much was tried, and what is wrong."""

    calls: int = 0
    foreign: int = 0
    guesses: int = 0
    wrong: list[str] = field(default_factory=list)

    def look(self, what: str, answer: Answer, theirs: Realm) -> None:
        """No answer has anything of the other owner's."""
        self.calls += 1
        known = [theirs.canary, *(each for kind, ids in theirs.ids.items() if kind != "tenant" for each in ids)]
        known += [theirs.service] if theirs.service and not what.startswith("WhoAmI") else []  # it tells conditions
        said = answer.data.lower()
        asked_for = [each for each in known if each in what]
        for each in known:
            if each not in asked_for and each.encode() in said:
                self.foreign += 1
                self.wrong.append(f"{what}: tells {each}")
                return

    def expect(self, what: str, answer: Answer, code: int) -> None:
        """A refusal, or its absence."""
        if answer.code != code:
            self.wrong.append(f"{what}: {answer.code} {answer.reason} {answer.message}, expected {code}")


def placed(method: Method) -> str:
    """Where a method stands in the matrix: named, found, made or denied. Raises LookupError for one without a place."""
    if method.permission in OF_THE_INSTALLATION:
        return "denied"
    if method.name in NOT_SERVED:
        return "not served"
    if list(filling.ids_in(method.request.DESCRIPTOR)):
        return "named"
    if method.name in MAKING:
        return "made"
    fields = method.request.DESCRIPTOR.fields_by_name
    if "filter" in fields or "page_size" in fields or not fields or method.response_streaming:
        return "found"
    if method.name in ASKING_NOTHING:
        return "found"
    raise LookupError(f"{method.name} has no place in the isolation matrix: give it one, and say how it is asked")


async def matrix(doors: Doors, mine: Realm, theirs: Realm, intruder: Who) -> Found:
    """Tries everything as the intruder, who owns `mine`. What is theirs must be as before."""
    found, before = Found(), await realm.state(doors, theirs)
    for method in methods.all_methods():
        place = placed(method)
        if place == "denied" or (method.permission not in NARROWABLE and intruder.principal.condition.narrows):
            await _denied(doors, method, intruder, found)
            continue
        if place == "named":
            await _named(doors, method, intruder, mine, theirs, found)
        if place in ("found", "named") and _lists(method):
            questions = _questions(method, theirs)
            asked = (_listed(doors, method, intruder, mine, theirs, name, fields, found) for name, fields in questions)
            await asyncio.gather(*asked)
        elif place == "found":
            for door, answer in await _everywhere(doors, method, method.request(), intruder):
                found.look(f"{method.name} by {door}", answer, theirs)
    after = await realm.state(doors, theirs)
    found.wrong += [f"changed: {name}" for name in before if before[name] != after[name]]
    return found


def _lists(method: Method) -> bool:
    return bool({"filter", "page_token", "search"} & set(method.request.DESCRIPTOR.fields_by_name))


async def _everywhere(doors: Doors, method: Method, request: Message, who: Who) -> Iterator[tuple[str, Answer]]:
    """The answers of all doors, by every route."""
    if method.request_streaming:
        return iter([("gRPC", await doors.stream(method, [request.SerializeToString()], who, first=5.0, most=1))])
    answers = [("gRPC", await doors.rpc(method, request, who))]
    answers += [(str(route), await doors.http(route, request, who)) for route in routes(method)]
    asked = await doors.graphql(method, request, who)
    return iter(answers if asked is None else [*answers, ("GraphQL", asked)])


async def _denied(doors: Doors, method: Method, who: Who, found: Found) -> None:
    ids = dict.fromkeys(filling.ids_in(method.request.DESCRIPTOR), UNKNOWN) if placed(method) == "named" else {}
    ids.pop(("selection", "matching", "incident_id"), None)
    for door, answer in await _everywhere(doors, method, filling.request(method, ids), who):
        found.calls += 1
        found.expect(f"{method.name} by {door}", answer, DENIED)


async def _named(doors: Doors, method: Method, who: Who, mine: Realm, theirs: Realm, found: Found) -> None:
    """Each id of the request in turn is theirs, and all others are mine: that one does not exist.

    The answer is the one that an id gets that nobody has ever had, word for word. Tenants are named only by those who
    look after them: whoever else names one is denied that, whether there is one or not.
    """
    for path in filling.ids_in(method.request.DESCRIPTOR):
        kind, same = NAMES_OF[path], mine.owner.tenant == theirs.owner.tenant
        numbers = theirs.numbers[:1] if same and kind == "incident" else []  # numbers are a tenant's own
        for one in [*theirs.ids[kind][:2], *numbers]:
            answers, unknown = {}, _like(one)
            for ref in (one, unknown):
                request = _with(method, mine, path, ref)
                answers[ref] = dict(await _everywhere(doors, method, request, who))
            for door, answer in answers[one].items():
                what = f"{method.name} {'.'.join(path)} = {one} by {door}"
                found.look(what, answer, theirs)
                found.expect(what, answer, DENIED if kind == "tenant" else NOT_FOUND)
                if answer.message.replace(one, unknown) != answers[unknown][door].message:
                    found.wrong.append(f"{what}: {answer.message!r} is another answer than an unknown id gets")


def _like(ref: str) -> str:
    """An id of the same moment, or a number of the same day, that nobody has."""
    if len(ref) == len(UNKNOWN):
        return f"{ref[:24]}{'0' * 12}"
    return f"{ref[:-5]}98765" if ref.startswith("INC-") else "nobody-s"


def _with(method: Method, mine: Realm, path: Path, ref: str) -> Message:
    ids = {**mine.own(method), path: ref}
    if path[:2] == ("selection", "matching"):
        ids.pop(("selection", "named", "ids"), None)
    return filling.request(method, ids)


async def _listed(
    doors: Doors,
    method: Method,
    who: Who,
    mine: Realm,
    theirs: Realm,
    name: str,
    fields: dict[str, Any],
    found: Found,
) -> None:
    """Lists, searches, filters and streams that would find theirs, and tokens that were theirs."""
    own = {} if method.name == "ListDeadLetters" else mine.own(method)
    request = filling.request(method, own, **fields)
    for door, answer in await _everywhere(doors, method, request, who):
        what = f"{method.name} with {name} {fields} by {door}"
        found.look(what, answer, theirs)
        if name == "page_token":
            found.expect(what, answer, INVALID)
        elif answer.code:
            found.wrong.append(f"{what}: {answer.code} {answer.reason} {answer.message}")
        elif name == "nothing" and method.name in TELLING and mine.canary.encode() not in answer.data:
            found.wrong.append(f"{what}: does not even tell what is mine")


TELLING = frozenset({"ListIncidents", "StreamIncidents", "WatchIncidents"})
"""Methods that must tell what is one's own: otherwise that they tell nothing of others would show nothing."""


def _questions(method: Method, theirs: Realm) -> Iterator[tuple[str, dict[str, Any]]]:
    fields = method.request.DESCRIPTOR.fields_by_name
    more: dict[str, Any] = {"snapshot": True} if "snapshot" in fields else {}
    if method.name != "ApplyToIncidents":
        yield "nothing", more
    if "filter" in fields:
        for text in _filters(theirs):
            yield "filter", {"filter": text, **more}
    if "search" in fields:
        yield "search", {"search": theirs.canary}
    if "page_token" in fields and method.name in theirs.page_tokens:
        yield "page_token", {"page_token": theirs.page_tokens[method.name], "page_size": 1}
    if "resume_token" in fields:
        yield "resume_token", {"resume_token": theirs.resume_token}
    if "group_by" in fields:
        for group in ("source", "severity", "service"):
            yield "group_by", {"group_by": group}


def _filters(theirs: Realm) -> Sequence[str]:
    named = [f'id = "{ref}"' for ref in theirs.ids["incident"][:2]]
    told = [f'title:"{theirs.canary}"', f'labels.canary = "{theirs.canary}"', f'"{theirs.canary}"']
    return [*named, *told, f'service = "{theirs.service}" OR NOT severity = P0', "NOT state = CLOSED OR state = CLOSED"]


async def guesses(doors: Doors, theirs: Realm, intruder: Who, count: int, seed: str) -> Found:
    """Random ids beside the real ones, and the real ones among them: all are unknown."""
    found, chance = Found(), random.Random(seed)
    real = [(kind, ref) for kind in ("incident", "event") for ref in theirs.ids[kind]]
    places = asyncio.Semaphore(64)

    async def guess() -> None:
        kind, ref = chance.choice(real)
        tried = ref if chance.random() < 0.02 else f"{ref[:14]}7{ref[15:24]}{chance.getrandbits(48):012x}"
        name, key = ("GetIncident", "incident_id") if kind == "incident" else ("GetEvent", "event_id")
        async with places:
            answer = await realm.asked(doors, intruder, name, **{key: tried})
        found.guesses += 1
        if answer.code != NOT_FOUND or theirs.canary.encode() in answer.data:
            found.wrong.append(f"{name} {tried}: {answer.code} {answer.reason}")

    await asyncio.gather(*(guess() for _ in range(count)))
    return found


async def chosen_names(doors: Doors, one: Realm, other: Realm) -> list[str]:
    """The same request id, idempotency key, dedup key and producer id at two owners of different tenants: neither
    notices the other."""
    wrong: list[str] = []
    name = f"shared-{next(filling.numbers)}"
    opened = [await realm.an_incident(doors, each, request_id=name, dedup_key=name) for each in (one, other)]
    if opened[0].id == opened[1].id:
        wrong.append("a request id gave another tenant's answer")
    for each, incident in zip((one, other), opened, strict=True):
        event = each.event(dedup_key=name, idempotency_key=name)
        for attempt in ("NEW", "DUPLICATE"):
            sent = await realm.ask(doors, each.owner, "SubmitEvent", event=event)
            if sent.incident_id != incident.id:
                wrong.append(f"{attempt}: an event of {each.canary} went to incident {sent.incident_id}")
            if (sent.status == "duplicate") != (attempt == "DUPLICATE"):
                wrong.append(f"{attempt}: {sent.status} by the idempotency key of another tenant")
    wrong += await _producers(doors, (one, other), name)
    return wrong


async def live(doors: Doors, mine: Realm, theirs: Realm, intruder: Who) -> list[str]:
    """Watches while both open incidents: told of mine and never of theirs."""
    method = realm.BY_NAME["WatchIncidents"]
    started = asyncio.create_task(doors.stream(method, [b""], intruder, first=3.0, most=3))
    await asyncio.sleep(0.2)
    for each in (theirs, mine, theirs, mine):
        await realm.an_incident(doors, each)
    answer = await started
    told = answer.data
    wrong = [] if mine.canary.encode() in told else [f"a watch of {mine.canary} tells nothing of it: {answer}"]
    return wrong + ([f"a watch of {mine.canary} tells of {theirs.canary}"] if theirs.canary.encode() in told else [])


async def _producers(doors: Doors, both: Sequence[Realm], name: str) -> list[str]:
    wrong, method = [], realm.BY_NAME["StreamEvents"]
    for each in both:
        messages = realm.opening(name, each.event(title=f"{each.canary} streamed"))
        answer = await doors.stream(method, messages, each.owner, first=5.0, most=2)
        replies: list[Any] = [method.response.FromString(part) for part in answer.parts]
        if len(replies) != 2 or (replies[0].opened.epoch, replies[0].opened.last_sequence) != (1, 0):
            wrong.append(f"producer {name} of {each.canary}: {answer}")
    return wrong

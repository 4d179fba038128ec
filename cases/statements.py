"""Statements about lists of incidents, as experiments on a real server.

Words that a statement must hold lead to its experiment. One that no experiment is known for cannot be read.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from cases import rest
from cases.case import Doors, Unreadable

_SOURCE = "cases-of-lists"
_EVENTS: Sequence[dict[str, Any]] = (
    {"title": "Victor met Hugo", "labels": {"foo": "42", "zone": "eu"}, "severity": "P1"},
    {"title": "Victor", "labels": {"foo": "7"}, "severity": "P2"},
    {"title": "Hugo", "severity": "P3", "affected_services": ["42", "chat"]},
    {"title": "Nobody", "description": "but hugo", "severity": "P4"},
)


class Lists:
    """A server with a few known incidents, and what its lists answer."""

    def __init__(self, server: str) -> None:
        """The base URL of the server."""
        self._server = server

    @classmethod
    async def of(cls, doors: Doors) -> "Lists":
        """The lists of the run's server. The events are the same each time, so that they open no second incident."""
        server = await doors.http()
        await rest.submit(server, ({"source": _SOURCE, "dedup_key": event["title"], **event} for event in _EVENTS))
        return cls(server)

    async def found(self, filter_: str) -> frozenset[str] | None:
        """The titles that pass a filter; None when it is refused as INVALID_ARGUMENT."""
        status, answer = await self.page(filter=f'source = "{_SOURCE}" AND ({filter_})')
        return None if status == 400 else frozenset(incident["title"] for incident in answer["incidents"])

    async def page(self, **parameters: str | int) -> tuple[int, dict[str, Any]]:
        """One page of the list."""
        return await rest.incidents(self._server, **{"filter": f'source = "{_SOURCE}"', **parameters})

    async def refuses(self, *filters: str) -> bool:
        """Whether all of them are refused."""
        return all([await self.found(each) is None for each in filters])

    async def same(self, *filters: str) -> bool:
        """Whether all of them are taken and let the same pass, neither nothing nor everything."""
        found = [await self.found(each) for each in filters]
        return len(set(found)) == 1 and found[0] is not None and 0 < len(found[0]) < len(_EVENTS)


Experiment = Callable[[Lists], Awaitable[bool]]


async def about_filters(filter_: str, statement: str, doors: Doors) -> str:
    """What contradicts a statement about filters; empty when nothing does. Raises Unreadable."""
    return await _tried(f"{filter_} | {statement}", FILTERS, doors)


async def about_pages(situation: str, expected: str, doors: Doors) -> str:
    """What contradicts an expectation of pages; empty when nothing does. Raises Unreadable."""
    return await _tried(f"{situation} | {expected}", PAGES, doors)


async def _tried(text: str, known: Sequence[tuple[tuple[str, ...], Experiment | str]], doors: Doors) -> str:
    words = text.lower()
    experiment = next((each for needed, each in known if all(word in words for word in needed)), None)
    if experiment is None:
        raise Unreadable(f"a statement that nobody has made an experiment of: {text}")
    if isinstance(experiment, str):
        raise Unreadable(experiment)
    return "" if await experiment(await Lists.of(doors)) else f"it does not hold: {text}"


async def _or_binds_tighter(lists: Lists) -> bool:
    read, other = "severity = P4 AND title:Victor OR title:Hugo", "(severity = P4 AND title:Victor) OR title:Hugo"
    tighter = "severity = P4 AND (title:Victor OR title:Hugo)"
    return await lists.found(read) == await lists.found(tighter) != await lists.found(other)


async def _negation(lists: Lists) -> bool:
    return await lists.same("NOT title:Victor", "-title:Victor") and await lists.same("NOT Victor", "-Victor")


async def _element(lists: Lists) -> bool:
    return await lists.same('affected_services:"42"', "affected_services:42", 'title = "Hugo"')


async def _no_index(lists: Lists) -> bool:
    return await lists.refuses("affected_services.0.foo = 42", "affected_services[0].foo = 42", "labels[0].foo = 42")


async def _has_key(lists: Lists) -> bool:
    return await lists.same("labels.foo:*", "labels:foo", 'title = "Victor" OR title = "Victor met Hugo"')


async def _has_entry(lists: Lists) -> bool:
    return await lists.same("labels.foo:42", "labels.foo = 42", 'title = "Victor met Hugo"')


async def _absent(lists: Lists) -> bool:
    return await lists.found("labels.nothing = 1") == await lists.found("labels.nothing != 1") == frozenset()


async def _no_such_field(lists: Lists) -> bool:
    return await lists.refuses("title.b = 1", "nothing = 1", "nothing.b:*")


async def _wrong_number(lists: Lists) -> bool:
    return await lists.refuses("event_count = hello", "cost_usd > hello")


async def _times(lists: Lists) -> bool:
    taken = await lists.found('create_time > "2012-04-21T11:30:00-04:00" AND create_time > 2012-04-21T11:30:00Z')
    return taken is not None and bool(taken) and await lists.refuses("create_time = hello", 'create_time > "yesterday"')


async def _durations(lists: Lists) -> bool:
    taken = [await lists.found(f"time_to_resolve < {text}") for text in ("20s", "1.2s", '"20s"', 'duration("20s")')]
    return None not in taken and await lists.refuses("time_to_resolve < soon")


async def _booleans(lists: Lists) -> bool:
    false, true = await lists.found("recurred = false"), await lists.found("recurred = true")
    return bool(false) and true == frozenset() and await lists.refuses("recurred = maybe")


async def _enums(lists: Lists) -> bool:
    return await lists.same("severity = P2", 'severity = "P2"') and await lists.refuses("state = NOWHERE")


async def _sequence(lists: Lists) -> bool:
    return await lists.same("Victor Hugo", "Victor AND Hugo", 'title = "Victor met Hugo"')


async def _field_on_the_left(lists: Lists) -> bool:
    return await lists.refuses("42 = event_count", '"x" = title', "42 = 42")


async def _bare_word(lists: Lists) -> bool:
    return await lists.found("Hugo") == frozenset({"Victor met Hugo", "Hugo", "Nobody"})


async def _wildcards(lists: Lists) -> bool:
    ends = await lists.same('title = "*Hugo"', 'title = "Hugo" OR title = "Victor met Hugo"')
    return ends and await lists.same('title = "Victor*"', 'title = "Victor" OR title = "Victor met Hugo"')


async def _orders(lists: Lists) -> bool:
    return await lists.same("severity < P2", "NOT severity >= P2") and await lists.same(
        "severity > P2", "severity = P1"
    )


async def _unequal(lists: Lists) -> bool:
    return await lists.same('title != "Hugo"', 'NOT title = "Hugo"')


FILTERS: Sequence[tuple[tuple[str, ...], Experiment | str]] = (
    (("a and b or c",), _or_binds_tighter),
    (("or binds tighter",), _or_binds_tighter),
    (("not a", "-a"), _negation),
    (("r.foo",), "no field of an incident is a list of messages"),
    (("e.0.foo",), _no_index),
    (("e[0]",), _no_index),
    (("m.foo:*",), _has_key),
    (("m.foo:",), _has_entry),
    (("m:foo",), _has_key),
    (("r:42",), _element),
    (("repeated", ":"), _element),
    (("absent",), _absent),
    (("not set",), _absent),
    (("not a field",), _no_such_field),
    (("invalid_argument", "int"), _wrong_number),
    (("invalid_argument", "timestamp"), _times),
    (("timestamp",), _times),
    (("duration",), _durations),
    (("boolean",), _booleans),
    (("enum",), _enums),
    (("victor hugo",), _sequence),
    (("left of a comparison",), _field_on_the_left),
    (("bare literal",), _bare_word),
    (("*", "wildcard"), _wildcards),
    (('"*',), _wildcards),
    (("!=",), _unequal),
    (("<", ">"), _orders),
)


async def _default_size(lists: Lists) -> bool:
    answers = [await lists.page(), await lists.page(page_size=0)]
    return [status for status, _ in answers] == [200, 200] and all(each["incidents"] for _, each in answers)


async def _negative_size(lists: Lists) -> bool:
    status, answer = await lists.page(page_size=-1)
    return status == 400 and answer["code"] == 3


async def _huge_size(lists: Lists) -> bool:
    status, answer = await lists.page(page_size=2**31 - 1)
    return status == 200 and answer["pagination"]["page_size"] <= 1000


async def _token(lists: Lists, size: int = 1) -> str:
    _, answer = await lists.page(page_size=size)
    return str(answer["pagination"]["next_page_token"])


async def _other_size(lists: Lists) -> bool:
    status, answer = await lists.page(page_size=2, page_token=await _token(lists))
    return status == 200 and len(answer["incidents"]) == 2


async def _beyond_the_end(lists: Lists) -> bool:
    status, answer = await lists.page(page=99)
    return status == 200 and not answer["incidents"] and not answer["pagination"]["next_page_token"]


async def _end(lists: Lists) -> bool:
    """All pages together are the list, and the last has no token."""
    seen: list[str] = []
    token, more = "", True
    while more:
        _, answer = await lists.page(page_size=1, page_token=token) if token else await lists.page(page_size=1)
        seen += [incident["title"] for incident in answer["incidents"]]
        token = answer["pagination"]["next_page_token"]
        more = bool(token)
    return len(seen) == len(_EVENTS) == len(set(seen))


async def _opaque(lists: Lists) -> bool:
    token = await _token(lists)
    return token.replace("-", "").replace("_", "").isalnum() and not {"Victor", _SOURCE} & {token}


async def _damaged(lists: Lists) -> bool:
    token = await _token(lists)
    forged = [await lists.page(page_token=bad) for bad in ("invalid", token[:-1], token[1:])]
    return all(status == 400 and answer["code"] == 3 for status, answer in forged)


async def _same_list(lists: Lists) -> bool:
    token = await _token(lists)
    answers = [await lists.page(page_token=token, page_size=size) for size in (1, 3)]
    return all(status == 200 for status, _ in answers) and answers[0][1]["incidents"] == answers[1][1]["incidents"][:1]


async def _other_list(lists: Lists) -> bool:
    """There are no parents; what makes another list is another filter, order or span."""
    token = await _token(lists)
    others: Sequence[dict[str, str | int]] = (
        {"filter": 'source = "other"'},
        {"order_by": "severity"},
        {"start": "2026-01-01"},
    )
    answers = [await lists.page(page_token=token, **other) for other in others]
    return all(status == 400 and answer["code"] == 3 for status, answer in answers)


_PERMITS = "it permits something and demands nothing"

PAGES: Sequence[tuple[tuple[str, ...], Experiment | str]] = (
    (("page_size", "negative"), _negative_size),
    (("page_size", "maximum"), _huge_size),
    (("page_size", "above"), _huge_size),
    (("page_size", "too large"), _huge_size),
    (("page_size", "0"), _default_size),
    (("fewer results",), _PERMITS),
    (("may be an estimate",), _PERMITS),
    (("page_size changed",), _other_size),
    (("same list",), _same_list),
    (("skip beyond the end",), _beyond_the_end),
    (("skip", "token"), "requests have no skip: `page` serves for it"),
    (("skip", "negative"), "requests have no skip: `page` serves for it"),
    (("different list",), _other_list),
    (("filter", "token"), _other_list),
    (("order_by", "token"), _other_list),
    (("different parent",), _other_list),
    (("opaque",), _opaque),
    (("invalid", "invalid_argument"), _damaged),
    (("end of",), _end),
    (("last page",), _end),
    (("no more",), _end),
    (("empty", "next_page_token"), _end),
    (("expire",), _PERMITS),
)

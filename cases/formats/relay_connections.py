"""Pages of lists as the Relay specification of connections has them, tried on the incidents of a real server.

The nodes of a case are incidents with these titles, oldest first. Where the reference answers that there is no page in
the other direction, the specification lets a server answer what is true: either is right.
"""

import base64
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiohttp

from cases import rest
from cases.case import Case, Doors, Unreadable, difference, needed

NAME = "relay_connections"

_LABEL = "relay"
_PAGE = """query ($label: Map!, $first: Int, $after: String, $last: Int, $before: String) {
  incidents(filter: {labels: $label}, orderBy: "id", first: $first, after: $after, last: $last, before: $before) {
    edges { cursor node { title } }
    pageInfo { hasPreviousPage hasNextPage startCursor endCursor }
  }
}"""
_TYPES = """{ __schema { types { name kind fields { name args { name }
  type { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } }"""
_OFFSET = re.compile(r"<offset (-?\d+)>")
_ARGUMENTS = {"first", "after", "last", "before"}
_FORWARDS, _BACKWARDS = {"first", "after"}, {"last", "before"}


def recognises(case: Case) -> bool:
    """Nodes with arguments of a connection."""
    return isinstance(case.get("nodes"), str) and isinstance(case.get("args"), dict)


async def run(case: Case, doors: Doors) -> str:
    """A page of a list, or a sentence about all of them."""
    server = await doors.http()
    if "statement" in case:
        found = next((check for words, check in _STATEMENTS.items() if words in case["statement"]), None)
        if found is None:
            raise Unreadable(f"nobody has told how to try {case['statement']!r}")
        return await found(server)
    nodes, arguments = needed(case, "nodes", str), needed(case, "args", dict)
    if beyond := arguments.keys() - _ARGUMENTS:
        raise Unreadable(f"it has arguments {', '.join(sorted(beyond))}")
    answer = await _page(server, nodes, arguments)
    if "expect_error" in case:
        return "" if answer.get("errors") else f"got {answer}"
    if answer.get("errors"):
        return f"got {answer['errors']}"
    return _compared(answer["data"]["incidents"], needed(case, "expect", dict), arguments)


def _compared(page: Mapping[str, Any], expected: Mapping[str, Any], arguments: Mapping[str, Any]) -> str:
    titles = {edge["cursor"]: edge["node"]["title"] for edge in page["edges"]}
    info = page["pageInfo"]
    got = {
        "nodes": "".join(titles.values()),
        "has_previous_page": info["hasPreviousPage"],
        "has_next_page": info["hasNextPage"],
        "start_cursor": titles.get(info["startCursor"]),
        "end_cursor": titles.get(info["endCursor"]),
    }
    free = {name for name, of in (("has_previous_page", "last"), ("has_next_page", "first")) if of not in arguments}
    told = {name: expected.get(name, value) for name, value in got.items()}
    return difference(
        {name: value for name, value in got.items() if name not in free or value == told[name]},
        {name: value for name, value in told.items() if name not in free or value == got[name]},
    )


async def _page(server: str, nodes: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to a page with these arguments; a cursor is named by its node."""
    cursors = await _cursors(server, nodes)
    given = {
        name: cursors.get(value) or _foreign(value) if isinstance(value, str) else value
        for name, value in arguments.items()
    }
    return await _ask(server, _PAGE, {"label": {_LABEL: nodes}, **given})


def _foreign(value: str) -> str:
    """A cursor that is none of this list: another server's for an offset, or no cursor at all."""
    offset = _OFFSET.fullmatch(value)
    return base64.b64encode(f"arrayconnection:{offset[1]}".encode()).decode() if offset else value


async def _cursors(server: str, nodes: str) -> dict[str, str]:
    """The cursors of the nodes, which are made if they are not there yet."""
    whole = await _ask(server, _PAGE, {"label": {_LABEL: nodes}})
    if not whole["data"]["incidents"]["edges"]:
        events = ({"source": NAME, "title": n, "dedup_key": nodes + n, "labels": {_LABEL: nodes}} for n in nodes)
        await rest.submit(server, events)
        whole = await _ask(server, _PAGE, {"label": {_LABEL: nodes}})
    return {edge["node"]["title"]: edge["cursor"] for edge in whole["data"]["incidents"]["edges"]}


async def _ask(server: str, query: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
    body = {"query": query, "variables": variables or {}}
    async with aiohttp.request("POST", f"{server}/graphql", json=body) as answer:
        found: dict[str, Any] = await answer.json()
        return found


async def _types(server: str) -> dict[str, dict[str, Any]]:
    """The fields of every object type, by type and name."""
    answer = await _ask(server, _TYPES)
    objects = (each for each in answer["data"]["__schema"]["types"] if each["kind"] == "OBJECT")
    return {each["name"]: {field["name"]: field for field in each["fields"]} for each in objects}


def _word(kind: Mapping[str, Any] | None) -> str:
    """A type as the language writes it."""
    if kind is None:
        return ""
    if kind["kind"] == "NON_NULL":
        return f"{_word(kind['ofType'])}!"
    return f"[{_word(kind['ofType'])}]" if kind["kind"] == "LIST" else str(kind["name"])


async def _connections_are_objects(server: str) -> str:
    found = {name: fields for name, fields in (await _types(server)).items() if name.endswith("Connection")}
    edges = {name: _word(fields["edges"]["type"]).startswith("[") for name, fields in found.items()}
    infos = {_word(fields["pageInfo"]["type"]) for fields in found.values()}
    return difference((bool(found), all(edges.values()), infos), (True, True, {"PageInfo!"}))


async def _page_info(server: str) -> str:
    fields = (await _types(server))["PageInfo"]
    got = {name: _word(field["type"]).removesuffix("!" if "Cursor" in name else "") for name, field in fields.items()}
    booleans = dict.fromkeys(("hasNextPage", "hasPreviousPage"), "Boolean!")
    return difference(got, {**booleans, "startCursor": "String", "endCursor": "String"})


async def _arguments(server: str) -> str:
    """Of every field that gives a connection."""
    lacking = [
        field["name"]
        for fields in (await _types(server)).values()
        for field in fields.values()
        if _word(field["type"]).removesuffix("!").endswith("Connection")
        and not any(way <= {argument["name"] for argument in field["args"]} for way in (_FORWARDS, _BACKWARDS))
    ]
    return difference(lacking, [])


def _pages(*expected: tuple[Mapping[str, Any], str]) -> Callable[[str], Awaitable[str]]:
    """That pages of ABCDE have these nodes, of which > or < at the end or beginning says that there are more."""

    async def check(server: str) -> str:
        for arguments, nodes in expected:
            answer = await _page(server, "ABCDE", arguments)
            if nodes == "error":
                wrong = "" if answer.get("errors") else f"got {answer}"
            else:
                wrong = _compared(
                    answer["data"]["incidents"],
                    {
                        "nodes": nodes.strip("<>"),
                        "has_previous_page": nodes.startswith("<"),
                        "has_next_page": nodes.endswith(">"),
                    },
                    arguments,
                )
            if wrong:
                return f"{dict(arguments)}: {wrong}"
        return ""

    return check


_STATEMENTS: Mapping[str, Callable[[str], Awaitable[str]]] = {
    "whose name ends in Connection is an Object": _connections_are_objects,
    "PageInfo has hasPreviousPage, hasNextPage": _page_info,
    "has first/after or last/before or both": _arguments,
    "never reversed": _pages(({"first": 3}, "ABC>"), ({"last": 3}, "<CDE")),
    "first < 0 or last < 0 is an error": _pages(({"first": -1}, "error"), ({"last": -1}, "error")),
    "cursor filters apply first, then first, then last": _pages(
        ({"after": "A", "before": "E", "first": 2, "last": 1}, "<C>"), ({"after": "A", "first": 3, "last": 2}, "<CD>")
    ),
    "hasPreviousPage is true iff more than last": _pages(
        ({"last": 2}, "<DE"), ({"last": 4, "after": "A"}, "BCDE"), ({"last": 3, "after": "A"}, "<CDE")
    ),
    "hasNextPage is true iff more than first": _pages(
        ({"first": 2}, "AB>"), ({"first": 4, "before": "E"}, "ABCD"), ({"first": 3, "before": "E"}, "ABC>")
    ),
    "matches no edge is ignored": _pages(({"after": "<offset 9>"}, "ABCDE"), ({"before": "nothing"}, "ABCDE")),
}
"""Words of a statement, and what is tried for it."""

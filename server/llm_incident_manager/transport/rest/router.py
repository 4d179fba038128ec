"""Finds the most specific template for a method and a raw path: literals before `*` before `**`, left to right.

Templates without `**` are looked up in tables, so the cost does not grow with the number of routes. It does not know
what a route leads to.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from llm_incident_manager.transport.rest.template import ANY, DEEP, Template, TemplateError, Unescape

Target = TypeVar("Target")

_Rank = tuple[int, ...]
_RANKS = {ANY: 1, DEEP: 3}
_ANY_METHOD = "*"
_END = 2
"""Orders "/a/**/b" before "/a/**" (a literal is closer than the end) and "/a" before "/a/**"."""


@dataclass(frozen=True, slots=True)
class Route(Generic[Target]):
    """A method and a template that lead to a target. The method `*` is any; of equals the one that names it wins."""

    method: str
    template: Template
    target: Target


@dataclass(frozen=True, slots=True)
class Match(Generic[Target]):
    """The route found, and the variables of the path by field path."""

    route: Route[Target]
    variables: dict[str, str]


class Router(Generic[Target]):
    """An immutable set of routes."""

    def __init__(
        self,
        routes: Iterable[Route[Target]],
        *,
        unescape: Unescape = Unescape.EXCEPT_SLASH,
        foreign_verbs: bool = False,
    ) -> None:
        """Raises TemplateError when two routes would match exactly the same requests.

        With `foreign_verbs` a colon in the last segment begins a verb even where no template has that verb, and no
        route then takes the path.
        """
        self._unescape = unescape
        self._foreign_verbs = foreign_verbs
        self._tables: dict[tuple[str, str], _Table[Target]] = defaultdict(_Table)
        self._verbs: set[str] = set()
        self._methods: set[str] = set()
        self._literal: dict[tuple[str, str], Match[Target]] = {}
        for route in routes:
            self._tables[route.method, route.template.verb].add(route)
            self._verbs.add(route.template.verb)
            self._methods.add(route.method)
            if not {ANY, DEEP} & set(route.template.segments) and not route.template.verb:
                self._literal[route.method, "/" + "/".join(route.template.segments)] = Match(route, {})

    def match(self, method: str, path: str) -> Match[Target] | None:
        """The most specific route, or None. `path` is raw: percent escapes undecoded, no query.

        A colon in the last segment begins a verb only if some template has that verb and matches; otherwise it
        belongs to the segment.

        Raises:
            UndecodablePath: a variable's escapes do not decode to UTF-8.
        """
        literal = self._literal.get((method, path))
        if literal is not None:
            return literal
        if not path.startswith("/"):
            return None
        parts = path[1:].split("/") if path != "/" else []
        found = self._with_verb(method, parts)
        if found is None and self._foreign_verbs and parts and ":" in parts[-1]:
            return None
        return found or self._find(method, "", parts)

    def allowed(self, path: str) -> list[str]:
        """The methods some route has for this path, sorted: what a 405 answers with."""
        return sorted(method for method in self._methods if self.match(method, path) is not None)

    def _with_verb(self, method: str, parts: Sequence[str]) -> Match[Target] | None:
        last = parts[-1] if parts else ""
        at = last.find(":")
        while at >= 0:
            verb = last[at + 1 :]
            found = self._find(method, verb, [*parts[:-1], last[:at]]) if verb and verb in self._verbs else None
            if found is not None:
                return found
            at = last.find(":", at + 1)
        return None

    def _find(self, method: str, verb: str, parts: Sequence[str]) -> Match[Target] | None:
        tables = (self._tables.get((each, verb)) for each in (method, _ANY_METHOD))
        found = [best for table in tables if table and (best := table.find(parts))]
        if not found:
            return None
        _, route = min(found, key=lambda best: best[0])  # of equals the first: the one that names the method
        return Match(route, route.template.bind(parts, self._unescape))


@dataclass(slots=True)
class _Table(Generic[Target]):
    """The routes of one method and verb: fixed ones by length, wildcard positions and literals; deep ones in order."""

    fixed: dict[int, dict[_Rank, dict[tuple[str, ...], Route[Target]]]] = field(default_factory=dict)
    deep: list[tuple[_Rank, Route[Target]]] = field(default_factory=list)

    def add(self, route: Route[Target]) -> None:
        segments = route.template.segments
        rank = (*(_RANKS.get(segment, 0) for segment in segments), _END)
        if DEEP in segments:
            same = next((other for _, other in self.deep if other.template.segments == segments), None)
            self.deep.append((rank, route))
            self.deep.sort(key=lambda entry: entry[0])
        else:
            by_rank = self.fixed.setdefault(len(segments), {})
            literals = tuple(segment for segment in segments if segment != ANY)
            same = by_rank.setdefault(rank, {}).setdefault(literals, route)
            self.fixed[len(segments)] = dict(sorted(by_rank.items()))
        if same is not None and same is not route:
            raise TemplateError(f"{route.method} {route.template.text} and {same.template.text} match the same paths")

    def find(self, parts: Sequence[str]) -> tuple[_Rank, Route[Target]] | None:
        best = self._find_fixed(parts)
        for rank, route in self.deep:
            if best is not None and best[0] < rank:
                break
            if _matches_deep(route.template.segments, parts):
                return rank, route
        return best

    def _find_fixed(self, parts: Sequence[str]) -> tuple[_Rank, Route[Target]] | None:
        for rank, routes in self.fixed.get(len(parts), {}).items():
            route = routes.get(tuple(part for part, wild in zip(parts, rank, strict=False) if not wild))
            if route is not None and all(part or not wild for part, wild in zip(parts, rank, strict=False)):
                return rank, route
        return None


def _matches_deep(segments: Sequence[str], parts: Sequence[str]) -> bool:
    """DEEP takes any number of parts, empty ones too; what follows it is literal, so nothing is tried twice."""
    deep_at = segments.index(DEEP)
    tail = segments[deep_at + 1 :]
    if len(parts) < deep_at + len(tail) or (tail and list(parts[-len(tail) :]) != list(tail)):
        return False
    return all(part == s or (s == ANY and part) for part, s in zip(parts, segments[:deep_at], strict=False))

"""Lists in pages (AIP-158): reads size, page, token, start and end of a request and works out where a page stands.

Never reads a store and never sees a protobuf message.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from llm_incident_manager.domain import filters, moments
from llm_incident_manager.domain.disposition import Violation
from llm_incident_manager.domain.errors import InvalidFields
from llm_incident_manager.domain.filters import Place
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.ports.stores import Count, IncidentQuery
from llm_incident_manager.transport import page_tokens
from llm_incident_manager.transport.page_tokens import InvalidPageToken, PageTokens

DEFAULT_SIZE = 50
MAX_SIZE = 100
MOST_COUNTED = 10_000
"""What is not known without looking is counted so far; a list of more says that there are at least so many."""
MOST_FOUND = 1_000
"""The same for searches, whose rows cost more to find."""
MAX_COUNT = 2**31 - 1
"""Public counters are int32 and stay there once they reach it."""


class Span(NamedTuple):
    """When incidents were created: from `created_from` on and before `created_before`; None is without limit."""

    created_from: Instant | None
    created_before: Instant | None


@dataclass(frozen=True, slots=True)
class Page:
    """The part of a list that is asked for. `number` counts from 1 and is 0 when a token asked.

    `rank` rows come before it; `after`, when given, is the place of the last of them.
    """

    size: int
    number: int
    rank: int
    after: Place | None = None

    def of(self, query: IncidentQuery) -> IncidentQuery:
        """The query of this page. It asks for one row more than is shown, which tells whether there is a next page."""
        skipped = self.rank if self.after is None else 0
        return replace(query, limit=self.size + 1, offset=skipped, after=self.after)


@dataclass(frozen=True, slots=True)
class Pagination:
    """Where a page stands in its list, as the contract tells it."""

    page: int
    page_size: int
    total_count: int
    total_pages: int
    has_next: bool
    has_previous: bool
    next_page_token: str
    total_is_lower_bound: bool = False


class Pages:
    """Pages of incident lists, whose tokens are bound to tenant, filter, order and span of their query."""

    def __init__(self, tokens: PageTokens) -> None:
        """Uses these tokens."""
        self.tokens = tokens

    def read(self, query: IncidentQuery, *, page_size: int = 0, page: int = 0, page_token: str = "") -> Page:
        """The page a request asks for. `query` is without limit, offset and after.

        Raises InvalidFields for negative numbers and for page together with page_token, InvalidPageToken.
        """
        violations = [*_negative("page_size", page_size), *_negative("page", page)]
        if page and page_token:
            message = "page and page_token exclude each other: give one of them"
            violations.append(Violation("page_token", message, "page_token.exclusive"))
        if violations:
            raise InvalidFields(violations)
        size = size_of(page_size)
        if page_token:
            return self._by_token(query, size, page_token)
        number = page or 1
        return Page(size, number, (number - 1) * size)

    def finish(
        self, query: IncidentQuery, page: Page, found: Sequence[Incident], count: Count
    ) -> tuple[Sequence[Incident], Pagination]:
        """What to show of the rows found for `page.of(query)`, and where that stands among all that match."""
        shown = found[: page.size]
        more = len(found) > page.size
        total = max(count.total, page.rank + len(found)) if count.at_least else count.total
        token = self._next(query, page, shown) if more else ""
        pagination = Pagination(
            page=page.number,
            page_size=page.size,
            total_count=min(total, MAX_COUNT),
            total_pages=min(-(-total // page.size), MAX_COUNT),
            has_next=more,
            has_previous=page.number > 1,
            next_page_token=token,
            total_is_lower_bound=count.at_least,
        )
        return shown, pagination

    @staticmethod
    def scope(query: IncidentQuery) -> tuple[str, ...]:
        """Everything that makes it this list and not another; the size of a page does not."""
        text = query.filter.text if query.filter else ""
        order = ",".join(f"{key.field} {'desc' if key.descending else 'asc'}" for key in query.order)
        searched = (query.search.text,) if query.search else ()
        span = (str(query.created_from), str(query.created_before))
        return ("incidents", query.tenant, text, order, *span, *searched)

    def _by_token(self, query: IncidentQuery, size: int, token: str) -> Page:
        rank, *place = self.tokens.open(self.scope(query), token)
        if not isinstance(rank, int):
            raise InvalidPageToken
        return Page(size, 0, rank, tuple(place) or None)

    def _next(self, query: IncidentQuery, page: Page, shown: Sequence[Incident]) -> str:
        """The token of the next page: by the last row's place, or by its rank where long texts would not fit."""
        scope, rank = self.scope(query), page.rank + len(shown)
        token = self.tokens.seal(scope, (rank, *filters.place_of(shown[-1], query.order)))
        return token if len(token) <= page_tokens.MAX_LENGTH else self.tokens.seal(scope, (rank,))


def size_of(asked: int, default: int = DEFAULT_SIZE, most: int = MAX_SIZE) -> int:
    """The page size: the default for 0, at most `most`. Raises InvalidFields for a negative one."""
    violations = _negative("page_size", asked)
    if violations:
        raise InvalidFields(violations)
    return min(asked or default, most)


def span_of(start: str, end: str) -> Span:
    """The span of a list's `start` and `end`, each a date, an RFC 3339 time or empty; both ends are included.

    Raises InvalidFields naming each bad field, and for a start after the end.
    """
    violations: list[Violation] = []
    first = _moment("start", start, violations)
    last = _moment("end", end, violations)
    if first and last and first.first >= last.after:
        message = f"start: {start!r} is after end {end!r}: give a start that is not later"
        violations.append(Violation("start", message, "span.order"))
    if violations:
        raise InvalidFields(violations)
    return Span(None if first is None else first.first, None if last is None else last.after)


def _moment(field: str, text: str, violations: list[Violation]) -> moments.Moment | None:
    if not text:
        return None
    try:
        return moments.parse(text)
    except ValueError as error:
        violations.append(Violation(field, f"{field}: {error}", "span.time"))
        return None


def _negative(field: str, number: int) -> list[Violation]:
    if number >= 0:
        return []
    return [Violation(field, f"{field}: {number} is negative: give 0 for the default, or more", "int32.gte")]

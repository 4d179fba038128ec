"""Pages of lists: sizes, tokens and their seal, where a page stands, and the span of start and end."""

import string
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_incident_manager.domain import filters
from llm_incident_manager.domain.errors import DomainError, ErrorReason, InvalidFields
from llm_incident_manager.domain.filters import Order
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.moments import parse as moment
from llm_incident_manager.domain.time import DAY, Instant
from llm_incident_manager.ports.stores import Count, IncidentQuery
from llm_incident_manager.transport import page_tokens, paging
from llm_incident_manager.transport.page_tokens import InvalidPageToken, PageTokens
from llm_incident_manager.transport.paging import Page, Pages, Span
from tests.support import builders

TOKENS = PageTokens(b"0123456789abcdef")
PAGES = Pages(TOKENS)
LIST = IncidentQuery(TenantId("default"))
OPENED = moment("2026-11-21T08:00:00Z").first


def make_incident(number: int, title: str = "slow") -> Incident:
    return builders.make_incident(id=f"01930000-0000-7000-8000-{number:012}", title=title)


def listed(query: IncidentQuery, everything: Sequence[Incident]) -> list[Incident]:
    """What a store answers: newest first."""
    found = sorted(everything, key=lambda incident: incident.id, reverse=True)
    if query.after is not None:
        found = [incident for incident in found if incident.id < str(query.after[-1])]
    return found[query.offset :][: query.limit]


def violations(refused: pytest.ExceptionInfo[InvalidFields]) -> list[tuple[str, str]]:
    return [(violation.field, violation.message) for violation in refused.value.violations]


@pytest.mark.parametrize(
    ("asked", "size"),
    [
        pytest.param(0, 50, id="zero is the default"),
        pytest.param(1, 1, id="one"),
        pytest.param(100, 100, id="the most"),
        pytest.param(101, 100, id="more is brought down to the most"),
        pytest.param(2**31 - 1, 100, id="the largest there is"),
    ],
)
def test_a_page_size_is_kept_within_bounds(asked: int, size: int) -> None:
    assert PAGES.read(LIST, page_size=asked).size == size


def test_other_lists_have_other_sizes() -> None:
    assert (paging.size_of(0, 100, 1_000), paging.size_of(5_000, 100, 1_000)) == (100, 1_000)


def test_negative_numbers_and_two_ways_at_once_are_named_together() -> None:
    with pytest.raises(InvalidFields) as refused:
        PAGES.read(LIST, page_size=-1, page=-2, page_token="x")
    assert violations(refused) == [
        ("page_size", "page_size: -1 is negative: give 0 for the default, or more"),
        ("page", "page: -2 is negative: give 0 for the default, or more"),
        ("page_token", "page and page_token exclude each other: give one of them"),
    ]


def test_a_negative_size_of_another_list_is_refused_too() -> None:
    with pytest.raises(InvalidFields, match="page_size: -1 is negative"):
        paging.size_of(-1, 100, 1_000)


def test_without_page_and_token_it_is_the_first_page() -> None:
    assert PAGES.read(LIST) == Page(size=50, number=1, rank=0)


def test_a_page_by_number_skips_the_pages_before_it() -> None:
    page = PAGES.read(LIST, page_size=20, page=3)
    assert (page.of(LIST).offset, page.of(LIST).limit, page.of(LIST).after) == (40, 21, None)


def walk(everything: Sequence[Incident], size: int) -> list[Incident]:
    """All pages by their tokens, as a client reads them."""
    found: list[Incident] = []
    token = ""
    for _ in range(len(everything) + 2):
        page = PAGES.read(LIST, page_size=size, page_token=token)
        shown, at = PAGES.finish(LIST, page, listed(page.of(LIST), everything), Count(len(everything)))
        assert len(shown) <= size
        assert at.has_next == bool(at.next_page_token)
        found += shown
        token = at.next_page_token
        if not token:
            return found
    raise AssertionError("the tokens have no end")


@settings(max_examples=60, deadline=None)
@given(count=st.integers(0, 12), size=st.integers(1, 5), long=st.booleans())
def test_tokens_lead_through_the_whole_list_and_end(*, count: int, size: int, long: bool) -> None:
    everything = [make_incident(n, "😀" * 500 if long else "slow") for n in range(count)]
    assert [incident.id for incident in walk(everything, size)] == sorted((i.id for i in everything), reverse=True)


@pytest.mark.parametrize(
    ("page", "total", "expected"),
    [
        pytest.param(1, 0, (1, 0, False, False), id="an empty list has no page"),
        pytest.param(1, 2, (1, 1, False, False), id="one full page has no next one"),
        pytest.param(1, 5, (1, 3, True, False), id="the first of three"),
        pytest.param(2, 5, (2, 3, True, True), id="the second of three"),
        pytest.param(3, 5, (3, 3, False, True), id="the last of three"),
        pytest.param(9, 5, (9, 3, False, True), id="beyond the end there is only a way back"),
    ],
)
def test_where_a_page_stands(page: int, total: int, expected: tuple[int, int, bool, bool]) -> None:
    asked = PAGES.read(LIST, page_size=2, page=page)
    found = listed(asked.of(LIST), [make_incident(n) for n in range(total)])
    shown, at = PAGES.finish(LIST, asked, found, Count(total))
    assert (at.page, at.total_pages, at.has_next, at.has_previous) == expected
    assert (at.page_size, at.total_count, bool(at.next_page_token)) == (2, total, at.has_next)
    assert len(shown) == min(2, max(0, total - (page - 1) * 2))


def test_counts_stay_at_the_largest_int32() -> None:
    page = PAGES.read(LIST, page_size=1)
    _, at = PAGES.finish(LIST, page, [make_incident(1)], Count(2**40))
    assert (at.total_count, at.total_pages) == (2**31 - 1, 2**31 - 1)


def next_token(query: IncidentQuery = LIST, title: str = "slow") -> str:
    page = PAGES.read(query, page_size=1)
    return PAGES.finish(query, page, [make_incident(2, title), make_incident(1)], Count(2))[1].next_page_token


def test_a_token_page_has_no_number_and_continues_behind_the_last_row() -> None:
    page = PAGES.read(LIST, page_size=7, page_token=next_token())
    assert page == Page(size=7, number=0, rank=1, after=(make_incident(2).id,))
    assert (page.of(LIST).offset, page.of(LIST).limit, page.of(LIST).after) == (0, 8, page.after)


def test_the_page_size_may_change_between_pages() -> None:
    assert PAGES.read(LIST, page_size=3, page_token=next_token()).size == 3


def test_a_token_remembers_every_kind_of_value() -> None:
    order = filters.parse_order("cost_usd, severity desc, resolve_time, title")
    query = replace(LIST, order=order)
    page = PAGES.read(query, page_token=next_token(query, "é\n😀"))
    assert page.after == (0.0, 2, None, "é\n😀", make_incident(2).id)


def test_a_token_that_would_grow_too_long_counts_rows_instead() -> None:
    query = replace(LIST, order=(Order("title"),))
    token = next_token(query, "😀" * 500)
    assert len(token) <= page_tokens.MAX_LENGTH
    assert PAGES.read(query, page_token=token) == Page(size=50, number=0, rank=1, after=None)


def test_tokens_are_safe_in_addresses_and_show_nothing_of_their_key() -> None:
    token = next_token(title="?&=/+ %")
    assert set(token) <= set(string.ascii_letters + string.digits + "-_")


OTHERS = [
    pytest.param(replace(LIST, tenant=TenantId("other")), id="another tenant"),
    pytest.param(replace(LIST, filter=filters.parse("severity = P1")), id="another filter"),
    pytest.param(replace(LIST, order=(Order("id", descending=True),)), id="another order"),
    pytest.param(replace(LIST, created_from=Instant(0)), id="another start"),
    pytest.param(replace(LIST, created_before=Instant(0)), id="another end"),
]


@pytest.mark.parametrize("other", OTHERS)
def test_a_token_belongs_to_one_list(other: IncidentQuery) -> None:
    with pytest.raises(InvalidPageToken):
        PAGES.read(other, page_token=next_token())
    assert PAGES.read(other, page_token=next_token(other)).rank == 1


def test_the_same_filter_in_other_words_is_the_same_list() -> None:
    one, other = (replace(LIST, filter=filters.parse(text)) for text in ("severity=critical", "(severity = P0)"))
    assert PAGES.read(other, page_token=next_token(one)).rank == 1


def test_neighbouring_parts_of_a_scope_do_not_run_together() -> None:
    sealed = TOKENS.seal(["ab", "c"], (1,))
    assert TOKENS.open(["ab", "c"], sealed) == (1,)
    with pytest.raises(InvalidPageToken):
        TOKENS.open(["a", "bc"], sealed)


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("invalid", id="a word"),
        pytest.param("A", id="no base64"),
        pytest.param("é", id="no ASCII"),
        pytest.param("AAAA BBBB", id="a space"),
        pytest.param("A" * 5_000, id="far too long"),
        pytest.param(PageTokens(b"fedcba9876543210").seal(["incidents"], (1,)), id="another deployment's"),
    ],
)
def test_a_token_that_is_not_ours_is_refused_with_the_remedy(token: str) -> None:
    with pytest.raises(DomainError, match="begin again without page_token") as refused:
        PAGES.read(LIST, page_token=token)
    assert refused.value.reason is ErrorReason.INVALID_PAGE_TOKEN


def test_every_changed_letter_is_noticed() -> None:
    token = next_token()
    for at, letter in enumerate(token[:-1]):  # the last letter also holds bits that mean nothing
        changed = f"{token[:at]}{'A' if letter != 'A' else 'B'}{token[at + 1 :]}"
        with pytest.raises(InvalidPageToken):
            PAGES.read(LIST, page_token=changed)


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 16"):
        PageTokens(b"secret")


DAY_START = moment("2026-11-21T00:00:00Z").first
SPANS = [
    pytest.param("", "", Span(None, None), id="nothing is without limits"),
    pytest.param("2026-11-21", "", Span(DAY_START, None), id="a date starts with its day"),
    pytest.param("", "2026-11-21", Span(None, Instant(DAY_START + DAY)), id="a date ends with its day"),
    pytest.param("2026-11-21", "2026-11-21", Span(DAY_START, Instant(DAY_START + DAY)), id="one day"),
    pytest.param("2026-11-21T08:00:00Z", "", Span(OPENED, None), id="a time starts at its microsecond"),
    pytest.param("", "2026-11-21T08:00:00Z", Span(None, Instant(OPENED + 1)), id="a time ends with its microsecond"),
    pytest.param("", "2026-11-21T08:00:00.5Z", Span(None, Instant(OPENED + 500_001)), id="fractions count"),
    pytest.param("", "2026-11-21T08:00:00.0000019Z", Span(None, Instant(OPENED + 2)), id="nanoseconds are dropped"),
    pytest.param("2026-11-21T10:30:00+02:30", "", Span(OPENED, None), id="zones count"),
    pytest.param("2026-11-21t08:00:00z", "", Span(OPENED, None), id="small letters as RFC 3339 allows"),
    pytest.param("2026-11-21T08:00:00Z", "2026-11-21T08:00:00Z", Span(OPENED, Instant(OPENED + 1)), id="one instant"),
    pytest.param("2026-11-21T08:00:00Z", "2026-11-21", Span(OPENED, Instant(DAY_START + DAY)), id="a time to a date"),
]


@pytest.mark.parametrize(("start", "end", "span"), SPANS)
def test_a_span_includes_both_ends(start: str, end: str, span: Span) -> None:
    assert paging.span_of(start, end) == span


NO_TIMES = (
    "yesterday", "2026-13-01", "2026-02-29", "20261121", "2026-W47-6", "2026-11-21T08:00:00", "2026-11-21T08:00Z",
    "2026-11-21T24:00:00Z", "2026-11-21T08:00:60Z", "2026-11-21T08:00:00 02:00", " 2026-11-21", "1763712000",
    "\u0662026-11-21",
)  # fmt: skip


@pytest.mark.parametrize("text", NO_TIMES)
def test_what_is_no_time_is_refused_with_field_value_and_remedy(text: str) -> None:
    with pytest.raises(InvalidFields) as refused:
        paging.span_of("", text)
    remedy = 'write a date such as "2026-11-21" or an RFC 3339 time such as "2026-11-21T20:38:51Z"'
    assert violations(refused) == [("end", f"end: {text!r} is not a time: {remedy}")]


def test_both_bad_ends_are_named() -> None:
    with pytest.raises(InvalidFields) as refused:
        paging.span_of("a", "b")
    assert [field for field, _ in violations(refused)] == ["start", "end"]


@pytest.mark.parametrize("year", ["0001", "1899", "9999"])
def test_a_year_nobody_means_is_refused(year: str) -> None:
    with pytest.raises(InvalidFields, match="outside the years 1900 to 9998"):
        paging.span_of(f"{year}-06-01T00:00:00+14:00", "")


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-11-22", "2026-11-21"),
        ("2026-11-21T08:00:01Z", "2026-11-21T08:00:00Z"),
        ("2026-11-22T00:00:00Z", "2026-11-21"),
    ],
)
def test_a_start_after_the_end_is_refused(start: str, end: str) -> None:
    with pytest.raises(InvalidFields) as refused:
        paging.span_of(start, end)
    assert violations(refused) == [("start", f"start: {start!r} is after end {end!r}: give a start that is not later")]

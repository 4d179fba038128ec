"""Expectations of AIP-160, AIP-158, AIP-132 and of a well-known implementation, as far as our subset has them."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from llm_incident_manager.domain import filter_check, filter_parser, filters
from llm_incident_manager.domain.errors import DomainError, InvalidFields
from llm_incident_manager.domain.filter_parser import Comparison, Function, Group, Literal, Member, Negation, Syntax
from llm_incident_manager.domain.filter_tree import Search
from llm_incident_manager.domain.filters import InvalidFilter
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.ports.stores import Count, IncidentQuery
from llm_incident_manager.transport.page_tokens import InvalidPageToken, PageTokens
from llm_incident_manager.transport.paging import Pages
from tests.support import beside

CASES = beside.FOLDER / "cases" / "grpc_http"
beside.needs(CASES)

Case = Mapping[str, Any]  # JSON of many shapes: each runner below reads its own

NO_FUNCTIONS = "functions are refused: a time is written as text, and no field is a duration"
SEARCHES = "words without an operator are a search here"
DEVIATING: Mapping[str, str] = {
    "parse/37": NO_FUNCTIONS,
    "parse/39": NO_FUNCTIONS,
    "parse/40": NO_FUNCTIONS,
    "check/1": SEARCHES,
    "check/2": SEARCHES,
    "check/3": SEARCHES,
    "check/5": SEARCHES,
    "check/13": "a field stands on the left of a comparison, as AIP-160 says",
    "check/26": SEARCHES,
    "check/27": NO_FUNCTIONS,
    "check/30": NO_FUNCTIONS,
    "check/31": NO_FUNCTIONS,
    "check/32": NO_FUNCTIONS,
    "check/34": NO_FUNCTIONS,
    "check/36": NO_FUNCTIONS,
    "check/37": NO_FUNCTIONS,
    "order_by/2": "no field of an incident that can be ordered lies within another",
}
NOT_OURS: Mapping[str, str] = {
    "semantics/5": "no field is a list of messages",
    "semantics/15": "no field is a duration",
    "aip158/3": "permits what we need not do",
    "aip158/9": "requests have no skip; `page` serves for it",
    "aip158/17": "permits what we need not do",
}

NAMES = {
    "=": "Equals",
    "!=": "NotEquals",
    "<": "LessThan",
    "<=": "LessEquals",
    ">": "GreaterThan",
    ">=": "GreaterEquals",
}
GROUPS = {filter_parser.AND: "And", filter_parser.OR: "Or", filter_parser.SEQUENCE: "Sequence"}
# Fields of ours that stand for the declared ones of a case. There is none for a duration.
STAND_INS = {
    "bool": "recurred",
    "string": "title",
    "int": "event_count",
    "float": "cost_usd",
    "timestamp": "create_time",
    "map<string, string>": "labels",
}


def load(name: str) -> list[Case]:
    cases: list[Case] = json.loads((CASES / f"{name}.json").read_text("utf-8"))["cases"]
    return cases


FILTERS, PAGING = load("aip160_filter"), load("aip158_132_paging_ordering")


def chosen(cases: list[Case], group: str) -> list[Any]:
    """The cases of a group that apply, each under its own id."""
    found = [case for case in cases if case["id"].split("/")[0] == group and case["id"] not in NOT_OURS]
    return [pytest.param(case, id=case["id"]) for case in found]


def printed(syntax: Syntax) -> list[Any]:
    """The tree in the notation of the cases."""
    match syntax:
        case Group(kind, parts):
            return [GROUPS[kind], *map(printed, parts)]
        case Negation(part):
            return ["Not", printed(part)]
        case Function(name, arguments):
            return ["Function", name, *map(printed, arguments)]
        case Comparison(":", left, Literal(text)):
            return ["Has", printed(left), ["String", text]]
        case Comparison(operator, left, right):
            return [NAMES[operator], printed(left), printed(right)]
        case Literal() | Member():
            return printed_name(syntax)


def printed_name(syntax: Literal | Member) -> list[Any]:
    if isinstance(syntax, Literal):
        if syntax.number:
            number = float(syntax.text)
            return ["Int", int(number)] if syntax.text.lstrip("-").isdigit() else ["Float", number]
        return ["String" if syntax.quoted else "Text", syntax.text]
    nested: list[Any] = ["Text", syntax.names[0]]
    for name in syntax.names[1:]:
        nested = ["Member", nested, name]
    return nested


def parsed(text: str) -> list[Any] | None:
    syntax = filter_parser.parse_syntax(text)
    return None if syntax is None else printed(syntax)


def agrees(case: Case, holds: bool) -> None:
    """A case holds, unless it is declared to deviate: then it must not, or the declaration is out of date."""
    assert holds is (case["id"] not in DEVIATING), DEVIATING.get(case["id"], case)


def refused(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except DomainError:
        return True
    return False


@pytest.mark.parametrize("case", chosen(FILTERS, "parse"))
def test_a_filter_parses_as_expected(case: Case) -> None:
    if "expect_error" in case:
        agrees(case, refused(lambda: parsed(case["filter"])))
    else:
        agrees(case, parsed(case["filter"]) == case["expect_ast"])


def renamed(syntax: Syntax, fields: Mapping[str, str]) -> Syntax:
    """The tree with the declared names where fields stand, replaced by fields of ours of the same type."""
    match syntax:
        case Group(_, parts):
            return replace(syntax, parts=tuple(renamed(part, fields) for part in parts))
        case Negation(part):
            return replace(syntax, part=renamed(part, fields))
        case Comparison(_, left):
            return replace(syntax, left=renamed(left, fields))
        case Literal(text, quoted=False, number=False):
            return replace(syntax, text=fields.get(text, text))
        case Member(names):
            return replace(syntax, names=(fields.get(names[0], names[0]), *names[1:]))
        case _:
            return syntax


@pytest.mark.parametrize("case", chosen(FILTERS, "check"))
def test_a_filter_is_taken_or_refused_as_expected(case: Case) -> None:
    declared = {name: kind for name, kind in case["declarations"].items() if name != "_"}
    fields = {name: STAND_INS.get(kind, name) for name, kind in declared.items()}

    def check() -> None:
        syntax = filter_parser.parse_syntax(case["filter"])
        assert syntax is not None
        filter_check.check(renamed(syntax, fields))

    agrees(case, refused(check) is (case["expect_error"] is not None))


def same(*texts: str) -> bool:
    return len({filters.parse(text) for text in texts}) == 1


def all_refused(*texts: str) -> bool:
    return all(refused(partial(filters.parse, text)) for text in texts)


# Statements in prose, as filters of ours.
STATEMENTS: Mapping[str, Callable[[], bool]] = {
    "semantics/0": lambda: same("a AND b OR c", "a AND (b OR c)") and not same("a AND b OR c", "(a AND b) OR c"),
    "semantics/1": lambda: same("NOT a", "-a"),
    "semantics/6": lambda: all_refused("assignees.0.foo = 42", "assignees[0].foo = 42"),
    "semantics/8": lambda: same("labels.foo:*", "labels:foo"),
    "semantics/11": lambda: all_refused("title.b = 1"),
    "semantics/12": lambda: all_refused("event_count = hello"),
    "semantics/14": lambda: all_refused("create_time = hello"),
    "semantics/17": lambda: not same("recurred = true", "recurred = false"),
    "semantics/18": lambda: same("Victor Hugo", "Victor AND Hugo"),
    "semantics/19": lambda: all_refused("42 = event_count", '"x" = title'),
    "semantics/20": lambda: filters.parse("Hugo").tree == Search("hugo"),
}


@pytest.mark.parametrize("case", chosen(FILTERS, "semantics"))
def test_a_statement_about_filters_holds(case: Case) -> None:
    agrees(case, STATEMENTS[case["id"]]())


def ordered(text: str) -> list[dict[str, object]]:
    """The order with the names of the cases, whose foo and bar are our title and source."""
    theirs = {"title": "foo", "source": "bar"}
    order = filters.parse_order(text.replace("foo", "title").replace("bar", "source"))
    return [{"path": theirs[key.field], "desc": key.descending} for key in order]


@pytest.mark.parametrize("case", chosen(PAGING, "order_by"))
def test_an_order_reads_as_expected(case: Case) -> None:
    if "expect_error" in case:
        agrees(case, refused(lambda: ordered(case["order_by"])))
        return
    try:
        agrees(case, ordered(case["order_by"]) == case["expect"])
    except InvalidFilter:
        agrees(case, holds=False)


@pytest.mark.parametrize("case", chosen(PAGING, "order_by_paths"))
def test_an_order_takes_known_fields_only(case: Case) -> None:
    text = ", ".join(case["order_by"]).replace("name", "number")
    agrees(case, refused(lambda: filters.parse_order(text)) is (case["expect_error"] is not None))


PAGES = Pages(PageTokens(b"0123456789abcdef"))
LIST = IncidentQuery(TenantId("default"))


def token() -> str:
    """A token that leads to the second row of LIST."""
    return PageTokens(b"0123456789abcdef").seal(PAGES.scope(LIST), (1, "01930000-0000-7000-8000-000000000000"))


def raises(kind: type[DomainError], attempt: Callable[[], object]) -> bool:
    with pytest.raises(kind):
        attempt()
    return True


SITUATIONS: Mapping[str, Callable[[], bool]] = {
    "aip158/0": lambda: PAGES.read(LIST, page_size=0).size == 50,
    "aip158/1": lambda: raises(InvalidFields, lambda: PAGES.read(LIST, page_size=-1)),
    "aip158/6": lambda: PAGES.read(LIST, page_size=7, page_token=token()).size == 7,
    "aip158/10": lambda: PAGES.finish(LIST, PAGES.read(LIST, page=9), [], Count(50))[1].next_page_token == "",
    "aip158/11": lambda: token().replace("-", "").replace("_", "").isalnum(),
    "aip158/12": lambda: raises(InvalidPageToken, lambda: PAGES.read(LIST, page_token="invalid")),
    "aip158/14": lambda: PAGES.read(LIST, page_size=9, page_token=token()).rank == 1,
    "aip158/15": lambda: raises(
        InvalidPageToken, lambda: PAGES.read(replace(LIST, tenant=TenantId("other")), page_token=token())
    ),
}


@pytest.mark.parametrize("case", chosen(PAGING, "aip158"))
def test_pages_are_as_expected(case: Case) -> None:
    agrees(case, SITUATIONS[case["id"]]())


def test_every_case_is_run_or_set_aside_with_a_reason() -> None:
    ids = {case["id"] for case in [*FILTERS, *PAGING]}
    groups = {"parse", "check", "semantics", "order_by", "order_by_paths", "aip158"}
    assert {id_.split("/")[0] for id_ in ids} == groups
    assert ids >= DEVIATING.keys() | NOT_OURS.keys()
    assert DEVIATING.keys().isdisjoint(NOT_OURS)

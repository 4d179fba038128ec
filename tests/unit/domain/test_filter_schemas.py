"""Filters over other fields and functions than an incident's: what a schema declares, and nothing else, is known."""

import pytest

from llm_incident_manager.domain import filters
from llm_incident_manager.domain.filter_fields import Field, Type
from llm_incident_manager.domain.filter_schema import FUNCTIONS, Schema, Signature
from llm_incident_manager.domain.filter_tree import Compare, Op, Path, Present
from llm_incident_manager.domain.filters import InvalidFilter, Order

FLAG, NAME, COUNT, LABELS, TTL = (
    Field(name, type_, name, name)
    for name, type_ in (
        ("flag", Type.BOOLEAN),
        ("name", Type.TEXT),
        ("count", Type.INTEGER),
        ("labels", Type.LABELS),
        ("ttl", Type.DURATION),
    )
)
SCHEMA = Schema(
    {field.name: field for field in (FLAG, NAME, COUNT, LABELS, TTL)},
    {
        **FUNCTIONS,
        "long": Signature((Type.TEXT, Type.INTEGER), Type.BOOLEAN, lambda given: Present(_path(given[0]))),
        "half": Signature((Type.DURATION,), Type.DURATION, lambda given: f"{given[0]}"),
    },
    searched=False,
)


def _path(argument: object) -> Path:
    assert isinstance(argument, Path)
    return argument


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("flag", "flag = true"),
        ("NOT flag AND name = 'x'", 'NOT flag = true AND name = "x"'),
        ("long(name, 3)", "name:*"),
        ("long(labels.a, 3) OR flag", "labels.a:* OR flag = true"),
        ('ttl > half(duration("2s"))', 'ttl > "2.000000s"'),
        ("ttl > half(2s)", None),
    ],
)
def test_declared_fields_and_functions_are_taken(text: str, canonical: str | None) -> None:
    if canonical is None:
        with pytest.raises(InvalidFilter, match="unknown field '2s'"):
            filters.parse(text, SCHEMA)
    else:
        assert filters.parse(text, SCHEMA).text == canonical


@pytest.mark.parametrize(
    ("text", "position", "says"),
    [
        ("word", 1, "unknown field 'word'"),
        ('"a text"', 1, "unknown field 'a text'"),
        ("flag name", 1, "words side by side are a search, and nothing is searched here: add AND"),
        ("flag AND severity = P1", 10, "the fields are flag, name, count, labels, ttl, and labels.<key>"),
        ("long(name)", 1, "long takes 2 values and is given 1"),
        ("long(count, 3)", 6, "this is no text"),
        ("long(name, 'x')", 12, "this is no integer"),
        ("half(2)", 1, "half gives a value"),
        ("name = long(name, 3)", 8, "long gives no value for name"),
        ("flag = timestamp('2026-11-21')", 8, "timestamp gives no value for flag"),
    ],
)
def test_anything_else_is_refused_with_place_and_remedy(text: str, position: int, says: str) -> None:
    with pytest.raises(InvalidFilter) as refused:
        filters.parse(text, SCHEMA)
    assert says in refused.value.message
    assert refused.value.position == position


def test_the_tree_holds_the_fields_of_the_schema() -> None:
    assert filters.parse("count > 3", SCHEMA).tree == Compare(Path(COUNT), Op.GT, 3)


def test_orders_are_over_the_fields_of_the_schema_too() -> None:
    assert filters.parse_order("ttl desc, name", SCHEMA) == (Order("ttl", descending=True), Order("name"))
    with pytest.raises(InvalidFilter, match="cannot order by 'severity': the fields for it are flag, name, count, ttl"):
        filters.parse_order("severity", SCHEMA)

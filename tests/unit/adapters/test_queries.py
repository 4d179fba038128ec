"""Statement files: each statement has a name of its own, and what is in the files is what the databases run."""

import re

import pytest

from llm_incident_manager.adapters.postgres.statements import SQL
from llm_incident_manager.adapters.sql import queries

CATALOGUE = {"table", "key", "partition", "since", "until", "columns", "column", "sequence", "function", "target"}
"""Places that names of the database's own catalogue fill when a statement runs; nothing a caller sends ever does."""

FILTERS = {"group", "matching", "step", "most", "acknowledge_by", "resolve_by", "now"}
"""Places that `adapters.sql.figures` fills with columns of its own table, with placeholders, and with what `filters`
writes."""


def test_statements_are_found_by_name_without_comments_and_semicolons() -> None:
    text = "-- About the file.\n\n-- name: one\n-- What it does.\nSELECT 1;\n\n-- name: two\nSELECT\n    2\n"
    assert queries.parse(text) == {"one": "SELECT 1", "two": "SELECT\n    2"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SELECT 1;\n-- name: one\nSELECT 1", "before the first"),
        ("-- name: one\nSELECT 1\n-- name: one\nSELECT 2", "given twice"),
        ("-- name: one\n-- nothing\n-- name: two\nSELECT 2", "empty"),
    ],
    ids=["nameless", "twice", "empty"],
)
def test_a_statement_without_a_name_of_its_own_or_text_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        queries.parse(text)


def test_no_place_in_a_statement_for_postgresql_is_left_open() -> None:
    left = {name: set(re.findall(r"{([a-z]\w*)}", statement)) - CATALOGUE - FILTERS for name, statement in SQL.items()}
    assert {name: places for name, places in left.items() if places} == {}

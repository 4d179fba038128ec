"""No text from outside becomes part of a statement: the proof holds, and sees what would break it."""

import sys

import pytest

from tools import shell, statements

FILE = "adapters/postgres/planted.py"


def told(source: str, file: str = FILE, pieces: statements.Pieces | None = None) -> list[str]:
    return list(statements.check({file: source}, pieces or {}))


def test_the_proof_holds() -> None:
    assert shell.run(sys.executable, "-m", "tools.statements") == 0


@pytest.mark.parametrize(
    "source",
    [
        "async def f(c, title):\n    await c.fetch(f\"SELECT 1 FROM incident WHERE title = '{title}'\")",
        "async def f(c, title):\n    await c.execute(\"SELECT 1 FROM incident WHERE title = '%s'\" % title)",
        'async def f(c, title):\n    await c.execute("SELECT 1 FROM incident WHERE title = {}".format(title))',
        'async def f(c, title):\n    await c.fetchval("SELECT 1 FROM incident WHERE title = " + title)',
        'async def f(c, title):\n    text = "SELECT " + title\n    await c.fetchrow(text)',
        "def f(c, statement):\n    c.execute(statement)",
        "def f(c, rows):\n    c.executemany(rows.text, rows)",
        "def f(c):\n    c.cursor(open('x').read())",
        'def f(unit, order):\n    unit.fetch(SQL["list"].replace("{order}", order))',
        'def f(c, name):\n    c.execute(SQL["x"] if name else name)',
    ],
)
def test_a_planted_offender_is_seen(source: str) -> None:
    assert told(source)


@pytest.mark.parametrize(
    "source",
    [
        'async def f(c, title):\n    await c.fetch("SELECT 1 FROM incident WHERE title = $1", title)',
        'async def f(c, title):\n    await c.fetch(SQL["by_title"], title)',
        'ASK = "SELECT 1"\ndef f(c):\n    c.execute(ASK)',
        "def f(c, name):\n    raise ValueError(f'SELECT a name other than {name} FROM the list')",
        "def f(pool, work):\n    pool.run(work)",
    ],
)
def test_a_statement_with_parameters_is_left_alone(source: str) -> None:
    assert told(source) == []


def test_where_conditions_are_written_every_text_counts() -> None:
    source = "def f(value):\n    return f'a = {value}'"
    assert told(source) == []
    assert told(source, "adapters/sql/filters.py")


def test_a_listed_piece_is_let_pass_and_no_other_in_its_place() -> None:
    source = "def f(c, table, title):\n    c.execute(f'DELETE FROM {table} WHERE title = {title}')"
    whole = "f'DELETE FROM {table} WHERE title = {title}'"
    (left,) = told(source, pieces={f"{FILE}::f": ("names", frozenset({"table", whole}))})
    assert "'title'" in left
    listed = {f"{FILE}::f": ("names", frozenset({"table", "title", whole}))}
    assert told(source, pieces=listed) == []


def test_a_list_without_a_reason_or_without_a_piece_is_told() -> None:
    source = "def f(c, table):\n    c.execute(table)"
    assert told(source, pieces={f"{FILE}::f": ("", frozenset({"table"}))}) == [f"{FILE}::f: is listed without a reason"]
    gone = told("def f():\n    pass", pieces={f"{FILE}::f": ("names", frozenset({"table"}))})
    assert gone == [f"{FILE}::f: 'table' is listed and is no piece any more"]

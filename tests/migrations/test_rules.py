"""Which files are migrations, which of them a database still needs, and which databases are refused."""

import re

import pytest
from setuptools import find_namespace_packages  # type: ignore[import-untyped]  # ships no types

from llm_incident_manager.adapters.sql import migrations
from llm_incident_manager.adapters.sql.migrations import Applied, Migration
from llm_incident_manager.domain.phases import Phase
from llm_incident_manager.ports.stores import StoreRefused
from tools import shell

FIRST, SECOND, THIRD = KNOWN = migrations.parse(
    [
        ("0002_post_tidy.sql", "DROP TABLE a;"),
        ("0001_pre_first.sql", "CREATE TABLE a (b);"),
        ("0003_pre_more.sql", "CREATE TABLE c (d);"),
        ("schema.sql", "no migration"),
    ]
)

ADD, TIDY, MORE = KNOWN
(ADD_TOO,) = (TIDY._replace(name="0002_pre_too"),)


def done(*given: Migration) -> list[Applied]:
    return [Applied(each.version, each.name, each.checksum) for each in given]


def test_files_run_in_the_order_of_their_numbers() -> None:
    assert [each.name for each in KNOWN] == ["0001_pre_first", "0002_post_tidy", "0003_pre_more"]


@pytest.mark.parametrize(
    "name",
    ["1_pre_first.sql", "0001_first.sql", "0001_pre_First.sql", "0001_during_x.sql", "0001_pre_x.txt", "notes.md"],
)
def test_a_file_of_another_name_is_an_error(name: str) -> None:
    with pytest.raises(ValueError, match=r"NNNN_pre_what\.sql"):
        migrations.parse([(name, "")])


@pytest.mark.parametrize(
    "names", [["0002_pre_a.sql"], ["0001_pre_a.sql", "0001_pre_b.sql"], ["0001_pre_a.sql", "0003_pre_b.sql"]]
)
def test_a_number_that_is_missing_or_given_twice_is_an_error(names: list[str]) -> None:
    with pytest.raises(ValueError, match="renumber it"):
        migrations.parse([(name, "") for name in names])


def test_a_checksum_is_of_the_text_whatever_ends_its_lines() -> None:
    unix, dos, other = (migrations.parse([("0001_pre_a.sql", text)])[0] for text in ("a\nb\n", "a\r\nb\r\n", "a\nc\n"))
    assert unix.checksum == dos.checksum != other.checksum


def test_only_what_was_not_applied_is_pending() -> None:
    assert migrations.pending(KNOWN, []) == KNOWN
    assert migrations.pending(KNOWN, done(FIRST)) == (SECOND, THIRD)
    assert migrations.pending(KNOWN, reversed(done(*KNOWN))) == ()


def test_a_file_that_was_changed_after_it_was_applied_is_refused() -> None:
    changed = FIRST._replace(checksum="0" * 64)
    with pytest.raises(StoreRefused, match=r"0001_pre_first is not what was applied.*new migration"):
        migrations.pending(KNOWN, done(changed, SECOND))


def test_a_file_that_was_renamed_after_it_was_applied_is_refused() -> None:
    with pytest.raises(StoreRefused, match="0001_pre_first is not what was applied to the database as 0001_pre_other"):
        migrations.pending(KNOWN, done(FIRST._replace(name="0001_pre_other")))


def test_a_database_that_is_newer_than_the_program_is_refused() -> None:
    with pytest.raises(
        StoreRefused, match=r"has migration 0003_pre_more, but this program ends at 0002.*newer program"
    ):
        migrations.pending(KNOWN[:2], done(*KNOWN))


def test_a_database_with_a_gap_is_refused() -> None:
    with pytest.raises(StoreRefused, match="has migration 0003_pre_more but not 0002_post_tidy"):
        migrations.pending(KNOWN, done(FIRST, THIRD))


@pytest.mark.parametrize(
    ("known", "applied", "phase", "runs"),
    [
        # Beside servers of before only what adds; the rest when they have gone.
        ((ADD, TIDY), (), Phase.PRE, (ADD,)),
        ((ADD, TIDY), (ADD,), Phase.PRE, ()),
        ((ADD, TIDY), (ADD,), Phase.POST, (TIDY,)),
        ((ADD, TIDY, MORE), (), Phase.ALL, (ADD, TIDY, MORE)),
        ((ADD, TIDY, MORE), (ADD,), Phase.POST, (TIDY,)),
        ((ADD, TIDY, MORE), (ADD, TIDY), Phase.PRE, (MORE,)),
        # A newer program has only added: this one may start, and has nothing to run.
        ((ADD,), (ADD, ADD_TOO), Phase.PRE, ()),
    ],
)
def test_what_a_phase_runs(
    known: tuple[Migration, ...], applied: tuple[Migration, ...], phase: Phase, runs: tuple[Migration, ...]
) -> None:
    assert migrations.to_run(known, done(*applied), phase) == runs


@pytest.mark.parametrize(
    ("known", "applied", "phase", "why"),
    [
        ((ADD, TIDY, MORE), (ADD,), Phase.PRE, r"lacks 0002_post_tidy, which has to run before 0003_pre_more: end"),
        ((ADD, TIDY), (), Phase.POST, r"lacks 0001_pre_first, which comes before: run migrate --phase pre"),
        ((ADD,), (ADD, TIDY), Phase.PRE, r"has migration 0002_post_tidy.*start the newer program"),
        ((ADD,), (ADD, ADD_TOO), Phase.ALL, r"has migration 0002_pre_too.*start the newer program"),
        ((ADD,), (ADD, ADD_TOO), Phase.POST, r"has migration 0002_pre_too.*start the newer program"),
    ],
)
def test_a_phase_that_cannot_run_says_what_to_do(
    known: tuple[Migration, ...], applied: tuple[Migration, ...], phase: Phase, why: str
) -> None:
    with pytest.raises(StoreRefused, match=why):
        migrations.to_run(known, done(*applied), phase)


def test_a_program_runs_where_only_the_tidying_waits_and_not_where_something_lacks() -> None:
    migrations.require((ADD, TIDY), done(ADD))
    migrations.require((ADD,), done(ADD, ADD_TOO))
    with pytest.raises(StoreRefused, match="lacks 0001_pre_first: run the migrations first"):
        migrations.require((ADD, TIDY), [])


TAKES_AWAY = re.compile(
    r"DROP\s+(?:TABLE|COLUMN)|RENAME\s+COLUMN|ALTER\s+COLUMN\s+\S+\s+(?:TYPE|SET\s+NOT)|"
    r"ADD\s+COLUMN\s+[^,;]*NOT\s+NULL(?![^,;]*DEFAULT)|ADD\s+CONSTRAINT",
    re.IGNORECASE,
)
MOVES_ASIDE = {("postgres", "0003_pre_upkeep")}
"""Empties its own leftover: a table that lay under another name meanwhile."""


@pytest.mark.parametrize("dialect", ["sqlite", "postgres"])
def test_what_may_run_beside_servers_of_before_takes_nothing_away_from_them(dialect: str) -> None:
    for each in migrations.load(dialect):
        if each.adds and (dialect, each.name) not in MOVES_ASIDE:
            assert not TAKES_AWAY.search(re.sub(r"--.*", "", each.sql)), each.name


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE a",
        "ALTER TABLE a DROP COLUMN b",
        "ALTER TABLE a RENAME COLUMN b TO c",
        "ALTER TABLE a ADD COLUMN b INTEGER NOT NULL",
    ],
)
def test_what_takes_away_is_seen(statement: str) -> None:
    assert TAKES_AWAY.search(statement)
    assert not TAKES_AWAY.search("ALTER TABLE a ADD COLUMN b INTEGER NOT NULL DEFAULT 0")


@pytest.mark.parametrize("dialect", ["sqlite", "postgres"])
def test_the_program_brings_its_files(dialect: str) -> None:
    files = (shell.ROOT / "migrations" / dialect).glob("[0-9]*.sql")
    assert [each.name for each in migrations.load(dialect)] == sorted(file.stem for file in files)


def test_the_files_are_part_of_what_is_installed() -> None:
    packages = find_namespace_packages(str(shell.ROOT / "server"))
    assert {"llm_incident_manager._migrations.sqlite", "llm_incident_manager._migrations.postgres"} <= set(packages)


def test_both_databases_have_the_same_migrations() -> None:
    sqlite, postgres = ([each.name for each in migrations.load(dialect)] for dialect in ("sqlite", "postgres"))
    assert sqlite == postgres

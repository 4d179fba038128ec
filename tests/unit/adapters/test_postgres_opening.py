"""Which PostgreSQL servers are refused, and in which words."""

import pytest

from llm_incident_manager.adapters.postgres import opening
from llm_incident_manager.adapters.postgres.options import Options
from llm_incident_manager.domain.errors import StoreUnavailable
from llm_incident_manager.ports.stores import StoreRefused

GOOD: dict[str, str | int | bool] = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "server_encoding": "UTF8",
    "version": 150_018,
    "standby": False,
    "read_only": False,
}


def test_a_server_that_keeps_its_promises_is_accepted() -> None:
    opening.check(GOOD, may_lose_commits=False)


@pytest.mark.parametrize("promise", ["fsync", "full_page_writes", "synchronous_commit"])
def test_a_server_that_may_lose_commits_is_refused_unless_told_otherwise(promise: str) -> None:
    facts = GOOD | {promise: "off"}
    with pytest.raises(StoreRefused, match=f"set {promise} = on"):
        opening.check(facts, may_lose_commits=False)
    opening.check(facts, may_lose_commits=True)


@pytest.mark.parametrize("level", ["local", "remote_write", "remote_apply"])
def test_other_levels_of_synchronous_commit_are_accepted(level: str) -> None:
    opening.check(GOOD | {"synchronous_commit": level}, may_lose_commits=False)


@pytest.mark.parametrize(
    ("fact", "message"),
    [
        ({"version": 130_011}, "PostgreSQL 13 is too old"),
        ({"server_encoding": "LATIN1"}, "LATIN1"),
        ({"standby": True}, "primary"),
        ({"read_only": True}, "default_transaction_read_only = off"),
    ],
    ids=["old", "encoding", "standby", "read only"],
)
def test_a_server_that_cannot_serve_is_refused_in_any_case(fact: dict[str, str | int | bool], message: str) -> None:
    with pytest.raises(StoreRefused, match=message):
        opening.check(GOOD | fact, may_lose_commits=True)


async def test_an_address_where_nobody_listens_is_unavailable() -> None:
    with pytest.raises(StoreUnavailable, match="cannot connect"):
        await opening.connect(Options("postgresql://nobody:secret@127.0.0.1:1/none"))


async def test_an_unreadable_address_is_refused_without_repeating_it() -> None:
    with pytest.raises(StoreRefused, match="postgresql://user:password@host:5432/database") as refused:
        await opening.connect(Options("mysql://nobody:secret@127.0.0.1/none"))
    assert "secret" not in str(refused.value)


def test_a_password_is_never_shown() -> None:
    assert "secret" not in repr(Options("postgresql://nobody:secret@127.0.0.1/none"))


def test_behind_a_pooler_each_transaction_brings_its_limits_along() -> None:
    assert Options("postgresql://").begin == "BEGIN ISOLATION LEVEL READ COMMITTED"
    begin = Options("postgresql://", pooled=True).begin
    assert begin.startswith("BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL ")
    assert "SET LOCAL statement_timeout = '8000'" in begin


def test_all_workers_must_find_room() -> None:
    opening.check_room(97, workers=4, pool_size=24)
    with pytest.raises(StoreRefused, match=r"takes 97 connections, and 4 workers want 25 each.*at most 96"):
        opening.check_room(97, workers=4, pool_size=25)

"""A text that a caller sends is never part of a statement."""

import pytest

from tests.support.access import injection, payloads
from tests.support.access.doors import Doors
from tests.support.access.realm import Realm
from tests.support.server import RunningServer

pytestmark = pytest.mark.asyncio(loop_scope="module")
CORPUS = payloads.corpus()
EACH = 16
"""Payloads that each field gets here; `make chaos FAULTS=45` gives each field all of them."""


async def test_no_statement_fails_whatever_a_field_says(server: RunningServer, doors: Doors, mine: Realm) -> None:
    found = await injection.everywhere(doors, mine, CORPUS, EACH)
    assert found.wrong == []
    assert injection.told_by(server.log) == {}
    assert found.fields * EACH <= found.calls


async def test_every_payload_means_itself(server: RunningServer, doors: Doors, mine: Realm) -> None:
    found = await injection.literally(doors, mine, CORPUS)
    assert found.wrong == []
    assert (injection.told_by(server.log), found.literal) == ({}, 4 * len(CORPUS))

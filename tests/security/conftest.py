"""For each back end one server for all tests of a module, which believes whoever says who they are."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support import sizes
from tests.support.access import trusting
from tests.support.access.doors import Doors, doors_of
from tests.support.access.realm import ALL_RIGHTS, GIVES_UP_AT_ONCE, Realm, found_tenants, populate
from tests.support.access.who import Who
from tests.support.postgres import Cluster
from tests.support.server import RunningServer, running_server

BACK_ENDS = ("sqlite", "postgresql") if sizes.FULL else ("postgresql",)
"""On SQLite the same is done by rows of the chaos suite, which is among the tests."""


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=BACK_ENDS)
async def server(request: pytest.FixtureRequest) -> AsyncIterator[RunningServer]:
    """A started server with an empty database."""
    env = dict(trusting.ENVIRONMENT)
    if request.param == "postgresql":
        cluster: Cluster = request.getfixturevalue("cluster")
        env |= {"DATABASE_URL": cluster.dsn(cluster.create()), "LLM_IM__STORAGE__ALLOW_UNSAFE_DURABILITY": "true"}
    async with running_server(env=env, config=GIVES_UP_AT_ONCE, program=trusting.PROGRAM) as started:
        yield started


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def doors(server: RunningServer) -> AsyncIterator[Doors]:
    """Its doors."""
    async with doors_of(server) as opened:
        await found_tenants(opened)
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mine(doors: Doors) -> Realm:
    """What an owner of tenant alpha has, of service payments and team red."""
    made = Realm(Who("alpha", "ann", ALL_RIGHTS), "canary-mine", "payments", "red")
    await populate(doors, made)
    return made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def elsewhere(doors: Doors) -> Realm:
    """What an owner of tenant beta has, called alike."""
    made = Realm(Who("beta", "ann", ALL_RIGHTS), "canary-beta", "payments-of-beta", "red")
    await populate(doors, made)
    return made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def beside(doors: Doors) -> Realm:
    """What another owner of tenant alpha has, of another service and team."""
    made = Realm(Who("alpha", "bob", ALL_RIGHTS), "canary-beside", "search", "blue")
    await populate(doors, made)
    return made

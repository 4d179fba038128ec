"""The same request under the same id is answered alike and does nothing; another one under it is refused."""

import pytest

from tests.support.access import replay
from tests.support.access.doors import Doors
from tests.support.access.realm import Realm

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_every_write_is_done_once(doors: Doors, mine: Realm, elsewhere: Realm) -> None:
    found = await replay.matrix(doors, mine, elsewhere)
    assert found.wrong == []
    assert found.methods == len(replay.writing()) >= 25

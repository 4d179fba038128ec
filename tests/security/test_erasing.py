"""A tenant is taken along whole, and erased whole: nothing of it is left but its audit, which still proves itself."""

import pytest

from tests.support.access import realm
from tests.support.access.doors import Doors
from tests.support.access.erasure import AUDIT, erased, exported
from tests.support.access.realm import ALL_RIGHTS, OPERATOR, Realm, ask, asked
from tests.support.access.who import Who

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_tenant_is_taken_along_and_erased(doors: Doors, mine: Realm) -> None:
    await ask(doors, OPERATOR, "CreateTenant", tenant_id="gamma")
    gone = Realm(Who("gamma", "ann", ALL_RIGHTS), "canary-gamma", "payments", "red")
    await realm.populate(doors, gone)
    rows, counts = await exported(doors, "gamma")
    assert sum(counts.values()) == len(rows)
    assert min(counts[name] for name in ("incident", "event", "timeline", "incident_attachment", "api_key", "role")) > 0
    assert {row["tenant"] for row in rows} == {"gamma"}
    assert not any("digest" in row for row in rows if row["table"] == "api_key")
    before = await realm.state(doors, mine)

    for fields in ({"confirm": "beta"}, {"confirm": ""}):
        assert (await asked(doors, OPERATOR, "EraseTenant", tenant_id="gamma", **fields)).code == 3
    refused = await asked(doors, OPERATOR, "EraseTenant", tenant_id="default", confirm="default")
    assert (refused.code, refused.reason) == (9, "IN_USE")
    erasing = await ask(doors, OPERATOR, "EraseTenant", tenant_id="gamma", confirm="gamma", reason="it ended")
    assert erasing.tenant.state == 3
    assert (await asked(doors, gone.owner, "ListIncidents")).code in (7, 16)
    await erased(doors, "gamma")

    left, counts = await exported(doors, "gamma")
    assert {name for name, count in counts.items() if count} <= AUDIT
    assert {row["table"] for row in left} <= AUDIT
    assert counts["audit"] > 0
    assert await realm.state(doors, mine) == before
    again = await asked(doors, OPERATOR, "CreateTenant", tenant_id="gamma")
    assert (again.code, again.reason) == (6, "ALREADY_EXISTS")
    assert (await asked(doors, OPERATOR, "EraseTenant", tenant_id="gamma", confirm="gamma")).code == 0

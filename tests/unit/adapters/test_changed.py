"""Which columns of a changed incident are written, when broken promises and other changes meet in one transaction."""

import pytest

from llm_incident_manager.adapters.sql import changed
from llm_incident_manager.domain.time import SECOND, Instant
from llm_incident_manager.ports.changes import Changes
from tests.support.builders import NOW, make_incident

BEFORE = make_incident(snoozed_until=NOW)
SOON = Instant(NOW + SECOND)
BROKEN = BEFORE.changed(SOON, acknowledge_breached_at=SOON)
TWICE = BROKEN.changed(SOON, resolve_breached_at=SOON)
AWAKE = BEFORE.changed(SOON, snoozed_until=None)
AWAKE_AND_BROKEN = AWAKE.changed(SOON, acknowledge_breached_at=SOON)
BROKEN_AND_AWAKE = BROKEN.changed(SOON, snoozed_until=None)
MOMENTS = (BEFORE.id, BEFORE.tenant, SOON, None, SOON, BEFORE.revision + 1)


@pytest.mark.parametrize(
    ("changes", "whole", "breaches"),
    [
        pytest.param(Changes(breached=[BROKEN]), [], [MOMENTS], id="only a promise was broken"),
        pytest.param(
            Changes(breached=[BROKEN, TWICE]), [], [(*MOMENTS[:3], SOON, SOON, BEFORE.revision + 2)], id="both were"
        ),
        pytest.param(Changes(changed=[AWAKE]), [AWAKE], [], id="something else changed"),
        pytest.param(
            Changes(changed=[AWAKE], breached=[AWAKE_AND_BROKEN]), [AWAKE_AND_BROKEN], [], id="and then it was broken"
        ),
        pytest.param(
            Changes(changed=[BROKEN_AND_AWAKE], breached=[BROKEN]), [BROKEN_AND_AWAKE], [], id="after it was broken"
        ),
    ],
)
def test_what_is_written_of_an_incident(changes: Changes, whole: list[object], breaches: list[object]) -> None:
    assert (list(changed.whole(changes)), changed.breaches(changes)) == (whole, breaches)

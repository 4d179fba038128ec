"""What a difference between two clocks means."""

import pytest

from llm_incident_manager.domain.time import DAY, HOUR, SECOND
from llm_incident_manager.engines import timekeeping
from llm_incident_manager.engines.timekeeping import Drift, Keep, Step


@pytest.mark.parametrize(
    ("difference", "uncertainty", "meant"),
    [
        # Closer than can be told.
        (0, 0, Keep()),
        (-900, 1_000, Keep()),
        # A smear, or two quartzes.
        (-900, 500, Drift(-900)),
        (SECOND, 0, Drift(SECOND)),
        (SECOND + 400, 500, Drift(SECOND + 400)),
        # Nothing but setting a clock does that.
        (SECOND + 1, 0, Step(SECOND + 1)),
        (-HOUR, 500, Step(-HOUR)),
        (DAY, SECOND, Step(DAY)),
    ],
)
def test_differences(difference: int, uncertainty: int, meant: object) -> None:
    assert timekeeping.decide(difference, uncertainty) == meant

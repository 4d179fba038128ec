"""What becomes of a worker that has ended by itself."""

import pytest

from llm_incident_manager.engines import restarting
from llm_incident_manager.engines.restarting import Again, GiveUp


@pytest.mark.parametrize(
    ("lived", "quick", "expected"),
    [
        pytest.param(3_600, 0, Again(0.5, 0), id="it had worked: at once, nearly"),
        pytest.param(10, 4, Again(0.5, 0), id="it had worked, and what was before is forgotten"),
        pytest.param(9.9, 0, Again(1.0, 1), id="a quick end makes the next start wait"),
        pytest.param(0, 1, Again(2.0, 2), id="and longer each time"),
        pytest.param(0, 3, Again(8.0, 4), id="up to the last but one"),
    ],
)
def test_it_is_started_again(lived: float, quick: int, expected: Again) -> None:
    assert restarting.decide(lived, quick) == expected


def test_the_fifth_quick_end_in_a_row_is_the_last() -> None:
    assert restarting.decide(1.0, 4) == GiveUp("it ended 5 times in a row within 10 s of its start")

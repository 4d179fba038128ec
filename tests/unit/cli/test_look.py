"""When there is colour, how times are written, and what may reach a terminal."""

from datetime import datetime

import pytest

from llm_incident_manager.cli import look, printing, terminal
from llm_incident_manager.cli.failures import BadUsage
from llm_incident_manager.cli.look import Colour


@pytest.mark.parametrize(("choice", "environment", "terminal", "coloured"), [
    (Colour.AUTO, {}, True, True),
    (Colour.AUTO, {}, False, False),
    (Colour.AUTO, {"NO_COLOR": "1"}, True, False),
    (Colour.AUTO, {"NO_COLOR": ""}, True, True),  # an empty variable is not set
    (Colour.AUTO, {"TERM": "dumb"}, True, False),
    (Colour.AUTO, {"FORCE_COLOR": "1"}, False, True),
    (Colour.AUTO, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
    (Colour.ALWAYS, {"NO_COLOR": "1"}, False, True),  # whoever types it wants it
    (Colour.NEVER, {"FORCE_COLOR": "1"}, True, False),
])  # fmt: skip
def test_colour_is_for_terminals_unless_somebody_says_otherwise(
    choice: Colour, environment: dict[str, str], terminal: bool, coloured: bool
) -> None:
    assert look.coloured(choice, environment, terminal=terminal) is coloured


@pytest.mark.parametrize(("zone", "written"), [
    ("", "2026-07-01 12:00:00Z"),
    ("utc", "2026-07-01 12:00:00Z"),
    ("Europe/Berlin", "2026-07-01 14:00:00+02:00"),
    ("Asia/Kathmandu", "2026-07-01 17:45:00+05:45"),
    ("Europe/London", "2026-07-01 13:00:00+01:00"),
])  # fmt: skip
def test_a_time_is_written_as_a_clock_of_the_zone_shows_it(zone: str, written: str) -> None:
    assert look.moment(datetime(2026, 7, 1, 12), look.zone(zone)) == written  # noqa: DTZ001 - what protobuf gives


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "Europe", "\x00"])
def test_a_zone_nobody_knows_is_refused_with_the_remedy(zone: str) -> None:
    with pytest.raises(BadUsage, match="IANA database"):
        look.zone(zone)


@pytest.mark.parametrize(("value", "cell"), [
    (None, ""),
    ("plain, with comma", "plain, with comma"),
    ("=SUM(A1)", "'=SUM(A1)"),
    ("@import", "'@import"),
    (-1.5, "-1.5"),
    (True, "true"),
    ({"b": 1}, '{"b":1}'),
    (["a"], '["a"]'),
])  # fmt: skip
def test_a_cell_never_begins_as_a_formula_does(value: object, cell: str) -> None:
    assert printing._cell(value) == cell


def test_nothing_a_terminal_would_obey_is_left() -> None:
    assert terminal.safe("a\x1b[31mb\nc\x07") == "a\N{REPLACEMENT CHARACTER}[31mb c\N{REPLACEMENT CHARACTER}"

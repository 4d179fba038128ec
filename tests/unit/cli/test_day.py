"""The day of events that comes with the project is what its stories say."""

import json

from examples import make_day
from llm_incident_manager.cli.mapping import Reader


def test_the_file_is_what_the_generator_writes() -> None:
    assert make_day.FILE.read_text("utf-8").splitlines() == make_day.lines(), "run python -m examples.make_day"


def test_the_day_has_a_fair_size_and_every_line_is_an_event_in_order_of_time() -> None:
    lines = make_day.FILE.read_bytes().splitlines()
    reader = Reader()
    times = [reader.event(line).event_time.ToMicroseconds() for line in lines]
    assert 400 <= len(lines) <= 1000
    assert times == sorted(times)
    assert {json.loads(line).get("action", "TRIGGER") for line in lines} == {
        "TRIGGER", "RESOLVE", "CHANGE", "ACKNOWLEDGE",
    }  # fmt: skip

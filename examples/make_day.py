"""Writes day_of_llm_events.jsonl from the stories: `python -m examples.make_day`. The same file every time.

The times in it lie on one fixed day; `llm-incident-manager replay --now` moves them so that the last event is now.
"""

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from examples import stories
from examples.moments import Fields

FILE = Path(__file__).with_name("day_of_llm_events.jsonl")
DAY = datetime(2026, 1, 15, tzinfo=UTC)
SEED = 20260115


def lines() -> list[str]:
    """The day's events as JSON lines, in order of time."""
    moments = [moment for number, story in enumerate(stories.STORIES) for moment in story(random.Random(SEED + number))]
    return [_line(seconds, fields) for seconds, fields in sorted(moments, key=lambda moment: moment[0])]


def _line(seconds: float, fields: Fields) -> str:
    moment = DAY + timedelta(milliseconds=round(seconds * 1000))
    return json.dumps({**fields, "event_time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")})


def main() -> None:
    """Writes the file."""
    FILE.write_text("\n".join(lines()) + "\n", "utf-8")


if __name__ == "__main__":
    main()

"""The table says of each benchmark what was measured on each database, and leaves out what was not."""

from bench import table
from bench.measuring import Line

LINES: list[Line] = [
    {"bench": "start", "store": "sqlite", "rate": None, "p95_ms": 830},
    {"bench": "unary", "store": "sqlite", "rate": 1_400, "p95_ms": 124.5, "ratio_to_floor": 0.48},
    {"bench": "unary", "store": "postgresql", "rate": 990, "p95_ms": 165.0, "database_cpu_us_per_event": 294.1},
]


def test_both_databases_stand_side_by_side_with_the_settings_they_hold_for() -> None:
    rows = table.of(LINES, {"sqlite": {"synchronous": 2}, "postgresql": {"fsync": "on"}}).splitlines()
    assert rows[:3] == ["sqlite: synchronous 2", "postgresql: fsync on", ""]
    assert rows[3].startswith("| bench | sqlite events/s |")
    assert rows[5:] == [
        "| `start` |  | 830 |  |  |  |  |  |  |  |  |  |  |",
        "| `unary` | 1,400 | 124.5 |  |  | 0.48 |  | 990 | 165.0 |  | 294.1 |  |  |",
    ]

"""How long after the events' acceptance the work behind them began and ended, read from the records it left."""

from bench.databases import Database
from bench.measuring import Line
from bench.recorder import quantiles

_TIMES = """SELECT d.created_at - i.created_at, d.updated_at - i.created_at
FROM delivery AS d JOIN incident AS i ON i.id = d.incident_id
WHERE d.state = 'sent' AND i.created_at >= (SELECT min(created_at) FROM incident) + {skipped}"""


def delays(database: Database, warm_up: float) -> Line:
    """Milliseconds from taking an event that opens an incident to its handler's start, and until somebody was told:
    p50, p95, p99. The commit itself is part of them, so they are never too short."""
    rows = database.numbers(_TIMES.format(skipped=round(warm_up * 1e6)))
    return {
        "handled": len(rows),
        "to_handler_ms": _milliseconds([row[0] for row in rows]),
        "to_notified_ms": _milliseconds([row[1] for row in rows]),
    }


def _milliseconds(micros: list[int]) -> list[float]:
    return [round(value / 1000, 2) for value in quantiles([(float(each), 1) for each in micros])]

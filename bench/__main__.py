"""`python -m bench`: measures the server, a JSON object a line. Without names it measures everything."""

import argparse
import json
import signal
import sys
import tempfile
from pathlib import Path

from bench import benches, databases, lists, measuring, stock, surroundings

LISTS = "lists"
KEPT = Path(tempfile.gettempdir()) / "llm-incident-manager-bench"


def main() -> None:
    """Runs what the command line names."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that what was started is ended
    if LISTS in options.names:
        _lists(options)
        return
    preload = options.preload
    database = stock.stocked(options.store, options.keep, preload) if preload else databases.opened(options.store)
    try:
        _run(options, database)
    finally:
        database.close()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(benches.NAMES)}")
    parser.add_argument("--store", choices=("sqlite", "postgresql"), default="sqlite", help="default: sqlite")
    parser.add_argument("--seconds", type=float, default=8.0, help="how long each load is measured; default: 8")
    parser.add_argument("--preload", type=int, default=0, help="incidents that are there before each load; default: 0")
    parser.add_argument("--incidents", type=int, default=1_000_000, help="for lists; default: 1000000")
    parser.add_argument("--question", action="append", default=[], help="for lists: only this one; may be repeated")
    parser.add_argument("--keep", type=Path, default=KEPT, help=f"folder of filled databases; default: {KEPT}")
    options = parser.parse_args()
    if LISTS in options.names and len(options.names) > 1:
        parser.error(f"{LISTS} runs alone")
    if unknown := set(options.names) - {*benches.NAMES, LISTS}:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(benches.NAMES)} and {LISTS}")
    return options


def _lists(options: argparse.Namespace) -> None:
    for line in lists.lines(options.store, options.keep, options.incidents, frozenset(options.question)):
        print(json.dumps({"bench": LISTS, "store": options.store, **line}), flush=True)


def _run(options: argparse.Namespace, database: databases.Database) -> None:
    with measuring.folder() as place:
        settings = {
            "machine": surroundings.machine(place),
            "database": database.settings(place),
            **surroundings.configuration({"DATABASE_URL": database.fresh(place)}),
        }
    rates: dict[str, float] = {}
    for name in benches.with_floors(options.names or list(benches.NAMES)):
        line = {
            "bench": name,
            "store": database.name,
            "preload": options.preload,
            **benches.run(name, database, options.seconds),
        }
        rates[name] = line["rate"]
        if name in benches.FLOOR_OF:
            line["ratio_to_floor"] = round(line["rate"] / rates[benches.FLOOR_OF[name]], 3)
        print(json.dumps({**line, **settings}), flush=True)


if __name__ == "__main__":
    main()

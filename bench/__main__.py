"""`python -m bench`: measures the server, a JSON object a line. Without names it measures everything."""

import argparse
import json
import signal
import sys

from bench import benches, databases, measuring, surroundings


def main() -> None:
    """Runs what the command line names."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that what was started is ended
    database = databases.opened(options.store)
    try:
        _run(options, database)
    finally:
        database.close()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(benches.NAMES)}")
    parser.add_argument("--store", choices=("sqlite", "postgresql"), default="sqlite", help="default: sqlite")
    parser.add_argument("--seconds", type=float, default=8.0, help="how long each load is measured; default: 8")
    options = parser.parse_args()
    if unknown := set(options.names) - set(benches.NAMES):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(benches.NAMES)}")
    return options


def _run(options: argparse.Namespace, database: databases.Database) -> None:
    with measuring.folder() as place:
        settings = {
            "machine": surroundings.machine(place),
            "database": database.settings(place),
            **surroundings.configuration({"DATABASE_URL": database.fresh(place)}),
        }
    rates: dict[str, float] = {}
    for name in benches.with_floors(options.names or list(benches.NAMES)):
        line = {"bench": name, "store": database.name, **benches.run(name, database, options.seconds)}
        rates[name] = line["rate"]
        if name in benches.FLOOR_OF:
            line["ratio_to_floor"] = round(line["rate"] / rates[benches.FLOOR_OF[name]], 3)
        print(json.dumps({**line, **settings}), flush=True)


if __name__ == "__main__":
    main()

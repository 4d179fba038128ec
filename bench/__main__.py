"""`python -m bench`: measures the server, a JSON object a line, and a table at the end, which goes to standard error.
Without names it measures everything."""

import argparse
import json
import signal
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench import (
    agents,
    benches,
    databases,
    facades,
    graphql_pages,
    keys,
    lists,
    measuring,
    spool,
    stock,
    surroundings,
    table,
    tokens,
)

BOTH = "both"
LISTS = "lists"
JWT = "jwt"
KEYS = "keys"
FACADES = "facades"
SPOOL = "spool"
AGENTS = "agents"
GRAPHQL = "graphql"
ALONE = (LISTS, JWT, KEYS, FACADES, SPOOL, AGENTS, GRAPHQL)
KEPT = Path(tempfile.gettempdir()) / "llm-incident-manager-bench"


def main() -> None:
    """Runs what the command line names."""
    options = _options()
    if options.names in ([JWT], [KEYS], [FACADES]):
        _without_store(options)
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that what was started is ended
    with ExitStack() as stack:
        stores = []
        for name in databases.STORES if options.store == BOTH else (options.store,):
            stores.append(_opened(name, options))
            stack.callback(stores[-1].close)
        for database in stores if options.workers > 1 else ():
            database.also = {**database.also, measuring.WORKERS: str(options.workers)}
        if options.bus == "redis":
            _with_redis(stores, stack)
        if options.names == [LISTS]:
            _lists(stores, options)
        elif options.names in ([SPOOL], [AGENTS]):
            _beside(stores, options)
        elif options.names == [GRAPHQL]:
            _graphql(stores)
        else:
            _run(options, stores)


def _without_store(options: argparse.Namespace) -> None:
    """What needs no database, or brings its own."""
    (name,) = options.names
    ones = {KEYS: keys.line, FACADES: facades.line}
    for line in tokens.lines() if name == JWT else [ones[name](options.seconds)]:
        print(json.dumps({"bench": name, **line, "load_average": surroundings.load_average()}), flush=True)


def _with_redis(stores: Sequence[databases.Database], stack: ExitStack) -> None:
    """Lets servers on these databases carry their work by a Redis that is started here."""
    from tests.support.redis import RedisServer  # the suite knows how to find and run it

    server = RedisServer()
    stack.callback(server.remove)
    for database in stores:
        database.also = {**database.also, "REDIS_URL": server.url, "LLM_IM__BUS__BACKEND": "redis"}


def _opened(name: str, options: argparse.Namespace) -> databases.Database:
    count = options.incidents if options.names == [LISTS] else options.preload
    return stock.stocked(name, options.keep, count) if count else databases.opened(name)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(benches.NAMES)}")
    stores = (*databases.STORES, BOTH)
    parser.add_argument("--store", choices=stores, default="sqlite", help="default: sqlite; both: side by side")
    parser.add_argument("--seconds", type=float, default=8.0, help="how long each load is measured; default: 8")
    parser.add_argument("--preload", type=int, default=0, help="incidents that are there before each load; default: 0")
    parser.add_argument("--incidents", type=int, default=1_000_000, help="for lists; default: 1000000")
    parser.add_argument("--events", type=int, default=1_000_000, help="for spool; default: 1000000")
    parser.add_argument("--question", action="append", default=[], help="for lists: only this one; may be repeated")
    parser.add_argument("--bus", choices=databases.BUSES, default="database", help="default: database")
    parser.add_argument("--workers", type=int, default=1, help="processes of the server, on postgresql; default: 1")
    parser.add_argument("--keep", type=Path, default=KEPT, help=f"folder of filled databases; default: {KEPT}")
    options = parser.parse_args()
    if set(ALONE) & set(options.names) and len(options.names) > 1:
        parser.error(f"{' and '.join(ALONE)} run alone")
    if unknown := set(options.names) - {*benches.NAMES, *ALONE}:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join((*benches.NAMES, *ALONE))}")
    return options


def _beside(stores: Sequence[databases.Database], options: argparse.Namespace) -> None:
    """What the reference Edge-Agent spools, or what sessions of many agents cost."""
    for database in stores:
        line = spool.line(database, options.events) if options.names == [SPOOL] else agents.line(database)
        print(json.dumps({"bench": options.names[0], "store": database.name, **line}), flush=True)


def _lists(stores: Sequence[databases.Database], options: argparse.Namespace) -> None:
    for database in stores:
        for line in lists.lines(database, options.incidents, frozenset(options.question)):
            print(json.dumps({"bench": LISTS, "store": database.name, **line}), flush=True)


def _graphql(stores: Sequence[databases.Database]) -> None:
    for database in stores:
        for line in graphql_pages.lines(database):
            print(json.dumps({"bench": GRAPHQL, "store": database.name, **line}), flush=True)


def _run(options: argparse.Namespace, stores: Sequence[databases.Database]) -> None:
    """Each benchmark on one database right after the other, so that both meet the machine in the same mood."""
    settings = {database.name: _settings(database) for database in stores}
    rates: dict[str, float] = {}
    lines: list[measuring.Line] = []
    for name in benches.with_floors(options.names or list(benches.NAMES)):
        for database in stores[:1] if name in benches.FLOORS else stores:
            line = {"bench": name, "store": database.name, "bus": options.bus, "preload": options.preload}
            line["workers"] = options.workers
            line |= benches.run(name, database, options.seconds)
            rates[name] = line["rate"]
            if name in benches.FLOOR_OF:
                line["ratio_to_floor"] = round(line["rate"] / rates[benches.FLOOR_OF[name]], 3)
            lines.append(line)
            print(json.dumps({**line, **settings[database.name]}), flush=True)
    print(table.of(lines, {name: own["database"] for name, own in settings.items()}), file=sys.stderr)


def _settings(database: databases.Database) -> dict[str, Any]:
    with measuring.folder() as place:
        return {
            "machine": surroundings.machine(place),
            "database": database.settings(place),
            **surroundings.configuration({"DATABASE_URL": database.fresh(place), **database.also}),
        }


if __name__ == "__main__":
    main()

"""`replay FILE`: sends the events of a JSON-lines file through the durable stream and tells what became of them."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from llm_incident_manager.cli import options
from llm_incident_manager.cli.options import Invocation

if TYPE_CHECKING:
    from llm_incident_manager.cli.printing import Printer
    from llm_incident_manager.cli.tally import Tally


def add_to(app: typer.Typer) -> None:
    """Registers the command."""
    options.command(app, "replay")(replay)


def replay(
    how: Invocation,
    file: Annotated[str, typer.Argument(help="JSON lines; - for standard input.")],
    *,
    map_name: Annotated[
        str, typer.Option("--map", help="native (events), status (status pages); found out when not given.")
    ] = "",
    without_title: Annotated[
        bool, typer.Option("--without-title", help="Status pages: leave out the title, which was given in hindsight.")
    ] = False,
    producer_id: Annotated[
        str, typer.Option("--producer-id", help="One stream at a time; the file's when empty.")
    ] = "",
    now: Annotated[bool, typer.Option("--now", help="Move the times of all events so that the last is now.")] = False,
    rate: Annotated[float, typer.Option("--rate", help="Events a second, whatever the answers; 0 for all.", min=0)] = 0,
    limit: Annotated[int, typer.Option("--limit", help="Only so many lines; 0 for all.", min=0)] = 0,
) -> None:
    """Send the events of a file and tell what became of them. A second replay of the same file creates nothing.

    Goes on where it was when the server restarts. Every line counts: one that cannot be sent counts as rejected.
    """
    from llm_incident_manager.cli import connection, failures, mapping, printing, replaying
    from llm_incident_manager.cli.terminal import safe

    if map_name and map_name not in mapping.MAPS:
        raise failures.BadUsage(f"--map {map_name!r} is none of {', '.join(mapping.MAPS)}")
    reader = mapping.Reader(map_name, without_title)
    plan = replaying.Plan(file, reader, producer_id or replaying.producer_of(file), now, rate, limit)
    with replaying.Progress.on_stderr() as progress:
        tally, seconds = connection.run(replaying.run(how, plan, progress))
    for complaint in tally.complaints:
        print(safe(complaint), file=sys.stderr)
    printer = printing.Printer(how)
    if printer.for_people:
        _summary(printer, tally, seconds)
    else:
        printer.facts(tally.summary(seconds))


def _summary(printer: "Printer", tally: "Tally", seconds: float) -> None:
    counts = [(name, f"{count:,}") for name, count in tally.counts().items() if count]
    printer.table(("DISPOSITION", "EVENTS"), [*counts, ("sent", f"{tally.sent:,}")])
    rate = tally.sent / seconds if seconds else 0.0
    print(f"{len(tally.incidents):,} incidents; {seconds:.1f} s, {rate:,.0f} events/s")

"""`fingerprint`: which events are one problem, and why, without sending them anywhere."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

from llm_incident_manager.cli import options
from llm_incident_manager.cli.options import Invocation

if TYPE_CHECKING:
    from llm_incident_manager.cli.mapping import Reader
    from llm_incident_manager.cli.printing import Printer
    from llm_incident_manager.domain.event import Event
    from llm_incident_manager.domain.fingerprint import Fingerprint


def add_to(app: typer.Typer) -> None:
    """Registers the command."""
    options.command(app, "fingerprint")(fingerprint)


@dataclass(slots=True)
class Problem:
    """The events of a file that have one fingerprint: how many, and the title of the first."""

    found: "Fingerprint"
    title: str
    events: int = 0

    @property
    def facts(self) -> dict[str, Any]:
        """For programs."""
        parts = [part._asdict() for part in self.found.components]
        whole = {"version": self.found.version, "value": self.found.value, "components": parts}
        return {"events": self.events, "fingerprint": whole, "title": self.title}


def fingerprint(
    how: Invocation,
    file: Annotated[str, typer.Argument(help="JSON lines of events; - for standard input.")],
    map_name: Annotated[
        str, typer.Option("--map", help="native (events), status (status pages); found out when not given.")
    ] = "",
) -> None:
    """Tell which events of a file are one problem, and the parts that make them so. Sends nothing.

    One event gets its parts printed; several are counted by fingerprint, the most frequent first.
    """
    from llm_incident_manager.cli import failures, mapping, printing

    if map_name and map_name not in mapping.MAPS:
        raise failures.BadUsage(f"--map {map_name!r} is none of {', '.join(mapping.MAPS)}")
    if file == "-":
        problems = _grouped(sys.stdin.buffer, mapping.Reader(map_name))
    else:
        with Path(file).open("rb") as lines:
            problems = _grouped(lines, mapping.Reader(map_name))
    ordered = sorted(problems, key=lambda problem: -problem.events)
    printer = printing.Printer(how)
    if printer.for_people:
        _show(printer, ordered)
    else:
        for problem in ordered:
            printer.facts(problem.facts)


def _grouped(lines: BinaryIO, reader: "Reader") -> list[Problem]:
    """Raises BadUsage for a line that is no event, naming it."""
    from llm_incident_manager.domain import fingerprint as fingerprints

    found: dict[tuple[int, str], Problem] = {}
    for event in _events(lines, reader):
        identity = fingerprints.compute(event)
        problem = found.setdefault((identity.version, identity.value), Problem(identity, event.title))
        problem.events += 1
    return list(found.values())


def _events(lines: BinaryIO, reader: "Reader") -> "Iterator[Event]":
    from llm_incident_manager.cli.failures import BadUsage
    from llm_incident_manager.cli.mapping import Unreadable
    from llm_incident_manager.domain.errors import DomainError
    from llm_incident_manager.domain.time import Instant
    from llm_incident_manager.transport.translate import events

    for number, raw in enumerate(lines, 1):
        if raw.strip():
            try:
                yield events.event(reader.event(raw), Instant(0))
            except (Unreadable, DomainError) as wrong:
                raise BadUsage(f"line {number} is no event: {wrong}") from None


def _show(printer: "Printer", problems: list[Problem]) -> None:
    if len(problems) == 1 and problems[0].events == 1:
        identity = problems[0].found
        print(f"{identity.value} (version {identity.version})")
        printer.details((part.name, part.value) for part in identity.components)
        return
    rows = [(str(one.events), one.found.value, one.title) for one in problems]
    printer.table(("EVENTS", "FINGERPRINT", "TITLE OF THE FIRST"), rows)
    print(f"{sum(one.events for one in problems):,} events, {len(problems):,} problems")

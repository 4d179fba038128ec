"""Messages as JSON, YAML or CSV for programs and as tables for people, on standard output.

Control codes that others wrote never reach the terminal, and a cell of CSV never begins as a formula does.
"""

import csv
import io
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from llm_incident_client import pb
from llm_incident_manager.cli import look
from llm_incident_manager.cli.look import Output
from llm_incident_manager.cli.options import Invocation
from llm_incident_manager.cli.terminal import safe
from llm_incident_manager.transport.rest import jsoncodec

_SEVERITY_STYLES = {"P0": "bold red", "P1": "red", "P2": "yellow", "P3": "cyan", "P4": "dim"}
Document = Mapping[str, Any]  # a JSON object: its values may be anything


def as_json(message: pb.Message) -> str:
    """A message as one line of JSON, spelled as the REST interface spells it."""
    return jsoncodec.codec(message.DESCRIPTOR).dumps(message).decode()


def document(message: pb.Message) -> Document:
    """A message as the REST interface spells it."""
    import orjson

    found: Document = orjson.loads(as_json(message))
    return found


class Printer:
    """Prints one command's results, in the format that its invocation asks for."""

    def __init__(self, how: Invocation) -> None:
        """Prints on standard output."""
        self._how = how
        self._columns: Sequence[str] = ()

    @property
    def output(self) -> Output:
        """The format."""
        return self._how.output

    @property
    def for_people(self) -> bool:
        """Whether a table is wanted."""
        return self.output is Output.TABLE

    def one(self, message: pb.Message, for_people: Callable[[], None]) -> None:
        """One result."""
        if self.for_people:
            for_people()
        else:
            self.put(message)

    def many(self, messages: Iterable[pb.Message], for_people: Callable[[], None]) -> None:
        """Several results."""
        if self.for_people:
            return for_people()
        for message in messages:
            self.put(message)
        return None

    def put(self, message: pb.Message) -> None:
        """One of many results, at once: a line of JSON, a YAML document or a row of CSV."""
        if self._how.output is Output.JSON:
            print(as_json(message), flush=True)
        else:
            self.facts(document(message))

    def facts(self, facts: Document) -> None:
        """The same for what is no message."""
        match self._how.output:
            case Output.YAML:
                from llm_incident_manager.config import documents

                print(documents.text(dict(facts), start=True), end="", flush=True)
            case Output.CSV:
                self._row(facts)
            case _:
                import orjson

                print(orjson.dumps(facts).decode(), flush=True)

    def _row(self, facts: Document) -> None:
        if not self._columns:
            self._columns = tuple(facts)
            print(_csv(self._columns), end="")
        print(_csv([_cell(facts.get(column)) for column in self._columns]), end="", flush=True)

    # What people read. ------------------------------------------------------------------------------------------------

    def moment(self, stamp: pb.Timestamp) -> str:
        """A time to the second, in the zone that is asked for."""
        return look.moment(stamp.ToDatetime(), self._how.zone)

    def table(self, headers: Sequence[str], rows: Iterable[Sequence[str]], *, styled: int | None = None) -> None:
        """Prints rows under headers; column `styled` holds a severity and is coloured by it."""
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        grid = Table(box=None, pad_edge=False, header_style="bold")
        for header in headers:
            grid.add_column(header, overflow="fold")
        for row in rows:
            cells = [Text(safe(cell)) for cell in row]
            if styled is not None:
                cells[styled].stylize(_SEVERITY_STYLES.get(row[styled], ""))
            grid.add_row(*cells)
        terminal = sys.stdout.isatty()
        colours = look.coloured(self._how.colour, os.environ, terminal=terminal)
        # Output that is not a terminal has no width of its own: do not fold it at 80.
        console = Console(
            width=None if terminal else 240,
            color_system="standard" if colours else None,
            no_color=not colours,
            force_terminal=colours or None,
        )
        console.print(grid)

    def details(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Prints names and values below each other, leaving out what is empty."""
        self.table(("", ""), [(name, value) for name, value in pairs if value])


def severity(incident: pb.Incident) -> str:
    """P0 to P4."""
    return pb.Severity.Name(incident.severity).removeprefix("SEVERITY_")


def state(incident: pb.Incident) -> str:
    """The state without its prefix."""
    return pb.IncidentState.Name(incident.state).removeprefix("INCIDENT_STATE_")


def line(incident: pb.Incident) -> str:
    """An incident in one line."""
    return f"{incident.number}  {severity(incident)}  {state(incident)}  {safe(incident.title)}"


def _csv(cells: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue()


def _cell(value: object) -> str:
    """Lists and objects as JSON; a text that a spreadsheet would take for a formula gets an apostrophe before it."""
    import orjson

    match value:
        case None:
            return ""
        case str():
            return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
        case bool() | list() | dict():
            return orjson.dumps(value).decode()
    return str(value)

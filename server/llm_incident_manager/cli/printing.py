"""Messages as JSON for scripts and as tables for people. Control codes that others wrote never reach the terminal."""

import sys
from collections.abc import Iterable, Sequence

from llm_incident_client import pb
from llm_incident_manager.transport.rest import jsoncodec

_SEVERITY_STYLES = {"P0": "bold red", "P1": "red", "P2": "yellow", "P3": "cyan", "P4": "dim"}


def as_json(message: pb.Message) -> str:
    """A message as one line of JSON, spelled as the REST interface spells it."""
    return jsoncodec.codec(message.DESCRIPTOR).dumps(message).decode()


def print_json(message: pb.Message) -> None:
    """Prints a message as one line, at once."""
    print(as_json(message), flush=True)


def safe(text: str) -> str:
    """The text with line breaks as blanks and without anything a terminal would obey."""
    return "".join(
        sign if sign.isprintable() else " " if sign.isspace() else "\N{REPLACEMENT CHARACTER}" for sign in text
    )


def severity(incident: pb.Incident) -> str:
    """P0 to P4."""
    return pb.Severity.Name(incident.severity).removeprefix("SEVERITY_")


def state(incident: pb.Incident) -> str:
    """The state without its prefix."""
    return pb.IncidentState.Name(incident.state).removeprefix("INCIDENT_STATE_")


def moment(stamp: pb.Timestamp) -> str:
    """A time in UTC to the second."""
    return stamp.ToDatetime().isoformat(" ", "seconds") + "Z"


def line(incident: pb.Incident) -> str:
    """An incident in one line."""
    return f"{incident.number}  {severity(incident)}  {state(incident)}  {safe(incident.title)}"


def table(headers: Sequence[str], rows: Iterable[Sequence[str]], *, styled: int | None = None) -> None:
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
    # Output that is not a terminal has no width of its own: do not fold it at 80.
    Console(width=None if sys.stdout.isatty() else 240).print(grid)


def details(pairs: Iterable[tuple[str, str]]) -> None:
    """Prints names and values below each other, leaving out what is empty."""
    table(("", ""), [(name, value) for name, value in pairs if value])

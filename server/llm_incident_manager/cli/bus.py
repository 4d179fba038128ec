"""`bus dead …`: work after the commit that was given up: look at it, put it back to work, drop it."""

import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from llm_incident_manager.cli import aim, options
from llm_incident_manager.cli.aim import Actor
from llm_incident_manager.cli.failures import BadUsage, Exit
from llm_incident_manager.cli.options import Invocation
from llm_incident_manager.ports.changes import RESERVED_TOPICS, TOPICS

if TYPE_CHECKING:
    from llm_incident_client import IncidentClient, pb
    from llm_incident_manager.cli.printing import Printer

    Answer: TypeAlias = pb.ReplayDeadLettersResponse | pb.DropDeadLettersResponse

app = typer.Typer(no_args_is_help=True, help="Work after the commit: routing and notifications.")
dead = typer.Typer(no_args_is_help=True, help="Work that was given up (dead letters).")
app.add_typer(dead, name="dead")

_MANY = "Many at once"
Ids = Annotated[list[str] | None, typer.Argument(help="Ids, as `list` prints them.", metavar="[ID]...")]
Topic = Annotated[str, typer.Option("--topic", help=f"Of this topic: {', '.join(TOPICS)}.")]
Incident = Annotated[str, typer.Option("--incident", help="Of this incident, by id or number.")]
All = Annotated[bool, typer.Option("--all", help="All there are.", rich_help_panel=_MANY)]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only tell which those are.", rich_help_panel=_MANY)]
Sure = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before.", rich_help_panel=_MANY)]
Expected = Annotated[
    int | None, typer.Option("--expect", help="Refuse if it is another number.", min=0, rich_help_panel=_MANY)
]
Limit = Annotated[
    int, typer.Option("--limit", help="At most so many, oldest first; 0 for all.", min=0, rich_help_panel=_MANY)
]


@options.command(app, "status")
def status(how: Invocation) -> None:
    """Show how much work waits, since when, and how much was given up."""
    from llm_incident_manager.cli import connection, printing, views

    found = connection.call(how, lambda client: client.get_bus_status())
    printer = printing.Printer(how)
    printer.one(found, lambda: views.bus_status(printer, found))


@options.command(dead, "list")
def list_dead(
    how: Invocation,
    *,
    topic: Topic = "",
    incident: Incident = "",
    limit: Annotated[int, typer.Option("--limit", help="How many at most; 0 for all.", min=0)] = 50,
) -> None:
    """List dead letters, oldest first."""
    _check_topic(topic)
    from llm_incident_manager.cli import connection, printing, views

    found = connection.listed(
        how,
        lambda client: client.iter_dead_letters(topic=topic, incident_id=incident, page_size=min(limit or 1000, 1000)),
        limit,
    )
    printer = printing.Printer(how)
    printer.many(found, lambda: views.dead_letters(printer, found))


@options.command(dead, "show")
def show(how: Invocation, dead_letter_id: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Show one dead letter with what was to be done."""
    from llm_incident_manager.cli import connection, printing, views

    found = connection.call(how, lambda client: client.get_dead_letter(dead_letter_id))
    printer = printing.Printer(how)
    printer.one(found, lambda: views.dead_letter(printer, found))


@options.command(dead, "replay")
def replay(  # noqa: PLR0913 - one argument an option
    how: Invocation,
    ids: Ids = None,
    *,
    topic: Topic = "",
    incident: Incident = "",
    everything: All = False,
    reason: Annotated[str, typer.Option("--reason", help="Why, for instance what has been mended.")] = "",
    dry_run: DryRun = False,
    sure: Sure = False,
    expected: Expected = None,
    limit: Limit = 0,
    actor: Actor = "",
) -> None:
    """Put dead letters back to work: those named, or all of a topic or an incident."""
    chosen = _Chosen(ids or [], topic, incident, everything, dry_run, sure, expected, limit)

    def call(client: "IncidentClient", preview: bool, expected: int | None) -> "Awaitable[Answer]":
        return client.replay_dead_letters(
            chosen.selection(),
            reason=reason,
            preview=preview,
            expected_count=expected,
            limit=limit,
            actor=how.actor(actor),
        )

    _perform(how, chosen, "replay", call)


@options.command(dead, "drop")
def drop(  # noqa: PLR0913 - one argument an option
    how: Invocation,
    ids: Ids = None,
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why the work need not be done.")],
    topic: Topic = "",
    incident: Incident = "",
    everything: All = False,
    dry_run: DryRun = False,
    sure: Sure = False,
    expected: Expected = None,
    limit: Limit = 0,
    actor: Actor = "",
) -> None:
    """Delete dead letters: their work is never done."""
    chosen = _Chosen(ids or [], topic, incident, everything, dry_run, sure, expected, limit)

    def call(client: "IncidentClient", preview: bool, expected: int | None) -> "Awaitable[Answer]":
        return client.drop_dead_letters(
            chosen.selection(),
            reason,
            preview=preview,
            expected_count=expected,
            limit=limit,
            actor=how.actor(actor),
        )

    _perform(how, chosen, "drop", call)


def _check_topic(topic: str) -> None:
    """Raises BadUsage for one that there is not, or that nobody works on."""
    if topic in RESERVED_TOPICS:
        raise BadUsage(f"--topic {topic!r} is reserved for an ingest log and has no work: use {', '.join(TOPICS)}")
    if topic and topic not in TOPICS:
        raise BadUsage(f"--topic {topic!r} is none of {', '.join(TOPICS)}")


@dataclass(frozen=True, slots=True)
class _Chosen:
    """Which dead letters a command is for, and how sure one is."""

    ids: list[str]
    topic: str
    incident: str
    everything: bool
    dry_run: bool
    sure: bool
    expected: int | None
    limit: int

    def selection(self) -> "pb.DeadLetterSelection":
        """As the server wants it."""
        from llm_incident_client import pb

        if self.ids:
            return pb.DeadLetterSelection(named=pb.DeadLetterIds(ids=self.ids))
        return pb.DeadLetterSelection(matching=pb.DeadLetterFilter(topic=self.topic, incident_id=self.incident))

    def check(self) -> None:
        """Raises BadUsage for what cannot be meant."""
        if bool(self.ids) + bool(self.topic or self.incident) + self.everything != 1:
            raise BadUsage("which dead letters? Give ids, or --topic and --incident or one of them, or --all")
        _check_topic(self.topic)


_Call: TypeAlias = "Callable[[IncidentClient, bool, int | None], Awaitable[Answer]]"


def _perform(how: Invocation, chosen: _Chosen, verb: str, call: "_Call") -> None:
    """Ids are done at once; for a filter it is told first how many those are, and asked."""
    from llm_incident_manager.cli import connection, printing, views

    chosen.check()
    printer = printing.Printer(how)

    async def work(client: "IncidentClient") -> "Answer | None":
        expected = chosen.expected
        if chosen.dry_run or not (chosen.ids or chosen.sure):
            looked = await call(client, True, expected)
            if chosen.dry_run:
                return looked
            if not _agreed(printer, looked, verb):
                return None
            expected = looked.matched
        return await call(client, False, expected)

    answer = connection.call(replace(how, patience=how.patience or aim.PATIENCE), work)
    if answer is None:
        raise typer.Exit(Exit.INTERRUPTED)
    printer.one(answer, lambda: views.dead_letters_done(printer, answer))


def _agreed(printer: "Printer", looked: "Answer", verb: str) -> bool:
    """Whether the person at the terminal wants it. Raises BadUsage where there is none."""
    from llm_incident_manager.cli import views

    if not sys.stdin.isatty():
        raise BadUsage(f"{looked.matched} dead letters: add --yes to {verb} them, or --dry-run to look at them first")
    if printer.for_people:
        views.dead_letters_done(printer, looked)
    return typer.confirm(f"{verb.capitalize()} them?", err=True)

"""Which incidents a verb is for: one by its name, or all that a filter matches, after a look at how many those are."""

import inspect
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from llm_incident_manager.cli import incident, options
from llm_incident_manager.cli.failures import BadUsage, Exit
from llm_incident_manager.cli.incident import Filter
from llm_incident_manager.cli.options import Invocation

if TYPE_CHECKING:
    from llm_incident_client import IncidentClient, pb
    from llm_incident_client.sets import Verb
    from llm_incident_manager.cli.printing import Printer

app = incident.app  # a verb is a command of the same group

PATIENCE = 120.0
"""Seconds that a verb for many incidents may take."""

Actor = Annotated[str, typer.Option("--actor", help="Who does it, if not the caller.", envvar=options.ACTOR_VARIABLE)]
Etag = Annotated[str, typer.Option("--etag", help="Refuse if the incident is not at this etag any more.")]
_SET = "Many at once"


class One(NamedTuple):
    """What a verb for one incident is told."""

    client: "IncidentClient"
    incident_id: str
    actor: str
    etag: str


@dataclass(frozen=True, slots=True)
class Deed:
    """What a verb does: to one incident, and to each of many."""

    to_one: Callable[[One], "Awaitable[pb.Incident]"]
    to_many: "Verb"


@dataclass(frozen=True, slots=True)
class Aim:
    """The options of every verb."""

    filter_text: Filter = ""
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell what --filter matches.", rich_help_panel=_SET)
    ] = False
    sure: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before.", rich_help_panel=_SET)] = False
    expected: Annotated[
        int | None, typer.Option("--expect", help="Refuse if another number matches.", min=0, rich_help_panel=_SET)
    ] = None
    limit: Annotated[
        int, typer.Option("--limit", help="At most so many, oldest first; 0 for all.", min=0, rich_help_panel=_SET)
    ] = 0
    actor: Actor = ""
    etag: Etag = ""


def verb(name: str) -> Callable[[Callable[..., Deed]], Callable[..., Deed]]:
    """Registers a function as a verb. It takes the verb's own options and tells what to do; `words` are the arguments
    behind the incident."""

    def register(function: Callable[..., Deed]) -> Callable[..., Deed]:
        own = inspect.signature(function, eval_str=True).parameters
        aims = inspect.signature(Aim, eval_str=True).parameters

        def run(how: Invocation, words: list[str] | None, **given: object) -> None:
            aim = Aim(**{name: given.pop(name) for name in aims})  # type: ignore[arg-type]  # typed by the options
            target, others = _target(words or [], aim, takes_words="words" in own)
            if "words" in own:
                given["words"] = others
            _perform(how, target, aim, function(**given))

        positional = Annotated[list[str] | None, _argument(takes_words="words" in own)]
        keyword = inspect.Parameter.KEYWORD_ONLY
        run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # functions take it, the type does not say
            [
                inspect.Parameter("how", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Invocation),
                inspect.Parameter("words", keyword, annotation=positional, default=None),
                *(one.replace(kind=keyword) for one in (*own.values(), *aims.values()) if one.name != "words"),
            ]
        )
        run.__doc__ = function.__doc__
        options.command(app, name)(run)
        return function

    return register


def _argument(*, takes_words: bool) -> object:
    words = "INCIDENT [WORD]..." if takes_words else "INCIDENT"
    what = "Id or number of the incident, if not --filter." + (" Then the words." if takes_words else "")
    from llm_incident_manager.cli import completion

    return typer.Argument(help=what, metavar=f"[{words}]", autocompletion=completion.incidents)


def _target(words: list[str], aim: Aim, *, takes_words: bool) -> tuple[str, list[str]]:
    """The incident, empty for those of the filter, and the other words. Raises BadUsage."""
    target, others = ("", words) if aim.filter_text or not words else (words[0], words[1:])
    if not aim.filter_text and not target:
        raise BadUsage("which incidents? Give an id or number, or --filter")
    if others and not takes_words:
        raise BadUsage(f"{' '.join(others)!r} is too much: give one incident, or --filter for many")
    if aim.filter_text and aim.etag:
        raise BadUsage(
            "--etag is for one incident: leave it away, or give --expect with the number that --filter matches"
        )
    if target and (aim.dry_run or aim.expected is not None or aim.limit):
        raise BadUsage("--dry-run, --expect and --limit go with --filter: leave them away for one incident")
    return target, others


def _perform(how: Invocation, target: str, aim: Aim, deed: Deed) -> None:
    from llm_incident_manager.cli import connection, printing

    actor = how.actor(aim.actor)
    if not target:
        return _perform_many(replace(how, patience=how.patience or PATIENCE), aim, actor, deed)
    moved = connection.call(how, lambda client: deed.to_one(One(client, target, actor, aim.etag)))
    return printing.Printer(how).one(moved, lambda: print(printing.line(moved)))


def _perform_many(how: Invocation, aim: Aim, actor: str, deed: Deed) -> None:
    """Raises typer.Exit with REFUSED when the verb could not be applied to some."""
    from llm_incident_manager.cli import connection, printing, views

    printer = printing.Printer(how)

    async def work(client: "IncidentClient") -> "pb.ApplyToIncidentsResponse | None":
        expected = aim.expected
        if aim.dry_run or not aim.sure:
            looked = await client.apply(
                aim.filter_text, deed.to_many, preview=True, expected_count=expected, limit=aim.limit, actor=actor
            )
            expected = looked.matched
            if aim.dry_run:
                return looked
            if not _agreed(printer, looked):
                return None
        return await client.apply(aim.filter_text, deed.to_many, expected_count=expected, limit=aim.limit, actor=actor)

    answer = connection.call(how, work)
    if answer is None:
        raise typer.Exit(Exit.INTERRUPTED)
    printer.one(answer, lambda: views.applied(printer, answer))
    if answer.failed and not answer.preview:
        raise typer.Exit(Exit.REFUSED)


def _agreed(printer: "Printer", looked: "pb.ApplyToIncidentsResponse") -> bool:
    """Whether the person at the terminal wants it. Raises BadUsage where there is none."""
    from llm_incident_manager.cli import views

    if not sys.stdin.isatty():
        raise BadUsage(
            f"{looked.matched} incidents match: add --yes to change them, or --dry-run to look at them first"
        )
    if printer.for_people:
        views.applied(printer, looked)
    return typer.confirm(f"Change {looked.changed} incidents?", err=True)

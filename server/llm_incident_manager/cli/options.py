"""What every command that calls the server takes, before or after its name: where, how to print, how long to wait."""

import inspect
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import tzinfo
from typing import Annotated

import typer

from llm_incident_manager.cli import addresses, failures, look
from llm_incident_manager.cli.addresses import Context
from llm_incident_manager.cli.look import Colour, Output

DEFAULT_ADDRESS = "localhost:50051"
ADDRESS_VARIABLE = "LLM_IM_ADDRESS"
ACTOR_VARIABLE = "LLM_IM_ACTOR"
ZONE_VARIABLE = "LLM_IM_TIME_ZONE"
VARIABLES = frozenset(
    {ADDRESS_VARIABLE, ACTOR_VARIABLE, ZONE_VARIABLE, addresses.FILE_VARIABLE, addresses.CONTEXT_VARIABLE}
)
"""Environment variables of the command line, which are no settings of the server."""

_PANEL = "Connection and output"


def context_names(incomplete: str) -> list[str]:
    """The contexts whose names begin so, for the shell's completion."""
    try:
        known = addresses.load(addresses.path(os.environ)).contexts
    except failures.BadUsage:  # a shell that completes a word has no place for complaints
        return []
    return [name for name in sorted(known) if name.startswith(incomplete)]


@dataclass(frozen=True, slots=True)
class Given:
    """The shared options as they were typed; None where they were not."""

    address: str | None = None
    context_name: str | None = None
    output: Output | None = None
    as_json: bool | None = None
    patience: float | None = None
    time_zone: str | None = None
    colour: Colour | None = None

    def over(self, before: "Given") -> "Given":
        """What was given behind the command wins over what was given before it."""
        typed = {one.name: getattr(self, one.name) for one in fields(self)}
        return replace(before, **{name: value for name, value in typed.items() if value is not None})


_DEFAULT = Context(DEFAULT_ADDRESS)


@dataclass(frozen=True, slots=True)
class Invocation:
    """How a command is to run. `patience` in seconds, None leaves it to the command; `zone` None is the machine's."""

    context: Context = _DEFAULT
    output: Output = Output.TABLE
    patience: float | None = None
    zone: tzinfo | None = None
    colour: Colour = Colour.AUTO
    context_name: str = ""

    @property
    def address(self) -> str:
        """Where the server is."""
        return self.context.address

    def actor(self, given: str) -> str:
        """Who acts: whom the command names, else the context's; empty for the caller."""
        return given or self.context.actor


def settle(given: Given, environment: Mapping[str, str]) -> Invocation:
    """Options go before the environment, and that goes before the current context. Raises BadUsage."""
    name, context = _context(given, environment)
    zone = given.time_zone or environment.get(ZONE_VARIABLE) or context.time_zone
    output = given.output or (Output.JSON if given.as_json else None) or _output(context)
    return Invocation(context, output, given.patience, look.zone(zone), given.colour or Colour.AUTO, name)


def _context(given: Given, environment: Mapping[str, str]) -> tuple[str, Context]:
    """The context that is meant, and its name if it has one."""
    named = given.context_name or (
        "" if environment.get(ADDRESS_VARIABLE) else environment.get(addresses.CONTEXT_VARIABLE)
    )
    address = given.address or ("" if given.context_name else environment.get(ADDRESS_VARIABLE))
    if address and not given.context_name:
        return "", Context(address)
    book = addresses.load(addresses.path(environment))
    name = named or book.current
    found = book.named(name) if name else _DEFAULT
    return name, replace(found, address=address) if address else found


def _output(context: Context) -> Output:
    if context.output not in {"", *Output}:
        raise failures.BadUsage(f"the context's output {context.output!r} is none of {', '.join(Output)}")
    return Output(context.output or Output.TABLE)


_SHARED: tuple[tuple[str, object], ...] = (
    (
        "address",
        Annotated[
            str | None,
            typer.Option("--address", help="gRPC address of the server.", metavar="HOST:PORT", rich_help_panel=_PANEL),
        ],
    ),
    (
        "context_name",
        Annotated[
            str | None,
            typer.Option(
                "--context", help="Not the current context.", autocompletion=context_names, rich_help_panel=_PANEL
            ),
        ],
    ),
    (
        "output",
        Annotated[
            Output | None,
            typer.Option("--output", "-o", help="How to print.", case_sensitive=False, rich_help_panel=_PANEL),
        ],
    ),
    ("as_json", Annotated[bool | None, typer.Option("--json", help="The same as -o json.", rich_help_panel=_PANEL)]),
    (
        "patience",
        Annotated[
            float | None,
            typer.Option("--timeout", help="How long to try.", min=0.001, metavar="SECONDS", rich_help_panel=_PANEL),
        ],
    ),
    (
        "time_zone",
        Annotated[
            str | None,
            typer.Option(
                "--time-zone", help="For tables: UTC, local, or a name such as Europe/Berlin.", rich_help_panel=_PANEL
            ),
        ],
    ),
    (
        "colour",
        Annotated[
            Colour | None,
            typer.Option("--color", "--colour", help="Colours.", case_sensitive=False, rich_help_panel=_PANEL),
        ],
    ),
)


def command(group: typer.Typer, name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Registers a function as a command. Its first parameter is the Invocation; the others are its own options."""

    def register(function: Callable[..., None]) -> Callable[..., None]:
        def run(context: typer.Context, **arguments: object) -> None:
            typed = Given(*[arguments.pop(shared) for shared, _ in _SHARED])  # type: ignore[arg-type]  # typed by the option
            with failures.reported() as told:
                how = settle(typed.over(context.ensure_object(Given)), os.environ)
                told.address = how.address
                function(how, **arguments)

        takes_shared(run, list(inspect.signature(function, eval_str=True).parameters.values())[1:])
        run.__doc__ = function.__doc__
        group.command(name)(run)
        return function

    return register


def takes_shared(run: Callable[..., None], own: list[inspect.Parameter]) -> None:
    """Gives `run` the signature that typer reads: the context, its own parameters, then the shared ones."""
    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters = [
        inspect.Parameter("context", keyword, annotation=typer.Context),
        *(parameter.replace(kind=keyword) for parameter in own),
        *(inspect.Parameter(shared, keyword, annotation=kind, default=None) for shared, kind in _SHARED),
    ]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # functions take it, the type does not say
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}

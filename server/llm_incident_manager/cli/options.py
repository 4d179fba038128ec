"""What every command that calls the server takes, before or after its name: where, how to print, how long to wait."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import typer

from llm_incident_manager.cli import failures

DEFAULT_ADDRESS = "localhost:50051"
ADDRESS_VARIABLE = "LLM_IM_ADDRESS"
ACTOR_VARIABLE = "LLM_IM_ACTOR"
VARIABLES = frozenset({ADDRESS_VARIABLE, ACTOR_VARIABLE})
"""Environment variables of the command line, which are no settings of the server."""

Address = Annotated[str | None, typer.Option("--address", help="gRPC address of the server.", metavar="HOST:PORT")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON: one document, or one a line.")]
Patience = Annotated[
    float | None, typer.Option("--timeout", help="How long to try, in seconds.", min=0.001, metavar="SECONDS")
]


@dataclass(frozen=True, slots=True)
class Invocation:
    """How a command was called. `patience` in seconds; None leaves it to the command."""

    address: str = DEFAULT_ADDRESS
    as_json: bool = False
    patience: float | None = None

    def with_options(self, address: str | None, as_json: bool, patience: float | None) -> "Invocation":
        """What was given behind the command wins over what was given before it."""
        return Invocation(address or self.address, as_json or self.as_json, patience or self.patience)


_SHARED = (("address", Address, None), ("as_json", AsJson, False), ("patience", Patience, None))


def command(group: typer.Typer, name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Registers a function as a command. Its first parameter is the Invocation; the others are its own options."""

    def register(function: Callable[..., None]) -> Callable[..., None]:
        def run(context: typer.Context, **arguments: object) -> None:
            given = [arguments.pop(shared) for shared, _, _ in _SHARED]
            how = context.ensure_object(Invocation).with_options(*given)  # type: ignore[arg-type]  # typed by the option
            with failures.reported(how.address):
                function(how, **arguments)

        _describe(run, function)
        group.command(name)(run)
        return function

    return register


def _describe(run: Callable[..., None], function: Callable[..., None]) -> None:
    """Gives `run` the signature that typer reads: the function's own parameters, then the shared ones."""
    keyword = inspect.Parameter.KEYWORD_ONLY
    own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
    parameters = [
        inspect.Parameter("context", keyword, annotation=typer.Context),
        *(parameter.replace(kind=keyword) for parameter in own),
        *(inspect.Parameter(shared, keyword, annotation=kind, default=unset) for shared, kind, unset in _SHARED),
    ]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # functions take it, the type does not say
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    run.__doc__ = function.__doc__

"""Completion of words in a shell: the script that sets it up, and the words that only a running server knows."""

from collections.abc import Iterator
from datetime import timedelta
from enum import StrEnum
from typing import Annotated

import typer

_PROGRAM = "llm-incident-manager"
_VARIABLE = "_LLM_INCIDENT_MANAGER_COMPLETE"
_PATIENCE = timedelta(seconds=1)  # whoever presses the tab key waits no longer


class Shell(StrEnum):
    """Shells whose words can be completed."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def add_to(app: typer.Typer) -> None:
    """Registers `completion`."""
    app.command("completion")(script)


def script(shell: Annotated[Shell, typer.Argument(case_sensitive=False)]) -> None:
    """Print what makes a shell complete words.

    For bash put `eval "$(llm-incident-manager completion bash)"` in ~/.bashrc.
    """
    from typer._completion_shared import get_completion_script

    print(get_completion_script(prog_name=_PROGRAM, complete_var=_VARIABLE, shell=shell))


def incidents(context: typer.Context, incomplete: str) -> Iterator[tuple[str, str]]:
    """Numbers of open incidents that begin so, each with its title. Nothing when the server does not answer at once."""
    import os

    from llm_incident_client import IncidentClient, IncidentManagerError
    from llm_incident_manager.cli import connection, options
    from llm_incident_manager.cli.failures import BadUsage
    from llm_incident_manager.cli.terminal import safe
    from llm_incident_manager.domain import lifecycle

    still_open = f"state = ({' OR '.join(sorted(lifecycle.OPEN_STATES))})"

    async def work() -> list[tuple[str, str]]:
        async with IncidentClient(connection.channel(how), deadline=_PATIENCE) as client:
            found = await client.list_incidents(filter=still_open, page_size=100)
            return [(one.number, safe(one.title)) for one in found.incidents]

    try:
        root = context.find_root().params
        given = options.Given(root.get("address"), root.get("context_name"))
        typed = options.Given(context.params.get("address"), context.params.get("context_name"))
        how = options.settle(typed.over(given), os.environ)
        yield from ((number, title) for number, title in connection.run(work()) if number.startswith(incomplete))
    except (IncidentManagerError, BadUsage, OSError):
        return  # a shell that completes a word has no place for complaints

"""`login` and `logout`: a bearer token for a context, by a code that the person enters in a browser."""

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llm_incident_manager.cli import addresses, options
from llm_incident_manager.cli.addresses import Book, Context
from llm_incident_manager.cli.failures import BadUsage
from llm_incident_manager.cli.options import Invocation
from llm_incident_manager.cli.terminal import safe

if TYPE_CHECKING:
    from llm_incident_manager.adapters.clock import SystemClock
    from llm_incident_manager.cli.oauth import Granted, Places


def add_to(app: typer.Typer) -> None:
    """Registers `login` and `logout`."""
    options.command(app, "login")(login)
    options.command(app, "logout")(logout)


def login(
    how: Invocation,
    issuer: Annotated[str, typer.Option("--issuer", help="URL of the issuer, if not the context's.")] = "",
    client_id: Annotated[str, typer.Option("--client-id", help="What the issuer calls this command line.")] = "",
    scope: Annotated[str, typer.Option("--scope", help="What to ask for, with blanks between words.")] = "",
    audience: Annotated[str, typer.Option("--audience", help="For whom, where the issuer wants to be told.")] = "",
) -> None:
    """Get a token for the context by OpenID Connect (device flow), and keep it for the commands that follow."""
    from llm_incident_manager.adapters.clock import SystemClock
    from llm_incident_manager.cli import connection, token_files
    from llm_incident_manager.domain.time import SECOND

    book, name = _of(how)
    given = {"issuer": issuer, "client_id": client_id, "scope": scope, "audience": audience}
    context = replace(book.contexts[name], **{what: text for what, text in given.items() if text})
    if not context.issuer or not context.client_id:
        raise BadUsage(f"context {name} names no issuer: give --issuer and --client-id; they are kept")
    clock = SystemClock()
    granted, places = connection.run(_granted(context, clock))
    file = _file(name)
    token_files.save(file, token_files.Kept.of(granted, places.token, context.client_id, clock.now() // SECOND))
    book.contexts[name] = replace(context, token_file=str(file), api_key_file="")
    addresses.save(addresses.path(os.environ), book)
    print(f"logged in: context {name} has a token")


def logout(how: Invocation) -> None:
    """Forget the token of the context."""
    book, name = _of(how)
    context, file = book.contexts[name], _file(name)
    if context.token_file != str(file):
        raise BadUsage(f"context {name} has no token that `login` has kept")
    file.unlink(missing_ok=True)
    file.with_suffix(".lock").unlink(missing_ok=True)
    book.contexts[name] = replace(context, token_file="")
    addresses.save(addresses.path(os.environ), book)
    print(f"context {name} has no token any more")


async def _granted(context: Context, clock: "SystemClock") -> "tuple[Granted, Places]":
    from llm_incident_manager.adapters import outbound
    from llm_incident_manager.cli import oauth

    way = outbound.for_a_person()
    try:
        issuer = oauth.Issuer(context.issuer, context.client_id, way)
        places = await issuer.places()
        code = await issuer.code(places, context.scope, context.audience)
        print(f"open {safe(code.page)} and enter {safe(code.user_code)}", file=sys.stderr, flush=True)
        if code.whole_page:
            print(f"or open {safe(code.whole_page)}", file=sys.stderr, flush=True)
        return await issuer.tokens(places, code, clock), places
    finally:
        await way.close()


def _of(how: Invocation) -> tuple[Book, str]:
    """The contexts, and the name of the one that is meant."""
    if not how.context_name:
        raise BadUsage("a token is kept for a context: make one with `context add NAME --address HOST:PORT`")
    return addresses.load(addresses.path(os.environ)), how.context_name


def _file(name: str) -> Path:
    """Where the token of a context is kept: beside the contexts, by a name that leads nowhere else."""
    plain = "".join(sign if sign.isalnum() or sign in "-_" else f"%{ord(sign):x}" for sign in name)
    return addresses.path(os.environ).absolute().parent / "tokens" / f"{plain}.json"

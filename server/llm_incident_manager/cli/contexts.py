"""`context …`: servers under names, so that nobody types an address twice."""

import os
from typing import Annotated

import typer

from llm_incident_manager.cli import addresses, failures, look, options
from llm_incident_manager.cli.addresses import Book, Context
from llm_incident_manager.cli.look import Output
from llm_incident_manager.cli.options import Invocation
from llm_incident_manager.cli.terminal import safe

app = typer.Typer(no_args_is_help=True, help="Keep servers under names.")

Name = Annotated[str, typer.Argument(help="Name of the context.", autocompletion=options.context_names)]


def _path_option(name: str, what: str) -> object:
    return typer.Option(f"--{name}", help=what, metavar="FILE")


@app.command("add")
def add(  # noqa: PLR0913 - one option a fact
    name: Annotated[str, typer.Argument(help="Name of the context; one that exists is replaced.")],
    *,
    address: Annotated[str, typer.Option("--address", help="gRPC address of the server.", metavar="HOST:PORT")],
    ca: Annotated[str, _path_option("ca", "PEM of the authorities to trust; switches TLS on.")] = "",
    certificate: Annotated[str, _path_option("cert", "PEM of the certificate to present (mTLS).")] = "",
    key: Annotated[str, _path_option("key", "PEM of its private key.")] = "",
    server_name: Annotated[str, typer.Option("--server-name", help="The name in the server's certificate.")] = "",
    api_key_file: Annotated[str, _path_option("api-key-file", "File that holds an API key.")] = "",
    token_file: Annotated[str, _path_option("token-file", "File that holds a bearer token.")] = "",
    issuer: Annotated[str, typer.Option("--issuer", help="URL of the issuer that `login` asks.")] = "",
    client_id: Annotated[str, typer.Option("--client-id", help="What that issuer calls this command line.")] = "",
    scope: Annotated[str, typer.Option("--scope", help="What `login` asks for.")] = "",
    audience: Annotated[str, typer.Option("--audience", help="For whom, where the issuer wants to be told.")] = "",
    actor: Annotated[str, typer.Option("--actor", help="Who acts, if not the caller.")] = "",
    time_zone: Annotated[str, typer.Option("--time-zone", help="For tables.")] = "",
    output: Annotated[Output | None, typer.Option("--output", "-o", help="How to print.", case_sensitive=False)] = None,
) -> None:
    """Keep a server under a name. The first one becomes the current context."""
    with failures.reported():
        if bool(certificate) != bool(key):
            raise failures.BadUsage("--cert and --key belong together: give both or neither")
        if api_key_file and token_file:
            raise failures.BadUsage("--api-key-file and --token-file both say who you are: give one of them")
        look.zone(time_zone)
        files = {"ca": ca, "certificate": certificate, "key": key, "api_key_file": api_key_file}
        files["token_file"] = token_file
        book = _load()
        book.contexts[name] = Context(
            address,
            server_name=server_name,
            issuer=issuer,
            client_id=client_id,
            scope=scope,
            audience=audience,
            actor=actor,
            time_zone=time_zone,
            output=str(output or ""),
            **{what: os.path.abspath(path) if path else "" for what, path in files.items()},  # noqa: PTH100 - links stay
        )
        book.current = book.current or name
        _save(book)
        print(f"context {name} is {address}" + (", and the current one" if book.current == name else ""))


@app.command("use")
def use(name: Name) -> None:
    """Make a context the current one."""
    with failures.reported():
        book = _load()
        address = book.named(name).address
        book.current = name
        _save(book)
        print(f"context {name} ({address}) is the current one")


@app.command("remove")
def remove(name: Name) -> None:
    """Forget a context."""
    with failures.reported():
        book = _load()
        book.named(name)
        del book.contexts[name]
        if book.current == name:
            book.current = ""
        _save(book)
        print(f"context {name} is forgotten")


@options.command(app, "list")
def list_contexts(how: Invocation) -> None:
    """List the contexts; the current one is marked."""
    from llm_incident_manager.cli import printing

    book, printer = _load(), printing.Printer(how)
    if printer.for_people:
        columns = ("", "NAME", "ADDRESS", "ACTOR", "TLS")
        printer.table(columns, [_row(name, book) for name in sorted(book.contexts)])
        return
    for name, context in sorted(book.contexts.items()):
        printer.facts({"name": name, "current": name == book.current, **context.all_facts})


def _row(name: str, book: Book) -> tuple[str, ...]:
    context = book.contexts[name]
    tls = "mTLS" if context.certificate else "TLS" if context.ca or context.server_name else ""
    return ("*" if name == book.current else "", name, safe(context.address), context.actor, tls)


def _load() -> Book:
    return addresses.load(addresses.path(os.environ))


def _save(book: Book) -> None:
    addresses.save(addresses.path(os.environ), book)

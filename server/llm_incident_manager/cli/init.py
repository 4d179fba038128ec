"""`init`: everything that a server needs which asks its callers who they are, and a first key to call it with."""

import os
import shutil
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llm_incident_manager.cli import addresses, failures, service
from llm_incident_manager.cli.addresses import Context
from llm_incident_manager.cli.failures import BadUsage, Exit

if TYPE_CHECKING:
    from llm_incident_manager.config import Settings

_HEAD = """\
# Written by `llm-incident-manager init`: nobody is served without a credential, and all is said over TLS.
# `llm-incident-manager config show --config {file}` shows what else there is.
# The certificates are for development: give others in production, and keep {folder}/certs/ca-key.pem to yourself.
"""
_KEY, _PEPPER = "admin.key", "api-key-pepper"


def add_to(app: typer.Typer) -> None:
    """Registers `init`."""
    app.command("init")(init)


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Directory to write into.")] = Path("incident-manager"),
    listen: Annotated[str, typer.Option("--listen", help="Address to listen on.")] = "127.0.0.1",
    host: Annotated[
        list[str] | None,
        typer.Option("--host", help="Name or address of the server beside localhost; may be given several times."),
    ] = None,
    context: Annotated[str, typer.Option("--name", help="Name of the context to make for the command line.")] = "local",
) -> None:
    """Write a configuration that asks everybody who they are, certificates, a database, and a first key for whoever
    looks after all of it; keep them as a context of the command line. Replaces nothing.

    The database is in DIR, or where DATABASE_URL says.
    """
    folder = folder.absolute()
    with failures.reported(), ExitStack() as undo:
        book = addresses.load(addresses.path(os.environ))
        _must_be_new(folder, book.contexts, context)
        if not folder.exists():
            undo.callback(shutil.rmtree, folder, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        settings = _write(folder, listen, tuple(host or ()), undo)
        key = _first_key(settings)
        _secret(folder / _KEY, f"{key}\n")
        where = f"localhost:{settings.grpc.port}"
        files = {"ca": str(folder / "certs" / "ca.pem"), "api_key_file": str(folder / _KEY)}
        book.contexts[context] = Context(where, **files)
        book.current = book.current or context
        addresses.save(addresses.path(os.environ), book)
        undo.pop_all()
    _tell(folder, key, context)


def _must_be_new(folder: Path, contexts: Mapping[str, Context], name: str) -> None:
    """Raises BadUsage naming the first thing that is there."""
    for each in ("config.yaml", "certs", "data", _KEY, _PEPPER):
        if (folder / each).exists():
            raise BadUsage(f"{folder / each} exists: `init` replaces nothing, so name another directory")
    if name in contexts:
        raise BadUsage(f"context {name!r} exists: give --name, or `context remove {name}` if nobody needs it")


def _write(folder: Path, listen: str, hosts: tuple[str, ...], undo: ExitStack) -> "Settings":
    """Certificates and configuration; the settings of a server with it. What was written goes with `undo`."""
    from llm_incident_manager.adapters.certificates import making
    from llm_incident_manager.adapters.clock import SystemClock
    from llm_incident_manager.config import documents

    file, certs = folder / "config.yaml", folder / "certs"
    for path in (certs, folder / "data"):
        undo.callback(shutil.rmtree, path, ignore_errors=True)
    for path in (file, folder / _KEY, folder / _PEPPER):
        undo.callback(path.unlink, missing_ok=True)
    named = (listen,) if listen not in ("0.0.0.0", "::") else ()  # noqa: S104 - compared, not listened on
    try:
        making.make_development(certs, SystemClock().now(), hosts=(*hosts, *named))
    except ValueError as wrong:
        raise BadUsage(str(wrong)) from None
    head = _HEAD.format(file=file, folder=folder)
    file.write_text(head + documents.text(_configuration(folder, listen, making.TRUST_DOMAIN)), "utf-8")
    return service.load(file)


def _configuration(folder: Path, listen: str, trust_domain: str) -> dict[str, object]:
    from llm_incident_manager.adapters import pepper

    certs = folder / "certs"
    found: dict[str, object] = {
        "identity": {"required": True},
        "tls": {
            "certificate_file": str(certs / "server.pem"),
            "key_file": str(certs / "server-key.pem"),
            "client_ca_file": str(certs / "ca.pem"),
            "client_certificates": "optional",
            "trust_domain": trust_domain,
        },
    }
    if os.environ.get("DATABASE_URL", "").startswith(("postgres:", "postgresql:")):
        _secret(folder / _PEPPER, f"{pepper.draw(32).hex()}\n")
        found["identity"] = {"required": True, "api_keys": {"pepper_file": str(folder / _PEPPER)}}
    else:
        found["storage"] = {"path": str(folder / "data")}
    if listen != "127.0.0.1":
        found |= {"api": {"host": listen}, "grpc": {"host": listen}}
    return found


def _first_key(settings: "Settings") -> str:
    from llm_incident_manager import app
    from llm_incident_manager.adapters.pepper import PepperRefused
    from llm_incident_manager.domain.errors import StoreUnavailable
    from llm_incident_manager.ports.stores import StoreRefused

    try:
        return app.first_key(settings)
    except (StoreRefused, StoreUnavailable, PepperRefused) as refused:
        raise failures.Refused(str(refused), Exit.FAILED) from None


def _secret(file: Path, text: str) -> None:
    """Writes a new file that only its owner can read. Raises OSError."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as target:
        target.write(text)


def _tell(folder: Path, key: str, context: str) -> None:
    """The key on standard output, for whoever keeps it elsewhere, and what to do next."""
    print(key)
    print(
        f"this is the key of the first administrator, shown this once; context {context} has it in {folder / _KEY}.\n\n"
        f"  llm-incident-manager serve --config {folder / 'config.yaml'}\n"
        f"  llm-incident-manager --context {context} whoami\n\n"
        "then make keys for others (`keys create NAME --role …`); the certificates are for development.",
        file=sys.stderr,
    )

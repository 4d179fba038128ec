"""The driver's errors at a start, in words that say what to do. Never repeats the URL or a part that may be secret."""

import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import asyncpg

from llm_incident_manager.domain.errors import StoreUnavailable
from llm_incident_manager.ports.stores import StoreRefused

_FORM = "postgresql://user:password@host:5432/database"
Refusal = StoreRefused | StoreUnavailable
_Explain = Callable[[Exception], Refusal]


@asynccontextmanager
async def explained(*, signing_in: bool = False) -> AsyncIterator[None]:
    """Raises StoreRefused or StoreUnavailable for what goes wrong before a database can be used.

    `signing_in` says that the URL is being read: then also values, files and options can only be wrong there.
    """
    kinds = (*_IN_THE_URL, *_KINDS) if signing_in else _KINDS
    try:
        yield
    except (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        refusal = next((explain(error) for kind, explain in kinds if isinstance(error, kind)), None)
        if refusal is None:
            raise
        raise refusal from error


def _sign_in(error: Exception) -> Refusal:
    if "pg_hba.conf" in str(error) or "certificate" in str(error):
        return StoreRefused(
            "PostgreSQL admits no such sign-in: allow this client, user and database in its pg_hba.conf; "
            "if that asks for TLS or a client certificate, give sslmode, sslcert and sslkey in the database URL"
        )
    return StoreRefused("PostgreSQL refuses the sign-in: correct user and password in the database URL")


def _no_database(_: Exception) -> Refusal:
    return StoreRefused("the database does not exist: create it, or correct its name in the database URL")


def _too_few_rights(error: Exception) -> Refusal:
    remedy = "let it own its database or schema, or run the command migrate as a role that does"
    return StoreRefused(f"the role has too few rights ({error}): {remedy}")


def _takes_no_writes(_: Exception) -> Refusal:
    return StoreRefused("PostgreSQL takes no writes here: connect to the primary, with a role that may write")


def _unreadable(error: Exception) -> Refusal:
    if "root certificate file" in str(error):
        remedy = "name the CA's file with sslrootcert in the database URL, or put it there"
        return StoreRefused(f"there is no CA to check PostgreSQL's certificate by (~/.postgresql/root.crt): {remedy}")
    return StoreRefused(f"the database URL cannot be read: write it as {_FORM}, special characters as %40 and so on")


def _untrusted(error: Exception) -> Refusal:
    assert isinstance(error, ssl.SSLCertVerificationError)
    remedy = "give the right CA with sslrootcert, and the host name that the certificate is for, in the database URL"
    return StoreRefused(f"PostgreSQL's certificate is not trusted ({error.verify_message.rstrip('.')}): {remedy}")


def _no_handshake(error: Exception) -> Refusal:
    assert isinstance(error, ssl.SSLError)
    remedy = "sslrootcert, sslcert and sslkey of the database URL must be PEM files that belong together and that the "
    return StoreRefused(f"TLS with PostgreSQL fails ({error.reason or 'handshake'}): {remedy}server accepts")


def _no_file(error: Exception) -> Refusal:
    remedy = "correct sslrootcert, sslcert and sslkey, or the folder of the socket"
    return StoreRefused(f"a file that the database URL names cannot be read ({type(error).__name__}): {remedy}")


def _no_name(_: Exception) -> Refusal:
    return StoreUnavailable("its host name leads nowhere", "correct the host in the database URL")


def _nobody(error: Exception) -> Refusal:
    if "rejected SSL upgrade" in str(error):
        return StoreRefused(
            "what answers at host and port of the database URL speaks no TLS, or is no PostgreSQL: correct them, "
            "switch TLS on there, or choose another sslmode"
        )
    cause = "nobody listens at its host and port" if isinstance(error, ConnectionRefusedError) else type(error).__name__
    return StoreUnavailable(
        f"cannot connect: {cause}", "start PostgreSQL, or correct host and port in the database URL"
    )


def _cut_off(_: Exception) -> Refusal:
    remedy = "its log says why; if it asks for a client certificate, give sslcert and sslkey in the database URL"
    return StoreUnavailable("it ends the connection during the sign-in", remedy)


def _silent(_: Exception) -> Refusal:
    remedy = "look whether PostgreSQL hangs, a firewall is between, or host and port of the database URL are wrong"
    return StoreUnavailable("cannot connect in time", remedy)


def _full(_: Exception) -> Refusal:
    remedy = "raise its max_connections or the role's limit, lower storage.pool_size, or put a pooler before it"
    return StoreUnavailable("it has no free connection", remedy)


def _coming_or_going(error: Exception) -> Refusal:
    return StoreUnavailable(f"it is starting, stopping or recovering: {type(error).__name__}", "try again soon")


def _strange_protocol(error: Exception) -> Refusal:
    if "startup parameter" in str(error):
        remedy = "a pooler in transaction mode needs storage.pooled: true"
        return StoreRefused(f"what answers is no PostgreSQL but a pooler that takes no session settings: {remedy}")
    return StoreRefused("what answers at host and port of the database URL is no PostgreSQL: correct them")


def _strange_option(_: Exception) -> Refusal:
    return StoreRefused("PostgreSQL does not know or allow an option of the database URL: leave it out or correct it")


_Kinds = tuple[tuple[type[Exception] | tuple[type[Exception], ...], _Explain], ...]
_IN_THE_URL: _Kinds = (
    (ssl.SSLCertVerificationError, _untrusted),
    (ssl.SSLError, _no_handshake),
    ((FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError), _no_file),
    ((asyncpg.UndefinedObjectError, asyncpg.CantChangeRuntimeParamError), _strange_option),
    (asyncpg.ClientConfigurationError, _unreadable),
    (ValueError, _unreadable),
)
_KINDS: _Kinds = (
    (asyncpg.InvalidAuthorizationSpecificationError, _sign_in),
    (asyncpg.InvalidCatalogNameError, _no_database),
    (asyncpg.InsufficientPrivilegeError, _too_few_rights),
    (asyncpg.ReadOnlySQLTransactionError, _takes_no_writes),
    (asyncpg.TargetServerAttributeNotMatched, _takes_no_writes),
    (asyncpg.TooManyConnectionsError, _full),
    (asyncpg.CannotConnectNowError, _coming_or_going),
    (asyncpg.AdminShutdownError, _coming_or_going),
    (asyncpg.CrashShutdownError, _coming_or_going),
    (asyncpg.ProtocolViolationError, _strange_protocol),
    ((asyncpg.ConnectionDoesNotExistError, ConnectionResetError), _cut_off),
    (asyncpg.PostgresConnectionError, _nobody),
    (asyncpg.ProtocolError, _strange_protocol),
    (asyncpg.InterfaceError, _nobody),
    (socket.gaierror, _no_name),
    (TimeoutError, _silent),
    (OSError, _nobody),
)
"""Kinds of errors and what they mean; the first that fits counts."""

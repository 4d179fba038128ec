"""Tells a Redis that is gone from one that refuses a command, and says why without naming an address or a password."""

import ssl

from redis import exceptions

_CANNOT_WORK = {
    "BUSY": "it is busy with a script",
    "CLUSTERDOWN": "the cluster is down",
    "LOADING": "it is loading its data",
    "MASTERDOWN": "it has lost its master",
    "MISCONF": "it cannot save its data",
    "NOAUTH": "redis.url gives no password and it asks for one",
    "NOPERM": "the user of redis.url may not do what is needed",
    "NOREPLICAS": "it has too few replicas to write",
    "OOM": "it has no memory left",
    "READONLY": "it is a replica and takes no writes",
    "TRYAGAIN": "the cluster moves its slots",
    "WRONGPASS": "it refuses the user or password of redis.url",
}
"""Refusals that say something of the server, by their first word."""

_SAYS: tuple[tuple[type[BaseException], str], ...] = (
    (exceptions.OutOfMemoryError, "OOM"),
    (exceptions.ReadOnlyError, "READONLY"),
    (exceptions.NoPermissionError, "NOPERM"),
    (exceptions.BusyLoadingError, "LOADING"),
    (exceptions.MasterDownError, "MASTERDOWN"),
    (exceptions.ClusterDownError, "CLUSTERDOWN"),
    (exceptions.TryAgainError, "TRYAGAIN"),
    (exceptions.AuthenticationError, "WRONGPASS"),
)

GONE = (exceptions.RedisError, exceptions.RedisClusterException, OSError, TimeoutError, RuntimeError)
"""What a client may raise that `why_gone` has a word for; an OSError includes those of TLS."""

_CLOSED = "the handler is closed"
"""What uvloop says to a write between the end of a connection and the moment in which the driver is told of it."""


def why_gone(error: BaseException) -> str:
    """What keeps Redis from working; empty when it works and refused just this command."""
    for kind, word in _SAYS:
        if isinstance(error, kind):
            return _CANNOT_WORK["NOAUTH" if "Authentication required" in str(error) else word]
    if isinstance(error, exceptions.ResponseError):
        return _CANNOT_WORK.get(_first_word(error), "")
    if isinstance(error, exceptions.InvalidResponse):
        return "what listens at the address of redis.url does not speak Redis's protocol"
    if isinstance(error, exceptions.TimeoutError | TimeoutError):
        return "no answer in time"
    unconnected = isinstance(error, exceptions.ConnectionError | exceptions.RedisClusterException | OSError)
    if unconnected or (isinstance(error, RuntimeError) and _CLOSED in str(error)):
        return _unconnected(error)
    return ""


def _first_word(error: BaseException) -> str:
    return str(error).partition(" ")[0]


def _unconnected(error: BaseException) -> str:
    causes = list(_causes(error))
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return "its certificate is not trusted"
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return "it does not speak TLS as redis.url says"
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return "nobody listens at the address of redis.url"
    if any(type(cause).__name__ == "MasterNotFoundError" for cause in causes):
        return "no sentinel of redis.url knows a master of that name that is up"
    return "the connection failed"


def _causes(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    here: BaseException | None = error
    while here is not None and here not in found:
        found.append(here)
        here = here.__cause__ or here.__context__
    return found

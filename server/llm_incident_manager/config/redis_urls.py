"""What a Redis URL says: which servers, how they belong together, who signs in. Refusals never repeat any of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from urllib.parse import parse_qsl, unquote

FORMS = (
    "redis://user:password@host:6379/0, redis+sentinel://user:password@host1:26379,host2:26379/master-name/0 or "
    "redis+cluster://user:password@host1:6379,host2:6379, each with rediss in place of redis for TLS"
)
_TLS_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
_TLS = (*_TLS_FILES, "ssl_cert_reqs", "ssl_check_hostname")
_SENTINEL = ("sentinel_username", "sentinel_password")


class Kind(StrEnum):
    """How the servers of a URL belong together."""

    SINGLE = ""
    SENTINEL = "sentinel"
    CLUSTER = "cluster"


_PORTS = {Kind.SINGLE: 6379, Kind.SENTINEL: 26379, Kind.CLUSTER: 6379}


class Wrong(ValueError):
    """No Redis can be found by the URL; the message is what to do about it and repeats nothing of it."""


@dataclass(frozen=True, slots=True)
class RedisTarget:
    """A URL taken apart. `hosts` are sentinels for SENTINEL, some nodes for CLUSTER; `options` are redis-py's own."""

    kind: Kind
    hosts: tuple[tuple[str, int], ...]
    tls: bool = False
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    database: int = 0
    master: str = ""
    options: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def tls_options(self) -> dict[str, object]:
        """Arguments of a TLS connection: files, and how far the server's certificate is trusted."""
        given: dict[str, object] = {name: self.options[name] for name in _TLS if name in self.options}
        if "ssl_check_hostname" in given:
            given["ssl_check_hostname"] = given["ssl_check_hostname"] == "true"
        if given.get("ssl_cert_reqs") == "none":
            given["ssl_check_hostname"] = False
        return given


def parse(url: str) -> RedisTarget:
    """The target of a URL. Raises Wrong."""
    scheme, separator, rest = url.partition("://")
    secure, _, word = scheme.partition("+")
    if not separator or secure not in ("redis", "rediss") or scheme.endswith("+") or word not in list(Kind):
        raise Wrong(f"give {FORMS}")
    kind, tls = Kind(word), secure == "rediss"
    place, _, query = rest.partition("?")
    netloc, _, path = place.partition("/")
    user, _, hosts = netloc.rpartition("@")
    username, password = _credentials(user)
    master, database = _path(kind, path.rstrip("/"))
    options = _options(kind, tls, query)
    return RedisTarget(kind, tuple(_hosts(kind, hosts)), tls, username, password, database, master, options)


def wrong(url: str) -> str:
    """What to do about a URL that no Redis can be found by; empty when it can be tried."""
    try:
        target = parse(url)
    except Wrong as error:
        return str(error)
    missing = [name for name in _TLS_FILES if name in target.options and not Path(target.options[name]).is_file()]
    return f"there is no file where {', '.join(missing)} says: give its path" if missing else ""


def _credentials(user: str) -> tuple[str | None, str | None]:
    name, colon, password = user.partition(":")
    if name and not colon:
        raise Wrong("a password stands behind a colon: redis://:password@host or redis://user:password@host")
    return unquote(name) or None, unquote(password) or None


def _hosts(kind: Kind, netloc: str) -> Iterator[tuple[str, int]]:
    given = netloc.split(",")
    if kind is Kind.SINGLE and len(given) > 1:
        raise Wrong("several hosts are for redis+sentinel:// and redis+cluster://: say which of the two they are")
    for one in given:
        head, bracket, tail = one.rpartition("]")
        host, colon, port = tail.partition(":")
        name = head.removeprefix("[") if bracket else unquote(host)
        if not name or (colon and not _is_port(port)) or (bracket and host):
            raise Wrong(
                "each host needs a name and may have a port from 1 to 65535 behind a colon; special characters of a "
                "user or password are written %40 and so on"
            )
        yield name, int(port) if colon else _PORTS[kind]


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65_535


def _path(kind: Kind, path: str) -> tuple[str, int]:
    parts = [unquote(part) for part in path.split("/")] if path else []
    master = ""
    if kind is Kind.SENTINEL:
        if not parts:
            raise Wrong("behind the sentinels stands the master's name: redis+sentinel://host:26379/mymaster/0")
        master = parts.pop(0)
    number = parts.pop(0) if parts else "0"
    if parts or not (number.isascii() and number.isdigit() and len(number) <= 4):
        raise Wrong("the path ends with the number of the database, for instance /0")
    if kind is Kind.CLUSTER and int(number):
        raise Wrong("a cluster has only database 0: leave the number out")
    return master, int(number)


def _options(kind: Kind, tls: bool, query: str) -> Mapping[str, str]:
    given = dict(parse_qsl(query, keep_blank_values=True))
    known = [*(_TLS if tls else ()), *(_SENTINEL if kind is Kind.SENTINEL else ())]
    if unknown := [name for name in given if name not in known]:
        if not tls and set(unknown) & set(_TLS):
            raise Wrong("options that start with ssl_ are for rediss://, the form with TLS")
        some = f"known here: {', '.join(known)}" if known else "none is known here"
        raise Wrong(f"an option behind the question mark is unknown; {some}")
    if given.get("ssl_cert_reqs", "required") not in ("none", "optional", "required"):
        raise Wrong("ssl_cert_reqs must be none, optional or required")
    if given.get("ssl_check_hostname", "true") not in ("true", "false"):
        raise Wrong("ssl_check_hostname must be true or false")
    return given

"""What can be told of a database URL by reading it. Never repeats any part of it: it may hold a password."""

from urllib.parse import parse_qsl, urlsplit

FORM = "postgresql://user:password@host:5432/database"
TLS = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_ABOUT_TLS = frozenset({"sslmode", "sslrootcert", "sslcert", "sslkey", "sslpassword", "sslcrl", "sslnegotiation"})


def wrong(url: str) -> str:
    """What to do about a URL that no PostgreSQL can be found by; empty when it can be tried."""
    try:
        parts = urlsplit(url)
        _ = [int(port) for _, port in (host.rpartition(":")[::2] for host in _hosts(parts.netloc)) if port]
    except ValueError:
        return f"the port must be a number, and special characters of a password are written %40 and so on: {FORM}"
    if parts.scheme not in ("postgres", "postgresql"):
        return "give postgresql://user:password@host/database"
    return _wrong_option(dict(parse_qsl(parts.query)))


def _hosts(netloc: str) -> list[str]:
    """The hosts that have a port; an IPv6 address stands in brackets."""
    return [host for host in netloc.rpartition("@")[2].split(",") if ":" in host.rpartition("]")[2]]


def _wrong_option(options: dict[str, str]) -> str:
    if options.get("sslmode", "prefer") not in TLS:
        return f"sslmode must be one of {', '.join(TLS)}"
    alike = [name for name in options if "ssl" in name and name not in _ABOUT_TLS and "protocol" not in name]
    if alike:
        return f"for TLS there are {', '.join(sorted(_ABOUT_TLS))}; another option of the URL looks like one of them"
    return ""

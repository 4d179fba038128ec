"""Reads settings from environment variables: the documented names, OpenTelemetry's, and LLM_IM__SECTION__KEY for all.

An empty variable counts as not set, and each may stand in a file instead (see `secrets`). Takes the environment as a
value and never looks at the process's own.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from llm_incident_manager.config import documents, schema, secrets
from llm_incident_manager.config.problems import ConfigError, Problem, shown

PREFIX = "LLM_IM__"

NAMES: Mapping[str, schema.Path] = {
    "DATABASE_POOL_SIZE": ("storage", "pool_size"),
    "DATABASE_REPLICA_URL": ("storage", "replica_url"),
    "REDIS_URL": ("redis", "url"),
    "API_HOST": ("api", "host"),
    "API_PORT": ("api", "port"),
    "GRPC_HOST": ("grpc", "host"),
    "GRPC_PORT": ("grpc", "port"),
    "ALLOW_ANONYMOUS": ("identity", "allow_anonymous"),
    "API_KEY_PEPPER": ("identity", "api_keys", "pepper"),
    "API_KEY_PEPPER_FILE": ("identity", "api_keys", "pepper_file"),
    "ENABLE_ML_CLASSIFICATION": ("ml", "enabled"),
    "ENABLE_ENRICHMENT": ("enrichment", "enabled"),
    "ENABLE_CORRELATION": ("correlation", "enabled"),
    "ENABLE_ESCALATION": ("escalation", "enabled"),
    "LOG_LEVEL": ("log", "level"),
    "LOG_FORMAT": ("log", "format"),
    "OTEL_SERVICE_NAME": ("traces", "service_name"),
}
"""Variables whose value is that of one key as it stands."""

_OWN_TARGET = "llm_incident_manager"
_LEVELS = ("trace", "debug", "info", "warn", "warning", "error")


class Assignment(NamedTuple):
    """A value for a key and the variable that gives it."""

    path: schema.Path
    value: object
    origin: str


def read(env: Mapping[str, str]) -> tuple[list[Assignment], list[Problem]]:
    """All assignments, the stronger ones later, and what is wrong with variables that nobody can make sense of."""
    given, problems = secrets.read(env, frozenset((*NAMES, *_DERIVED)), PREFIX)
    found: list[Assignment] = []
    for name in [*_DERIVED, *NAMES, *sorted(name for name in given if name.startswith("LLM_IM_"))]:
        if name in given:
            try:
                found.extend(_assignments(name, given))
            except ConfigError as error:
                problems.extend(error.problems)
    return found, problems


def _assignments(name: str, given: Mapping[str, str]) -> Iterator[Assignment]:
    if name in _DERIVED:
        for path, value in _DERIVED[name](given[name], given):
            yield Assignment(path, value, name)
    elif name in NAMES:
        yield Assignment(NAMES[name], given[name], name)
    else:
        yield _nested(name, given[name])


Derived = Iterator[tuple[schema.Path, object]]


def _database_url(url: str, _: Mapping[str, str]) -> Derived:
    scheme, rest = url.partition(":")[::2]
    kind = {"sqlite": "sqlite", "postgres": "postgresql", "postgresql": "postgresql"}.get(scheme)
    if kind is None or (kind == "sqlite" and "?" in rest):
        remedy = "give sqlite:///path/to/directory, sqlite::memory: or postgresql://user:password@host/database"
        raise ConfigError([Problem("DATABASE_URL", "(hidden)", "", remedy)])
    if kind == "sqlite" and rest.lstrip("/") == ":memory:":
        kind = "memory"
    yield ("storage", "type"), kind
    yield ("storage", "connection_string"), url if kind == "postgresql" else None
    if kind == "sqlite":
        yield ("storage", "path"), directory(rest)


def directory(rest: str) -> str:
    """The directory of a SQLite URL without its scheme: `///a` and `////a` are /a; `///./a`, `//a` and `a` are a."""
    if rest.startswith("///"):
        path = "/" + rest.lstrip("/")
        return path[1:] if path.startswith(("/./", "/../")) else path
    return rest.removeprefix("//")


def _rust_log(value: str, _: Mapping[str, str]) -> Derived:
    """The level of RUST_LOG: that of our own target, else the bare word; levels of other targets are not ours."""
    level = ""
    for directive in value.split(","):
        target, equals, word = directive.strip().rpartition("=")
        if equals and target != _OWN_TARGET:
            continue
        if word.lower() not in _LEVELS:
            remedy = "give a level such as info, or info,llm_incident_manager=debug; or use LOG_LEVEL"
            raise ConfigError([Problem("RUST_LOG", shown(value), "", remedy)])
        level = word if equals or not level else level
    if level:
        yield ("log", "level"), level


def _otlp_endpoint(base: str, env: Mapping[str, str]) -> Derived:
    if "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" not in env:
        yield ("traces", "endpoint"), base.rstrip("/") + "/v1/traces"


def _otlp_traces_endpoint(url: str, _: Mapping[str, str]) -> Derived:
    yield ("traces", "endpoint"), url


def _otlp_protocol(name: str) -> Callable[[str, Mapping[str, str]], Derived]:
    def derive(value: str, env: Mapping[str, str]) -> Derived:
        wanted = "OTEL_EXPORTER_OTLP_ENDPOINT" in env or "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" in env
        if wanted and value != "http/protobuf":
            remedy = "only http/protobuf is spoken: set it to that, and the endpoint to the collector's HTTP port, 4318"
            raise ConfigError([Problem(name, shown(value), "", remedy)])
        yield from ()

    return derive


def _off(word: str) -> Callable[[str, Mapping[str, str]], Derived]:
    def derive(value: str, _: Mapping[str, str]) -> Derived:
        if value.lower() == word:
            yield ("traces", "endpoint"), None

    return derive


def _sampler(value: str, env: Mapping[str, str]) -> Derived:
    word = value.lower().removeprefix("parentbased_")
    argument = env.get("OTEL_TRACES_SAMPLER_ARG", "1")
    ratios = {"always_on": "1", "always_off": "0", "traceidratio": argument}
    if word not in ratios:
        remedy = f"give {', '.join(ratios)}, with or without parentbased_ before it"
        raise ConfigError([Problem("OTEL_TRACES_SAMPLER", shown(value), "", remedy)])
    yield ("traces", "sample_ratio"), ratios[word]


_DERIVED: Mapping[str, Callable[[str, Mapping[str, str]], Derived]] = {
    "DATABASE_URL": _database_url,
    "RUST_LOG": _rust_log,
    "OTEL_EXPORTER_OTLP_ENDPOINT": _otlp_endpoint,
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": _otlp_traces_endpoint,
    "OTEL_EXPORTER_OTLP_PROTOCOL": _otlp_protocol("OTEL_EXPORTER_OTLP_PROTOCOL"),
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": _otlp_protocol("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"),
    "OTEL_TRACES_SAMPLER": _sampler,
    "OTEL_TRACES_EXPORTER": _off("none"),
    "OTEL_SDK_DISABLED": _off("true"),
}
"""Variables that need a thought; the order is that of their strength."""


def _nested(name: str, text: str) -> Assignment:
    path = tuple(int(part) if part.isdigit() else part for part in name[len(PREFIX) :].lower().split("__"))
    if not name.startswith(PREFIX):
        path = tuple(re.split("_+", name.removeprefix("LLM_IM_").lower(), maxsplit=1))
        raise ConfigError([Problem(name, "", "", f"unknown variable; did you mean {variable(path)}?")])
    field = schema.find(path)
    if field is None:
        raise ConfigError([Problem(name, "", "", schema.nearest(path))])
    return Assignment(path, text if schema.holds_one_value(field) else _parsed(name, text), name)


def variable(path: schema.Path) -> str:
    """The nested variable of a key: LLM_IM__GRPC__PORT."""
    return PREFIX + "__".join(str(part) for part in path).upper()


def _parsed(name: str, text: str) -> object:
    try:
        return documents.parse(text)
    except documents.Unreadable:
        raise ConfigError([Problem(name, "", "", "give JSON or YAML, for instance [] or {}")]) from None

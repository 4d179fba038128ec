"""The agent's file of settings: YAML, read strictly. Every error names the key, its value and what to do."""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml

from llm_incident_client.core.channel import DEFAULT_ADDRESS, ChannelOptions, Tls, TokenSource
from llm_incident_client.edge_agent.directives.limits import DeskOptions
from llm_incident_client.edge_agent.models.running import ModelLimits
from llm_incident_client.edge_agent.options import AgentOptions
from llm_incident_client.edge_agent.spool import Limits

T = TypeVar("T")


class BadSettings(Exception):
    """The file cannot be used; the text says what to change."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What `llm-edge-agent` runs with. `handlers` and `models` name installed plug-ins, None meaning all; `publish`
    names actions that are obeyed by showing them to programs that ask at `host`:`port`."""

    agent: AgentOptions
    host: str
    port: int
    handlers: tuple[str, ...] | None
    publish: tuple[str, ...]
    models: tuple[str, ...] | None
    log_level: str


@dataclass(slots=True)
class _Section:
    """A mapping of the file whose keys are taken one by one; what is left over is unknown."""

    name: str
    values: dict[str, Any]
    taken: set[str] = field(default_factory=set)

    def take(self, key: str, kind: type[T], default: T) -> T:
        self.taken.add(key)
        value = self.values.get(key)
        if value is None:
            return default
        if kind is float and type(value) is int:
            return kind(value)  # type: ignore[call-arg]  # float takes it
        if type(value) is kind:
            return value
        raise BadSettings(f"{self._path(key)}: {value!r} is no {kind.__name__}")

    def section(self, key: str) -> "_Section":
        return _Section(self._path(key), self.take(key, dict, {}))

    def names(self, key: str) -> tuple[str, ...] | None:
        if self.values.get(key) is None:
            self.taken.add(key)
            return None
        return tuple(str(one) for one in self.take(key, list, []))

    def bytes_of(self, key: str) -> bytes | None:
        path = self.take(key, str, "")
        try:
            return Path(path).expanduser().read_bytes() if path else None
        except OSError as error:
            raise BadSettings(f"{self._path(key)}: {path!r} cannot be read: {error.strerror}") from error

    def end(self) -> None:
        if unknown := sorted(set(map(str, self.values)) - self.taken):
            known = ", ".join(sorted(self.taken))
            raise BadSettings(f"{self._path(unknown[0])}: unknown key; there are {known}")

    def _path(self, key: str) -> str:
        return f"{self.name}.{key}" if self.name else key


def read(path: Path) -> Settings:
    """Reads and checks the file. Raises BadSettings."""
    try:
        values = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise BadSettings(f"{path} cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadSettings(f"{path} is no YAML: {error}") from error
    if not isinstance(values, dict):
        raise BadSettings(f"{path} has no settings: it needs at least agent.id")
    try:
        return parse(values)
    except ValueError as error:
        raise BadSettings(str(error)) from error


def parse(values: Mapping[str, Any]) -> Settings:
    """The settings in a mapping. Raises BadSettings, and ValueError for values that do not fit together."""
    top = _Section("", dict(values))
    directives, models, local = top.section("directives"), top.section("models"), top.section("local")
    usual, most = DeskOptions(), ModelLimits()
    desk = DeskOptions(
        longest=directives.take("longest_ttl_seconds", float, usual.longest),
        patience=directives.take("patience_seconds", float, usual.patience),
    )
    limits = ModelLimits(
        cpu_percent=models.take("cpu_percent", float, most.cpu_percent),
        memory_percent=models.take("memory_percent", float, most.memory_percent),
        at_a_time=models.take("at_a_time", int, most.at_a_time),
        waiting=models.take("waiting", int, most.waiting),
    )
    agent = _agent(top, desk, limits, revert_on_stop=directives.take("revert_on_stop", bool, default=False))
    settings = Settings(
        agent=agent,
        host=local.take("host", str, "127.0.0.1"),
        port=local.take("port", int, 50061),
        handlers=directives.names("handlers"),
        publish=directives.names("publish") or (),
        models=models.names("names"),
        log_level=top.take("log_level", str, "INFO").upper(),
    )
    for section in (directives, models, local, top):
        section.end()
    return settings


def _agent(top: _Section, desk: DeskOptions, limits: ModelLimits, *, revert_on_stop: bool) -> AgentOptions:
    who, spool = top.section("agent"), top.section("spool")
    agent = AgentOptions(
        agent_id=who.take("id", str, ""),
        data=Path(top.take("data", str, "edge-agent")).expanduser(),
        server=_server(top.section("server")),
        display_name=who.take("display_name", str, ""),
        service=who.take("service", str, ""),
        environment=who.take("environment", str, ""),
        labels={str(name): str(value) for name, value in who.take("labels", dict, {}).items()},
        spool=Limits(
            max_bytes=spool.take("max_bytes", int, Limits().max_bytes),
            max_events=spool.take("max_events", int, Limits().max_events),
        ),
        directives=desk,
        revert_on_stop=revert_on_stop,
        models=limits,
        telemetry_seconds=top.take("telemetry_seconds", float, 15.0),
        grace=top.take("grace_seconds", float, 5.0),
        pause=top.take("pause_seconds", float, 30.0),
    )
    who.end()
    spool.end()
    if not agent.agent_id:
        raise BadSettings("agent.id is missing: give a name that stays the same over restarts")
    return agent


def _server(section: _Section) -> ChannelOptions:
    api_key = section.take("api_key", str, "") or (section.bytes_of("api_key_file") or b"").decode().strip()
    section.taken.add("api_key_file")
    token_file = section.take("token_file", str, "")
    options = ChannelOptions(
        address=section.take("address", str, DEFAULT_ADDRESS),
        tls=_tls(section.section("tls")) if "tls" in section.values else None,
        api_key=api_key or os.environ.get("LLM_EDGE_AGENT_API_KEY", ""),
        bearer=_token_in(Path(token_file).expanduser()) if token_file else None,
        secrets_in_clear_text=section.take("secrets_in_clear_text", bool, default=False),
    )
    section.taken.add("tls")
    section.end()
    return options


def _tls(section: _Section) -> Tls:
    tls = Tls(
        root_certificates=section.bytes_of("roots"),
        private_key=section.bytes_of("key"),
        certificate_chain=section.bytes_of("certificate"),
        server_name=section.take("server_name", str, ""),
    )
    section.end()
    return tls


def _token_in(path: Path) -> TokenSource:
    """Read anew for each session: whoever renews the token writes the file."""

    async def token() -> str:
        return (await asyncio.to_thread(path.read_text, "utf-8")).strip()

    return token

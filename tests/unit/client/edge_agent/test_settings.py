"""The agent's file of settings: read strictly, and every error says what to do."""

import asyncio
from pathlib import Path

import pytest
import yaml

from llm_incident_client.edge_agent import cli, settings
from llm_incident_client.edge_agent.directives.limits import DeskOptions
from llm_incident_client.edge_agent.spool import Limits

TLS = Path(__file__).parents[3] / "support" / "tls"

WHOLE = """
agent: {id: edge-7, display_name: Edge 7, service: chat, environment: production, labels: {region: eu, ring: 2}}
server:
  address: incidents.example.com:443
  token_file: TOKEN
  tls: {roots: CA, certificate: CERTIFICATE, key: KEY, server_name: incidents}
data: /var/lib/llm-edge-agent
spool: {max_bytes: 10000000, max_events: 5000}
directives: {longest_ttl_seconds: 3600, revert_on_stop: true, publish: [rate_limit, "custom:brownout"]}
models: {names: [redact], cpu_percent: 70, at_a_time: 1}
local: {host: 127.0.0.1, port: 9000}
telemetry_seconds: 5
log_level: debug
"""


def test_every_setting_has_its_place(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("a.b.c\n", "utf-8")
    text = WHOLE.replace("TOKEN", str(token)).replace("CA,", f"{TLS / 'certificate.pem'},")
    text = text.replace("CERTIFICATE", str(TLS / "certificate.pem")).replace("KEY", str(TLS / "key.pem"))
    path = tmp_path / "agent.yaml"
    path.write_text(text, "utf-8")
    found = settings.read(path)
    agent = found.agent
    assert (agent.agent_id, agent.service, agent.labels) == ("edge-7", "chat", {"region": "eu", "ring": "2"})
    assert agent.server.tls is not None
    assert agent.server.tls.server_name == "incidents"
    assert agent.server.bearer is not None
    assert asyncio.run(agent.server.bearer()) == "a.b.c"  # type: ignore[arg-type]  # it is a coroutine
    assert agent.spool == Limits(10_000_000, 5_000)
    assert agent.directives == DeskOptions(longest=3600.0)
    assert agent.revert_on_stop
    assert (agent.models.cpu_percent, agent.models.memory_percent, agent.models.at_a_time) == (70.0, 80.0, 1)
    assert (found.port, found.publish, found.models) == (9000, ("rate_limit", "custom:brownout"), ("redact",))
    assert found.log_level == "DEBUG"


@pytest.mark.parametrize(("settings", "says"), [
    ({"agent": {}}, "agent.id is missing"),
    ({"agent": {"id": "a", "colour": "red"}}, "agent.colour: unknown key; there are display_name, environment, id"),
    ({"agent": {"id": "a"}, "spool": {"max_bytes": "lots"}}, "spool.max_bytes: 'lots' is no int"),
    ({"agent": {"id": "a"}, "spool": {"max_events": 1}}, "spool.max_events is 1: 16 is the least"),
    ({"agent": {"id": "a"}, "directives": {"publish": ["dance"]}}, "directives.publish: 'dance' is no action"),
    ({"agent": {"id": "a"}, "models": {"names": ["gpt"]}}, "models.names: no installed package offers gpt"),
    ({"agent": {"id": "a"}, "server": {"tls": {"roots": "/none"}}}, "server.tls.roots: '/none' cannot be read"),
    ({"agent": {"id": "a"}, "server": {"address": "far:1", "api_key": "k"}}, "would send a secret to far:1 in clear"),
])  # fmt: skip
def test_settings_that_are_wrong_stop_the_start_and_say_what_to_do(
    tmp_path: Path, settings: dict[str, object], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "agent.yaml"
    path.write_text(yaml.safe_dump(settings), "utf-8")
    assert cli.main(["run", "--config", str(path)]) == 2
    assert says in capsys.readouterr().err

"""An Edge-Agent over mutual TLS against the real server: its certificate is who it is, and nobody else takes its id."""

from pathlib import Path

from llm_incident_client import ChannelOptions, Tls
from llm_incident_client.edge_agent import AgentOptions, EdgeAgent
from tests.support.certificates import Held, Papers
from tests.support.edge_manager import event
from tests.support.server import RunningServer, running_server
from tests.support.waiting import until

IDENTITIES = """[
  {uri: "spiffe://incidents.local/tenant/*/service/edge-agent", subject: edge-agent, roles: [edge_agent]},
  {uri: "spiffe://incidents.local/tenant/*/service/sentinel", subject: sentinel, roles: [edge_agent]},
  {uri: "spiffe://incidents.local/tenant/*/service/shield", subject: shield, roles: [producer]},
]"""


def options(folder: Path, server: RunningServer, papers: Papers, client: Held) -> AgentOptions:
    key, certificate = client.pems
    tls = Tls(papers.ca.read_bytes(), key, certificate)
    return AgentOptions("edge-1", folder, ChannelOptions(f"localhost:{server.grpc_port}", tls), pause=0.05)


async def test_its_certificate_is_who_it_is(tmp_path: Path) -> None:
    papers = Papers(tmp_path)
    context = papers.context(papers.client("probe"))
    async with running_server(config=papers.config(identities=IDENTITIES), tls=context) as server:
        async with EdgeAgent(options(tmp_path / "own", server, papers, papers.client("edge-agent"))) as agent:
            await agent.report(event(0))
            await until(lambda: not agent.spool.waiting)
            assert agent.status().results == {"NEW": 1}
        for name, reason in (("sentinel", "AGENT_ID_TAKEN"), ("shield", "PERMISSION_DENIED")):
            async with EdgeAgent(options(tmp_path / name, server, papers, papers.client(name))) as agent:
                await agent.report(event(1))
                await until(lambda: reason in agent.status().error)  # noqa: B023
                assert agent.spool.waiting == 1

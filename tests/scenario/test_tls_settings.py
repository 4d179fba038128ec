"""TLS as an operator sets it up: what is printed works, what is wrong stops the start by its name, and nobody has to
choose between certificates and keys."""

import re
import shutil
import ssl
from pathlib import Path

import pytest

from tests.support import markdown, printed
from tests.support.certificates import Papers
from tests.support.command import command
from tests.support.fleet import UNSAFE
from tests.support.grpcurl import grpcurl, over_tls
from tests.support.postgres import Cluster
from tests.support.server import RunningServer, free_port, running_server, status_of
from tests.support.waiting import until
from tools import shell

README = shell.ROOT / "README.md"
IDENTITY = {"ca": "ca", "cert": "operator", "key": "operator-key"}
LIST = "incidentmanager.v1.IncidentService/ListIncidents"


def in_folder(command: str, server: RunningServer) -> str:
    """A printed command as it is typed where the certificates are, with the ports of the test."""
    ports = command.replace("localhost:50051", f"localhost:{server.grpc_port}").replace(
        "localhost:3000", f"localhost:{server.http_port}"
    )
    return f"cd {server.folder} && {ports}"


async def test_the_readme_shows_how_to_try_it(tmp_path: Path) -> None:
    made = await command("certs", "dev", "--out", "certs", cwd=tmp_path)
    assert made.code == 0, made.err
    config = made.out.replace("certs/", f"{tmp_path}/certs/")
    operator = ssl.create_default_context(cafile=str(tmp_path / "certs" / "ca.pem"))
    operator.load_cert_chain(tmp_path / "certs" / "operator.pem", tmp_path / "certs" / "operator-key.pem")
    [calls] = [block.text for block in markdown.blocks(README, "") if "certs/sentinel.pem" in block.text]
    by_grpcurl, by_curl = re.split(r"\n\n", calls.strip())
    async with running_server(config=config, tls=operator, folder=tmp_path) as server:
        done = await printed.run(in_folder(by_grpcurl, server))
        assert (done.code, done.documents[0]["disposition"]) == (0, "DISPOSITION_NEW"), done.errors
        if shutil.which("curl") is not None:
            assert (await printed.run(in_folder(by_curl, server))).documents[0]["incidents"]
        assert await status_of(server.http_port, "/api/v1/incidents", operator) == 200
        own = {"LLM_IM_CONTEXTS": str(tmp_path / "contexts.yaml")}
        papers = [f"--{name}={tmp_path}/certs/{file}.pem" for name, file in IDENTITY.items()]
        address = f"--address=localhost:{server.grpc_port}"
        assert (await command("context", "add", "dev", address, *papers, env=own)).code == 0
        listed = await command("incident", "list", "--context", "dev", "--json", env=own)
        assert [one["title"] for one in listed.json["incidents"]] == ["Drift on intent model"], listed.err
        bare = re.sub(r"-cert \S+ -key \S+ ", "-connect-timeout 3 ", by_grpcurl)
        assert (await printed.run(in_folder(bare, server))).code != 0


async def test_development_certificates_are_not_made_twice_by_accident(tmp_path: Path) -> None:
    assert (await command("certs", "dev", "--out", str(tmp_path), "--host", "incidents.example.com")).code == 0
    again = await command("certs", "dev", "--out", str(tmp_path))
    assert (again.code, again.out) == (1, "")
    assert "ca.pem exists: choose another directory, or give --force" in again.err
    assert (await command("certs", "dev", "--out", str(tmp_path), "--force")).code == 0


@pytest.mark.parametrize("verb", [("serve",), ("config", "check")], ids=lambda verb: verb[0])
async def test_bad_files_stop_the_start_by_their_name(tmp_path: Path, verb: tuple[str, ...]) -> None:
    papers = Papers(tmp_path)
    papers.server.key.write_bytes(papers.client().issued.key_pem)
    (tmp_path / "config.yaml").write_text(papers.config(), "utf-8")
    ports = {"GRPC_PORT": str(free_port()), "API_PORT": str(free_port()), "DATABASE_URL": "sqlite::memory:"}
    done = await command(*verb, cwd=tmp_path, env=ports)
    assert done.code in (1, 2)
    assert f"tls.key_file = {papers.server.key}: it is not the key of the certificate" in done.err


async def test_with_optional_certificates_keys_and_certificates_come_to_ports_of_their_own(tmp_path: Path) -> None:
    papers, port = Papers(tmp_path), free_port()
    client = papers.client()
    config = papers.config("optional", mtls_port=port)
    async with running_server(config=config, tls=papers.context()) as server:
        for bare in (server.grpc_port, port):
            code, said = await grpcurl(*over_tls(papers.ca), "-connect-timeout", "3", f"localhost:{bare}", LIST)
            assert (code == 0) == (bare == server.grpc_port), said
        event = '{"event": {"source": "llm-sentinel", "title": "on the port for certificates"}}'
        method = "incidentmanager.v1.IngestService/SubmitEvent"
        code, said = await grpcurl(*over_tls(papers.ca, client), "-d", event, f"localhost:{port}", method)
        assert code == 0, said
        assert await status_of(server.http_port, "/api/v1/incidents", papers.context()) == 200
        assert await status_of(server.http_port, "/api/v1/incidents", papers.context(client)) == 403
        assert str(port) in server.log


async def test_a_proxy_that_speaks_tls_for_us_is_told_of_loudly() -> None:
    async with running_server(config="tls: {terminated_by_proxy: true}") as server:
        [line] = [line for line in server.log.splitlines() if "config.tls_terminated_by_proxy" in line]
        assert '"level":"warning"' in line


async def test_workers_share_ports_that_speak_tls(cluster: Cluster, tmp_path: Path) -> None:
    papers, port = Papers(tmp_path), free_port()
    client, context = papers.client(), papers.context()
    env = {"DATABASE_URL": cluster.dsn(cluster.create()), **UNSAFE, "LLM_IM__STORAGE__POOL_SIZE": "6"}
    config = papers.config("optional", mtls_port=port)
    async with running_server("--workers", "2", env=env, config=config, tls=context) as server:
        await until(lambda: server.log.count("app.started") == 2, 60)
        for _ in range(6):
            code, said = await grpcurl(*over_tls(papers.ca, client), f"localhost:{port}", "list")
            assert (code, "IncidentService" in said) == (0, True), said
            assert await status_of(server.http_port, "/health/ready", papers.context(client)) == 200
        papers.renew_server()
        await until(lambda: server.log.count("tls.reloaded") == 2)


async def test_tls_1_2_for_those_who_know_no_newer_one(tmp_path: Path) -> None:
    papers = Papers(tmp_path)
    context = papers.context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    async with running_server(config=papers.config("none", minimum_version="1.2"), tls=context) as server:
        assert await status_of(server.http_port, "/api/v1/incidents", context) == 200
        code, said = await grpcurl(*over_tls(papers.ca), f"localhost:{server.grpc_port}", LIST)
        assert code == 0, said

"""TLS to the database: the URL's usual parameters are obeyed, and each mistake in them is told by its name."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from llm_incident_client import IncidentClient, pb
from tests.support.command import command
from tests.support.postgres import Cluster
from tests.support.server import running_server
from tests.support.tls import Papers, Terminator, cluster_with_tls, make_papers, programs_with_tls

SECRET = "hunter2"
ABLE = ("terminator", "postgresql") if programs_with_tls() else ("terminator",)


@dataclass(frozen=True)
class Guarded:
    """A database behind TLS."""

    port: int
    database: str
    papers: Papers

    def env(self, host: str = "localhost", **options: object) -> dict[str, str]:
        """The settings for a URL with these parameters; those of the client's certificate are always given."""
        given = {"sslcert": self.papers.client, "sslkey": self.papers.client_key, **options}
        query = "&".join(f"{name}={value}" for name, value in given.items() if value)
        url = f"postgresql://app:{SECRET}@{host}:{self.port}/{self.database}?{query}"
        return {"DATABASE_URL": url, "LLM_IM__STORAGE__ALLOW_UNSAFE_DURABILITY": "true"}


@pytest.fixture(scope="module", params=ABLE)
def guarded(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, cluster: Cluster
) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("papers")
    papers = make_papers(folder)
    if request.param == "terminator":
        database = with_owner(cluster)
        door = Terminator(cluster.port, papers.context())
        yield Guarded(door.port, database, papers)
        door.stop()
        return
    programs = programs_with_tls()
    assert programs is not None
    server = cluster_with_tls(programs, papers)
    yield Guarded(server.port, with_owner(server), papers)
    server.remove()


def with_owner(cluster: Cluster) -> str:
    cluster.sql("DO $$ BEGIN CREATE ROLE app LOGIN; EXCEPTION WHEN duplicate_object THEN END $$")
    name = cluster.create()
    cluster.sql(f"ALTER DATABASE {name} OWNER TO app")
    return name


async def told(env: dict[str, str], folder: Path) -> str:
    """What the server says before it ends."""
    finished = await command("serve", env={**env, "API_PORT": "0", "GRPC_PORT": "0"}, cwd=folder)
    assert finished.code == 1, finished.out
    assert SECRET not in finished.err
    return finished.err.strip().splitlines()[-1]


async def test_with_the_right_ca_and_name_the_server_works(guarded: Guarded) -> None:
    env = guarded.env(sslmode="verify-full", sslrootcert=guarded.papers.ca)
    async with running_server(env=env) as server, IncidentClient(server.grpc) as client:
        answer = await client.submit_event(pb.Event(source="proof", title="it fails"))
        assert answer.incident_id
        assert SECRET not in server.log


async def test_a_ca_that_did_not_sign_is_refused(guarded: Guarded, tmp_path: Path) -> None:
    for mode in ("verify-full", "verify-ca"):
        line = await told(guarded.env(sslmode=mode, sslrootcert=guarded.papers.other_ca), tmp_path)
        assert "PostgreSQL's certificate is not trusted" in line
        assert "right CA with sslrootcert" in line


async def test_a_certificate_for_another_host_is_refused_when_the_host_counts(guarded: Guarded, tmp_path: Path) -> None:
    env = guarded.env("127.0.0.1", sslmode="verify-full", sslrootcert=guarded.papers.ca)
    line = await told(env, tmp_path)
    assert "certificate is not valid for '127.0.0.1'" in line
    assert "host name that the certificate is for" in line
    env = guarded.env("127.0.0.1", sslmode="verify-ca", sslrootcert=guarded.papers.ca)
    assert (await command("migrate", env=env, cwd=tmp_path)).code == 0


async def test_without_a_ca_there_is_nothing_to_check_by(guarded: Guarded, tmp_path: Path) -> None:
    env = {**guarded.env(sslmode="verify-full"), "HOME": str(tmp_path)}
    assert "name the CA's file with sslrootcert" in await told(env, tmp_path)


async def test_without_its_own_certificate_a_client_is_sent_away(guarded: Guarded, tmp_path: Path) -> None:
    env = guarded.env(sslmode="verify-full", sslrootcert=guarded.papers.ca, sslcert="", sslkey="")
    line = await told({**env, "HOME": str(tmp_path)}, tmp_path)
    assert "sslcert and sslkey" in line


async def test_a_key_that_does_not_belong_to_the_certificate_is_told(guarded: Guarded, tmp_path: Path) -> None:
    papers = guarded.papers
    env = guarded.env(sslmode="verify-full", sslrootcert=papers.ca, sslkey=papers.server_key)
    assert "PEM files that belong together" in await told(env, tmp_path)


async def test_without_tls_a_client_is_sent_away(guarded: Guarded, tmp_path: Path) -> None:
    line = await told(guarded.env(sslmode="disable", sslcert="", sslkey=""), tmp_path)
    assert "if that asks for TLS" in line

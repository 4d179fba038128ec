"""What an application installs: two small wheels that bring no server, are typed, and do what their pages say."""

import asyncio
import hashlib
import ssl
import sys
import tarfile
import zipfile
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import pytest_asyncio

import llm_incident_manager
from examples.reference_services.__main__ import CONFIG
from examples.reference_services.serving import serving
from llm_incident_client import IncidentClient
from tests.support import markdown, wheelhouse
from tests.support.command import command
from tests.support.proxy import Proxy
from tests.support.server import RunningServer, free_port, running_server
from tools import sdk, shell

pytestmark = pytest.mark.asyncio(loop_scope="module")
TLS = Path(__file__).parent.parent / "support" / "tls"
PAGES = ("clients/README.md", "generated/README.md", "README.md")
EMBEDDED = "import llm_incident_manager", "from llm_incident_manager"
"""What a program for the server's own distribution begins with: tests/scenario/test_embedded.py runs those."""
PROGRAMS = [
    block
    for page in PAGES
    for block in markdown.blocks(shell.ROOT / page, "python")
    if not block.text.startswith(EMBEDDED)
]
OF_SERVICES = markdown.blocks(shell.ROOT / "docs/clients.md", "python")
"""Programs for services that show their certificates."""
SECONDS = 60.0


ALL = (sdk.PROTO, sdk.CLIENT, sdk.SERVER)
Built = dict[str, Path]
"""Wheels and sdists by the name of the folder they are made from, a blank, and how the file ends."""


def build_all(out: Path) -> Built:
    with ThreadPoolExecutor() as pool:
        made = pool.map(lambda one: [(one.folder, file) for file in sdk.build(one, out)], ALL)
        return {f"{folder} {file.suffix}": file for files in made for folder, file in files}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build_all(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def python(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with the wheels of the generated code and the client, and what they ask for."""
    wheels = [built["generated .whl"], built["clients .whl"]]
    return wheelhouse.fresh(tmp_path_factory.mktemp("fresh"), wheels, extra="typing,edge-agent")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[RunningServer]:
    async with running_server() as started:
        yield started


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def secure_port(server: RunningServer) -> AsyncIterator[int]:
    """Where the server is reached by TLS, for which ca.pem vouches."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(TLS / "certificate.pem", TLS / "key.pem")
    context.set_alpn_protocols(["h2"])
    async with Proxy("127.0.0.1", server.grpc_port, tls=context) as proxy:
        yield proxy.port


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def certified(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningServer]:
    """A server that requires the certificates of `certs dev`, which are beside its data, and has reference services."""
    folder = tmp_path_factory.mktemp("certified")
    made = await command("certs", "dev", "--out", "certs", cwd=folder)
    own = made.out.replace("certs/", f"{folder}/certs/")
    operator = ssl.create_default_context(cafile=str(folder / "certs" / "ca.pem"))
    operator.load_cert_chain(folder / "certs" / "operator.pem", folder / "certs" / "operator-key.pem")
    async with (
        serving() as port,
        running_server(config=own + CONFIG.format(port=port), folder=folder, tls=operator) as started,
    ):
        yield started


async def run(*command: str | Path, cwd: Path) -> tuple[int, str, str]:
    """Runs a program with none of this process's Python settings; its exit code and both outputs."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=cwd, env={"PATH": "/usr/bin:/bin"}, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(SECONDS):
        out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


def names(wheel: Path) -> set[str]:
    return set(zipfile.ZipFile(wheel).namelist())


def wheel_metadata(wheel: Path) -> str:
    [name] = [one for one in names(wheel) if one.endswith("METADATA")]
    return zipfile.ZipFile(wheel).read(name).decode()


async def test_the_same_sources_give_the_same_bytes(built: Built, tmp_path: Path) -> None:
    again = build_all(tmp_path)
    hashes = [
        {what: hashlib.sha256(file.read_bytes()).hexdigest() for what, file in files.items()}
        for files in (built, again)
    ]
    assert hashes[0] == hashes[1]
    assert len(hashes[0]) == 6


@pytest.mark.parametrize(("folder", "package"), [
    ("generated", "incidentmanager"), ("clients", "llm_incident_client"), (".", "llm_incident_manager"),
])  # fmt: skip
async def test_a_wheel_is_typed_licensed_and_described(built: Built, folder: str, package: str) -> None:
    wheel = built[f"{folder} .whl"]
    assert f"{package}/py.typed" in names(wheel)
    assert any(name.endswith("/licenses/LICENSE") for name in names(wheel))
    assert not [name for name in names(wheel) if "test" in name.lower() or "__pycache__" in name]
    told = wheel_metadata(wheel)
    assert "Classifier: Typing :: Typed" in told
    assert "Description-Content-Type: text/markdown" in told
    assert f"\n# {(shell.ROOT / folder / 'README.md').read_text('utf-8').splitlines()[0][2:]}\n" in told


async def test_all_distributions_are_of_one_version(built: Built) -> None:
    wheels = [file for file in built.values() if file.suffix == ".whl"]
    assert {wheel.name.split("-")[1] for wheel in wheels} == {llm_incident_manager.__version__}


async def test_the_client_depends_on_nothing_of_the_server(built: Built) -> None:
    told = wheel_metadata(built["clients .whl"]) + wheel_metadata(built["generated .whl"])
    asked = {
        line.split(" ", 1)[1]
        for line in told.splitlines()
        if line.startswith("Requires-Dist: ") and "extra" not in line
    }
    found = {one.split("=")[0].split(">")[0].split("<")[0] for one in asked}
    assert found == {
        "googleapis-common-protos", "grpcio", "grpcio-status", "llm-incident-manager-proto", "protobuf",
    }  # fmt: skip


async def test_the_servers_wheel_brings_what_it_reads(built: Built) -> None:
    _, listing, _ = await run("git", "ls-files", "server", "migrations", cwd=shell.ROOT)
    files = {name for name in listing.splitlines() if (shell.ROOT / name).is_file()}
    read = {
        name.replace("migrations/", "llm_incident_manager/_migrations/", 1)
        if name.startswith("migrations/")
        else name.removeprefix("server/")
        for name in files
    }
    assert read - names(built[". .whl"]) == set()
    assert {Path(name).suffix for name in read} >= {".py", ".sql", ".yaml"}


async def test_a_server_runs_from_its_wheel(built: Built, tmp_path: Path) -> None:
    packages = tmp_path / "packages"
    for one in ALL:
        zipfile.ZipFile(built[f"{one.folder} .whl"]).extractall(packages)  # noqa: S202 - made by ourselves
    where = f"import sys; sys.path.insert(0, {str(packages)!r}); import llm_incident_manager as it; print(it.__file__)"
    _, loaded, _ = await run(sys.executable, "-c", where, cwd=tmp_path)
    assert loaded.startswith(str(packages))
    async with running_server(env={"PYTHONPATH": str(packages)}) as server, IncidentClient(server.grpc) as client:
        created = await client.create_incident("app", "served from a wheel")
        assert (await client.get_incident(created.number)).id == created.id  # routed meanwhile, or not yet


async def test_an_sdist_holds_what_a_build_needs_and_no_more(built: Built) -> None:
    with tarfile.open(built["clients .gz"]) as tar:
        members = {name.partition("/")[2] for name in tar.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "llm_incident_client/sync/client.py"} <= members
    assert not [name for name in members if "test" in name]


async def test_a_fresh_environment_has_the_client_and_not_the_server(python: Path, tmp_path: Path) -> None:
    listing = "from importlib.metadata import distributions as all; print(*sorted(one.name for one in all()))"
    _, out, _ = await run(python, "-c", f"import llm_incident_client.sync; {listing}", cwd=tmp_path)
    assert out.split() == [
        "PyYAML", "googleapis-common-protos", "grpcio", "grpcio-status", "llm-incident-client",
        "llm-incident-manager-proto", "protobuf", "psutil", "types-grpcio", "types-protobuf", "typing_extensions",
    ]  # fmt: skip
    code, _, err = await run(python, "-c", "import llm_incident_manager", cwd=tmp_path)
    assert code == 1
    assert "ModuleNotFoundError" in err


async def test_an_edge_agent_runs_from_the_wheel(python: Path, server: RunningServer, tmp_path: Path) -> None:
    without = "import sys; sys.modules['yaml'] = sys.modules['psutil'] = None"
    code, _, err = await run(
        python, "-c", f"{without}; from llm_incident_client.edge_agent import EdgeAgentClient", cwd=tmp_path
    )
    assert code == 0, err
    settings = tmp_path / "agent.yaml"
    port = free_port()
    settings.write_text(
        f"agent: {{id: wheel}}\nserver: {{address: '{server.grpc}'}}\nlocal: {{port: {port}}}\n", "utf-8"
    )
    program = python.parent / "llm-edge-agent"
    process = await asyncio.create_subprocess_exec(program, "run", "--config", settings, cwd=tmp_path)
    async with asyncio.timeout(SECONDS):
        told = ""
        while '"connected": true' not in told:
            code, told, _ = await run(program, "status", "--config", settings, cwd=tmp_path)
        process.terminate()
        assert await process.wait() == 0
    async with IncidentClient(server.grpc) as client:
        found = await client.get_edge_agent("wheel")
    assert (list(found.capabilities.models), found.version) == (
        ["classify", "redact"],
        llm_incident_manager.__version__,
    )


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda block: block.place)
async def test_a_program_of_a_page_runs_as_it_stands(
    program: markdown.Block, python: Path, server: RunningServer, secure_port: int, tmp_path: Path
) -> None:
    (tmp_path / "ca.pem").write_bytes((TLS / "certificate.pem").read_bytes())
    text = program.text.replace("localhost:50051", server.grpc)
    (tmp_path / "program.py").write_text(text.replace("incidents.example.com:443", f"localhost:{secure_port}"), "utf-8")
    code, out, err = await run(python, "program.py", cwd=tmp_path)
    assert (code, err) == (0, "")
    assert out.strip(), "it shows its reader something"


@pytest.mark.parametrize("program", OF_SERVICES, ids=lambda block: block.place)
async def test_a_service_gets_in_with_its_certificate_as_the_page_shows(
    program: markdown.Block, python: Path, certified: RunningServer, tmp_path: Path
) -> None:
    (tmp_path / "certs").symlink_to(certified.folder / "certs")
    (tmp_path / "program.py").write_text(program.text.replace("localhost:50051", certified.grpc), "utf-8")
    code, out, err = await run(python, "program.py", cwd=tmp_path)
    assert (code, err) == (0, "")
    assert out.strip(), "it shows its reader something"


async def test_the_pages_have_programs_of_every_kind() -> None:
    text = "".join(program.text for program in (*PROGRAMS, *OF_SERVICES))
    for word in ("asyncio.run", "event_stream", "watch", "errors.", "Tls(", "RetryPolicy", "ServiceStub"):
        assert word in text, word
    for word in ("SentinelClient(", "ShieldClient(", "GovernanceClient(", "feedback(", "Observer", "RateLimit("):
        assert word in text, word


WRONG = """
from llm_incident_client.sync import IncidentClient

with IncidentClient() as client:
    client.acknowledge(42)
    client.get_incident("x").no_such_field
    client.acknowledge("x", actr="ann")
"""


async def test_the_installed_packages_are_typed_from_outside(python: Path, tmp_path: Path) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    for number, program in enumerate((*PROGRAMS, *OF_SERVICES)):
        (programs / f"program_{number}.py").write_text(program.text, "utf-8")
    (programs / "wrong.py").write_text(WRONG, "utf-8")
    options = ("--strict", "--config-file=", "--python-executable", python, "--cache-dir", tmp_path / "cache")
    code, out, _ = await run(sys.executable, "-m", "mypy", *options, ".", cwd=programs)
    problems = [line for line in out.splitlines() if ": error: " in line]
    assert code == 1
    assert [line.split(":")[0] for line in problems] == ["wrong.py"] * 3, out
    for word in ('"int"; expected "str"', "no_such_field", '"actr"'):
        assert word in out


async def test_client_and_server_are_installed_together_without_a_conflict(tmp_path: Path) -> None:
    code, out, err = await run(sys.executable, "-m", "pip", "--isolated", "check", cwd=tmp_path)
    assert (code, err) == (0, ""), out

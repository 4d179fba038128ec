"""A stranger with nothing but an address finds out what the server is, and whether it serves: reflection and health."""

import asyncio
import json
import shutil

import pytest

from llm_incident_manager.transport import methods
from tests.support.server import RunningServer
from tools import shell

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONTRACT = [service.full_name for service in methods.services()]
STANDARD = ["grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"]
HEALTH = "grpc.health.v1.Health/Check"


async def grpcurl(server: RunningServer, *arguments: str, options: tuple[str, ...] = ()) -> tuple[int, str]:
    """Exit code and everything grpcurl printed; it knows no .proto file of ours."""
    program = shutil.which("grpcurl", path=shell.SEARCH)
    assert program is not None, "run `make setup`"
    process = await asyncio.create_subprocess_exec(
        program,
        "-plaintext",
        "-max-time",
        "10",
        *options,
        server.grpc,
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed, _ = await process.communicate()
    return await process.wait(), printed.decode()


async def test_list_names_the_services(server: RunningServer) -> None:
    code, printed = await grpcurl(server, "list")
    assert code == 0, printed
    assert sorted(printed.split()) == sorted([*CONTRACT, *STANDARD])


@pytest.mark.parametrize("service", CONTRACT)
async def test_describe_names_every_method_with_its_messages(server: RunningServer, service: str) -> None:
    code, printed = await grpcurl(server, "describe", service)
    assert code == 0, printed
    assert f"{service} is a service" in printed
    for method in (method for method in methods.all_methods() if method.service == service):
        assert f"rpc {method.name} (" in printed
        assert f".{method.request.DESCRIPTOR.full_name} )" in printed


async def test_a_message_is_described_with_its_fields(server: RunningServer) -> None:
    code, printed = await grpcurl(server, "describe", "incidentmanager.v1.Event")
    assert code == 0, printed
    assert "string source = " in printed
    assert "string title = " in printed


async def test_an_unknown_symbol_is_refused(server: RunningServer) -> None:
    code, printed = await grpcurl(server, "describe", "incidentmanager.v1.Nothing")
    assert code != 0
    assert "not found" in printed.lower()


async def test_a_call_by_reflection_alone_succeeds(server: RunningServer) -> None:
    event = {"event": {"source": "grpcurl", "title": "Called by reflection"}}
    code, printed = await grpcurl(
        server, "incidentmanager.v1.IngestService/SubmitEvent", options=("-d", json.dumps(event))
    )
    assert code == 0, printed
    assert json.loads(printed)["status"] == "accepted", printed


@pytest.mark.parametrize("service", ["", *CONTRACT])
async def test_health_says_serving_for_the_server_and_each_service(server: RunningServer, service: str) -> None:
    code, printed = await grpcurl(server, HEALTH, options=("-d", json.dumps({"service": service})))
    assert code == 0, printed
    assert json.loads(printed) == {"status": "SERVING"}


async def test_health_of_a_service_nobody_offers_is_not_found(server: RunningServer) -> None:
    code, printed = await grpcurl(server, HEALTH, options=("-d", '{"service": "not-found"}'))
    assert code != 0
    assert "NotFound" in printed

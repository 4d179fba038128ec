"""The command line: `llm-edge-agent run --config FILE`, `llm-edge-agent status --config FILE`."""

import argparse
import asyncio
import http.client
import json
import logging
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from llm_incident_client.edge_agent.agent import EdgeAgent
from llm_incident_client.edge_agent.directives import handling
from llm_incident_client.edge_agent.directives.handling import DirectiveHandler
from llm_incident_client.edge_agent.directives.publishing import Publish
from llm_incident_client.edge_agent.local import LocalDoor
from llm_incident_client.edge_agent.models import running
from llm_incident_client.edge_agent.models.running import Model
from llm_incident_client.edge_agent.settings import BadSettings, Settings, read
from llm_incident_client.edge_agent.spool import SpoolBroken, SpoolInUse, UnknownFile, state

_log = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command. Returns the exit code: 1 when the agent failed or does not run, 2 for settings that are wrong."""
    parser = argparse.ArgumentParser(prog="llm-edge-agent", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (("run", "run the agent until SIGTERM"), ("status", "show how the agent stands, as JSON")):
        command = commands.add_parser(name, help=text)
        command.add_argument("--config", type=Path, required=True, metavar="FILE", help="the agent's settings, YAML")
    options = parser.parse_args(arguments)
    try:
        settings = read(options.config)
        if options.command == "status":
            return _status(settings)
        handlers, models = _handlers(settings), _models(settings)
    except BadSettings as error:
        print(f"llm-edge-agent: {error}", file=sys.stderr)
        return 2
    return _run(settings, handlers, models)


def _run(settings: Settings, handlers: Mapping[str, DirectiveHandler], models: Mapping[str, Model]) -> int:
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        asyncio.run(_serve(settings, handlers, models))
    except (SpoolInUse, SpoolBroken, UnknownFile, OSError) as error:
        print(f"llm-edge-agent: {error}", file=sys.stderr)
        return 1
    return 0


async def _serve(settings: Settings, handlers: Mapping[str, DirectiveHandler], models: Mapping[str, Model]) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with (
        EdgeAgent(settings.agent, handlers=handlers, models=models) as agent,
        LocalDoor(agent, settings.host, settings.port) as door,
    ):
        _log.info("agent %s listens on %s:%d", settings.agent.agent_id, settings.host, door.port)
        assert agent.failed is not None
        stop = asyncio.create_task(stopping.wait())
        await asyncio.wait((stop, agent.failed), return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if agent.failed.done():
            agent.failed.result()
        _log.info("stopping: %d events wait", agent.spool.waiting)


def _handlers(settings: Settings) -> dict[str, DirectiveHandler]:
    found = handling.installed(settings.handlers)
    if missing := set(settings.handlers or ()) - set(found):
        raise BadSettings(f"directives.handlers: no installed package offers {', '.join(sorted(missing))}")
    found |= {action: Publish() for action in settings.publish}
    try:
        handling.Registry(found)
    except ValueError as error:
        raise BadSettings(f"directives.publish: {error}") from error
    return found


def _models(settings: Settings) -> dict[str, Model]:
    found = running.installed(settings.models)
    if missing := set(settings.models or ()) - set(found):
        raise BadSettings(f"models.names: no installed package offers {', '.join(sorted(missing))}")
    return found


def _status(settings: Settings) -> int:
    connection = http.client.HTTPConnection(settings.host, settings.port, timeout=5)
    try:
        connection.request("GET", "/status")
        told: dict[str, Any] = json.loads(connection.getresponse().read())
    except (OSError, ValueError, http.client.HTTPException):
        left = state.load(settings.agent.data / "spool")
        told = {"agent_id": settings.agent.agent_id, "running": False}
        if left is not None:
            told["spool"] = {"settled": sum(left.results.values()), "given_up": left.given_up, "results": left.results}
        print(json.dumps(told, indent=2))
        return 1
    finally:
        connection.close()
    print(json.dumps(told, indent=2))
    return 0


def console() -> None:
    """What the console command starts."""
    sys.exit(main())

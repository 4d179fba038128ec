"""`python -m examples.llm_proxy --config FILE`: runs until SIGTERM or Ctrl-C."""

import argparse
import asyncio
import logging
import signal
from pathlib import Path
from typing import Any

import yaml
from aiohttp import web

from examples.llm_proxy.obeying import ACTIONS, Directives, Obey
from examples.llm_proxy.serving import Proxy, Upstream
from examples.llm_proxy.watching import Thresholds, Watch
from llm_incident_client.edge_agent import EdgeAgent, settings


async def serve(config: dict[str, Any]) -> None:
    """Serves until the process is asked to end."""
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    upstreams = {model: Upstream(url=given.pop("upstream"), **given) for model, given in config["models"].items()}
    watch, directives = Watch(Thresholds(**config.get("watch", {}))), Directives()
    handler = Obey(directives, upstreams)
    agent = EdgeAgent(
        settings.parse(config["edge_agent"]).agent,
        handlers=dict.fromkeys(ACTIONS, handler),
        gauges=lambda: {"error_ratio": max(watch.ratios().values(), default=0.0)},
    )
    async with agent:
        runner = web.AppRunner(Proxy(upstreams, watch, directives, agent).application())
        await runner.setup()
        try:
            await web.TCPSite(runner, config.get("host", "127.0.0.1"), config.get("port", 8080)).start()
            assert agent.failed is not None
            stop = asyncio.create_task(stopping.wait())
            await asyncio.wait((stop, agent.failed), return_when=asyncio.FIRST_COMPLETED)
            stop.cancel()
        finally:
            await runner.cleanup()


def main() -> None:
    """Reads the settings and serves."""
    parser = argparse.ArgumentParser(prog="python -m examples.llm_proxy", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="settings, for instance proxy.yaml beside this file")
    logging.basicConfig(level="INFO")
    asyncio.run(serve(yaml.safe_load(parser.parse_args().config.read_text("utf-8"))))


if __name__ == "__main__":
    main()

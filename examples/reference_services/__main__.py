"""Starts the three services behind one port and prints what to put into config.yaml."""

import argparse
import asyncio

from examples.reference_services.serving import serving

CONFIG = """\
outbound:
  allow: [127.0.0.1]
integrations:
  sentinel: {{target: "127.0.0.1:{port}", tls: false}}
  shield: {{target: "127.0.0.1:{port}", tls: false}}
  governance: {{target: "127.0.0.1:{port}", tls: false}}
"""


async def main() -> None:
    """Serves until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m examples.reference_services", description=__doc__)
    parser.add_argument("--port", type=int, default=50060)
    async with serving(parser.parse_args().port) as port:
        print(CONFIG.format(port=port), flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())

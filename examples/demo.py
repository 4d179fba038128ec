"""`make demo`: a server of its own, a day of events replayed into it, and what to look at. Leaves nothing behind.

`make demo ARGS=--stay` keeps the server running until Ctrl-C, to try the printed commands.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from examples.make_day import FILE
from tools.ports import free_port

COMMAND = (sys.executable, "-m", "llm_incident_manager")
START_SECONDS = 30.0


class Server:
    """A server on free ports with its data in a folder."""

    def __init__(self, folder: Path) -> None:
        """Only decides where; `running` starts it."""
        self.http, self.grpc = free_port(), free_port()
        self._folder = folder
        self._env = {
            **os.environ,
            "API_PORT": str(self.http),
            "GRPC_PORT": str(self.grpc),
            "DATABASE_URL": f"sqlite:///{folder}/data",
            "LOG_LEVEL": "warning",
        }

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """The server answers within this block; afterwards it has ended in good order."""
        process = subprocess.Popen((*COMMAND, "serve"), env=self._env, cwd=self._folder)
        try:
            self._wait(process)
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(START_SECONDS)

    def _wait(self, process: "subprocess.Popen[bytes]") -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise SystemExit(f"the server ended with {process.returncode}")
            with contextlib.suppress(urllib.error.URLError, ConnectionError):
                self.get("/health/ready")
                return
            time.sleep(0.05)
        raise SystemExit(f"the server was not ready within {START_SECONDS:g} s")

    def get(self, path: str) -> Any:  # noqa: ANN401 - JSON is anything
        """The JSON answer to a GET."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http}{path}", timeout=5) as answer:
            return json.load(answer)

    def command(self, *arguments: str) -> None:
        """Shows and runs a command of llm-incident-manager against the server."""
        say("\n$ llm-incident-manager " + " ".join(f"'{one}'" if " " in one else one for one in arguments))
        address = {"LLM_IM_ADDRESS": f"127.0.0.1:{self.grpc}"}
        subprocess.run((*COMMAND, *arguments), env={**os.environ, **address}, check=True)


def say(text: str) -> None:
    """Prints at once, so that it stands before what commands print."""
    print(text, flush=True)


def show(server: Server) -> None:
    """The tour."""
    say("A day of a company whose products stand on language models, ending now:")
    server.command("replay", os.path.relpath(FILE), "--now")
    say("\nEvery event has one disposition; nearly all joined an open incident. The worst that are still open:")
    server.command("incident", "list", "--open", "--severity", "P1", "--order-by", "severity desc", "--limit", "12")
    say("\nBlocked prompts are P3. One reached a tool, which raised its incident:")
    number = injection(server)
    server.command("incident", "timeline", number)
    server.command("incident", "ack", number, "--actor", "ann")
    server.command("incident", "resolve", number, "--actor", "ann", "--root-cause", "retries went around the guard")
    say("\nReplayed once more, nothing happens: every event is known.")
    server.command("replay", os.path.relpath(FILE), "--now")


def injection(server: Server) -> str:
    """Number of the incident of the prompt injection campaign."""
    found = server.get("/api/v1/incidents?filter=kind%20%3D%20%22prompt_injection.direct%22")
    number: str = found["incidents"][0]["number"]
    return number


def look_around(server: Server) -> str:
    """Commands to try while the server runs."""
    return f"""
The same over HTTP and gRPC:
  curl -s 'localhost:{server.http}/api/v1/incidents?page_size=3'
  curl -s -X POST localhost:{server.http}/api/v1/events -H 'content-type: application/json' \\
       -d '{{"source": "me", "title": "it is slow", "kind": "latency_slo", "metrics": {{"latency_p95_seconds": 7.2}}}}'
  curl -s localhost:{server.http}/metrics | grep -v '^#' | head
  grpcurl -plaintext localhost:{server.grpc} list
  grpcurl -plaintext -d '{{"filter": "severity >= P1"}}' localhost:{server.grpc} \\
       incidentmanager.v1.IncidentService/ListIncidents
  llm-incident-manager --address localhost:{server.grpc} incident watch --snapshot
"""


def main() -> None:
    """Runs the demonstration."""
    stay = "--stay" in sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="llm-im-demo-") as folder:
        server = Server(Path(folder))
        with server.running():
            show(server)
            say(look_around(server))
            if stay:
                say("The server runs until Ctrl-C.")
                with contextlib.suppress(KeyboardInterrupt):
                    signal.pause()
            else:
                say("The server ends now; `make demo ARGS=--stay` keeps it running to try these.")


if __name__ == "__main__":
    main()

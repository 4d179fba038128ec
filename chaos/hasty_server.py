"""The product's own command line with short leases, so that what waits for one to end need not wait for a minute."""

import os
from collections.abc import Mapping

from llm_incident_manager.__main__ import main
from llm_incident_manager.pipeline import outbox, timers
from tools.shell import ROOT

PROGRAM = "chaos.hasty_server"
LEASE = "CHAOS_LEASE"


def environment(lease_seconds: int) -> Mapping[str, str]:
    """What a server of this program has to be started with."""
    return {"PYTHONPATH": str(ROOT), LEASE: str(lease_seconds)}


if __name__ == "__main__":
    outbox.LEASE_SECONDS = timers.LEASE_SECONDS = int(os.environ[LEASE])
    main()

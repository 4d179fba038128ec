"""The product's own command line on a disk of ours: `python -m chaos.disk_server serve`."""

import os
from collections.abc import Mapping
from pathlib import Path

from chaos.disk import Disk
from llm_incident_manager.__main__ import main
from llm_incident_manager.adapters.sqlite import writer
from tools.shell import ROOT

IMAGES, ORDER, ACKS, SEED, LOG_PAGES = "CHAOS_IMAGES", "CHAOS_ORDER", "CHAOS_ACKS", "CHAOS_SEED", "CHAOS_LOG_PAGES"
PROGRAM = "chaos.disk_server"


def environment(seed: str, **places: Path) -> Mapping[str, str]:
    """What a server of this program has to be started with. `places`: images, order, acks."""
    named = {f"CHAOS_{name.upper()}": str(path) for name, path in places.items()}
    return {"PYTHONPATH": str(ROOT), SEED: seed, LOG_PAGES: "200", **named}


def _path(name: str) -> Path | None:
    return Path(os.environ[name]) if name in os.environ else None


def _serve() -> None:
    # The log is moved into the file far more often than usual, so that many of the flushes belong to that.
    writer.LOG_PAGES = int(os.environ[LOG_PAGES])
    disk = Disk(images=_path(IMAGES), order=_path(ORDER), acks=_path(ACKS), seed=os.environ[SEED])
    main()
    del disk


if __name__ == "__main__":
    _serve()

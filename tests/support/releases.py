"""Earlier releases, unpacked from their wheels: which code a process runs is decided by its PYTHONPATH alone.

TEST_RELEASE names the older of the two sides of a run of the client suite: tests of what came later (marker `since`)
are left out. TEST_SERVER_PATH is the PYTHONPATH of server processes, where it differs from the suite's own.
"""

import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "compat" / "releases"
CLIENT = ("llm_incident_manager_proto", "llm_incident_client")
SERVER = (*CLIENT, "llm_incident_manager")


@dataclass(frozen=True)
class Release:
    """A version, and folders that hold its packages: those of an application, and those of a server."""

    version: str
    client: Path
    server: Path


def versions() -> list[str]:
    """All releases whose wheels are kept."""
    return sorted(path.name for path in FOLDER.iterdir() if path.is_dir())


def unpack(version: str, to: Path) -> Release:
    """Unpacks the wheels of a release into two folders below `to`."""
    release = Release(version, to / "client", to / "server")
    for folder, names in ((release.client, CLIENT), (release.server, SERVER)):
        for name in names:
            with zipfile.ZipFile(FOLDER / version / f"{name}-{version}-py3-none-any.whl") as wheel:
                wheel.extractall(folder)
    return release


def older_side() -> str | None:
    """The release that this run of the suite must fit; None for the code of this tree on both sides."""
    return os.environ.get("TEST_RELEASE")


def server_environment() -> Mapping[str, str]:
    """What makes a server process run the code it should."""
    path = os.environ.get("TEST_SERVER_PATH")
    return {} if path is None else {"PYTHONPATH": path}


def is_older(version: str, than: str) -> bool:
    """Whether one version comes before another, both being numbers and dots."""
    return _numbers(version) < _numbers(than)


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]

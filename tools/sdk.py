"""Builds our distributions into dist/, an sdist and a wheel each: the same sources give the same bytes.

Without arguments the generated code and the client, which together are what an application installs; `--server` adds
the server. Needs no network: the build back end is the pinned setuptools of .venv. SOURCE_DATE_EPOCH sets the dates.
"""

import argparse
import gzip
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tools import shell

DIST = shell.ROOT / "dist"
FIRST_DATE = 315_532_800  # 1980-01-01: a date that says nothing, the first that a zip file knows
JUNK = shutil.ignore_patterns("__pycache__", "*.py[cod]", "*.egg-info", ".*")
BUILD = "import sys; from setuptools import build_meta; getattr(build_meta, sys.argv[1])(sys.argv[2])"


class BuildFailed(Exception):
    """The build back end failed; what it wrote is the message."""


@dataclass(frozen=True)
class Distribution:
    """A folder with a pyproject.toml, and what of it is built."""

    folder: str
    packages: tuple[str, ...]

    def copy(self, to: Path) -> None:
        """The sources with plain modes and without what previous builds and runs left; links become files."""
        source = shell.ROOT / self.folder
        to.mkdir()
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copyfile(source / name, to / name)
        for name in self.packages:
            shutil.copytree(source / name, to / name, ignore=JUNK, copy_function=shutil.copyfile)
        for path in to.rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)


PROTO = Distribution("generated", ("incidentmanager", "buf"))
CLIENT = Distribution("clients", ("llm_incident_client",))
SERVER = Distribution(".", ("server",))


def build(distribution: Distribution, out: Path) -> tuple[Path, Path]:
    """Builds the sdist, and the wheel from what is in it. Returns both files, below `out`; raises BuildFailed."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        sources, made, unpacked = (Path(folder) / name for name in ("sources", "made", "unpacked"))
        distribution.copy(sources)
        _build("build_sdist", sources, made)
        [archive] = made.iterdir()
        sdist = out / archive.name
        normalise(archive, sdist)
        with tarfile.open(sdist) as tar:
            tar.extractall(unpacked, filter="data")
        [tree] = unpacked.iterdir()
        _build("build_wheel", tree, out)
        wheel = out / f"{tree.name}-py3-none-any.whl"
    return sdist, wheel


def _build(what: str, folder: Path, out: Path) -> None:
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(epoch()), "PYTHONHASHSEED": "0"}
    out.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-c", BUILD, what, out.resolve()],
        cwd=folder, env=environment, umask=0o022, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        encoding="utf-8",
    )  # fmt: skip
    if done.returncode:
        raise BuildFailed(f"{what} in {folder.name} failed:\n{done.stdout[-4000:]}")


def epoch() -> int:
    """Seconds since 1970 that stand for the dates of all files. Raises ValueError when SOURCE_DATE_EPOCH is none."""
    return int(os.environ.get("SOURCE_DATE_EPOCH") or FIRST_DATE)


def normalise(archive: Path, to: Path) -> None:
    """Rewrites a .tar.gz without what differs from build to build: order, dates, owners."""
    with (
        tarfile.open(archive) as old,
        to.open("wb") as raw,
        gzip.GzipFile("", "wb", fileobj=raw, mtime=epoch()) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as new,
    ):
        for member in sorted(old.getmembers(), key=lambda one: one.name):
            member.mtime, member.uid, member.gid, member.uname, member.gname = epoch(), 0, 0, "", ""
            member.mode = 0o755 if member.isdir() else 0o644
            member.pax_headers = {}
            new.addfile(member, old.extractfile(member) if member.isfile() else None)


def main() -> int:
    """Prints each file with its SHA-256. Returns the exit code: 1 when a build fails."""
    parser = argparse.ArgumentParser(prog="python -m tools.sdk", description=__doc__)
    parser.add_argument("--server", action="store_true", help="build the server as well")
    parser.add_argument("--out", type=Path, default=DIST, help="folder for the files, dist/ by default")
    arguments = parser.parse_args()
    for distribution in (PROTO, CLIENT, *([SERVER] if arguments.server else [])):
        try:
            files = build(distribution, arguments.out)
        except BuildFailed as error:
            print(error, file=sys.stderr)
            return 1
        for file in files:
            print(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {os.path.relpath(file)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Writes requirements.lock: every run-time and development dependency, pinned with hashes and without an index address.

`--check` compares the hash of the dependency tables with the one in the lock's first line, so it works offline. It
never installs anything.
"""

import argparse
import hashlib
import json
import sys
import tomllib
from pathlib import Path
from typing import Any

from tools import shell

LOCK = shell.ROOT / "requirements.lock"
PROJECTS = ("pyproject.toml", "generated/pyproject.toml", "clients/pyproject.toml")
OURS = ("llm-incident-manager-proto", "llm-incident-client")  # installed from this tree, so the lock must not pin them
STAMP = "# inputs-sha256: "


def dependency_tables(pyproject: Path) -> dict[str, Any]:  # any TOML value
    """Everything in a pyproject.toml that decides what the resolver is asked for."""
    content = tomllib.loads(pyproject.read_text("utf-8"))
    project = content["project"]
    return {
        "build": content["build-system"]["requires"],
        "dependencies": project["dependencies"],
        "groups": content.get("dependency-groups", {}),
        "optional": project.get("optional-dependencies", {}),
        "python": project["requires-python"],
    }


def stamp() -> str:
    """The first line of a fresh lock: a hash over the tables of all our distributions; comments do not count."""
    tables = {name: dependency_tables(shell.ROOT / name) for name in PROJECTS}
    return STAMP + hashlib.sha256(json.dumps(tables, sort_keys=True).encode()).hexdigest() + "\n"


def is_fresh() -> bool:
    """Whether the lock was made from the dependency tables as they are now."""
    return LOCK.exists() and LOCK.read_text("utf-8").startswith(stamp())


def write(*, upgrade: bool) -> int:
    """Resolves for every platform and Python we support, keeping pins that still fit unless `upgrade`.

    Returns the resolver's exit code; when that is not 0 the old lock stays.
    """
    options = ["--universal", "--python-version", "3.11", "--group", "dev", "--generate-hashes"]
    options += ["--no-header", "--no-emit-index-url", "--no-emit-find-links"]
    options += [f"--no-emit-package={name}" for name in OURS]
    options += ["--upgrade"] if upgrade else []
    failed = shell.run("uv", "pip", "compile", *PROJECTS, *options, "--output-file", LOCK.name, quiet=True)
    if not failed:
        LOCK.write_text(stamp() + LOCK.read_text("utf-8"), "utf-8")
    return failed


def main() -> int:
    """Returns the exit code: 1 when `--check` finds the lock stale, the resolver's when it fails."""
    parser = argparse.ArgumentParser(prog="python -m tools.lock", description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail when the lock is stale; write nothing")
    parser.add_argument("--upgrade", action="store_true", help="move every pin to the newest version allowed")
    arguments = parser.parse_args()
    if not arguments.check:
        return write(upgrade=arguments.upgrade)
    if not is_fresh():
        print("requirements.lock does not fit the dependency tables: run `make lock`", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Runs the pinned programs of the virtual environment from the root of the repository."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SEARCH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"


class MissingProgram(Exception):
    """A program is neither in the virtual environment nor on the search path; `make setup` installs all of them."""


def run(program: str, *arguments: str | Path, quiet: bool = False) -> int:
    """Runs a program, the virtual environment's own first, and returns its exit code.

    Its output passes through; with `quiet` only what it writes to standard error does. Raises `MissingProgram`.
    """
    found = shutil.which(program, path=SEARCH)
    if found is None:
        raise MissingProgram(f"{program} is not installed: run `make setup`")
    output = subprocess.DEVNULL if quiet else None
    done = subprocess.run([found, *arguments], cwd=ROOT, env={**os.environ, "PATH": SEARCH}, stdout=output, check=False)
    return done.returncode

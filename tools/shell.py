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
    output = subprocess.DEVNULL if quiet else None
    done = subprocess.run([_find(program), *arguments], cwd=ROOT, env=_environment(), stdout=output, check=False)
    return done.returncode


def filtered(text: str, program: str, *arguments: str) -> str:
    """What a program makes of this text. Raises `MissingProgram`, or CalledProcessError when it fails."""
    command = [_find(program), *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env=_environment(), input=text, stdout=subprocess.PIPE, check=True, encoding="utf-8"
    )
    return done.stdout


def _find(program: str) -> str:
    found = shutil.which(program, path=SEARCH)
    if found is None:
        raise MissingProgram(f"{program} is not installed: run `make setup`")
    return found


def _environment() -> dict[str, str]:
    return {**os.environ, "PATH": SEARCH}

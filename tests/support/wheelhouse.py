"""Fresh virtual environments without the network: wheels are made again from what `make setup` installed.

What a wheel declares is followed through the installed distributions, and each is packed again: its own files, as its
RECORD lists them. pip then resolves and installs from that folder alone, so a dependency that a wheel forgot to declare
is missing in the new environment.
"""

import re
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

SECONDS = 120
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_NOT_PACKED = {"INSTALLER", "REQUESTED", "direct_url.json"}


def fresh(folder: Path, wheels: Iterable[Path], extra: str = "") -> Path:
    """A new environment with these wheels and what they, or this extra of them, ask for, nothing else; its Python."""
    wheels = list(wheels)
    asked = [f"{wheel}[{extra}]" for wheel in wheels] if extra else wheels
    house = folder / "wheelhouse"
    house.mkdir(parents=True)
    for distribution in _closure(wheels):
        _pack(distribution, house)
    environment = folder / "venv"
    _run(sys.executable, "-m", "venv", "--without-pip", environment)
    python = environment / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--isolated", "--disable-pip-version-check", "--python", python)
    _run(*pip, "install", "--quiet", "--no-index", "--no-compile", "--find-links", house, *asked)
    return python


def _closure(wheels: list[Path]) -> list[metadata.Distribution]:
    """The installed distributions that the wheels need, directly or not. Markers are left to pip."""
    given = {_canonical(wheel.name.partition("-")[0]) for wheel in wheels}
    found: dict[str, metadata.Distribution] = {}
    asked = [text for wheel in wheels for text in _requires(wheel)]
    while asked:
        name = _canonical(_NAME.findall(asked.pop())[0])
        if name in found or name in given:
            continue
        for distribution in metadata.distributions(name=name, path=[sysconfig.get_path("purelib")]):
            found[name] = distribution
            asked += distribution.requires or ()
        # None is for another platform or an extra; if it is needed after all, pip says so.
    return list(found.values())


def _requires(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        [name] = {one.partition("/")[0] for one in archive.namelist() if ".dist-info/" in one}
        return metadata.PathDistribution(zipfile.Path(archive, f"{name}/")).requires or []


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _pack(distribution: metadata.Distribution, house: Path) -> None:
    """Writes the distribution as a wheel again, stored without compression."""
    files = [file for file in distribution.files or () if ".." not in file.parts and "__pycache__" not in file.parts]
    [info] = {file.parts[0] for file in files if file.parts[0].endswith(".dist-info")}
    tags = re.findall(r"^Tag: (.+)$", distribution.read_text("WHEEL") or "", re.MULTILINE)
    parts = (sorted(set(part)) for part in zip(*(tag.split("-") for tag in tags), strict=True))
    name = "-".join((info.removesuffix(".dist-info"), *(".".join(part) for part in parts)))
    with zipfile.ZipFile(house / f"{name}.whl", "w") as wheel:
        for file in files:
            if file.name not in _NOT_PACKED:
                wheel.write(str(file.locate()), str(file))


def _run(*command: str | Path) -> None:
    done = subprocess.run(command, timeout=SECONDS, check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"

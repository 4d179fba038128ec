"""No file names the host of a package registry or a path of one developer's machine."""

import re
import subprocess

import pytest

from tools import shell

# In pieces, so that this file does not find itself.
REGISTRIES = (
    "pypi org",
    "pythonhosted org",
    "crates io",
    "registry npmjs org",
    "npmjs com",
    "yarnpkg com",
    "proxy golang org",
    "repo1 maven org",
    "repo maven apache org",
    "deb debian org",
)
FOLDERS = ("work", "root", "home", "Users", "tmp/probe", "tmp/lim")

HOST = "|".join(re.escape(name.replace(" ", ".")) for name in REGISTRIES)
PATH = "|".join(re.escape(name) for name in FOLDERS)
PRIVATE = re.compile(rf"\b(?:{HOST})\b|(?<![\w.$}})-])/(?:{PATH})/[\w.-]")


def committed() -> list[str]:
    """Tracked files, and new ones that nothing ignores."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=shell.ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    return [name for name in listed.split("\0") if name and (shell.ROOT / name).is_file()]


def test_no_file_names_a_registry_or_a_private_path() -> None:
    found = {}
    for name in committed():
        text = (shell.ROOT / name).read_bytes().decode("utf-8", errors="replace")
        if match := PRIVATE.search(text):
            found[name] = match.group()
    assert found == {}


@pytest.mark.parametrize(
    "text",
    [
        "see https:" + "//pypi" + ".org/project/x",
        "index = 'files.pythonhosted" + ".org'",
        "cd /wo" + "rk/main",
        '"/ro' + 'ot/.cache"',
    ],
)
def test_a_private_name_is_seen(text: str) -> None:
    assert PRIVATE.search(text)


@pytest.mark.parametrize("text", ["/api/v1/work/items", "a/home/b", "${HOME}/work/x", "google.golang.org/genproto"])
def test_a_harmless_name_is_left_alone(text: str) -> None:
    assert not PRIVATE.search(text)

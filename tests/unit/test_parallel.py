"""The suite on two processes: exclusive tests meet nobody, others meet, and skips and counts are those of one run."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.command import SECONDS
from tools import shell
from tools.ports import FIRST, LAST, free_port

TOGETHER = """
import os, time
from pathlib import Path
import pytest

@pytest.mark.parametrize("number", range(8))
def test_waits_until_another_process_has_begun_one(number):
    here = Path(__file__).with_name("begun")
    here.mkdir(exist_ok=True)
    (here / str(os.getpid())).touch()
    deadline = time.monotonic() + 20
    while len(list(here.iterdir())) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)
"""

APART = """
import time
from pathlib import Path
import pytest

@pytest.fixture(scope="module", params=range(2))
def turn(request):
    return request.param

@pytest.mark.exclusive
@pytest.mark.parametrize("number", range(6))
def test_finds_nobody(turn, number):
    mark = Path(__file__).with_name("under way")
    mark.touch(exist_ok=False)
    time.sleep(0.02)
    mark.unlink()

@pytest.mark.parametrize("number", range(6))
def test_never_meets_one_of_those(turn, number):
    assert not Path(__file__).with_name("under way").exists()
    time.sleep(0.01)
    assert not Path(__file__).with_name("under way").exists()
"""


def run(folder: Path, text: str, *arguments: str) -> tuple[int, str]:
    """Runs a small suite on two processes, with no plugins but those it names; the exit code and what came of it."""
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = exclusive: x\n", "utf-8")
    (folder / "test_it.py").write_text(text, "utf-8")
    options = ["-q", "-pxdist", "-pno:cacheprovider", "-n2", "--dist=worksteal", "-c", str(folder / "pytest.ini")]
    command = [sys.executable, "-m", "pytest", *options, *arguments, str(folder)]
    env = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(
        command, cwd=shell.ROOT, env=env, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    return done.returncode, done.stdout.strip().splitlines()[-1].partition(" in ")[0]


def test_tests_of_two_processes_run_at_the_same_time(tmp_path: Path) -> None:
    assert run(tmp_path, TOGETHER, "-ptests.support.parallel") == (0, "8 passed")


def test_an_exclusive_test_runs_while_no_other_does(tmp_path: Path) -> None:
    assert run(tmp_path, APART, "-ptests.support.parallel") == (0, "24 passed")


def test_a_skip_in_another_process_is_a_failure_as_well(tmp_path: Path) -> None:
    of_one = 'import pytest\ndef test_a(): pass\ndef test_b(): pytest.skip("no such thing here")\n'
    assert run(tmp_path, of_one, "-ptests.conftest", "--no-skips") == (1, "1 failed, 1 passed")
    of_all = 'import pytest\npytest.skip("absent", allow_module_level=True)\n'
    assert run(tmp_path, of_all, "-ptests.conftest", "--no-skips") == (1, "1 error")


def test_ports_are_given_in_turn_to_all_processes() -> None:
    ask = "from tools.ports import free_port; print(*(free_port() for _ in range(200)))"
    asking = [subprocess.Popen([sys.executable, "-c", ask], cwd=shell.ROOT, stdout=-1, text=True) for _ in range(4)]
    given = [int(word) for process in asking for word in process.communicate(timeout=SECONDS)[0].split()]
    assert len(set(given)) == len(given) == 800
    assert all(FIRST <= port <= LAST for port in (*given, free_port()))

"""The suite on several processes: on how many, and which tests run while no other one does.

A plugin of pytest. Tests share the machine, each process of the suite with databases of its own. A test that is marked
`exclusive` measures time or memory, or loads the machine so much that others would: it waits until none is under way.
"""

import fcntl
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

MOST = 4
"""Processes: each has a PostgreSQL and a Redis, and a test may start several servers."""


@pytest.hookimpl(wrapper=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> Generator[None, int, int]:
    """Folders are worth a process for each processor and one more, since tests wait, too; at most four. For a file or a
    test there is none but pytest's."""
    processors = yield
    named = [Path(argument.partition("::")[0]) for argument in config.args]
    return 0 if processors < 2 or any(path.is_file() for path in named) else min(processors + 1, MOST)


def pytest_configure(config: pytest.Config) -> None:
    """Only where there are other processes is there somebody to wait for."""
    if hasattr(config, "workerinput"):
        shared_by_the_run = Path(config.option.basetemp).parent
        config.pluginmanager.register(Turns(shared_by_the_run))


class Turns:
    """Holds back a test until those that it must not meet have ended.

    All go through the gate, and an exclusive test stays there while it waits for the others to leave the room: nobody
    overtakes it. The locks end with the process that has them.
    """

    def __init__(self, folder: Path) -> None:
        """All processes of a run give the same folder."""
        self._gate, self._room = folder / "gate", folder / "room"

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """With the fixtures that the test sets up and takes down."""
        with self._turn(exclusive=item.get_closest_marker("exclusive") is not None):
            return (yield)

    @contextmanager
    def _turn(self, *, exclusive: bool) -> Generator[None]:
        with self._room.open("a") as room:
            with self._gate.open("a") as gate:
                fcntl.flock(gate, fcntl.LOCK_EX)
                fcntl.flock(room, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)
            yield

"""Rules for the whole suite: tests see none of the developer's settings; `--no-skips` makes every skip a failure."""

import os
import sys
from collections.abc import Generator, Iterator

import hypothesis
import pytest

from tests.support import beside, releases
from tests.support.postgres import Cluster
from tests.support.redis import RedisServer, redis_server

pytest_plugins = ("tests.support.parallel", "tests.support.told")
hypothesis.settings.register_profile("suite", deadline=None)  # a machine that has other work is no defect
hypothesis.settings.load_profile("suite")

SETTINGS = (
    "ALLOW_ANONYMOUS",
    "API_",
    "CONFIG_",
    "DATABASE_",
    "ENABLE_",
    "GRPC_",
    "LLM_IM_",
    "LOG_",
    "OTEL_",
    "REDIS_",
    "RUST_LOG",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--no-skips", action="store_true", help="fail on a skip: it may hide a missing install")


def pytest_configure() -> None:
    for name in [name for name in os.environ if name.startswith(SETTINGS)]:
        del os.environ[name]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With an older client or server only tests of what it has are run."""
    if (older := releases.older_side()) is None:
        return
    left_out = [item for item in items for mark in item.iter_markers("since") if releases.is_older(older, mark.args[0])]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def pytest_sessionfinish() -> None:
    """An older client's generated code and this server's must never meet in one process."""
    if releases.older_side() is not None and "llm_incident_manager" in sys.modules:
        raise pytest.UsageError("the client suite imported the server: it cannot run with another release's client")


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """One PostgreSQL server for all tests that ask, each of which makes a database of its own in it."""
    server = Cluster.in_new_folder()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def redis_shared() -> Iterator[RedisServer]:
    """One Redis for all tests that ask and harm nobody: each uses keys of its own."""
    with redis_server() as server:
        yield server


@pytest.fixture
def redis_own() -> Iterator[RedisServer]:
    """A Redis of this test's own, to stop, freeze and empty."""
    with redis_server() as server:
        yield server


def fail_if_skipped(report: pytest.TestReport | pytest.CollectReport, config: pytest.Config) -> None:
    if report.skipped and not hasattr(report, "wasxfail") and config.getoption("--no-skips"):
        reason = str(report.longrepr[-1] if isinstance(report.longrepr, tuple) else report.longrepr)
        if beside.ABSENT in reason:
            return
        report.outcome = "failed"
        report.longrepr = f"--no-skips forbids this: {reason}"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    fail_if_skipped(report, item.config)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    fail_if_skipped(report, collector.config)
    return report

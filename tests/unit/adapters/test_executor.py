"""Functions run in order, one at a time, and to their end, whoever waits for them."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from llm_incident_manager.adapters.executor import InlineExecutor, ThreadExecutor


@pytest.fixture
def thread() -> Iterator[ThreadExecutor]:
    executor = ThreadExecutor("test-thread")
    yield executor
    executor.close()


def fail() -> None:
    raise ZeroDivisionError("of the function")


async def test_all_functions_run_on_the_same_other_thread(thread: ThreadExecutor) -> None:
    names = [await thread.run(lambda: threading.current_thread().name) for _ in range(3)]
    assert names == ["test-thread"] * 3


async def test_functions_run_one_after_the_other_in_the_order_given(thread: ThreadExecutor) -> None:
    done: list[int] = []
    await asyncio.gather(*(thread.run(lambda n=n: done.append(n)) for n in range(100)))  # type: ignore[misc]  # bound
    assert done == list(range(100))


async def test_the_caller_gets_the_value_or_the_error(thread: ThreadExecutor) -> None:
    assert await thread.run(lambda: 42) == 42
    with pytest.raises(ZeroDivisionError, match="of the function"):
        await thread.run(fail)
    assert await thread.run(lambda: 43) == 43


async def test_a_cancelled_caller_does_not_stop_the_function(thread: ThreadExecutor) -> None:
    begun, go_on, done = threading.Event(), threading.Event(), []

    def slow() -> None:
        begun.set()
        go_on.wait(10)
        done.append("slow")

    task = asyncio.create_task(thread.run(slow))
    await asyncio.to_thread(begun.wait, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    following = asyncio.create_task(thread.run(lambda: done.append("next")))
    await asyncio.sleep(0)
    assert done == []
    go_on.set()
    await following
    assert done == ["slow", "next"]


async def test_the_error_of_a_function_that_nobody_waits_for_harms_nobody(thread: ThreadExecutor) -> None:
    task = asyncio.create_task(thread.run(fail))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await thread.run(lambda: "alive") == "alive"


async def test_closing_waits_for_what_was_given_and_takes_no_more() -> None:
    executor, done = ThreadExecutor("test-thread"), []
    task = asyncio.create_task(executor.run(lambda: done.append(1)))
    await asyncio.sleep(0)
    executor.close()
    executor.close()
    assert done == [1]
    await task
    with pytest.raises(RuntimeError, match="test-thread is closed"):
        await executor.run(lambda: None)


def test_a_thread_outlives_the_loop_that_used_it(thread: ThreadExecutor) -> None:
    go_on = threading.Event()

    async def leave() -> None:
        task = asyncio.create_task(thread.run(lambda: go_on.wait(10)))
        await asyncio.sleep(0)
        task.cancel()

    asyncio.run(leave())
    go_on.set()  # the loop it would report to is closed
    assert asyncio.run(thread.run(lambda: "alive")) == "alive"


async def test_inline_functions_run_at_once_on_the_callers_thread() -> None:
    executor = InlineExecutor()
    assert await executor.run(threading.current_thread) is threading.current_thread()
    with pytest.raises(ZeroDivisionError):
        await executor.run(fail)
    executor.close()

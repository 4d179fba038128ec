"""How calls are carried out, on virtual time: repeats, throttling, push-back, breaker, rate limit, observers."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

import grpc
import pytest
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2

from llm_incident_client import LogObserver, Observer, RetryPolicy, Throttle, errors
from llm_incident_client.core import observing, retry
from llm_incident_client.core.attempts import Attempts, Conduct
from llm_incident_client.core.breaker import BreakerPolicy, State
from llm_incident_client.core.limit import RateLimit
from llm_incident_client.core.observing import Observers
from simulation.loop import VirtualLoop

Code = grpc.StatusCode
MINUTE = timedelta(minutes=1)
PLAIN = RetryPolicy(backoff=retry.Backoff(timedelta(seconds=1), timedelta(seconds=1)))


def run(work: Coroutine[Any, Any, None]) -> None:
    VirtualLoop.drawing_from(Random(1)).run(work)


def failure(code: grpc.StatusCode, pushback: str = "", retry_after: float | None = None) -> grpc.aio.AioRpcError:
    trailers: list[tuple[str, str | bytes]] = [("grpc-retry-pushback-ms", pushback)] if pushback else []
    if retry_after is not None:
        info, packed = error_details_pb2.RetryInfo(), any_pb2.Any()
        info.retry_delay.FromMicroseconds(round(retry_after * 1e6))
        packed.Pack(info)
        status = status_pb2.Status(code=code.value[0], details=[packed])
        trailers.append(("grpc-status-details-bin", status.SerializeToString()))
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(*trailers), details="m")


GONE = failure(Code.UNAVAILABLE)


@dataclass
class Server:
    """Answers attempts as it is told, the last way for good; remembers when they came."""

    answers: Sequence[grpc.aio.AioRpcError | None]
    came: list[float] = field(default_factory=list)
    takes: float = 0.0

    async def __call__(self, seconds: float) -> str:
        self.came.append(asyncio.get_running_loop().time())
        answer = self.answers[min(len(self.came), len(self.answers)) - 1]
        await asyncio.sleep(self.takes)
        if answer is not None:
            raise answer
        return "yes"


@dataclass
class Seen(Observer):
    """Remembers all it is told."""

    told: list[object] = field(default_factory=list)

    def on_attempt(self, attempt: observing.Attempt) -> None:
        self.told.append(attempt)

    def on_failure(self, failure: observing.Failure) -> None:
        self.told.append((type(failure.decision).__name__, failure.decision.why))

    def on_result(self, result: observing.Result) -> None:
        self.told.append((result.method, result.attempts, result.error is None))

    def on_breaker(self, change: observing.BreakerChange) -> None:
        self.told.append((change.old, change.new))


def test_a_call_is_repeated_until_it_is_answered_and_all_of_it_is_told() -> None:
    async def main() -> None:
        seen, server = Seen(), Server([GONE, GONE, None])
        calls = Attempts(Conduct(PLAIN, observers=Observers([seen])))
        assert await calls.run("SubmitEvent", server, MINUTE) == "yes"
        again = ("Again", retry.Why.TRANSIENT)
        attempts = [observing.Attempt("SubmitEvent", number) for number in (1, 2, 3)]
        assert seen.told == [attempts[0], again, attempts[1], again, attempts[2], ("SubmitEvent", 3, True)]
        assert server.came[-1] <= 2.0

    run(main())


def test_the_deadline_bounds_repeats_and_waits_together() -> None:
    async def main() -> None:
        server = Server([GONE])
        policy = RetryPolicy(attempts=10_000, backoff=retry.Backoff(timedelta(seconds=1), timedelta(seconds=1)))
        with pytest.raises(errors.Unavailable):
            await Attempts(Conduct(policy)).run("x", server, timedelta(seconds=10))
        assert asyncio.get_running_loop().time() <= 10

    run(main())


@pytest.mark.parametrize(("pushback", "attempts", "waits"), [
    ("3000", 2, 3.0),  # the server says when
    ("-1", 1, 0.0),  # the server says never
    ("soon", 1, 0.0),  # what is no number counts as never
])  # fmt: skip
def test_the_servers_push_back_is_obeyed(pushback: str, attempts: int, waits: float) -> None:
    async def main() -> None:
        server = Server([failure(Code.UNAVAILABLE, pushback), failure(Code.NOT_FOUND)])
        with pytest.raises(errors.IncidentManagerError) as refused:
            await Attempts(Conduct(PLAIN)).run("x", server, MINUTE)
        assert len(server.came) == attempts
        assert server.came[-1] >= waits
        assert refused.value.final is (attempts == 1)

    run(main())


def test_retry_info_goes_before_the_trailer() -> None:
    error = errors.from_rpc(failure(Code.RESOURCE_EXHAUSTED, "9000", retry_after=0.25))
    assert (error.retry_after, retry.is_repeatable(error)) == (0.25, True)


def test_a_client_stops_repeating_when_most_calls_fail_and_begins_again_when_they_succeed() -> None:
    async def main() -> None:
        policy = RetryPolicy(attempts=3, throttle=Throttle(max_tokens=10, token_ratio=0.5))
        seen = Seen()
        calls = Attempts(Conduct(policy, observers=Observers([seen])))
        attempts = []
        for _ in range(4):
            server = Server([GONE])
            with pytest.raises(errors.Unavailable):
                await calls.run("x", server, MINUTE)
            attempts.append(len(server.came))
        assert attempts == [3, 2, 1, 1]
        assert ("Stop", retry.Why.THROTTLED) in seen.told
        for _ in range(5):  # 3 tokens are left: 5.5 are enough again
            await calls.run("x", Server([None]), MINUTE)
        back = Server([GONE, None])
        with pytest.raises(errors.Unavailable):
            await calls.run("x", back, MINUTE)  # that failure takes the token that was too many
        await calls.run("x", Server([None]), MINUTE)
        await calls.run("x", Server([None]), MINUTE)
        await calls.run("x", Server([None]), MINUTE)
        assert await calls.run("x", back, MINUTE) == "yes"

    run(main())


def test_refusals_cost_no_tokens() -> None:
    async def main() -> None:
        calls = Attempts(Conduct(RetryPolicy(attempts=2, throttle=Throttle(max_tokens=2, token_ratio=0.1))))
        for _ in range(20):
            with pytest.raises(errors.NotFound):
                await calls.run("x", Server([failure(Code.NOT_FOUND)]), MINUTE)
        throttled = Server([GONE, None])
        with pytest.raises(errors.Unavailable):
            await calls.run("x", throttled, MINUTE)
        assert len(throttled.came) == 1

    run(main())


BREAKER = BreakerPolicy(failures=2, minimum_calls=2, open_for=timedelta(seconds=10), trials=1, successes=1)
ONCE = RetryPolicy(attempts=1)


def test_the_breaker_leaves_a_dead_server_alone_and_finds_it_again() -> None:
    async def main() -> None:
        seen, server = Seen(), Server([GONE, GONE, GONE, None])
        calls = Attempts(Conduct(ONCE, BREAKER, observers=Observers([seen])))
        for _ in range(2):
            with pytest.raises(errors.Unavailable):
                await calls.run("x", server, MINUTE)
        assert calls.state is State.OPEN
        with pytest.raises(errors.CircuitOpen) as refused:
            await calls.run("x", server, MINUTE)
        assert (refused.value.reason, refused.value.retry_after) == ("CIRCUIT_OPEN", 10.0)
        assert len(server.came) == 2
        await asyncio.sleep(10)
        with pytest.raises(errors.Unavailable):
            await calls.run("x", server, MINUTE)  # the trial fails
        await asyncio.sleep(10)
        assert await calls.run("x", server, MINUTE) == "yes"
        changes = [one for one in seen.told if isinstance(one, tuple) and isinstance(one[0], State)]
        assert changes == [
            (State.CLOSED, State.OPEN), (State.OPEN, State.HALF_OPEN), (State.HALF_OPEN, State.OPEN),
            (State.OPEN, State.HALF_OPEN), (State.HALF_OPEN, State.CLOSED),
        ]  # fmt: skip

    run(main())


def test_a_call_whose_repeats_open_the_breaker_ends_at_once() -> None:
    async def main() -> None:
        server = Server([GONE])
        with pytest.raises(errors.CircuitOpen):
            await Attempts(Conduct(PLAIN, BREAKER)).run("x", server, MINUTE)
        assert len(server.came) == 2

    run(main())


def test_a_cancelled_trial_lets_the_next_one_try() -> None:
    async def main() -> None:
        calls = Attempts(Conduct(ONCE, BREAKER))
        for _ in range(2):
            with pytest.raises(errors.Unavailable):
                await calls.run("x", Server([GONE]), MINUTE)
        await asyncio.sleep(10)
        trial = asyncio.create_task(calls.run("x", Server([None], takes=5), MINUTE))
        await asyncio.sleep(1)
        with pytest.raises(errors.CircuitOpen):
            await calls.run("x", Server([None]), MINUTE)
        trial.cancel()
        await asyncio.wait((trial,))
        assert await calls.run("x", Server([None]), MINUTE) == "yes"

    run(main())


async def times(calls: Attempts, server: Server, count: int) -> list[float]:
    results = await asyncio.gather(*(calls.run("x", server, MINUTE) for _ in range(count)), return_exceptions=True)
    assert [one for one in results if isinstance(one, BaseException) and not isinstance(one, errors.RateLimited)] == []
    return [round(moment, 6) for moment in server.came]


def test_a_rate_limit_lets_calls_wait_for_their_turn() -> None:
    async def main() -> None:
        calls = Attempts(Conduct(ONCE, limit=RateLimit(10, burst=2)))
        await asyncio.sleep(100)
        assert await times(calls, Server([None]), 5) == [100, 100, 100.1, 100.2, 100.3]

    run(main())


def test_or_refuses_them_at_once() -> None:
    async def main() -> None:
        calls = Attempts(Conduct(PLAIN, limit=RateLimit(10, burst=2, wait=False)))
        assert len(await times(calls, Server([None]), 5)) == 2
        with pytest.raises(errors.RateLimited) as refused:
            await calls.run("x", Server([None]), MINUTE)
        assert refused.value.retry_after == pytest.approx(0.1)
        assert "raise its rate limit" in str(refused.value)

    run(main())


def test_who_is_cancelled_while_waiting_gives_the_turn_back() -> None:
    async def main() -> None:
        calls, server = Attempts(Conduct(ONCE, limit=RateLimit(1))), Server([None])
        await calls.run("x", server, MINUTE)
        waiting = asyncio.create_task(calls.run("x", server, MINUTE))
        await asyncio.sleep(0.5)
        waiting.cancel()
        await asyncio.wait((waiting,))
        await calls.run("x", server, MINUTE)
        assert server.came == [0.0, 1.0]

    run(main())


def test_an_observer_that_fails_is_logged_and_disturbs_nobody(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Observer):
        def on_result(self, result: observing.Result) -> None:
            raise LookupError("no such metric")

    async def main() -> None:
        seen = Seen()
        calls = Attempts(Conduct(ONCE, observers=Observers([Broken(), seen])))
        assert await calls.run("x", Server([None]), MINUTE) == "yes"
        assert seen.told[-1] == ("x", 1, True)

    run(main())
    assert "no such metric" in caplog.text


def test_the_log_tells_repeats_and_the_breaker(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        policy = RetryPolicy(attempts=2, backoff=PLAIN.backoff)
        with pytest.raises(errors.Unavailable):
            await Attempts(Conduct(policy, BREAKER, observers=Observers([LogObserver()]))).run(
                "SubmitEvent", Server([GONE]), MINUTE
            )

    with caplog.at_level(logging.DEBUG, "llm_incident_client"):
        run(main())
    told = [record.getMessage() for record in caplog.records]
    assert told[0].startswith("SubmitEvent failed at attempt 1 (UNAVAILABLE: m), again in ")
    assert told[1] == "circuit breaker: open, was closed"
    assert told[2].startswith("SubmitEvent failed: UNAVAILABLE after ")


@pytest.mark.parametrize("make", [lambda: Throttle(0), lambda: Throttle(10, 0)])
def test_a_throttle_that_could_never_recover_is_refused(make: Callable[[], Throttle]) -> None:
    with pytest.raises(ValueError, match="above 0"):
        make()

"""Callers beyond their share are refused, streams slowed down, and honest ones told how they stand."""

import pytest

from llm_incident_manager.adapters.rates import ProcessRates
from llm_incident_manager.domain.access import Principal
from llm_incident_manager.domain.errors import DomainError, ErrorReason
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.limits import Rules, Tier
from llm_incident_manager.transport.call import Call
from llm_incident_manager.transport.limits import Limiter, Quota, Source
from llm_incident_manager.transport.methods import all_methods
from tests.support.world import HeldClock

METHODS = {method.name: method for method in all_methods()}
TIER = Tier(60, 10)


def a_call(method: str = "GetIncident", key: str = "k1", peer: str = "ipv4:192.0.2.7:4711") -> Call:
    call = Call(METHODS[method], "grpc", {}, peer)
    call.principal = Principal(TenantId("acme"), "ann", frozenset(), frozenset(), "api_key", key)
    return call


async def through(hook: Quota | Source, call: Call) -> str:
    async def proceed() -> str:
        return "done"

    return await hook.around(call, proceed)


async def refused(hook: Quota | Source, call: Call) -> DomainError:
    with pytest.raises(DomainError) as error:
        await through(hook, call)
    return error.value


async def test_a_key_has_its_burst_and_then_its_rate() -> None:
    clock = HeldClock()
    hook = Quota(Limiter(ProcessRates(clock), Rules({"standard": TIER}, "standard")))
    for _ in range(10):
        await through(hook, a_call())
    error = await refused(hook, a_call())
    assert error.reason is ErrorReason.RATE_LIMITED
    assert (error.metadata["scope"], error.metadata["limit"], error.metadata["burst"]) == ("key", "60", "10")
    assert error.retry_after == pytest.approx(1.0, abs=0.01)
    assert await through(hook, a_call(key="k2")) == "done"
    await clock.sleep(1)
    assert await through(hook, a_call()) == "done"
    assert (await refused(hook, a_call())).reason is ErrorReason.RATE_LIMITED


async def test_a_caller_is_told_how_it_stands() -> None:
    hook = Quota(Limiter(ProcessRates(HeldClock()), Rules({"standard": TIER}, "standard")))
    call = a_call()
    await through(hook, call)
    assert call.standing is not None
    assert dict(call.standing.headers) == {
        "x-ratelimit-limit": "60",
        "x-ratelimit-remaining": "9",
        "x-ratelimit-reset": "1",
    }


async def test_each_event_of_a_batch_counts_and_a_large_batch_is_taken_once_the_bucket_is_full() -> None:
    clock = HeldClock()
    hook = Quota(Limiter(ProcessRates(clock), Rules({"standard": TIER}, "standard")))
    batch = a_call("SubmitEvents")
    await through(hook, batch)
    await batch.count(30)
    assert (await refused(hook, a_call("SubmitEvents"))).retry_after == pytest.approx(21, abs=0.01)
    await clock.sleep(21)
    assert await through(hook, a_call("SubmitEvents")) == "done"


@pytest.mark.parametrize(("events", "spent", "allowed"), [(1, 9, True), (10, 0, True), (10, 1, False), (30, 0, True)])
async def test_a_batch_counts_as_if_all_were_taken_at_once(events: int, spent: int, *, allowed: bool) -> None:
    clock = HeldClock()
    hook = Quota(Limiter(ProcessRates(clock), Rules({"standard": TIER}, "standard")))
    for _ in range(spent):
        await through(hook, a_call())
    batch = a_call("SubmitEvents")
    await through(hook, batch)
    if allowed:
        await batch.count(events)
        return
    with pytest.raises(DomainError) as error:
        await batch.count(events)
    await clock.sleep(error.value.retry_after or 0.0)
    await through(hook, again := a_call("SubmitEvents"))
    await again.count(events)


async def test_a_large_batch_that_has_to_wait_is_told_how_long() -> None:
    clock = HeldClock()
    hook = Quota(Limiter(ProcessRates(clock), Rules({"standard": TIER}, "standard")))
    for _ in range(3):
        await through(hook, a_call())
    await through(hook, batch := a_call("SubmitEvents"))
    with pytest.raises(DomainError) as error:
        await batch.count(30)
    assert error.value.metadata["remaining"] == "6"
    assert error.value.retry_after == pytest.approx(4, abs=0.01)
    await clock.sleep(4)
    await through(hook, again := a_call("SubmitEvents"))
    await again.count(30)


async def test_a_batch_that_is_refused_unread_has_counted_as_one_call() -> None:
    hook = Quota(Limiter(ProcessRates(HeldClock()), Rules({"standard": TIER}, "standard")))
    for _ in range(10):
        await through(hook, a_call("SubmitEvents"))
    assert (await refused(hook, a_call("SubmitEvents"))).reason is ErrorReason.RATE_LIMITED


@pytest.mark.parametrize("scope", ["method", "tenant"])
async def test_what_a_wider_limit_refuses_costs_a_narrower_one_nothing(scope: str) -> None:
    clock, narrow = HeldClock(), Tier(60, 1)
    rules = Rules(
        {"standard": TIER},
        "standard",
        tenant=narrow if scope == "tenant" else None,
        methods={"ListIncidents": narrow} if scope == "method" else {},
    )
    limiter = Limiter(ProcessRates(clock), rules)
    hook, method = Quota(limiter), "ListIncidents"
    await through(hook, a_call(method))
    for _ in range(50):
        assert (await refused(hook, a_call(method))).metadata["scope"] == scope
        assert await limiter.wait(a_call(method), 1) > 0
    await clock.sleep(1)
    await through(hook, call := a_call(method))
    assert call.standing is not None
    left = dict(call.standing.headers)["x-ratelimit-remaining"]
    assert left == "9", "two calls, one of which is a second ago"


async def test_a_stream_is_slowed_down() -> None:
    clock = HeldClock()
    limiter = Limiter(ProcessRates(clock), Rules({"standard": TIER}, "standard"))
    stream = a_call("StreamEvents")
    assert await limiter.wait(stream, 10) == 0.0
    assert await limiter.wait(stream, 5) == pytest.approx(5.0, abs=0.01)
    await clock.sleep(5)
    assert await limiter.wait(stream, 5) == 0.0


async def test_an_address_is_limited_before_anybody_asks_who_calls() -> None:
    counted: list[str] = []
    hook = Source(ProcessRates(HeldClock()), tier=Tier(60, 2), refused=counted.append)
    for _ in range(2):
        await through(hook, a_call())
    assert (await refused(hook, a_call())).metadata["scope"] == "source"
    assert await through(hook, a_call(peer="ipv6:%5B2001:db8::1%5D:80")) == "done"
    assert counted == ["source"]


async def test_all_addresses_of_one_network_of_ipv6_are_one_source() -> None:
    hook = Source(ProcessRates(HeldClock()), tier=Tier(60, 2))
    for number in range(2):
        await through(hook, a_call(peer=f"ipv6:%5B2001:db8::{number}%5D:80"))
    assert (await refused(hook, a_call(peer="ipv6:%5B2001:db8::ffff:1%5D:80"))).metadata["scope"] == "source"
    assert await through(hook, a_call(peer="ipv6:%5B2001:db8:0:1::1%5D:80")) == "done"

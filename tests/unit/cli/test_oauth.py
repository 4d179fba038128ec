"""The device flow against an issuer that really speaks it, on a clock that a test holds in its hands."""

from collections.abc import AsyncIterator

import pytest

from llm_incident_manager.adapters import outbound
from llm_incident_manager.adapters.clock import SystemClock
from llm_incident_manager.cli.failures import BadUsage, Refused
from llm_incident_manager.cli.oauth import Code, Issuer, Places
from llm_incident_manager.ports.outbound import Outbound
from tests.support import issuer as issuers
from tests.support.issuer import an_issuer
from tests.support.listeners import http, listening, says


class Patient(SystemClock):
    """Waits for nothing, and keeps what it was asked to wait; after so many waits the person agrees."""

    def __init__(self, issuer: issuers.Issuer, agrees_after: int) -> None:
        self.waits: list[float] = []
        self._issuer, self._after = issuer, agrees_after

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        for device in self._issuer.devices.values():
            if len(self.waits) >= self._after:
                device.approved = True
            if seconds >= self._issuer.interval:
                device.polled_at = float("-inf")


@pytest.fixture
async def way() -> AsyncIterator[Outbound]:
    it = outbound.for_a_person()
    yield it
    await it.close()


async def begun(served: issuers.Issuer, way: Outbound) -> tuple[Issuer, Places, Code]:
    asking = Issuer(served.url, "cli", way)
    places = await asking.places()
    return asking, places, await asking.code(places, "openid", "")


async def test_it_asks_again_until_the_person_has_agreed(way: Outbound) -> None:
    async with an_issuer() as served:
        served.interval = 7
        asking, places, code = await begun(served, way)
        clock = Patient(served, agrees_after=3)
        granted = await asking.tokens(places, code, clock)
        assert clock.waits == [7, 7, 7]
        assert granted.access_token.count(".") == 2
        assert (granted.expires_in, bool(granted.refresh_token)) == (300, True)


async def test_an_issuer_that_wants_it_slower_gets_it_slower(way: Outbound) -> None:
    async with an_issuer() as served:
        served.interval = 2
        asking, places, code = await begun(served, way)
        served.interval = 10
        clock = Patient(served, agrees_after=4)
        served.devices[code.device_code].polled_at = float("inf")
        await asking.tokens(places, code, clock)
        assert clock.waits == [2, 7, 12, 12]


async def test_a_code_that_nobody_enters_is_given_up(way: Outbound) -> None:
    async with an_issuer() as served:
        served.interval = 5
        asking, places, code = await begun(served, way)
        clock = Patient(served, agrees_after=1_000)
        with pytest.raises(Refused, match="nobody has entered the code in time"):
            await asking.tokens(places, code, clock)
        assert sum(clock.waits) <= code.expires_in + 5


async def test_a_code_that_the_issuer_has_forgotten_is_given_up(way: Outbound) -> None:
    async with an_issuer() as served:
        asking, places, code = await begun(served, way)
        served.devices.clear()
        with pytest.raises(Refused, match="nobody has entered the code in time"):
            await asking.tokens(places, code, Patient(served, 1))


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"<html>", "answered 200 without JSON"),
        (b"[]", "answered 200"),
        (b'{"issuer": "https://evil.example"}', "calls itself https://evil.example"),
        (b'{"issuer": "URL"}', "knows no login by device"),
    ],
)
async def test_an_issuer_that_talks_otherwise_is_told(way: Outbound, body: bytes, told: str) -> None:
    async with listening(says(http())) as probe:
        url = f"http://127.0.0.1:{probe.port}"
    async with listening(says(http(body=body.replace(b"URL", url.encode()))), port=probe.port):
        with pytest.raises(Refused, match=told):
            await Issuer(url, "cli", way).places()


@pytest.mark.parametrize("url", ["", "login.example.com", "http://login.example.com", "https://a:b@login.example.com"])
def test_a_url_that_tokens_must_not_be_sent_to_is_refused(way: Outbound, url: str) -> None:
    with pytest.raises(BadUsage):
        Issuer(url, "cli", way)

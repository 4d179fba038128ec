"""The ways out, built from the settings."""

from collections.abc import Callable
from contextlib import AsyncExitStack

from llm_incident_manager.config import Settings
from llm_incident_manager.config.outbound_section import Outbound as Section
from llm_incident_manager.domain.destinations import EVERYWHERE
from llm_incident_manager.ports.outbound import Addresses, Answer, Outbound, Request
from llm_incident_manager.telemetry.logs import Logger

Count = Callable[[str, str], None]


def build(settings: Settings, log: Logger, count: Count, stack: AsyncExitStack) -> Outbound:
    """As the settings want it, closed by the stack; `count` takes purpose and outcome of each request. Raises
    OutboundRefused."""
    way = _OnFirstUse(lambda: _opened(settings.outbound, log, count))
    webhooks = any(channel.enabled and channel.type == "webhook" for channel in settings.notifications.channels)
    if webhooks or settings.identity.issuers:
        way.opened()
    stack.push_async_callback(way.close)
    return way


def addresses(settings: Settings, log: Logger, count: Count, stack: AsyncExitStack) -> Addresses:
    """What judges where other protocols may lead."""
    from llm_incident_manager.adapters.outbound.addresses import JudgedAddresses

    judge = JudgedAddresses(settings.outbound.policy(), settings.outbound.timeout_secs, log, count)
    stack.push_async_callback(judge.close)
    return judge


def for_a_person() -> Outbound:
    """For the command line: it reaches what its user reaches anyway, with the same caps."""
    from llm_incident_manager.adapters.outbound.http import HttpOutbound, Limits

    return HttpOutbound(EVERYWHERE, Limits(), log=_Unheard())


class _Unheard:
    """The command line tells in its own words what went wrong."""

    def debug(self, event: str, **fields: object) -> None:
        """Nothing."""

    def bind(self, **_: object) -> Logger:
        return self

    info = warning = error = exception = debug


class _OnFirstUse:
    """Its library takes a quarter of a second to load, for which a server that asks nobody need not wait."""

    def __init__(self, make: Callable[[], Outbound]) -> None:
        self._make = make
        self._made: Outbound | None = None

    def opened(self) -> Outbound:
        if self._made is None:
            self._made = self._make()
        return self._made

    async def send(self, request: Request) -> Answer:
        return await self.opened().send(request)

    async def close(self) -> None:
        if self._made is not None:
            await self._made.close()


def _opened(section: Section, log: Logger, count: Count) -> Outbound:
    from llm_incident_manager.adapters.outbound.http import HttpOutbound, Limits

    limits = Limits(section.timeout_secs, section.max_response_bytes)
    return HttpOutbound(section.policy(), limits, log=log, count=count, ca=section.ca)

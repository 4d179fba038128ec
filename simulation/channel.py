"""A provider that people are reached by: it remembers every message it has delivered, under its key for repeats."""

import asyncio
from typing import NamedTuple, Protocol

from llm_incident_manager.ports.channel import Notification, Receipt
from simulation.world import World

SENT = Receipt(ok=True)


class Sender(Protocol):
    """The server that sends."""

    name: str
    dead: bool
    disturbed: list[float]

    def disturb(self, what: str) -> None:
        """Notes what may make it repeat itself."""
        ...


class Message(NamedTuple):
    """A message that was delivered, when, and by whom."""

    channel: str
    key: str
    incident: str
    id: str
    at: float
    by: Sender


class Provider:
    """One provider; each server has a line to it."""

    def __init__(self, name: str, world: World) -> None:
        """Nothing was sent yet."""
        self.name = name
        self.delivered: list[Message] = []
        self.tried: dict[str, list[str]] = {}
        """Ids of messages by incident, in the order in which they were first tried."""
        self._world = world

    async def take(self, sender: Sender, notification: Notification) -> Receipt:
        """Delivers, or fails in one of the ways of providers."""
        chance = self._world.chance
        tried = self.tried.setdefault(notification.incident_id, [])
        if notification.id not in tried:
            tried.append(notification.id)
        self._world.trace(f"{self.name} is asked to tell {notification.dedup_key}")
        await asyncio.sleep(chance.latency("network.slow", 0.02))
        if chance.happens("channel.error"):
            return Receipt(ok=False, retryable=True, detail="channel.error")
        if chance.happens("channel.refused"):
            return Receipt(ok=False, detail="channel.refused")
        if chance.happens("channel.hangs"):
            await asyncio.sleep(60)
        if chance.happens("channel.defect"):
            raise RuntimeError("channel.defect")
        self._deliver(sender, notification)
        await asyncio.sleep(chance.latency("network.slow", 0.02))
        if chance.happens("channel.unheard"):
            sender.disturb("channel.unheard")
            return Receipt(ok=False, retryable=True, detail="channel.unheard")
        return SENT

    def _deliver(self, sender: Sender, notification: Notification) -> None:
        self._world.trace(f"{self.name} delivers {notification.dedup_key}")
        at = self._world.loop.time()
        about = notification.dedup_key, notification.incident_id, notification.id
        self.delivered.append(Message(self.name, *about, at, sender))


class ProviderLine:
    """Implements ports.channel.Channel for one server."""

    def __init__(self, provider: Provider, sender: Sender) -> None:
        """What a dead server sends never arrives."""
        self.name = provider.name
        self._provider = provider
        self._sender = sender

    async def send(self, notification: Notification) -> Receipt:
        """Sends once."""
        if self._sender.dead:
            raise asyncio.CancelledError
        return await self._provider.take(self._sender, notification)

    async def close(self) -> None:
        """Has nothing to give back."""

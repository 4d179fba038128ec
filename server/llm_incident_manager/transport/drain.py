"""The one signal that the server is about to go; every stream listens to it."""

import asyncio


class Drain:
    """Set once, never taken back."""

    def __init__(self) -> None:
        """Not draining."""
        self._begun = asyncio.Event()
        self.grace = 0.0

    @property
    def begun(self) -> bool:
        """Whether the server is about to go."""
        return self._begun.is_set()

    def begin(self, grace: float) -> None:
        """Tells every stream; `grace` is how many seconds they have left."""
        self.grace = grace
        self._begun.set()

    async def wait(self) -> None:
        """Until the server is about to go."""
        await self._begun.wait()

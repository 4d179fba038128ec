"""Bearer tokens that are fetched when needed, kept while they are good, and renewed before they end."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token as an issuer gives it. Without `expires_in` it is used until the server refuses it."""

    text: str = field(repr=False)
    expires_in: timedelta | None = None


class RenewedToken:
    """A token source that keeps its token: `ChannelOptions(bearer=RenewedToken(fetch))`.

    `fetch` is asked for the first call, again `early` before the token ends (or at half its life, if that is shorter
    than twice `early`), and after the server has refused it; calls that come meanwhile share one question. What
    `fetch` raises reaches the calls that wait for it, and the next call asks again. Belongs to one event loop.
    """

    def __init__(self, fetch: Callable[[], Awaitable[Token]], early: timedelta = timedelta(seconds=30)) -> None:
        """`fetch` gets a new token, for instance by OAuth's client credentials grant."""
        self._fetch = fetch
        self._early = early.total_seconds()
        self._token: Token | None = None
        self._renew_at: float | None = None
        self._fetching = asyncio.Lock()

    async def __call__(self) -> str:
        """A token that is good for a while."""
        if (token := self._good()) is not None:
            return token.text
        async with self._fetching:
            if (token := self._good()) is None:
                token = await self._fetch()
                self._keep(token)
            return token.text

    def forget(self, text: str = "") -> None:
        """The server refused this token (the one that is kept, if empty): the next call gets a new one.

        One that was renewed meanwhile is kept.
        """
        if self._token is not None and text in ("", self._token.text):
            self._token = None

    def _good(self) -> Token | None:
        if self._renew_at is not None and asyncio.get_running_loop().time() >= self._renew_at:
            return None
        return self._token

    def _keep(self, token: Token) -> None:
        self._token, self._renew_at = token, None
        if token.expires_in is not None:
            life = token.expires_in.total_seconds()
            self._renew_at = asyncio.get_running_loop().time() + max(life - self._early, life / 2)

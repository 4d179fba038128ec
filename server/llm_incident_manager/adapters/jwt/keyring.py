"""The keys of one issuer: fetched early, kept when the issuer is away, asked for anew at most once in 30 seconds."""

import asyncio
from contextlib import suppress

from llm_incident_manager.adapters.jwt import keyset
from llm_incident_manager.adapters.jwt.keyset import BadDocument, Keys, PublicKey
from llm_incident_manager.domain.time import SECOND, Instant
from llm_incident_manager.ports.clock import Clock
from llm_incident_manager.ports.outbound import Outbound, OutboundError, Request
from llm_incident_manager.telemetry.logs import Logger

COOL_DOWN = 30.0
"""Seconds between two attempts, whatever became of the first and whoever wants the second."""
PATIENCE = 2.0
"""Seconds that a call waits for keys which are being fetched."""
MOST_WAITING = 32
"""Calls that wait for them at once; others with an unknown key are refused without waiting."""
FRESH_SECONDS = 300.0
"""Keys are asked for again so often, so that one which the issuer has withdrawn is not taken for long."""


class Keyring:
    """What is known of an issuer's keys."""

    def __init__(
        self, issuer: str, algorithm: str, jwks_uri: str, *, outbound: Outbound, clock: Clock, log: Logger
    ) -> None:
        """Without a `jwks_uri` the issuer's discovery document names it."""
        self.issuer = issuer
        self._algorithm = algorithm
        self._fixed_uri = jwks_uri
        self._outbound = outbound
        self._clock = clock
        self._log = log
        self._keys: Keys = {}
        self._asked: Instant | None = None
        self._failure = "not fetched yet"
        self._fetching: asyncio.Task[None] | None = None
        self._waiting = 0

    @property
    def failure(self) -> str:
        """Why the last attempt to fetch the keys failed; empty when it did not."""
        return self._failure

    @property
    def holds_keys(self) -> bool:
        """Whether there are any."""
        return bool(self._keys)

    def known(self, kid: str) -> PublicKey | None:
        """The key of that id as far as it is known now; without an id the only one, if there is only one."""
        if kid or len(self._keys) != 1:
            return self._keys.get(kid)
        return next(iter(self._keys.values()))

    async def key(self, kid: str) -> PublicKey | None:
        """The key of that id; one that is not known may have been asked for first."""
        found = self.known(kid)
        if found is not None:
            return found
        fetching = self._begin()
        if fetching is None or self._waiting >= MOST_WAITING:
            return None
        self._waiting += 1
        try:
            await asyncio.wait({fetching}, timeout=PATIENCE)
        finally:
            self._waiting -= 1
        return self.known(kid)

    async def keep(self) -> None:
        """Fetches the keys again and again, until cancelled."""
        while True:
            fetching = self._begin()
            if fetching is not None:
                await asyncio.wait({fetching})
            await self._clock.sleep(COOL_DOWN if self._failure else FRESH_SECONDS)

    async def close(self) -> None:
        """Ends what is under way."""
        if self._fetching is not None:
            self._fetching.cancel()
            with suppress(asyncio.CancelledError):
                await self._fetching

    def _begin(self) -> asyncio.Task[None] | None:
        """The fetch under way, or a new one; None while it is too early for one."""
        if self._fetching is not None and not self._fetching.done():
            return self._fetching
        now = self._clock.now()
        if self._asked is not None and now < self._asked + COOL_DOWN * SECOND:
            return None
        self._asked = now
        self._fetching = asyncio.create_task(self._fetch(), name=f"keys of {self.issuer}")
        return self._fetching

    async def _fetch(self) -> None:
        try:
            uri = self._fixed_uri or keyset.jwks_uri(await self._get(_discovery(self.issuer)), self.issuer)
            fetched = keyset.keys(await self._get(uri), self._algorithm)
        except (OutboundError, BadDocument) as error:
            self._failure = str(error)
            self._log.warning("issuer.keys_not_fetched", issuer=self.issuer, why=self._failure, kept=len(self._keys))
            return
        if fetched.keys() != self._keys.keys():
            self._log.info("issuer.keys_changed", issuer=self.issuer, keys=sorted(fetched))
        self._keys, self._failure = _kept(self._keys, fetched), ""

    async def _get(self, url: str) -> bytes:
        answer = await self._outbound.send(Request(url, "issuer", headers={"Accept": "application/json"}))
        if answer.status != 200:
            raise BadDocument(f"http {answer.status}")
        return answer.body


def _kept(before: Keys, fetched: Keys) -> Keys:
    """What was fetched; a key that is still published stays the object that it is, by which tokens are remembered."""
    return {kid: before[kid] if before.get(kid) == key else key for kid, key in fetched.items()}


def _discovery(issuer: str) -> str:
    return issuer.rstrip("/") + keyset.DISCOVERY

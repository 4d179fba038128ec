"""Bearer tokens against an issuer that really publishes its keys."""

import asyncio
import json
import random
import string
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import pytest

from llm_incident_manager.adapters import jwt
from llm_incident_manager.adapters.clock import SystemClock
from llm_incident_manager.adapters.jwt import keyring, keyset
from llm_incident_manager.adapters.jwt.verifier import Verifier
from llm_incident_manager.adapters.outbound.http import HttpOutbound, Limits
from llm_incident_manager.config.issuers import Issuer as IssuerSettings
from llm_incident_manager.domain import destinations
from llm_incident_manager.domain.access import ROLES
from llm_incident_manager.domain.errors import DomainError, Unauthenticated
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.time import SECOND, Instant
from tests.support.forged import forged
from tests.support.issuer import Issuer, SigningKey, an_issuer
from tests.support.listeners import listening, silence
from tests.support.quiet import QUIET
from tests.support.waiting import until


class Ahead(SystemClock):
    """A clock that a test sets forward."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> Instant:
        return Instant(super().now() + int(self.seconds * SECOND))


class Roles:
    """What roles allow, until a test changes it."""

    def __init__(self) -> None:
        self.table = dict(ROLES)

    def permissions(self, _: TenantId, roles: Iterable[str]) -> frozenset[str]:
        return frozenset[str]().union(*(self.table.get(role, frozenset()) for role in roles))


class Desk:
    """A verifier and what it depends on."""

    def __init__(self, issuer: Issuer, **own: object) -> None:
        self.issuer, self.clock, self.roles = issuer, Ahead(), Roles()
        policy = destinations.policy(["127.0.0.1"], public=False)
        self.outbound = HttpOutbound(policy, Limits(), log=QUIET)
        settings = IssuerSettings.model_validate(issuer.settings(**own))
        made = jwt.build([settings], self.outbound, self.roles, self.clock, QUIET)
        assert made is not None
        self.verifier: Verifier = made

    async def cause(self, token: str) -> str:
        """Why a token is refused; empty when it is not."""
        try:
            await self.verifier.principal(token)
        except Unauthenticated as refused:
            return refused.cause
        return ""


@asynccontextmanager
async def a_desk(*algorithms: str, **own: object) -> AsyncIterator[Desk]:
    async with an_issuer(*algorithms) as issuer:
        desk = Desk(issuer, **own)
        try:
            yield desk
        finally:
            await desk.verifier.close()
            await desk.outbound.close()


@pytest.mark.parametrize("algorithm", ["RS256", "RS512", "PS256", "ES256", "ES384", "ES512", "EdDSA"])
async def test_a_token_of_the_issuer_lets_its_holder_in(algorithm: str) -> None:
    async with a_desk(algorithm) as desk:
        principal = await desk.verifier.principal(desk.issuer.token(jti="t1"))
        assert (principal.tenant, principal.subject) == ("default", "ann@example.com")
        assert principal.roles == {"responder"}
        assert principal.permissions == ROLES["responder"]
        assert principal.credential == f"{desk.issuer.url} t1"
        assert desk.verifier.still(principal)
        assert dict(desk.issuer.asked) == {"discovery": 1, "jwks": 1}


async def test_a_jwks_uri_of_the_settings_needs_no_discovery() -> None:
    async with an_issuer() as issuer:
        desk = Desk(issuer, jwks_uri=f"{issuer.url}/jwks")
        assert await desk.cause(issuer.token()) == ""
        assert dict(issuer.asked) == {"jwks": 1}
        await desk.outbound.close()


async def test_every_forged_token_is_refused_for_its_own_reason() -> None:
    async with listening(silence) as evil, a_desk() as desk:
        assert await desk.cause(desk.issuer.token()) == ""
        attempts = forged(desk.issuer, f"{evil.url}keys")
        found = {name: await desk.cause(one.token) for name, one in attempts.items()}
        assert found == {name: one.cause for name, one in attempts.items()}
        assert len(attempts) > 40
        assert evil.connections == 0, "no key is fetched from where a token says"
        assert desk.issuer.asked["jwks"] == 1, "unknown keys so soon after the first are not asked for"


async def test_a_token_that_was_changed_anywhere_is_refused_and_nothing_else_happens() -> None:
    chance = random.Random(39)
    async with a_desk() as desk:
        good = desk.issuer.token()
        assert await desk.cause(good) == ""
        signs = string.ascii_letters + string.digits + '-_.{}"\\ \x00é'
        for _ in range(2_000):
            at, sign = chance.randrange(len(good) - 1), chance.choice(signs)  # the last sign has bits nobody reads
            changed = chance.choice((good[:at] + sign + good[at + 1 :], good[:at] + good[at + 1 :], good[:at]))
            if changed != good:
                assert await desk.cause(changed), changed


async def test_a_flood_of_unknown_keys_asks_the_issuer_once_in_thirty_seconds() -> None:
    async with a_desk() as desk:
        evil = SigningKey.make()
        tokens = [evil.token(desk.issuer.claims(), kid=f"k{number}") for number in range(500)]
        for round_ in range(1, 4):
            causes = {await desk.cause(token) for token in tokens}
            assert causes == {"unknown_key"}
            assert desk.issuer.asked["jwks"] == round_
            desk.clock.seconds += keyring.COOL_DOWN + 0.1


async def test_a_new_key_is_fetched_when_the_first_token_of_it_comes() -> None:
    async with a_desk() as desk:
        assert await desk.cause(desk.issuer.token()) == ""
        old = desk.issuer.token()
        desk.issuer.keys.insert(0, SigningKey.make("two"))
        assert await desk.cause(desk.issuer.token()) == "unknown_key"
        desk.clock.seconds += keyring.COOL_DOWN
        assert await desk.cause(desk.issuer.token()) == ""
        assert await desk.cause(old) == ""


async def test_a_key_that_is_withdrawn_lets_nobody_in_any_more() -> None:
    async with a_desk() as desk:
        token = desk.issuer.token()
        principal = await desk.verifier.principal(token)
        desk.issuer.keys[:] = [SigningKey.make("two")]
        desk.clock.seconds += keyring.COOL_DOWN
        assert await desk.cause(desk.issuer.token()) == ""
        assert not desk.verifier.still(principal)
        assert await desk.cause(token) == "unknown_key"


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
async def test_keys_that_are_fetched_again_and_are_the_same_end_nobody_s_stream(algorithm: str) -> None:
    async with a_desk(algorithm) as desk:
        principal = await desk.verifier.principal(desk.issuer.token())
        fetched = desk.issuer.asked.total()
        desk.clock.seconds += keyring.COOL_DOWN
        assert await desk.cause(SigningKey.make("unknown", algorithm).token(desk.issuer.claims())) == "unknown_key"
        assert desk.issuer.asked.total() > fetched
        assert desk.verifier.still(principal)


async def test_another_key_under_an_old_name_ends_the_tokens_of_the_old_one() -> None:
    async with a_desk() as desk:
        token = desk.issuer.token()
        assert await desk.cause(token) == ""
        desk.issuer.keys[:] = [SigningKey.make(desk.issuer.keys[0].kid)]
        desk.clock.seconds += keyring.COOL_DOWN
        assert await desk.cause(SigningKey.make("x").token(desk.issuer.claims())) == "unknown_key"
        assert await desk.cause(token) == "bad_signature"


async def test_while_the_issuer_is_away_the_keys_stay_and_readiness_tells() -> None:
    async with a_desk() as desk:
        with pytest.raises(DomainError, match="not fetched yet; no keys"):
            await desk.verifier.check()
        assert await desk.cause(desk.issuer.token()) == ""
        await desk.verifier.check()
        desk.issuer.away = True
        desk.clock.seconds += keyring.COOL_DOWN
        assert await desk.cause(SigningKey.make("two").token(desk.issuer.claims())) == "unknown_key"
        assert await desk.cause(desk.issuer.token()) == ""
        with pytest.raises(DomainError, match="http 503; it goes on with the keys it has"):
            await desk.verifier.check()


async def test_the_keys_are_fetched_before_anybody_asks_and_again_after_a_failure() -> None:
    async with a_desk() as desk:
        desk.issuer.away = True
        slept: list[float] = []
        awake = asyncio.Event()

        async def sleep(seconds: float) -> None:
            slept.append(seconds)
            desk.clock.seconds += seconds
            desk.issuer.away = len(slept) < 3
            if len(slept) == 4:
                awake.set()
                await asyncio.Event().wait()

        desk.clock.sleep = sleep  # type: ignore[method-assign]  # time is in the test's hands
        running = asyncio.create_task(desk.verifier.run())
        await asyncio.wait_for(awake.wait(), 10)
        assert slept == [keyring.COOL_DOWN] * 3 + [keyring.FRESH_SECONDS]
        await desk.verifier.check()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running


async def test_keys_that_do_not_come_hold_up_only_those_who_need_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyring, "PATIENCE", 0.3)
    async with a_desk() as desk, listening(silence) as mute:
        good = desk.issuer.token()
        assert await desk.cause(good) == ""
        ring = desk.verifier._sources[desk.issuer.url].ring
        ring._fixed_uri = mute.url  # from now on the issuer's answers do not come
        desk.clock.seconds += keyring.COOL_DOWN
        evil = SigningKey.make()
        flood = [
            asyncio.create_task(desk.cause(evil.token(desk.issuer.claims(), kid=str(number)))) for number in range(100)
        ]
        await until(lambda: mute.connections == 1)
        started = time.perf_counter()
        assert [await desk.cause(good), await desk.cause(desk.issuer.token())] == ["", ""]
        assert time.perf_counter() - started < 0.1
        done, waiting = await asyncio.wait(flood, timeout=0.1)
        assert (len(done), len(waiting)) == (100 - keyring.MOST_WAITING, keyring.MOST_WAITING)
        assert {await task for task in flood} == {"unknown_key"}
        assert mute.connections == 1


async def test_a_remembered_token_ends_with_its_time() -> None:
    async with a_desk() as desk:
        token = desk.issuer.token(exp=int(time.time()) + 60)
        principal = await desk.verifier.principal(token)
        assert await desk.verifier.principal(token) is principal
        desk.clock.seconds = 91
        assert await desk.cause(token) == "expired"
        assert not desk.verifier.still(principal)


async def test_what_roles_allow_is_looked_at_each_time() -> None:
    async with a_desk() as desk:
        token = desk.issuer.token(roles=["viewer"])
        principal = await desk.verifier.principal(token)
        desk.roles.table["viewer"] = frozenset({"SELF_READ"})
        assert (await desk.verifier.principal(token)).permissions == {"SELF_READ"}
        assert not desk.verifier.still(principal), "a stream that was opened with more must end"


async def test_so_many_tokens_are_remembered_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llm_incident_manager.adapters.jwt.verifier.MOST_REMEMBERED", 3)
    async with a_desk() as desk:
        tokens = [desk.issuer.token(sub=f"user-{number}") for number in range(5)]
        principals = [await desk.verifier.principal(token) for token in tokens]
        assert len(desk.verifier._remembered) == len(desk.verifier._by_credential) == 3
        assert all(map(desk.verifier.still, principals))
        assert await desk.verifier.principal(tokens[4]) is principals[4]
        assert await desk.verifier.principal(tokens[0]) == principals[0]


def jwks(*keys: dict[str, object]) -> bytes:
    return json.dumps({"keys": keys}).encode()


@pytest.mark.parametrize(
    "change",
    [
        {"use": "enc"},
        {"alg": "RS512"},
        {"kty": "EC"},
        {"key_ops": ["encrypt"]},
        {"d": "AQAB"},
        {"n": "AQAB"},
        {"n": None},
        {"e": 7},
        {"kty": "oct", "k": "c2VjcmV0"},
    ],
)
def test_a_published_key_that_does_not_fit_is_left_out(change: dict[str, object]) -> None:
    bad, good = SigningKey.make("bad").jwk | change, SigningKey.make("good").jwk
    assert list(keyset.keys(jwks(bad, good), "RS256")) == ["good"]
    with pytest.raises(keyset.BadDocument, match="none of its keys is for RS256"):
        keyset.keys(jwks(bad), "RS256")


def test_a_key_on_another_curve_is_left_out() -> None:
    with pytest.raises(keyset.BadDocument):
        keyset.keys(jwks(SigningKey.make("a", "ES384").jwk | {"alg": "ES256"}), "ES256")


@pytest.mark.parametrize("document", [b"", b"[]", b"{}", b'{"keys": {}}', b'{"keys": [1, "a", null]}', b"[" * 100_000])
def test_what_is_no_list_of_keys_is_refused(document: bytes) -> None:
    with pytest.raises(keyset.BadDocument):
        keyset.keys(document, "RS256")


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": "https://other.example", "jwks_uri": "https://a.example/keys"},
        {"issuer": "https://a.example", "jwks_uri": "http://a.example/keys"},
        {"issuer": "https://a.example"},
        {"issuer": "https://a.example", "jwks_uri": ["https://a.example/keys"]},
    ],
)
def test_a_discovery_document_that_cannot_be_trusted_is_refused(document: dict[str, object]) -> None:
    with pytest.raises(keyset.BadDocument):
        keyset.jwks_uri(json.dumps(document).encode(), "https://a.example")

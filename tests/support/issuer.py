"""An issuer of tokens on loopback: keys that are made here, OpenID discovery, JWKS, and the OAuth grants that programs
(client credentials) and people at terminals (RFC 8628) use. It counts who asks what.
"""

import asyncio
import base64
import json
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm, get_default_algorithms

AUDIENCE = "llm-incident-manager"
PROGRAM, SECRET = "billing", "a secret of a program"
_ALGORITHMS = get_default_algorithms()
_WRITERS: Mapping[str, Any] = {"RS": RSAAlgorithm, "PS": RSAAlgorithm, "ES": ECAlgorithm, "Ed": OKPAlgorithm}
_CURVES = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}


@dataclass(frozen=True)
class SigningKey:
    """A private key and the name under which the public one is published."""

    kid: str
    algorithm: str
    private: Any

    @classmethod
    def make(cls, kid: str = "one", algorithm: str = "RS256") -> "SigningKey":
        """A new one."""
        match algorithm[:2]:
            case "RS" | "PS":
                return cls(kid, algorithm, rsa.generate_private_key(65_537, 2_048))
            case "ES":
                return cls(kid, algorithm, ec.generate_private_key(_CURVES[algorithm]))
        return cls(kid, algorithm, ed25519.Ed25519PrivateKey.generate())

    @property
    def jwk(self) -> dict[str, Any]:
        """The public key as it is published."""
        public = _WRITERS[self.algorithm[:2]].to_jwk(self.private.public_key(), as_dict=True)
        return {**public, "kid": self.kid, "use": "sig", "alg": self.algorithm, "key_ops": ["verify"]}

    def token(self, claims: Mapping[str, Any], **header: object) -> str:
        """A token that says so, signed."""
        return written({"alg": self.algorithm, "typ": "JWT", "kid": self.kid, **header}, claims, self.signed)

    def signed(self, data: bytes) -> bytes:
        """The signature of data."""
        return _ALGORITHMS[self.algorithm].sign(data, self.private)


def written(header: Mapping[str, Any], claims: Mapping[str, Any], sign: Any) -> str:  # noqa: ANN401 - bytes to bytes
    """A token of these parts."""
    data = f"{_base64(json.dumps(header).encode())}.{_base64(json.dumps(claims).encode())}"
    return f"{data}.{_base64(sign(data.encode()))}"


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class Device:
    """A login that somebody has begun at a terminal."""

    user_code: str
    approved: bool | None = None
    polled_at: float = 0.0


@dataclass
class Issuer:
    """The issuer. `keys` are published; the first one signs what the grants give."""

    keys: list[SigningKey] = field(default_factory=lambda: [SigningKey.make()])
    url: str = ""
    asked: Counter[str] = field(default_factory=Counter)
    away: bool = False
    """Answers nothing but 503."""
    lifetime: int = 300
    """Seconds that access tokens live."""
    interval: int = 0
    """Seconds that a terminal has to wait between two questions; more often it is told to slow down."""
    devices: dict[str, Device] = field(default_factory=dict)
    refresh_tokens: set[str] = field(default_factory=set)
    user: dict[str, Any] = field(default_factory=lambda: {"sub": "ann@example.com", "roles": ["responder"]})

    def claims(self, **own: object) -> dict[str, Any]:
        """Those of a good token, with others instead where given; None leaves one out."""
        now = int(time.time())
        usual = {"iss": self.url, "aud": AUDIENCE, "sub": "ann@example.com", "iat": now, "nbf": now}
        claims = {**usual, "exp": now + self.lifetime, "jti": secrets.token_hex(8), "roles": ["responder"], **own}
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, **own: object) -> str:
        """A token of the first key."""
        return self.keys[0].token(self.claims(**own))

    def settings(self, **own: object) -> dict[str, Any]:
        """What the configuration says of it."""
        algorithm = self.keys[0].algorithm
        return {"issuer": self.url, "audience": AUDIENCE, "tenant": "default", "algorithm": algorithm, **own}

    def approve(self, user_code: str, *, agrees: bool = True) -> None:
        """The person has seen the code and says yes, or no."""
        (device,) = [device for device in self.devices.values() if device.user_code == user_code]
        device.approved = agrees

    async def discovery(self, _: web.Request) -> web.Response:
        """OpenID Connect Discovery."""
        document = {"issuer": self.url, "jwks_uri": f"{self.url}/jwks", "token_endpoint": f"{self.url}/token"}
        return self._answer("discovery", {**document, "device_authorization_endpoint": f"{self.url}/device"})

    async def jwks(self, _: web.Request) -> web.Response:
        """RFC 7517."""
        return self._answer("jwks", {"keys": [key.jwk for key in self.keys]})

    async def device(self, request: web.Request) -> web.Response:
        """RFC 8628, section 3.1."""
        form = await request.post()
        if not form.get("client_id"):
            return self._answer("device", {"error": "invalid_request"}, 400)
        code, device = secrets.token_urlsafe(16), Device(secrets.token_hex(4).upper())
        self.devices[code] = device
        page = f"{self.url}/activate"
        told = {"device_code": code, "user_code": device.user_code, "verification_uri": page, "expires_in": 60}
        whole = f"{page}?user_code={device.user_code}"
        return self._answer("device", {**told, "verification_uri_complete": whole, "interval": self.interval})

    async def grant(self, request: web.Request) -> web.Response:
        """RFC 6749, section 4.4 and 6; RFC 8628, section 3.4."""
        form = await request.post()
        match form.get("grant_type"):
            case "client_credentials":
                return self._program(request)
            case "urn:ietf:params:oauth:grant-type:device_code":
                return self._terminal(str(form.get("device_code")))
            case "refresh_token" if form.get("refresh_token") in self.refresh_tokens:
                self.refresh_tokens.discard(str(form.get("refresh_token")))
                return self._tokens("refresh")
            case "refresh_token":
                return self._answer("refresh", {"error": "invalid_grant"}, 400)
        return self._answer("grant", {"error": "unsupported_grant_type"}, 400)

    def _program(self, request: web.Request) -> web.Response:
        expected = base64.b64encode(f"{PROGRAM}:{SECRET}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {expected}":
            return self._answer("program", {"error": "invalid_client"}, 401)
        token = self.token(sub=PROGRAM, roles=None, scope="events.write other")
        return self._answer("program", {"access_token": token, "token_type": "Bearer", "expires_in": self.lifetime})

    def _terminal(self, code: str) -> web.Response:
        device, now = self.devices.get(code), time.monotonic()
        if device is None:
            return self._answer("poll", {"error": "expired_token"}, 400)
        too_soon, device.polled_at = now - device.polled_at < self.interval, now
        if too_soon:
            return self._answer("poll", {"error": "slow_down"}, 400)
        if device.approved is None:
            return self._answer("poll", {"error": "authorization_pending"}, 400)
        del self.devices[code]
        return self._tokens("poll") if device.approved else self._answer("poll", {"error": "access_denied"}, 400)

    def _tokens(self, what: str) -> web.Response:
        refresh = secrets.token_urlsafe(16)
        self.refresh_tokens.add(refresh)
        told = {"access_token": self.token(**self.user), "token_type": "Bearer", "expires_in": self.lifetime}
        return self._answer(what, {**told, "refresh_token": refresh})

    def _answer(self, what: str, document: Mapping[str, Any], status: int = 200) -> web.Response:
        self.asked[what] += 1
        return web.Response(status=503) if self.away else web.json_response(document, status=status)


@asynccontextmanager
async def an_issuer(*algorithms: str) -> AsyncIterator[Issuer]:
    """A listening issuer with a key for each algorithm, RS256 unless told."""
    kinds = algorithms or ("RS256",)
    issuer = Issuer(await asyncio.to_thread(lambda: [SigningKey.make(f"key-{kind}", kind) for kind in kinds]))
    app = web.Application()
    app.router.add_get("/.well-known/openid-configuration", issuer.discovery)
    app.router.add_get("/jwks", issuer.jwks)
    app.router.add_post("/device", issuer.device)
    app.router.add_post("/token", issuer.grant)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    issuer.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield issuer
    finally:
        await runner.cleanup()

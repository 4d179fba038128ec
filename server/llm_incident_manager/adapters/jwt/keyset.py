"""Reads what an issuer publishes: its discovery document and its keys (RFC 7517). Takes only keys that fit."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import orjson
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWTError
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

PublicKey: TypeAlias = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey | Ed448PublicKey
Keys: TypeAlias = Mapping[str, PublicKey]

DISCOVERY = "/.well-known/openid-configuration"
MOST_KEYS = 64
_RSA_BITS = range(2_048, 8_193)
_CURVES = {"ES256": "secp256r1", "ES384": "secp384r1", "ES512": "secp521r1"}
_KINDS = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
_READERS: Mapping[str, Callable[[dict[str, Any]], object]] = {
    "RSA": RSAAlgorithm.from_jwk,
    "EC": ECAlgorithm.from_jwk,
    "OKP": OKPAlgorithm.from_jwk,
}


class BadDocument(Exception):
    """What came from the issuer cannot be used; the message says why."""


def jwks_uri(document: bytes, issuer: str) -> str:
    """Where the keys are, by a discovery document. Raises BadDocument, also for one of another issuer."""
    found = _object(document)
    if found.get("issuer") != issuer:
        raise BadDocument("the discovery document is another issuer's")
    uri = found.get("jwks_uri")
    if not isinstance(uri, str) or (urlsplit(issuer).scheme, urlsplit(uri).scheme) == ("https", "http"):
        raise BadDocument("the discovery document names no jwks_uri that can be trusted")
    return uri


def keys(document: bytes, algorithm: str) -> Keys:
    """The keys that may sign with the algorithm, by their ids. Raises BadDocument when there is none."""
    entries = _object(document).get("keys")
    if not isinstance(entries, list):
        raise BadDocument("it holds no list of keys")
    found: dict[str, PublicKey] = {}
    for entry in entries[:MOST_KEYS]:
        key = _key(entry, algorithm) if isinstance(entry, dict) else None
        if key is not None:
            found.setdefault(str(entry.get("kid", "")), key)
    if not found:
        raise BadDocument(f"none of its keys is for {algorithm}")
    return found


def _key(entry: dict[str, Any], algorithm: str) -> PublicKey | None:
    """The key of an entry, None for one that is for something else or cannot be trusted."""
    kind = _KINDS[algorithm[:2]]
    operations = entry.get("key_ops")
    if entry.get("kty") != kind or entry.get("use", "sig") != "sig" or entry.get("alg", algorithm) != algorithm:
        return None
    if "d" in entry or (isinstance(operations, list) and "verify" not in operations):
        return None
    try:
        key = _READERS[kind](entry)
    except (PyJWTError, UnsupportedAlgorithm, ValueError, TypeError, KeyError, AttributeError):
        return None
    return _fitting(key, algorithm)


def _fitting(key: object, algorithm: str) -> PublicKey | None:
    match key:
        case RSAPublicKey() if key.key_size in _RSA_BITS:
            return key
        case EllipticCurvePublicKey() if key.curve.name == _CURVES[algorithm]:
            return key
        case Ed25519PublicKey() | Ed448PublicKey():
            return key
    return None


def _object(document: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(document)
    except orjson.JSONDecodeError:
        raise BadDocument("it is not JSON") from None
    if not isinstance(found, dict):
        raise BadDocument("it is no JSON object")
    return found

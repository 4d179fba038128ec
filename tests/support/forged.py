"""Tokens that nobody may be let in with, each with the word for why: what attackers have tried on others."""

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.issuer import Issuer, SigningKey, written


@dataclass(frozen=True)
class Forged:
    """A token and the cause of its refusal."""

    token: str
    cause: str


def forged(issuer: Issuer, evil_url: str = "http://127.0.0.1:9/keys") -> Mapping[str, Forged]:
    """By what is wrong with them. `issuer` signs with RS256; keys would be found at `evil_url`."""
    return {**_unsigned(issuer), **_with_own_keys(issuer, evil_url), **_by_claims(issuer), **_broken(issuer)}


def _unsigned(issuer: Issuer) -> Mapping[str, Forged]:
    """Signed with nothing, or with what everybody knows."""
    key, claims = issuer.keys[0], issuer.claims()
    public = key.private.public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    jwk = json.dumps(key.jwk).encode()
    head, body, _ = issuer.token().split(".")

    def hs256(secret: bytes) -> str:
        return written({"alg": "HS256", "kid": key.kid}, claims, lambda data: hmac.digest(secret, data, "sha256"))

    found = {
        f"alg {word}": Forged(written({"alg": word, "kid": key.kid}, claims, lambda _: b""), "wrong_algorithm")
        for word in ("none", "None", "NONE", "nOnE", "")
    }
    return {
        **found,
        "HS256 with the public key": Forged(hs256(pem), "wrong_algorithm"),
        "HS256 with the public key without its last line": Forged(hs256(pem.strip()), "wrong_algorithm"),
        "HS256 with the published key": Forged(hs256(jwk), "wrong_algorithm"),
        "HS256 with nothing": Forged(hs256(b""), "wrong_algorithm"),
        "no signature": Forged(f"{head}.{body}.", "bad_signature"),
        "zeros for a signature": Forged(f"{head}.{body}.{'A' * 342}", "bad_signature"),
    }


def _with_own_keys(issuer: Issuer, url: str) -> Mapping[str, Forged]:
    """Signed with a key of the attacker's, which the token brings along or names."""
    evil, claims = SigningKey.make(issuer.keys[0].kid), issuer.claims()
    other = SigningKey.make("unheard-of")
    curve = SigningKey.make(issuer.keys[0].kid, "ES256")
    return {
        "another key of the same name": Forged(evil.token(claims), "bad_signature"),
        "another algorithm": Forged(curve.token(claims), "wrong_algorithm"),
        "jwk": Forged(evil.token(claims, jwk=evil.jwk), "forbidden_header"),
        "jku": Forged(evil.token(claims, jku=url), "forbidden_header"),
        "x5u": Forged(evil.token(claims, x5u=url), "forbidden_header"),
        "x5c": Forged(evil.token(claims, x5c=["AAAA"]), "forbidden_header"),
        "a key that nobody has": Forged(other.token(claims), "unknown_key"),
        "a path for a key": Forged(evil.token(claims, kid="../../dev/null"), "unknown_key"),
        "SQL for a key": Forged(evil.token(claims, kid="' OR 1=1 --"), "unknown_key"),
        "a key that is a number": Forged(evil.token(claims, kid=1), "malformed"),
        "an issuer of the attacker's": Forged(evil.token(issuer.claims(iss=url)), "unknown_issuer"),
    }


def _by_claims(issuer: Issuer) -> Mapping[str, Forged]:
    """Well signed, and not for us or not for now."""
    now = issuer.claims()["iat"]
    return {
        "wrong issuer": Forged(issuer.token(iss=f"{issuer.url}/"), "unknown_issuer"),
        "no issuer": Forged(issuer.token(iss=None), "unknown_issuer"),
        "wrong audience": Forged(issuer.token(aud="another-server"), "wrong_audience"),
        "no audience": Forged(issuer.token(aud=None), "wrong_audience"),
        "expired": Forged(issuer.token(exp=now - 60), "expired"),
        "no end": Forged(issuer.token(exp=None), "no_expiry"),
        "an end beyond all time": Forged(issuer.token(exp=1e300), "malformed"),
        "not yet": Forged(issuer.token(nbf=now + 600), "not_yet_valid"),
        "made in the future": Forged(issuer.token(iat=now + 600), "not_yet_valid"),
        "nobody": Forged(issuer.token(sub=None), "no_subject"),
    }


def _broken(issuer: Issuer) -> Mapping[str, Forged]:
    """Not what a token looks like."""
    key, claims, good = issuer.keys[0], issuer.claims(), issuer.token()
    head, body, sign = good.split(".")
    nested = json.loads("[" * 900 + "]" * 900)
    deep = written({"alg": "RS256", "kid": key.kid, "a": nested}, claims, SigningKey.make().signed)
    return {
        "crit": Forged(key.token(claims, crit=["exp"]), "forbidden_header"),
        "crit of an unknown word": Forged(key.token(claims, crit=["x"], x=1), "forbidden_header"),
        "b64": Forged(key.token(claims, b64=False), "forbidden_header"),
        "1 MB": Forged(issuer.token(pad="x" * 750_000), "too_large"),
        "a byte too long": Forged(good + "A" * (8_193 - len(good)), "too_large"),
        "another body": Forged(f"{head}.{issuer.token(sub='root').split('.')[1]}.{sign}", "bad_signature"),
        "another head": Forged(f"{key.token(claims, typ='at+jwt').split('.')[0]}.{body}.{sign}", "bad_signature"),
        "two parts": Forged(f"{head}.{body}", "malformed"),
        "four parts": Forged(f"{good}.{sign}", "malformed"),
        "nothing": Forged("", "malformed"),
        "no JSON": Forged(f"{head[:-4]}.{body}.{sign}", "malformed"),
        "a list for a head": Forged(f"W10.{body}.{sign}", "malformed"),
        "no base64": Forged(f"{head}.!!!.{sign}", "malformed"),
        "other letters": Forged(f"{good}é", "malformed"),
        "a deep head": Forged(deep, "bad_signature"),
        "for something else": Forged(key.token(claims, typ="dpop+jwt"), "wrong_type"),
    }

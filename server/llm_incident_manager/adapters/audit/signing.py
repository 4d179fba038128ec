"""Ed25519 keys for audit checkpoints: the one door to `cryptography` of the audit. Keys are PEM files."""

import hashlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from llm_incident_manager.config import Settings
from llm_incident_manager.domain import audit_checkpoint
from llm_incident_manager.domain.audit_checkpoint import Checkpoint
from llm_incident_manager.ports.stores import StoreRefused

KEY_FILE = "audit-signing-key.pem"


class Checker:
    """Knows public keys."""

    def __init__(self, keys: Iterable[Ed25519PublicKey]) -> None:
        """The keys that are trusted."""
        self._keys = {key_id_of(key): key for key in keys}

    @classmethod
    def of_files(cls, files: Iterable[Path]) -> "Checker":
        """Of PEM files, each with a public or a private key. Raises StoreRefused."""
        return cls(_public_key(file) for file in files)

    @classmethod
    def of_text(cls, pem: str | None) -> "Checker":
        """Of a public key in PEM, if there is one. Raises StoreRefused."""
        return cls(()) if pem is None else cls([_parsed(pem.encode(), "what the export names")])

    def signed(self, checkpoint: Checkpoint) -> bool | None:
        """Whether the signature is right; None for one of a key that is not known."""
        key = self._keys.get(checkpoint.key_id)
        if key is None:
            return None
        try:
            key.verify(checkpoint.signature, audit_checkpoint.statement(checkpoint))
        except InvalidSignature:
            return False
        return True


class Ed25519Signer:
    """Implements ports.audit.Signer."""

    def __init__(self, key: Ed25519PrivateKey, known: Iterable[Ed25519PublicKey] = ()) -> None:
        """`known` are the public keys of before, whose checkpoints still count."""
        self._key = key
        self._checker = Checker([*known, key.public_key()])
        self.key_id = key_id_of(key.public_key())
        self.public_key = pem_of(key.public_key())

    def sign(self, data: bytes) -> bytes:
        """The signature."""
        return self._key.sign(data)

    def signed(self, checkpoint: Checkpoint) -> bool | None:
        """Whether a checkpoint's signature is right; None for one of another key."""
        return self._checker.signed(checkpoint)


def signer(settings: Settings) -> Ed25519Signer | None:
    """The key of the settings. The embedded database has one in its directory, which is made at the first start; None
    where there is no key. Raises StoreRefused for a file that cannot be used."""
    file = _key_file(settings)
    if file is None:
        return None
    if file != settings.audit.signing_key_file and not file.exists():
        make(file)
    return Ed25519Signer(_private_key(file), [_public_key(each) for each in settings.audit.former_keys])


def key_files(settings: Settings) -> Sequence[Path]:
    """The files of the settings' keys, as far as they are there."""
    file = _key_file(settings)
    return [each for each in (file, *settings.audit.former_keys) if each is not None and each.exists()]


def make(file: Path) -> None:
    """Makes a key that nobody else can read. Raises StoreRefused."""
    key = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    part = file.with_name(f"{file.name}.part")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as target:  # noqa: PTH123  # made with its rights
            target.write(key)
            target.flush()
            os.fsync(target.fileno())
        part.replace(file)
    except OSError as error:
        raise StoreRefused(
            f"cannot write the audit's signing key {file} ({error.strerror}): check its rights"
        ) from error


def _key_file(settings: Settings) -> Path | None:
    beside = settings.storage.path / KEY_FILE if settings.storage.type == "sqlite" else None
    return settings.audit.signing_key_file or beside


def key_id_of(key: Ed25519PublicKey) -> str:
    """Names a key: 16 digits of its SHA-256."""
    raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return hashlib.sha256(raw).hexdigest()[:16]


def pem_of(key: Ed25519PublicKey) -> str:
    """A public key as text."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_bytes(serialization.Encoding.PEM, form).decode()


def _private_key(file: Path) -> Ed25519PrivateKey:
    try:
        key = serialization.load_pem_private_key(_read(file), password=None)
    except (TypeError, ValueError, UnsupportedAlgorithm) as error:
        raise StoreRefused(f"audit.signing_key_file {file} holds no private key in PEM without a password") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise StoreRefused(
            f"audit.signing_key_file {file} holds no Ed25519 key: make one, openssl genpkey -algorithm ed25519"
        )
    return key


def _public_key(file: Path) -> Ed25519PublicKey:
    data = _read(file)
    return _private_key(file).public_key() if b"PRIVATE KEY" in data else _parsed(data, str(file))


def _parsed(pem: bytes, what: str) -> Ed25519PublicKey:
    try:
        key = serialization.load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise StoreRefused(f"{what} holds no key in PEM: give the one that signed the checkpoints") from error
    if not isinstance(key, Ed25519PublicKey):
        raise StoreRefused(f"{what} holds no Ed25519 key: give the one that signed the checkpoints")
    return key


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise StoreRefused(f"cannot read key {file} ({error.strerror}): check its name and rights") from error

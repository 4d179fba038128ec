"""What counts of a certificate."""

from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from llm_incident_manager.domain.certificates import Certificate
from llm_incident_manager.domain.time import Instant, from_datetime

_ANY = ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE


def certificate(der: bytes) -> Certificate:
    """What counts of it. Raises ValueError when the bytes are no certificate, or one that contradicts itself."""
    try:
        return summary(x509.load_der_x509_certificate(der))
    except (x509.DuplicateExtension, x509.UnsupportedGeneralNameType, x509.InvalidVersion) as error:
        raise ValueError(f"the certificate contradicts itself: {error}") from error


def summary(loaded: x509.Certificate) -> Certificate:
    """The same of one that is loaded."""
    purposes = _purposes(loaded)
    return Certificate(
        fingerprint=loaded.fingerprint(hashes.SHA256()),
        not_before=_instant(loaded.not_valid_before_utc),
        not_after=_instant(loaded.not_valid_after_utc),
        uris=_uris(loaded),
        common_name=_common_name(loaded.subject),
        for_clients=not purposes or bool(purposes & {ExtendedKeyUsageOID.CLIENT_AUTH, _ANY}),
        for_servers=not purposes or bool(purposes & {ExtendedKeyUsageOID.SERVER_AUTH, _ANY}),
        authority=_is_authority(loaded),
    )


def _instant(moment: datetime) -> Instant:
    return from_datetime(moment)


def _purposes(loaded: x509.Certificate) -> frozenset[x509.ObjectIdentifier]:
    try:
        return frozenset(loaded.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        return frozenset()


def _uris(loaded: x509.Certificate) -> tuple[str, ...]:
    try:
        names = loaded.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(names.get_values_for_type(x509.UniformResourceIdentifier))


def _common_name(subject: x509.Name) -> str:
    """Empty unless there is exactly one: of several nobody could say which counts."""
    found = subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if len(found) == 1 else ""


def _is_authority(loaded: x509.Certificate) -> bool:
    try:
        return loaded.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False

"""TLS on both ports: our certificate, whose client certificates count, and who a client is by its certificate."""

import re
from collections.abc import Collection, Iterator
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from llm_incident_manager.config.problems import Problem, shown
from llm_incident_manager.config.values import FilePath, Port, Section
from llm_incident_manager.domain import certificates
from llm_incident_manager.domain.certificates import IdentityRule

_ROLE = r"^[a-z][a-z0-9_-]{0,62}$"
_TRUST_DOMAIN = re.compile(r"[a-z0-9._-]{1,255}")


def _words(value: object) -> object:
    """A list, or words in one text with commas between them."""
    return [word.strip() for word in value.split(",")] if isinstance(value, str) else value


Roles = Annotated[tuple[Annotated[str, Field(pattern=_ROLE)], ...], Field(min_length=1), BeforeValidator(_words)]
Version = Annotated[Literal["1.3", "1.2"], BeforeValidator(lambda value: str(value) if value in (1.2, 1.3) else value)]


class CertificateIdentity(Section):
    """Who a client is whose certificate fits. `{name}` in a pattern keeps a part between slashes, `*` is any part."""

    uri: str = ""
    """Pattern of a URI in the certificate, such as `spiffe://example.org/ns/{namespace}/sa/*`."""
    common_name: str = ""
    """Or pattern of the common name of the certificate's subject."""
    tenant: str = "default"
    """Its tenant; may use what the pattern keeps, such as `{namespace}`."""
    subject: str = ""
    """What it is called; may use what the pattern keeps. The whole URI or common name unless given."""
    roles: Roles = ("producer",)
    """What it may do."""
    tier: str = ""
    """Its limit, of `limits.tiers`; the usual one unless given."""

    def rule(self) -> IdentityRule:
        """As decisions see it."""
        return IdentityRule(self.uri, self.common_name, self.tenant, self.subject, frozenset(self.roles), self.tier)


class Tls(Section):
    """TLS for gRPC and HTTP; off without a certificate."""

    certificate_file: FilePath | None = None
    """PEM file of our certificate, followed by those of the authorities between it and the root."""
    key_file: FilePath | None = None
    """PEM file of its private key, without a passphrase."""
    client_ca_file: FilePath | None = None
    """PEM file of the authorities whose client certificates count."""
    client_certificates: Literal["none", "optional", "required"] = "none"
    """Whether clients show one: `none` is asked for, `required` of all, `optional` over HTTP and on `tls.mtls_port`."""
    mtls_port: Port = 50052
    """With `optional`: the gRPC port that requires client certificates, while `grpc.port` asks for none."""
    minimum_version: Version = "1.3"
    """The oldest TLS that is spoken: `1.3`, or `1.2` for clients that know no newer one."""
    reload_secs: Annotated[float, Field(ge=0.2, le=3_600)] = 5.0
    """How often the files are looked at; new ones are used for new connections, and no open one is cut."""
    trust_domain: str = ""
    """`spiffe://<trust domain>/tenant/<tenant>/service/<name>` is service `<name>` of `<tenant>`, unless `identities`
    say otherwise."""
    service_roles: Roles = ("producer",)
    """What such a service may do."""
    service_tier: str = ""
    """Its limit, of `limits.tiers`; the usual one unless given."""
    identities: tuple[CertificateIdentity, ...] = ()
    """Who clients are by their certificates; the first that fits decides, and whom none fits is refused."""
    terminated_by_proxy: bool = False
    """A proxy before this server speaks TLS with clients: credentials are taken in clear text on any address."""

    @property
    def on(self) -> bool:
        """Whether TLS is spoken."""
        return self.certificate_file is not None

    def rules(self) -> tuple[IdentityRule, ...]:
        """Who clients are by their certificates, in the order in which it is looked."""
        own = tuple(identity.rule() for identity in self.identities)
        if not self.trust_domain:
            return own
        uri = f"{certificates.SPIFFE}{self.trust_domain}/tenant/{{tenant}}/service/{{service}}"
        return (*own, IdentityRule(uri, "", "{tenant}", "{service}", frozenset(self.service_roles), self.service_tier))


def conflicts(tls: Tls, tiers: Collection[str]) -> Iterator[Problem]:
    """What does not go together. `tiers` are the limits there are. Origins are left empty."""
    for key, tier in (("service_tier", tls.service_tier), *_tiers(tls)):
        if tier and tier not in tiers:
            remedy = f"there is no such limit: give one of limits.tiers, {', '.join(sorted(tiers))}"
            yield Problem(f"tls.{key}", shown(tier), "", remedy)
    if tls.certificate_file is None and tls.key_file is not None:
        yield Problem(
            "tls.key_file", shown(tls.key_file), "", "it is the key of a certificate: give certificate_file too"
        )
    if tls.certificate_file is not None and tls.key_file is None:
        remedy = "a certificate needs its private key: give key_file"
        yield Problem("tls.certificate_file", shown(tls.certificate_file), "", remedy)
    yield from _clients(tls)
    if tls.trust_domain and _TRUST_DOMAIN.fullmatch(tls.trust_domain) is None:
        remedy = "give it as it stands in the ids: example.org, in lower case and without spiffe://"
        yield Problem("tls.trust_domain", shown(tls.trust_domain), "", remedy)
    for number, identity in enumerate(tls.identities):
        yield from _identity(f"tls.identities[{number}]", identity)


def _tiers(tls: Tls) -> Iterator[tuple[str, str]]:
    for number, identity in enumerate(tls.identities):
        yield f"identities[{number}].tier", identity.tier


def _clients(tls: Tls) -> Iterator[Problem]:
    asked, key = tls.client_certificates, "tls.client_certificates"
    if asked == "none":
        if tls.client_ca_file is not None:
            remedy = f"it does nothing while {key} is none: set that to required or optional"
            yield Problem("tls.client_ca_file", shown(tls.client_ca_file), "", remedy)
        return
    if not tls.on:
        yield Problem(
            key, shown(asked), "", "clients show certificates over TLS only: give certificate_file and key_file"
        )
    if tls.client_ca_file is None:
        yield Problem(key, shown(asked), "", "give the authorities whose certificates count: client_ca_file")
    if not tls.rules():
        remedy = "no certificate would be anybody's: give tls.trust_domain, or tls.identities"
        yield Problem(key, shown(asked), "", remedy)


def _identity(key: str, identity: CertificateIdentity) -> Iterator[Problem]:
    if bool(identity.uri) == bool(identity.common_name):
        yield Problem(key, "", "", "give one of uri and common_name")
        return
    kept = certificates.names_in(identity.uri or identity.common_name)
    for name in ("tenant", "subject"):
        template = getattr(identity, name)
        if unknown := certificates.names_in(template) - kept:
            remedy = f"the pattern keeps no {{{min(unknown)}}}: it keeps {', '.join(sorted(kept)) or 'nothing'}"
            yield Problem(f"{key}.{name}", shown(template), "", remedy)
    if not certificates.names_in(identity.tenant) and certificates.TENANT.fullmatch(identity.tenant) is None:
        remedy = "a tenant is called a-z, 0-9 and -, beginning with a letter, at most 63 of them"
        yield Problem(f"{key}.tenant", shown(identity.tenant), "", remedy)

"""The section `tls`: what does not go together is named with its remedy, and who is who follows from it."""

import pytest

from llm_incident_manager.config import Settings
from llm_incident_manager.config.settings import conflicts
from llm_incident_manager.domain.certificates import IdentityRule

FILES = {"certificate_file": "server.pem", "key_file": "server-key.pem"}
MUTUAL = {**FILES, "client_ca_file": "ca.pem", "client_certificates": "required", "trust_domain": "example.org"}


def problems(tls: object, **sections: object) -> list[str]:
    return [str(problem) for problem in conflicts(Settings.model_validate({"tls": tls, **sections}))]


@pytest.mark.parametrize(
    "tls", [{}, FILES, MUTUAL, {**MUTUAL, "client_certificates": "optional"}, {**FILES, "minimum_version": 1.2}]
)
def test_what_goes_together(tls: object) -> None:
    assert problems(tls) == []


def identities(**one: object) -> dict[str, object]:
    return {**MUTUAL, "identities": [one]}


CASES = {
    "a certificate without its key": (
        {"certificate_file": "server.pem"},
        'tls.certificate_file = "server.pem": a certificate needs its private key: give key_file',
    ),
    "a key without a certificate": (
        {"key_file": "k.pem"},
        'tls.key_file = "k.pem": it is the key of a certificate: give certificate_file too',
    ),
    "authorities of certificates that nobody is asked for": (
        {**FILES, "client_ca_file": "ca.pem"},
        (
            'tls.client_ca_file = "ca.pem": it does nothing while tls.client_certificates is none: '
            "set that to required or optional"
        ),
    ),
    "client certificates of nobody's": (
        {**MUTUAL, "client_ca_file": None},
        'tls.client_certificates = "required": give the authorities whose certificates count: client_ca_file',
    ),
    "client certificates that are nobody": (
        {**MUTUAL, "trust_domain": ""},
        (
            'tls.client_certificates = "required": no certificate would be anybody\'s: give tls.trust_domain, '
            "or tls.identities"
        ),
    ),
    "client certificates without TLS": (
        {"client_ca_file": "ca.pem", "client_certificates": "optional", "trust_domain": "example.org"},
        (
            'tls.client_certificates = "optional": clients show certificates over TLS only: '
            "give certificate_file and key_file"
        ),
    ),
    "a trust domain as a URI": (
        {**MUTUAL, "trust_domain": "spiffe://example.org"},
        (
            'tls.trust_domain = "spiffe://example.org": give it as it stands in the ids: example.org, in lower case '
            "and without spiffe://"
        ),
    ),
    "an identity by nothing": (identities(), "tls.identities[0]: give one of uri and common_name"),
    "an identity by two things": (
        identities(uri="a", common_name="b"),
        "tls.identities[0]: give one of uri and common_name",
    ),
    "a tenant that the pattern does not keep": (
        identities(uri="spiffe://a/{ns}/*", tenant="{tenant}"),
        'tls.identities[0].tenant = "{tenant}": the pattern keeps no {tenant}: it keeps ns',
    ),
    "a tenant that cannot be one": (
        identities(common_name="x", tenant="A B"),
        (
            'tls.identities[0].tenant = "A B": a tenant is called a-z, 0-9 and -, beginning with a letter, '
            "at most 63 of them"
        ),
    ),
    "a limit that there is not": (
        {**MUTUAL, "service_tier": "bulk"},
        'tls.service_tier = "bulk": there is no such limit: give one of limits.tiers, standard',
    ),
    "one port for both sorts of clients": (
        {**MUTUAL, "client_certificates": "optional", "mtls_port": 50051},
        "tls.mtls_port = 50051: another port of this server is the same: give it one of its own",
    ),
}


@pytest.mark.parametrize(("tls", "said"), CASES.values(), ids=CASES)
def test_what_does_not_go_together(tls: object, said: str) -> None:
    assert problems(tls) == [said]


@pytest.mark.parametrize("tls", [{}, {"terminated_by_proxy": False}])
def test_credentials_in_clear_text_are_for_this_machine_alone(tls: object) -> None:
    ask = {"required": True}
    assert problems(tls, identity=ask) == []
    (said,) = problems(tls, identity=ask, grpc={"host": "0.0.0.0"})
    assert said.startswith('grpc.host = "0.0.0.0": credentials would cross the network in clear text: give tls.cert')


@pytest.mark.parametrize("tls", [FILES, {"terminated_by_proxy": True}])
def test_over_tls_and_behind_a_proxy_any_address_will_do(tls: object) -> None:
    assert problems(tls, identity={"required": True}, grpc={"host": "0.0.0.0"}, api={"host": "::"}) == []


def test_client_certificates_that_are_required_tell_who_calls() -> None:
    assert problems(MUTUAL, grpc={"host": "0.0.0.0"}) == []
    assert len(problems({**MUTUAL, "client_certificates": "optional"}, grpc={"host": "0.0.0.0"})) == 1


def test_rules_stand_before_the_trust_domain() -> None:
    own = {"uri": "spiffe://example.org/{who}", "subject": "{who}", "roles": "admin, viewer"}
    settings = Settings.model_validate({"tls": {**MUTUAL, "identities": [own]}})
    assert settings.tls.rules() == (
        IdentityRule("spiffe://example.org/{who}", "", "default", "{who}", frozenset({"admin", "viewer"})),
        IdentityRule(
            "spiffe://example.org/tenant/{tenant}/service/{service}",
            "",
            "{tenant}",
            "{service}",
            frozenset({"producer"}),
        ),
    )

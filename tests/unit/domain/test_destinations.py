"""Where the server may connect to: a sentence a row."""

import pytest

from llm_incident_manager.domain import destinations
from llm_incident_manager.domain.destinations import EVERYWHERE, Verdict, Why, policy

USUAL = policy([], public=True)
OWN = policy(["hooks.internal", "*.corp.example", "10.1.0.0/16", "127.0.0.1", "fd12::/16"], public=True)
STRICT = policy(["hooks.example.com", "192.0.2.0/24"], public=False)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1"),
        *("169.254.169.254", "192.0.0.192", "198.18.0.1", "203.0.113.9", "224.0.0.1", "255.255.255.255"),
        *("168.63.129.16", "100.100.100.200", "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:7f00:1"),
        *("::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::", "2001::1", "2001:db8::1", "3fff::1"),
        *("fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "fec0::1", "5f00::1", "100::1"),
    ],
)
def test_an_address_that_is_not_the_internets_is_refused(address: str) -> None:
    assert USUAL.judge("evil.example", address) == Verdict(False, Why.NOT_PUBLIC)


@pytest.mark.parametrize("address", ["8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_a_public_address_is_allowed(address: str) -> None:
    assert USUAL.judge("example.org", address) == Verdict(True, Why.PUBLIC)


@pytest.mark.parametrize(
    "address", ["", "localhost", "127.1", "2130706433", "0x7f000001", "017700000001", "1.2.3.4:80"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    assert EVERYWHERE.judge("x", address) == Verdict(False, Why.NO_ADDRESS)


@pytest.mark.parametrize(
    ("name", "address", "why"),
    [
        pytest.param("any.example", "10.1.2.3", Why.LISTED_NETWORK, id="an address of a listed network"),
        pytest.param("any.example", "::ffff:10.1.2.3", Why.LISTED_NETWORK, id="the same in other clothes"),
        pytest.param("127.0.0.1", "127.0.0.1", Why.LISTED_NETWORK, id="a listed address"),
        pytest.param("hooks.internal", "10.9.9.9", Why.LISTED_NAME, id="a listed name leads into a private network"),
        pytest.param("HOOKS.internal.", "192.168.1.1", Why.LISTED_NAME, id="however it is written"),
        pytest.param("a.b.corp.example", "10.9.9.9", Why.LISTED_NAME, id="a name below a listed one"),
        pytest.param("hooks.internal", "127.0.0.9", Why.LISTED_NAME, id="a listed name may be this machine"),
    ],
)
def test_what_the_operator_names_is_allowed(name: str, address: str, why: Why) -> None:
    assert OWN.judge(name, address) == Verdict(True, why)


@pytest.mark.parametrize(
    ("name", "address", "why"),
    [
        pytest.param("any.example", "10.2.0.1", Why.NOT_PUBLIC, id="beside a listed network"),
        pytest.param("corp.example", "10.9.9.9", Why.NOT_PUBLIC, id="a star does not stand for nothing"),
        pytest.param("evilcorp.example", "10.9.9.9", Why.NOT_PUBLIC, id="nor for a part of a label"),
        pytest.param("hooks.internal.evil.example", "10.9.9.9", Why.NOT_PUBLIC, id="nor is a beginning enough"),
        pytest.param("hooks.internal", "169.254.169.254", Why.NEVER_BY_NAME, id="a name never leads to credentials"),
        pytest.param("hooks.internal", "fd00:ec2::254", Why.NEVER_BY_NAME, id="nor to those of IPv6"),
        pytest.param("hooks.internal", "0.0.0.0", Why.NEVER_BY_NAME, id="nor to every address"),
    ],
)
def test_what_the_operator_does_not_name_is_not(name: str, address: str, why: Why) -> None:
    assert OWN.judge(name, address) == Verdict(False, why)


def test_without_public_only_the_list_counts() -> None:
    assert STRICT.judge("example.org", "8.8.8.8") == Verdict(False, Why.NOT_LISTED)
    assert STRICT.judge("hooks.example.com", "8.8.8.8") == Verdict(True, Why.LISTED_NAME)
    assert STRICT.judge("x", "192.0.2.7") == Verdict(True, Why.LISTED_NETWORK)


def test_a_list_may_hold_names_of_any_script() -> None:
    assert policy(["münchen.example"], public=False).names == {"xn--mnchen-3ya.example"}


@pytest.mark.parametrize(
    ("entry", "remedy"),
    [
        ("http://hooks.example.com", "without scheme, port or path"),
        ("hooks.example.com:443", "without scheme, port or path"),
        ("10.1.2.3/16", "write 10.1.0.0/16"),
        ("10.1.0.0/33", "without scheme, port or path"),
        ("127.1", "no host name, address or network"),
        ("0x7f000001", "no host name, address or network"),
        ("a..b", "no host name, address or network"),
        ("*", "no host name, address or network"),
        ("*.*.example", "no host name, address or network"),
        ("user@host", "no host name, address or network"),
        ("", "no host name, address or network"),
    ],
)
def test_an_entry_that_cannot_be_meant_is_refused_with_a_remedy(entry: str, remedy: str) -> None:
    with pytest.raises(ValueError, match=remedy):
        policy([entry], public=True)


@pytest.mark.parametrize(
    "host", ["2130706433", "017700000001", "0x7f000001", "127.1", "0177.0.0.1", "0x7f.0.0.1", "1.2.3.4."]
)
def test_an_address_in_odd_clothes_is_seen(host: str) -> None:
    assert destinations.is_odd(host)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "example.org", "1.example", "x0", "0x7f.example", "localhost"])
def test_usual_hosts_are_not_odd(host: str) -> None:
    assert not destinations.is_odd(host)

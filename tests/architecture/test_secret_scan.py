"""Nothing that is committed looks like a secret; what does is seen."""

import sys

import pytest

from tools import secret_scan, shell

RANDOM = "q7Rk2vXw9LmT4nPz8sYb1cDf6gHj3aEu"
# In pieces, so that this file does not find itself.
PLANTED = {
    "private key": "-----BEGIN RSA PRIVATE" + " KEY-----\n" + "MIIEowIBAAKCAQEA" * 2,
    "aws key": "AKI" + "AIOSFODNN7EXAMPLE",
    "github token": "gh" + "p_" + RANDOM + RANDOM[:8],
    "slack token": "xox" + "b-123456789012-" + RANDOM,
    "slack webhook": "https://hooks.slack" + ".com/services/T00000000/B00000000/" + RANDOM[:24],
    "google key": "AI" + "za" + RANDOM + "abc",
    "stripe key": "sk_" + "live_" + RANDOM,
    "model provider key": "sk-" + "ant-" + RANDOM + RANDOM,
    "token": "eyJ" + "hbGciOiJIUzI1NiJ9.eyJ" + "zdWIiOiIxMjM0NTY3ODkwIn0." + RANDOM,
    "registry token": "pypi-" + "AgEI" + RANDOM,
    "address with a password": "postgresql://app:" + RANDOM + "@db.example.com/x",
    "named secret": "api_" + f'key = "{RANDOM}"',
}


def test_nothing_committed_looks_like_a_secret() -> None:
    assert shell.run(sys.executable, "-m", "tools.secret_scan") == 0


@pytest.mark.parametrize("kind", secret_scan.FORMS)
def test_a_planted_secret_is_seen(kind: str) -> None:
    text = f"first\nsecond {PLANTED[kind]}\n"
    assert (2, kind) in {(hit.line, hit.kind) for hit in secret_scan.hits("x.py", text)}
    assert secret_scan.check({"x.py": text}, {})
    assert RANDOM not in "".join(secret_scan.check({"x.py": text}, {})), "named, never shown"


@pytest.mark.parametrize(
    "text",
    [
        'api_key = "your-api-key-goes-here-please"',
        "postgresql://user:password@localhost/db",
        "postgresql://app:${PASSWORD}@db/x",
        'token = tokens["next_page_token_of_this_list"]',
        'secret_name = "llm-incident-manager-secrets"',
    ],
)
def test_what_only_speaks_of_secrets_is_left_alone(text: str) -> None:
    assert list(secret_scan.hits("x.py", text)) == []


def test_an_exception_counts_for_its_file_and_kind_and_only_while_it_is_needed() -> None:
    text = PLANTED["aws key"]
    assert secret_scan.check({"x.py": text}, {("x.py", "aws key"): "an example"}) == []
    assert secret_scan.check({"y.py": text}, {("x.py", "aws key"): "an example"}) != []
    assert secret_scan.check({"x.py": ""}, {("x.py", "aws key"): "an example"}) == ["x.py: has no aws key any more"]

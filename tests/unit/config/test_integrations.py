"""Settings of the services that are asked: what cannot work, or would give credentials away, stops the start."""

import pytest
from pydantic import ValidationError

from llm_incident_manager.config import Settings
from llm_incident_manager.config.settings import conflicts
from llm_incident_manager.domain.analysis import Service

THERE = "sentinel.example.com:443"


def problems(**fields: object) -> list[str]:
    return [str(problem) for problem in conflicts(Settings.model_validate({"integrations": {"sentinel": fields}}))]


def test_nobody_is_asked_without_a_target() -> None:
    assert Settings().integrations.by_service() == {}


def test_who_has_a_target_is_asked() -> None:
    settings = Settings.model_validate({"integrations": {"shield": {"target": "shield.example.com:443"}}})
    assert list(settings.integrations.by_service()) == [Service.SHIELD]
    assert list(conflicts(settings)) == []


@pytest.mark.parametrize("target", ["x", "x:0", "x:65536", "https://x:1", "x:1/", "u@x:1", "fd00::1:1", "[x:1", " x:1"])
def test_a_target_is_a_host_and_a_port(target: str) -> None:
    with pytest.raises(ValidationError, match="give host:port"):
        problems(target=target)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        # What outbound.allow does not name is told at the start where it can be.
        ({"target": "127.0.0.1:1"}, "outbound.allow"),
        ({"target": "[::1]:1"}, "outbound.allow"),
        ({"target": "2130706433:1"}, "four numbers"),
        # A certificate and its key come together, and only with TLS.
        ({"target": THERE, "certificate_file": "c.pem"}, "give both"),
        ({"target": THERE, "ca": "c.pem", "tls": False}, "certificates are for TLS"),
        # Credentials cross no network in clear text.
        ({"target": THERE, "api_key": "k", "tls": False}, "clear text"),
        ({"target": THERE, "token": "t", "tls": False}, "clear text"),
    ],
)
def test_what_cannot_work_is_told_with_the_remedy(fields: dict[str, object], told: str) -> None:
    [problem] = problems(**fields)
    assert problem.startswith("integrations.sentinel.")
    assert told in problem


def test_a_source_has_one_service() -> None:
    both = {"sentinel": {"target": THERE}, "shield": {"target": THERE, "sources": ["LLM-Sentinel"]}}
    [problem] = conflicts(Settings.model_validate({"integrations": both}))
    assert "integrations.sentinel has this source as well" in str(problem)


def test_credentials_are_masked() -> None:
    settings = Settings.model_validate(
        {"integrations": {"shield": {"target": THERE, "api_key": "k-9", "token": "t-9"}}}
    )
    assert "k-9" not in str(settings.masked())
    assert "t-9" not in str(settings.masked())

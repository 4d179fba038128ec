"""Secrets come from files where they shall not stand in the environment."""

from pathlib import Path

import pytest

from llm_incident_manager.config import ConfigError, load

URL = "redis://:hunter22@cache:6379/0"


def url_of(env: dict[str, str]) -> str | None:
    url = load(env).redis.url
    return None if url is None else url.get_secret_value()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    it = tmp_path / "redis-url"
    it.write_text(f"{URL}\n")
    return it


@pytest.mark.parametrize("name", ["REDIS_URL_FILE", "LLM_IM__REDIS__URL_FILE"])
def test_a_variable_may_name_the_file_of_its_value(name: str, file: Path) -> None:
    assert url_of({name: str(file)}) == URL


def test_a_mounted_directory_has_a_file_for_each(tmp_path: Path) -> None:
    (tmp_path / "REDIS_URL").write_text(URL)
    (tmp_path / "unrelated").write_text("x")
    assert url_of({"LLM_IM_SECRETS_DIR": str(tmp_path)}) == URL


def test_the_environment_wins_over_the_directory(tmp_path: Path) -> None:
    (tmp_path / "REDIS_URL").write_text(URL)
    assert url_of({"LLM_IM_SECRETS_DIR": str(tmp_path), "REDIS_URL": "redis://other:6379/0"}) == "redis://other:6379/0"


def problems(env: dict[str, str]) -> str:
    with pytest.raises(ConfigError) as refused:
        load(env)
    text = str(refused.value)
    assert "hunter22" not in text
    return text


def test_both_at_once_are_a_contradiction(file: Path) -> None:
    assert "REDIS_URL is set, too" in problems({"REDIS_URL": URL, "REDIS_URL_FILE": str(file)})


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    assert "No such file" in problems({"REDIS_URL_FILE": str(tmp_path / "none")})
    assert "no such directory" in problems({"LLM_IM_SECRETS_DIR": str(tmp_path / "none")})


def test_a_huge_file_is_refused(file: Path) -> None:
    file.write_text("x" * 100_000)
    assert "larger than 65536 bytes" in problems({"REDIS_URL_FILE": str(file)})


def test_a_bad_value_from_a_file_is_refused_without_showing_it(file: Path) -> None:
    file.write_text("ftp://:hunter22@cache")
    assert "redis.url" in problems({"REDIS_URL_FILE": str(file)})

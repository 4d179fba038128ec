"""Where the secret comes from that API keys are digested with."""

import stat
from pathlib import Path

import pytest

from llm_incident_manager.adapters import pepper
from llm_incident_manager.adapters.pepper import PepperRefused
from llm_incident_manager.config import Settings, load

GIVEN = "0123456789abcdef0123456789abcdef"


def embedded(folder: Path, **identity: object) -> Settings:
    given = {"storage": {"path": str(folder)}, "identity": {"api_keys": identity}}
    return Settings.model_validate(given)


def test_the_embedded_database_gets_one_that_only_its_owner_reads_and_keeps_it(tmp_path: Path) -> None:
    first = pepper.load(embedded(tmp_path))
    assert first is not None
    assert len(first) == 64
    file = tmp_path / pepper.FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert pepper.load(embedded(tmp_path)) == first
    assert [each.name for each in tmp_path.iterdir()] == [pepper.FILE]
    (tmp_path / "other").mkdir()
    assert pepper.load(embedded(tmp_path / "other")) != first


def test_a_broken_first_start_leaves_nothing_that_counts(tmp_path: Path) -> None:
    (tmp_path / f"{pepper.FILE}.part").write_text("half")
    made = pepper.load(embedded(tmp_path))
    assert made is not None
    assert len(made) == 64


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_one_that_others_can_read_stops_the_start(tmp_path: Path, mode: int) -> None:
    pepper.load(embedded(tmp_path))
    (tmp_path / pepper.FILE).chmod(mode)
    with pytest.raises(PepperRefused, match="chmod 600"):
        pepper.load(embedded(tmp_path))


def test_one_that_is_given_goes_before(tmp_path: Path) -> None:
    assert pepper.load(embedded(tmp_path, pepper=GIVEN)) == GIVEN.encode()
    file = tmp_path / "given"
    file.write_text(f"{GIVEN}\n")
    assert pepper.load(embedded(tmp_path, pepper_file=str(file))) == GIVEN.encode()
    assert not (tmp_path / pepper.FILE).exists()


def test_a_file_that_is_missing_or_short_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(PepperRefused, match="No such file"):
        pepper.load(embedded(tmp_path, pepper_file=str(tmp_path / "missing")))
    (tmp_path / "short").write_text("x" * 31)
    with pytest.raises(PepperRefused, match="openssl rand -hex 32"):
        pepper.load(embedded(tmp_path, pepper_file=str(tmp_path / "short")))


def test_a_directory_that_cannot_be_written_to_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(PepperRefused, match="let this program write there"):
        pepper.load(embedded(tmp_path / "missing"))


def test_several_processes_need_one_that_is_given_and_memory_needs_none() -> None:
    assert pepper.load(load({"DATABASE_URL": "postgresql://h/d"})) is None
    given = load({"DATABASE_URL": "postgresql://h/d", "API_KEY_PEPPER": GIVEN})
    assert pepper.load(given) == GIVEN.encode()
    memory = Settings.model_validate({"storage": {"type": "memory"}})
    assert pepper.load(memory) != pepper.load(memory)

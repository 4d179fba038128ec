"""One word names a step everywhere: in the assembly, as an engine, as a stage or an effect, and in a test."""

import ast
from pathlib import Path
from types import ModuleType

import pytest

from llm_incident_manager.domain.roles import Role
from llm_incident_manager.pipeline import assembly
from tools import shell

SERVER = shell.ROOT / "server" / "llm_incident_manager"
TESTS = (shell.ROOT / "tests" / "unit", shell.ROOT / "tests" / "pipeline")
STAGES = (*assembly.BEFORE_ACK, *assembly.AFTER_COMMIT)
STEPS = (*STAGES, *assembly.EFFECTS)


def word(step: ModuleType) -> str:
    return step.__name__.rpartition(".")[2]


def imported(source: str) -> set[str]:
    """Every module a source may have imported, by its full name."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names.update((node.module, *(f"{node.module}.{alias.name}" for alias in node.names)))
    return names


@pytest.fixture(scope="module")
def tested() -> set[str]:
    """What the unit and the pipeline tests import."""
    files = [path for folder in TESTS for path in folder.rglob("*.py")]
    return set().union(*(imported(path.read_text("utf-8")) for path in files))


def modules(folder: Path) -> set[str]:
    return {path.stem for path in folder.glob("*.py")} - {"__init__"}


@pytest.mark.parametrize("step", STEPS, ids=word)
def test_a_step_calls_itself_what_its_module_is_called(step: ModuleType) -> None:
    assert word(step) == step.NAME


@pytest.mark.parametrize("step", STEPS, ids=word)
def test_a_step_has_an_engine_of_its_name(step: ModuleType) -> None:
    assert (SERVER / "engines" / f"{word(step)}.py").is_file()


@pytest.mark.parametrize("step", STEPS, ids=word)
def test_a_steps_decisions_have_a_unit_or_pipeline_test(step: ModuleType, tested: set[str]) -> None:
    assert f"llm_incident_manager.engines.{word(step)}" in tested


def test_the_assembly_names_every_stage_and_every_effect_once() -> None:
    assert sorted(map(word, STAGES)) == sorted(modules(SERVER / "pipeline" / "stages"))
    assert sorted(map(word, assembly.EFFECTS)) == sorted(modules(SERVER / "pipeline" / "effects"))


def test_an_import_is_seen_in_each_of_its_forms() -> None:
    assert {"a.b", "c.d", "c.e"} <= imported("import a.b\nfrom c import d, e as f\n")


def test_every_step_belongs_to_exactly_one_role() -> None:
    of_roles = [step for steps in assembly.STEPS.values() for step in steps]
    assert sorted(map(word, of_roles)) == sorted(map(word, STEPS))
    assert set(assembly.STEPS) == set(Role)


def test_what_is_done_before_the_acknowledgement_is_the_api_process_own() -> None:
    assert assembly.STEPS[Role.API] == assembly.BEFORE_ACK

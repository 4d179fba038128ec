"""What is derived is up to date: generated code, the lock, the vendored files; and the contract keeps its promises."""

import shutil
import sys
from importlib import resources
from pathlib import Path

import pytest
from buf.validate import validate_pb2
from google.protobuf import descriptor_pb2
from protovalidate._gen.buf.validate import validate_pb as oracle

from tools import contract, generate, lock, shell
from tools.apidocs import comments, files

VENDORED = shell.ROOT / "proto" / "third_party"


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A second tree with the contract in it, which the tools take for the repository."""
    shutil.copytree(shell.ROOT / "proto", tmp_path / "proto")
    shutil.copy(shell.ROOT / "buf.yaml", tmp_path)
    monkeypatch.setattr(shell, "ROOT", tmp_path)
    return tmp_path


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def test_generated_code_is_what_the_proto_files_give() -> None:
    assert shell.run(sys.executable, "-m", "tools.generate", "--check") == 0


def test_what_is_told_about_the_contract_is_what_it_says() -> None:
    assert shell.run(sys.executable, "-m", "tools.apidocs", "--check") == 0


def test_a_stale_page_is_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shell, "ROOT", tmp_path)
    page = tmp_path / "api.md"
    page.write_text("old\n", "utf-8")
    assert {"-old", "+new"} <= set(files.stale({page: "new\n"}))
    files.install({page: "new\n"})
    assert files.stale({page: "new\n"}) == []


def test_lint_exceptions_and_their_reasons_are_not_told() -> None:
    comment = " Returns it.\n Whatever state it is in.\n Bare: why.\n buf:lint:ignore A\n buf:lint:ignore B\n"
    assert comments.clean(comment) == "Returns it. Whatever state it is in."


def test_a_changed_missing_or_left_over_generated_file_is_noticed() -> None:
    old = {Path("same.py"): "a", Path("changed.py"): "a", Path("old.py"): "a"}
    new = {Path("same.py"): "a", Path("changed.py"): "b", Path("new.py"): "a"}
    lines = generate.differences(old, new)
    assert {"left over: generated/old.py", "missing: generated/new.py", "-a", "+b"} <= set(lines)
    assert not any("same.py" in line for line in lines)


def test_the_lock_fits_the_dependency_tables() -> None:
    assert lock.is_fresh(), "run `make lock`"


def test_every_pin_of_the_lock_has_a_hash() -> None:
    pins = lock.LOCK.read_text("utf-8").replace("\\\n", "").splitlines()
    assert [
        pin for pin in pins if "==" in pin and not pin.lstrip().startswith("#") and "--hash=sha256:" not in pin
    ] == []


def test_the_contract_is_formatted_and_lints_clean() -> None:
    assert contract.lint() == 0


def test_a_value_without_a_comment_fails_the_lint(copy: Path, capfd: pytest.CaptureFixture[str]) -> None:
    edit(
        copy / "proto/incidentmanager/v1/severity.proto", "  // An isolated problem. Also: medium, warning, SEV2.\n", ""
    )
    assert contract.lint() != 0
    assert "SEVERITY_P2" in capfd.readouterr().out


def test_the_contract_breaks_no_client_of_the_baseline() -> None:
    assert contract.breaking() == 0


def test_a_changed_field_type_is_seen_as_breaking(copy: Path, capfd: pytest.CaptureFixture[str]) -> None:
    edit(copy / "proto/incidentmanager/v1/ingest_service.proto", "int32 accepted =", "int64 accepted =")
    assert contract.breaking() != 0
    assert 'changed type from "int32" to "int64"' in capfd.readouterr().out


@pytest.mark.parametrize(
    "path", sorted(path.relative_to(VENDORED) for path in VENDORED.glob("google/**/*.proto")), ids=str
)
def test_a_vendored_google_file_is_the_one_installed(path: Path) -> None:
    installed = resources.files(".".join(path.parts[:2])) / path.name
    assert (VENDORED / path).read_text("utf-8") == installed.read_text("utf-8")


def test_the_vendored_validation_rules_are_those_of_the_oracle() -> None:
    ours, theirs = descriptor_pb2.FileDescriptorProto(), descriptor_pb2.FileDescriptorProto()
    validate_pb2.DESCRIPTOR.CopyToProto(ours)
    theirs.ParseFromString(oracle._DESC.proto.to_binary())
    for file in (ours, theirs):
        file.ClearField("options")  # package names in other languages
    # Runtimes keep or drop the derived JSON names as they like.
    without_json_names = [
        [line for line in str(file).splitlines() if "json_name:" not in line] for file in (ours, theirs)
    ]
    assert without_json_names[0] == without_json_names[1]

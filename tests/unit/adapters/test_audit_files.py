"""Keys and copies of checkpoints as files."""

import stat
from pathlib import Path

import pytest

from llm_incident_manager.adapters.audit import copies, signing
from llm_incident_manager.adapters.audit.copies import CheckpointFile
from llm_incident_manager.config import Settings
from llm_incident_manager.domain.audit_checkpoint import Checkpoint
from llm_incident_manager.domain.audit_documents import BadDocument
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.ports.stores import StoreRefused
from tests.support.builders import NOW, TENANT


def make_checkpoint(number: int, tenant: TenantId = TENANT) -> Checkpoint:
    return Checkpoint(tenant, number, NOW, 1, (), (), bytes(32), b"h" * 32, "key", b"s" * 64)


def settings(folder: Path, **audit: object) -> Settings:
    return Settings.model_validate({"storage": {"path": str(folder)}, "audit": audit})


def test_the_embedded_database_gets_a_key_that_only_its_owner_reads_and_keeps_it(tmp_path: Path) -> None:
    first = signing.signer(settings(tmp_path / "data"))
    file = tmp_path / "data" / signing.KEY_FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    again = signing.signer(settings(tmp_path / "data"))
    assert first is not None
    assert again is not None
    assert first.key_id == again.key_id
    assert signing.key_files(settings(tmp_path / "data")) == [file]


def test_postgresql_and_memory_have_no_key_unless_one_is_named(tmp_path: Path) -> None:
    signing.make(tmp_path / "key.pem")
    for kind in ("postgresql", "memory"):
        storage = {"type": kind} | ({"connection_string": "postgresql://h/d"} if kind == "postgresql" else {})
        assert signing.signer(Settings.model_validate({"storage": storage})) is None
        named = {"storage": storage, "audit": {"signing_key_file": str(tmp_path / "key.pem")}}
        assert signing.signer(Settings.model_validate(named)) is not None


@pytest.mark.parametrize("content", [None, b"", b"no key", b"-----BEGIN PRIVATE KEY-----\n"])
def test_a_key_that_cannot_be_used_stops_the_start(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "key.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(StoreRefused, match=r"key\.pem"):
        signing.signer(settings(tmp_path, signing_key_file=str(file)))


def test_checkpoints_of_a_former_key_still_count(tmp_path: Path) -> None:
    old, new = tmp_path / "old.pem", tmp_path / "new.pem"
    signing.make(old)
    signing.make(new)
    before = signing.signer(settings(tmp_path, signing_key_file=str(old)))
    assert before is not None
    from llm_incident_manager.domain import audit_checkpoint

    made = make_checkpoint(1)._replace(key_id=before.key_id)
    made = made._replace(signature=before.sign(audit_checkpoint.statement(made)))
    alone = signing.signer(settings(tmp_path, signing_key_file=str(new)))
    both = signing.signer(settings(tmp_path, signing_key_file=str(new), former_keys=[str(old)]))
    assert alone is not None
    assert both is not None
    assert (alone.signed(made), both.signed(made)) == (None, True)
    assert both.signed(made._replace(records=2)) is False
    (tmp_path / "public.pem").write_text(before.public_key)
    assert signing.Checker.of_files([tmp_path / "public.pem"]).signed(made) is True


async def test_copies_are_appended_and_read_again(tmp_path: Path) -> None:
    kept = CheckpointFile(tmp_path / "kept")
    assert await kept.last(TENANT) is None
    other = TenantId("other")
    await kept.keep([make_checkpoint(1), make_checkpoint(1, other)])
    await kept.keep([make_checkpoint(2)])
    again = CheckpointFile(tmp_path / "kept")
    assert await again.tenants() == ["default", "other"]
    assert await again.last(TENANT) == make_checkpoint(2)
    assert stat.S_IMODE(again.file.stat().st_mode) == 0o600
    assert [each.number for each in copies.read(again.file)] == [1, 1, 2]


async def test_a_line_that_a_crash_has_cut_off_is_none_and_the_next_one_is_whole(tmp_path: Path) -> None:
    await CheckpointFile(tmp_path).keep([make_checkpoint(1), make_checkpoint(2)])
    file = tmp_path / copies.FILE
    file.write_bytes(file.read_bytes()[:-20])
    kept = CheckpointFile(tmp_path)
    assert await kept.last(TENANT) == make_checkpoint(1)
    await kept.keep([make_checkpoint(2)])
    assert [each.number for each in copies.read(file)] == [1, 2]


def test_a_line_that_is_no_checkpoint_is_an_error_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / copies.FILE
    file.write_text('{"tenant": "default"}\n')
    with pytest.raises(BadDocument, match="line 1"):
        copies.read(file)

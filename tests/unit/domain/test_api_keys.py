"""What an API key looks like, what is kept of it, and when it counts."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_incident_manager.domain import api_keys
from llm_incident_manager.domain.access import EVERYWHERE
from llm_incident_manager.domain.api_keys import ApiKey
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.time import HOUR, Instant

NOW = Instant(1_795_293_600_000_000)
UUID = "0193f2c4-8a00-7abc-8def-0123456789ab"
ID = api_keys.key_id(UUID)
PEPPER = b"p" * 32
KEY = ApiKey(ID, TenantId("t"), "", "s", (), EVERYWHERE, "", "pepper", b"d" * 32, NOW, "ann", 2)


def test_an_id_has_the_bits_of_its_uuid_and_sorts_as_that_does() -> None:
    assert len(ID) == 26
    assert api_keys.key_id("00000000-0000-0000-0000-000000000000") == "0" * 26
    uuids = [f"{at:08x}-8a00-7abc-8def-0123456789ab" for at in (1, 2, 31, 32, 1 << 20, 1 << 31)]
    assert sorted(map(api_keys.key_id, uuids)) == [api_keys.key_id(uuid) for uuid in uuids]


@given(st.binary(min_size=32, max_size=32))
def test_a_key_is_read_as_it_was_written(secret: bytes) -> None:
    body = api_keys.body_of(ID, secret)
    assert api_keys.read(api_keys.text_of(body)) == (ID, body)


def test_secrets_of_the_same_length_make_different_keys() -> None:
    bodies = {api_keys.body_of(ID, bytes([0] * 31 + [last])) for last in range(256)}
    bodies |= {api_keys.body_of(ID, bytes([first] + [255] * 31)) for first in range(256)}
    assert len(bodies) == 512
    assert {len(body) for body in bodies} == {4 + 26 + 1 + 43}


@given(st.integers(0, 83), st.characters(exclude_categories=["Cs"]))
def test_a_typing_error_is_found_without_any_look_up(place: int, wrong: str) -> None:
    text = api_keys.text_of(api_keys.body_of(ID, bytes(range(32))))
    broken = text[:place] + wrong + text[place + 1 :]
    assert (api_keys.read(broken) is None) == (broken != text)


@pytest.mark.parametrize("text", ["", "lim", "lim_", "lim__x_y", "x" * 100_000, "Bearer x", "lim_é", "\n", "lim_" * 40])
def test_garbage_is_no_key(text: str) -> None:
    assert api_keys.read(text) is None
    assert api_keys.read(api_keys.text_of(api_keys.body_of(ID, bytes(32))) + "\n") is None


def test_a_digest_depends_on_pepper_id_and_secret() -> None:
    other_id = api_keys.key_id(UUID.replace("0193", "0194"))
    digests = {
        api_keys.digest(PEPPER, api_keys.body_of(ID, bytes(32))),
        api_keys.digest(b"q" * 32, api_keys.body_of(ID, bytes(32))),
        api_keys.digest(PEPPER, api_keys.body_of(other_id, bytes(32))),
        api_keys.digest(PEPPER, api_keys.body_of(ID, bytes([1] * 32))),
    }
    assert len(digests) == 4
    assert {len(digest) for digest in digests} == {32}


def test_the_name_of_a_pepper_tells_nothing_but_which() -> None:
    assert api_keys.name_of_pepper(PEPPER) == api_keys.name_of_pepper(PEPPER) != api_keys.name_of_pepper(b"q" * 32)
    assert PEPPER.hex()[:8] not in api_keys.name_of_pepper(PEPPER)


def test_a_key_counts_until_it_expires_or_is_revoked() -> None:
    assert KEY.counts(NOW)
    ends = replace(KEY, expires_at=Instant(NOW + HOUR))
    assert ends.counts(Instant(NOW + HOUR - 1))
    assert not ends.counts(Instant(NOW + HOUR))
    assert not KEY.revoked("leaked", NOW).counts(NOW)
    assert KEY.revoked("leaked", NOW).revoke_reason == "leaked"


def test_a_rotation_keeps_the_former_secret_for_the_overlap_only() -> None:
    after = KEY.rotated(b"e" * 32, "pepper", NOW, HOUR)
    assert (after.digest, after.former_digest, after.former_expires_at) == (b"e" * 32, KEY.digest, NOW + HOUR)
    assert (after.issue, after.rotated_at) == (KEY.issue + 1, NOW)
    again = after.rotated(b"f" * 32, "pepper", NOW, 0)
    assert (again.former_digest, again.former_expires_at, again.issue) == (None, None, 3)


def test_a_former_secret_of_another_pepper_cannot_work_on() -> None:
    after = KEY.rotated(b"e" * 32, "another", NOW, HOUR)
    assert (after.former_digest, after.pepper) == (None, "another")


def test_revoking_ends_the_former_secret_as_well() -> None:
    gone = KEY.rotated(b"e" * 32, "pepper", NOW, HOUR).revoked("", NOW)
    assert (gone.former_digest, gone.former_expires_at) == (None, None)

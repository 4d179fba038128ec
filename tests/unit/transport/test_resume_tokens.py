"""Resume tokens: what we give out comes back, everything else is refused before a store sees it."""

import base64
import struct

import pytest

from llm_incident_manager.domain.errors import DomainError, ErrorReason
from llm_incident_manager.ports.stores import Position
from llm_incident_manager.transport import resume


@pytest.mark.parametrize("position", [Position(0, 0), Position(7, 2**63 - 1)])
def test_a_token_gives_its_position_back(position: Position) -> None:
    assert resume.position(resume.token(position)) == position


@pytest.mark.parametrize("fields", [(2, 1, 1), (1, 2**63, 0), (1, 0, 2**64 - 1)])
def test_no_store_is_asked_for_a_position_that_cannot_be(fields: tuple[int, int, int]) -> None:
    text = base64.urlsafe_b64encode(struct.pack(">BQQ", *fields)).decode()
    with pytest.raises(DomainError) as caught:
        resume.position(text)
    assert caught.value.reason is ErrorReason.INVALID_RESUME_TOKEN

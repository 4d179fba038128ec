"""Which characters are refused in texts."""

import pytest

from llm_incident_manager.domain import controls


@pytest.mark.parametrize(
    "text", ["red \x1b[31m", "\x08\x08", "bell \x07", "\x7f", "c1 \x9b31m", "\u202etxt.exe", "\u2066x\u2069"], ids=ascii
)
def test_a_text_that_steers_is_recognised(text: str) -> None:
    assert controls.steers(text)


@pytest.mark.parametrize(
    "text", ["", "two\nlines\r\n\tand a tab", "Größe 7\u00a0s", "障害 🚨", "العربية", "a\u200db"], ids=ascii
)
def test_other_texts_are_left_alone(text: str) -> None:
    assert not controls.steers(text)


def test_what_is_quoted_of_such_a_text_is_harmless() -> None:
    assert controls.spelled("a\u202eb\x9bc é") == "a\\u202eb\\u009bc é"

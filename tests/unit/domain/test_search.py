"""Words of texts, and what a search means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_incident_manager.domain import search
from llm_incident_manager.domain.filter_errors import InvalidFilter
from llm_incident_manager.domain.search import Words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Latency p95 is 9.4 s", ["latency", "p95", "is", "9", "4", "s"]),
        ("prompt_injection-v2", ["prompt", "injection", "v2"]),  # underscores and dashes part words
        ("Größe ÉTÉ", ["grosse", "ete"]),  # no case, no accents, sharp s as two letters
        ("日本語 エラー", ["日本語", "エラー"]),
        ("x" * 50, ["x" * 40]),  # long ones are cut alike on both sides
        ("— … !", []),
    ],
)
def test_words_are_runs_of_letters_and_digits(text: str, words: list[str]) -> None:
    assert search.words_of(text) == words


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("gateway latency", Words(("gateway", "latency"))),
        ("  Gateway   gateway ", Words(("gateway",))),
        ("gateway laten*", Words(("gateway",), "laten")),
        ("Laten* ", Words((), "laten")),
        ('"gateway" OR latency', Words(("gateway", "or", "latency"))),  # there are no operators
    ],
)
def test_a_search_wants_all_its_words(text: str, wanted: Words) -> None:
    assert search.parse(text) == wanted


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("!!!", "search, character 1: '!!!' has no word: give letters or digits"),
        ("a*", "search, character 1: 'a\\*' is too short: give at least 2 letters before the star"),
        ("gate* way", "search, character 5: a star stands right behind the last word"),
        ("gateway *", "search, character 9: a star stands right behind the last word"),
        ("*", "search, character 1: a star stands right behind the last word"),
        (" ".join("abcdefghijklmnopq"), "search, character 1: 17 words are too many: give at most 16"),
    ],
)
def test_a_search_without_sense_is_refused_with_a_remedy(text: str, remedy: str) -> None:
    with pytest.raises(InvalidFilter, match=remedy):
        search.parse(text)


@given(st.text())
def test_every_text_is_found_by_its_own_words(text: str) -> None:
    words = search.words_of(text)
    assert set(search.words_of(" ".join(words))) <= set(words)
    assert all(word == word.lower() and not set(word) & set(" _'\"*") for word in words)

"""The breaker: when Redis is asked, and when it is left alone until a probe says that it is back."""

import pytest

from llm_incident_manager.adapters.redis.breaker import NOT_REACHED, Breaker


def after(story: str, breaker: Breaker = NOT_REACHED) -> Breaker:
    """The breaker after a story of `a`nswers, `f`ailures and answered `p`robes."""
    for letter in story:
        match letter:
            case "a":
                breaker = breaker.answered()
            case "f":
                breaker = breaker.failed("no answer in time")
            case _:
                breaker = breaker.probed()
    return breaker


STORIES = {
    "nobody gets through before the first probe": ("", True),
    "an answer that was under way does not close it": ("aaaa", True),
    "the first probe closes it": ("p", False),
    "two failures are borne": ("pff", False),
    "three failures in a row open it": ("pfff", True),
    "one failure in two opens it soon": ("p" + "fa" * 4, True),
    "one failure in five is borne for good": ("p" + "faaaa" * 100, False),
    "one in four is not": ("p" + "faaa" * 100, True),
    "after an outage one more failure opens it again": ("pfffpf", True),
    "enough answers make it trusted again": ("pfffp" + "a" * 8 + "ff", False),
    "probes count as answers while it is closed": ("pfffp" + "p" * 8 + "ff", False),
}


@pytest.mark.parametrize(("story", "opened"), STORIES.values(), ids=STORIES)
def test_the_breaker(story: str, opened: bool) -> None:
    assert after(story).opened is opened


def test_an_open_breaker_says_what_failed_last() -> None:
    assert after("pfff").why == "no answer in time"
    assert NOT_REACHED.why == "it was not reached yet"

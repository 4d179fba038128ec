"""Who has failed too often, and for how long that counts."""

from llm_incident_manager.domain.time import SECOND, Instant
from llm_incident_manager.engines.lockout import NEVER, Failures, Patience, after_failure, wait

PATIENCE = Patience(3, 10 * SECOND, 60 * SECOND)
START = Instant(1_795_293_600_000_000)


def at(seconds: float) -> Instant:
    return Instant(START + int(seconds * SECOND))


def failing(*moments: float) -> Failures | None:
    known: Failures | None = None
    for moment in moments:
        known = after_failure(known, at(moment), PATIENCE)
    return known


def test_the_last_failure_that_is_borne_does_not_lock_out() -> None:
    assert wait(failing(0, 1), at(1)) == 0


def test_one_too_many_within_the_window_locks_out_for_the_pause() -> None:
    known = failing(0, 1, 2)
    assert wait(known, at(2)) == 60 * SECOND
    assert wait(known, at(61)) == 1 * SECOND
    assert wait(known, at(62)) == 0


def test_failures_before_the_window_are_forgotten() -> None:
    assert wait(failing(0, 1, 10), at(10)) == 0
    assert failing(0, 1, 10) == Failures(at(10), 1, NEVER)


def test_failures_while_locked_out_do_not_prolong_it() -> None:
    assert failing(0, 1, 2, 3, 50) == failing(0, 1, 2)


def test_after_the_pause_it_begins_anew() -> None:
    assert failing(0, 1, 2, 63) == Failures(at(63), 1, NEVER)


def test_nobody_known_is_not_locked_out() -> None:
    assert wait(None, at(0)) == 0


def test_one_failure_may_be_one_too_many() -> None:
    assert wait(after_failure(None, at(0), Patience(1, SECOND, SECOND)), at(0)) == SECOND

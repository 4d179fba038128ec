"""Whom identity refuses beside those without a good credential; bounded, whatever an attacker sends."""

import pytest
from structlog.testing import capture_logs

from llm_incident_manager.domain.access import DEVELOPER, ROLES, Principal
from llm_incident_manager.domain.errors import DomainError, ErrorReason, TenantSuspended, Unauthenticated
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.tenants import AS_CONFIGURED, TenantLimits, TenantState
from llm_incident_manager.domain.time import DAY, SECOND
from llm_incident_manager.engines.lockout import Patience
from llm_incident_manager.telemetry.metrics import Metrics
from llm_incident_manager.transport import guard as guards
from llm_incident_manager.transport.guard import Guard
from tests.support.world import HeldClock

TENANT = TenantId("default")


class Tenants:
    """Implements ports.access.KnownTenants."""

    def __init__(self) -> None:
        self.states = {TENANT: TenantState.ACTIVE}

    def state_of(self, tenant: TenantId) -> TenantState | None:
        return self.states.get(tenant)

    def limits_of(self, _: TenantId) -> TenantLimits:
        return AS_CONFIGURED


class Door:
    """A guard with everything around it."""

    def __init__(self, failures: int = 3) -> None:
        self.clock, self.tenants, self.metrics = HeldClock(), Tenants(), Metrics("test")
        self.guard = Guard(self.tenants, self.clock, Patience(failures, 10 * SECOND, 60 * SECOND), self.metrics)

    def fails(self, source: str = "192.0.2.7", account: str = "", times: int = 1) -> ErrorReason:
        """What the last of so many failures is told."""
        told = [self.guard.failed("api_key", Unauthenticated("unknown", account=account), source) for _ in range(times)]
        return told[-1].reason

    def passes(self, credential: str = "K1", source: str = "192.0.2.7", kind: str = "api_key") -> str:
        """Why somebody with a good credential is not let in; empty when they are."""
        who = Principal(TENANT, "ann", frozenset({"viewer"}), ROLES["viewer"], kind, credential)
        try:
            self.guard.passed(who, source)
        except DomainError as refused:
            return refused.reason
        return ""

    def counted(self, name: str, **labels: str) -> float:
        told = ",".join(f'{key}="{value}"' for key, value in sorted(labels.items()))
        line = f"incident_manager_credentials_{name}_total{'{' + told + '}' if told else ''} "
        text = self.metrics.page().body.decode()
        return next((float(each.split()[-1]) for each in text.splitlines() if each.startswith(line)), 0.0)


def test_who_fails_too_often_is_told_to_come_back_later() -> None:
    door = Door()
    assert door.fails(times=2) is ErrorReason.UNAUTHENTICATED
    told = door.guard.failed("api_key", Unauthenticated("unknown"), "192.0.2.7")
    assert told.reason is ErrorReason.RATE_LIMITED
    assert told.retry_after == 60
    assert told.metadata["scope"] == "source"
    door.clock.forward(60 * SECOND)
    assert door.fails() is ErrorReason.UNAUTHENTICATED


def test_a_right_key_gets_the_same_answer_from_where_guessing_is_locked_out() -> None:
    door = Door()
    door.fails(times=3)
    assert door.passes() == ErrorReason.RATE_LIMITED
    assert door.passes(source="192.0.2.8") == ""
    door.clock.forward(60 * SECOND)
    assert door.passes() == ""


def test_who_has_called_from_there_before_is_not_locked_out_with_the_others() -> None:
    door = Door()
    assert door.passes("K1") == ""
    door.fails(times=100)
    assert door.passes("K1") == ""
    assert door.passes("K2") == ErrorReason.RATE_LIMITED


def test_who_has_called_with_a_token_before_is_known_with_the_next_one() -> None:
    door = Door()
    assert door.passes("https://login.example.com t1", kind="jwt") == ""
    door.fails(times=100)
    assert door.passes("https://login.example.com t2", kind="jwt") == ""
    assert door.passes("https://other.example.com t2", kind="jwt") == ErrorReason.RATE_LIMITED


def test_a_place_is_known_for_a_day() -> None:
    door = Door()
    assert door.passes("K1") == ""
    door.clock.forward(DAY)
    door.fails(times=3)
    assert door.passes("K1") == ErrorReason.RATE_LIMITED


@pytest.mark.parametrize(("kind", "let_in"), [("api_key", False), ("jwt", False), ("mtls", True), ("anonymous", True)])
def test_only_what_can_be_guessed_is_locked_out(kind: str, let_in: bool) -> None:
    door = Door()
    door.fails(times=3)
    assert door.passes(kind=kind) == ("" if let_in else ErrorReason.RATE_LIMITED)


def test_guesses_at_a_key_from_everywhere_slow_guessing_and_not_who_has_it() -> None:
    door = Door(failures=10)
    for n in range(10):
        door.fails(f"192.0.2.{n}", "K1")
    assert door.fails("192.0.2.99", "K1") is ErrorReason.RATE_LIMITED
    assert door.fails("192.0.2.98", "K2") is ErrorReason.UNAUTHENTICATED
    assert door.passes("K1", "10.0.0.2") == ""


@pytest.mark.parametrize(
    ("kind", "cause", "counts"),
    [
        ("api_key", "unknown", True),
        ("api_key", "malformed", True),
        ("jwt", "bad_signature", True),
        ("api_key", "expired", False),
        ("api_key", "rotated", False),
        ("api_key", "not_configured", False),
        ("jwt", "expired", False),
        ("jwt", "wrong_audience", False),
        ("mtls", "revoked", False),
        ("mtls", "unknown", False),  # a good certificate of somebody who has no place here
    ],
)
def test_only_guesses_count(kind: str, cause: str, *, counts: bool) -> None:
    door = Door()
    told = [door.guard.failed(kind, Unauthenticated(cause, account="K1"), "192.0.2.7") for _ in range(10)]
    assert (told[-1].reason is ErrorReason.RATE_LIMITED) is counts
    assert (door.passes() == ErrorReason.RATE_LIMITED) is counts
    assert door.counted("refused", kind=kind, cause=cause) == 10


def test_an_expired_key_is_no_news_where_guessing_is_locked_out() -> None:
    door = Door()
    door.fails(times=3)
    expired = door.guard.failed("api_key", Unauthenticated("expired", account="K1"), "192.0.2.7")
    assert expired.reason is ErrorReason.RATE_LIMITED


def test_what_is_no_guess_is_told_of_once_a_place_and_window() -> None:
    door = Door()
    with capture_logs() as told:
        for _ in range(1_000):
            door.guard.failed("jwt", Unauthenticated("expired"), "192.0.2.7")
        door.guard.failed("jwt", Unauthenticated("expired"), "192.0.2.8")
        door.clock.forward(10 * SECOND)
        door.guard.failed("jwt", Unauthenticated("expired"), "192.0.2.7")
    assert [line["who"] for line in told] == ["source 192.0.2.7", "source 192.0.2.8", "source 192.0.2.7"]


def test_a_place_of_ipv6_is_known_by_its_network() -> None:
    door = Door()
    assert door.passes("K1", "2001:db8::1") == ""
    door.fails("2001:db8::2", times=100)
    assert door.passes("K1", "2001:db8::3") == ""
    assert door.passes("K2", "2001:db8::3") == ErrorReason.RATE_LIMITED


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),  # of one network, which one person has as a whole
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.7", "192.0.2.7", True),  # the same address in two spellings
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("192.0.2.7", "192.0.2.8", False),
        ("unix", "unix", True),
    ],
)
def test_addresses_count_together_when_one_caller_has_them_all(first: str, second: str, together: bool) -> None:
    door = Door(failures=2)
    door.fails(first)
    assert (door.fails(second) is ErrorReason.RATE_LIMITED) is together


def test_without_a_source_only_the_account_counts() -> None:
    door = Door(failures=2)
    assert door.fails("", times=5) is ErrorReason.UNAUTHENTICATED
    assert door.fails("", "K1", times=2) is ErrorReason.RATE_LIMITED


def test_what_is_remembered_is_bounded_whatever_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guards, "MOST", 100)
    door = Door()
    for n in range(1_000):
        door.fails(f"10.0.{n // 250}.{n % 250}", f"K{n}")
        door.passes(f"K{n}", f"10.1.{n // 250}.{n % 250}")
        door.guard.failed("jwt", Unauthenticated("expired"), f"10.0.{n // 250}.{n % 250}")
    assert len(door.guard._failures) <= 100
    assert len(door.guard._mentioned) <= 100
    assert len(door.guard._places) <= 100


def test_what_was_touched_last_is_remembered_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guards, "MOST", 10)
    door = Door(failures=3)
    for n in range(8):
        door.fails("192.0.2.7")
        door.fails(f"10.0.0.{n}")
    assert door.fails("192.0.2.7") is ErrorReason.RATE_LIMITED


def test_callers_of_a_tenant_that_is_not_served_are_refused() -> None:
    door = Door()
    door.tenants.states[TENANT] = TenantState.SUSPENDED
    with pytest.raises(TenantSuspended):
        door.guard.passed(DEVELOPER, "127.0.0.1")
    assert not door.guard.admits(DEVELOPER)
    del door.tenants.states[TENANT]
    with pytest.raises(Unauthenticated):
        door.guard.passed(DEVELOPER, "127.0.0.1")
    door.tenants.states[TENANT] = TenantState.ACTIVE
    door.guard.passed(DEVELOPER, "127.0.0.1")
    assert door.guard.admits(DEVELOPER)


def test_everything_is_counted_and_a_flood_fills_no_log() -> None:
    door = Door()
    with capture_logs() as told:
        door.fails(times=1_000)
        door.passes()
    assert door.counted("refused", kind="api_key", cause="unknown") == 1_000
    assert door.counted("refused", kind="api_key", cause="locked_out") == 1
    assert door.counted("locked_out") == 1
    assert [line["event"] for line in told] == ["identity.refused", "identity.locked_out"]
    assert {line["cause"] for line in told} == {"unknown"}


def test_a_flood_from_many_addresses_fills_no_log_either() -> None:
    door = Door()
    with capture_logs() as told:
        for n in range(1_000):
            door.fails(f"10.0.{n // 250}.{n % 250}")
        door.clock.forward(SECOND)
        door.fails("192.0.2.99")
    assert len(told) == guards.LINES_PER_SECOND + 1

"""Directives at the agent: applied at most once, reverted in time, refused with a reason, whatever dies in between."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from llm_incident_client import pb_agents as msg
from llm_incident_client.edge_agent import disk
from llm_incident_client.edge_agent.clock import Clock, Moment, elapsed
from llm_incident_client.edge_agent.directives.desk import DirectiveDesk
from llm_incident_client.edge_agent.directives.handling import Registry, word
from llm_incident_client.edge_agent.directives.journal import Journal
from llm_incident_client.edge_agent.directives.limits import DeskOptions
from llm_incident_client.edge_agent.directives.record import Record, State
from tests.support.edge_directives import FAIL_OVER, FileHandler, SetClock, make_order, reverting
from tests.support.waiting import until


class Agent:
    """A desk with its journal, and what it has reported."""

    def __init__(self, folder: Path, clock: Clock, handler: FileHandler | None = None) -> None:
        self.handler = handler or FileHandler(folder / "calls")
        self.reports: list[msg.DirectiveReport] = []
        self.journal = Journal(folder / "directives.journal", clock())
        registry = Registry({"fail_over_model": self.handler, "custom:brownout": self.handler})
        options = DeskOptions(longest=3600.0, patience=5.0, again_after=0.01)
        self.desk = DirectiveDesk(self.journal, registry, self.reports.append, options, clock)

    def told(self, order: msg.DirectiveOrder) -> list[str]:
        return [
            msg.DirectiveState.Name(report.state).removeprefix("DIRECTIVE_STATE_")
            for report in self.reports
            if report.directive_id == order.directive.id
        ]

    async def until_told(self, order: msg.DirectiveOrder, *states: str) -> None:
        await until(lambda: self.told(order) == list(states))

    def record_all(self) -> None:
        for report in self.reports:
            self.desk.recorded(msg.DirectiveReported(directive_id=report.directive_id, state=report.state))


Start = Callable[[], AbstractAsyncContextManager[Agent]]


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def start(tmp_path: Path, clock: SetClock) -> Start:
    @asynccontextmanager
    async def started(handler: FileHandler | None = None) -> AsyncIterator[Agent]:
        agent = Agent(tmp_path, clock, handler)
        agent.desk.start()
        agent.desk.repeat_reports()
        try:
            yield agent
        finally:
            await agent.desk.stop(revert=False)
            agent.journal.close()

    return started


async def test_a_directive_is_accepted_then_applied_and_shown_as_active(start: Start, clock: SetClock) -> None:
    order = make_order()
    async with start() as agent:
        agent.desk.order(order)
        await agent.until_told(order, "ACCEPTED", "APPLIED")
        assert agent.desk.active() == [order.directive]
        assert agent.handler.calls() == ["apply"]


async def test_an_order_that_comes_again_is_answered_and_not_applied_again(start: Start, clock: SetClock) -> None:
    order = make_order()
    async with start() as agent:
        for _ in range(3):
            agent.desk.order(order)
        await agent.until_told(order, "ACCEPTED", "APPLIED", "APPLIED", "APPLIED")
        assert agent.handler.calls() == ["apply"]
    async with start() as agent:
        agent.desk.order(order)
        await until(lambda: agent.told(order)[-1:] == ["APPLIED"] and len(agent.told(order)) == 3)
        assert agent.handler.calls() == ["apply", "restore"]


async def test_it_is_reverted_when_its_time_is_over(start: Start, clock: SetClock) -> None:
    order = make_order(ttl=0.05)
    async with start() as agent:
        agent.desk.order(order)
        await agent.until_told(order, "ACCEPTED", "APPLIED")
        clock.pass_by(0.06)
        await agent.until_told(order, "ACCEPTED", "APPLIED", "REVERTED")
        assert agent.handler.calls() == ["apply", "revert"]
        assert agent.reports[-1].reason == "its time was over"
        assert agent.desk.active() == []


async def test_setting_the_wall_clock_moves_no_deadline(start: Start, clock: SetClock) -> None:
    order = make_order(ttl=100)
    async with start() as agent:
        agent.desk.order(order)
        await agent.until_told(order, "ACCEPTED", "APPLIED")
    clock.set_wall(+86_400)
    async with start() as agent:
        await until(lambda: agent.handler.calls() == ["apply", "restore"])
    clock.set_wall(-10 * 86_400)
    clock.pass_by(100)
    async with start() as agent:
        await until(lambda: agent.told(order)[-1:] == ["REVERTED"])


@pytest.mark.parametrize(("away", "calls"), [(40.0, ["apply", "restore"]), (100.0, ["apply", "revert"])])
async def test_a_machine_that_was_started_anew_reverts_what_is_overdue_and_restores_the_rest(
    start: Start, clock: SetClock, away: float, calls: list[str]
) -> None:
    order = make_order(ttl=60)
    async with start() as agent:
        agent.desk.order(order)
        await agent.until_told(order, "ACCEPTED", "APPLIED")
    clock.reboot(after=away)
    async with start() as agent:
        await until(lambda: agent.handler.calls() == calls)


async def test_what_a_crash_interrupted_is_undone_and_never_begun_again(
    start: Start, clock: SetClock, tmp_path: Path
) -> None:
    order = make_order()
    journal = Journal(tmp_path / "directives.journal", clock())
    journal.write(Record(order.directive, State.APPLYING, clock(), undo={"before": "primary"}))
    journal.close()
    async with start() as agent:
        agent.desk.order(order)
        await until(lambda: agent.told(order)[:1] == ["FAILED"])
        assert agent.handler.calls() == ["revert"]
        assert "ended while it applied it" in agent.reports[0].reason


async def test_what_was_accepted_and_not_begun_is_begun_unless_it_is_too_late(
    start: Start, clock: SetClock, tmp_path: Path
) -> None:
    soon, late = make_order(), make_order()
    journal = Journal(tmp_path / "directives.journal", clock())
    journal.write(Record(soon.directive, State.ACCEPTED, clock(), begin_before=60.0))
    journal.write(Record(late.directive, State.ACCEPTED, clock(), begin_before=10.0))
    journal.close()
    clock.pass_by(30)
    async with start() as agent:
        await agent.until_told(soon, "APPLIED")
        await agent.until_told(late, "REJECTED")
        assert agent.handler.calls(late.directive.id) == []


async def test_what_it_does_not_know_or_may_not_do_is_refused_with_a_reason(start: Start, clock: SetClock) -> None:
    refusals = {
        "does not know the action disable_tool; it knows: custom:brownout, fail_over_model": make_order(
            action=msg.DirectiveAction.DIRECTIVE_ACTION_DISABLE_TOOL
        ),
        "does not know the action custom:other": make_order(
            action=msg.DirectiveAction.DIRECTIVE_ACTION_CUSTOM, texts={"name": "other"}
        ),
        'parameter "to" is missing': make_order(texts={"two": "backup"}),
        "its ttl is 7200 s: this agent takes more than 0 and at most 3600": make_order(ttl=7200),
        "after the time in which it might be begun": make_order(start_within=-1),
    }
    refusals["does not know the action 99"] = make_order()
    refusals["does not know the action 99"].directive.action = 99  # type: ignore[assignment]  # of a later release
    async with start() as agent:
        for reason, order in refusals.items():
            agent.desk.order(order)
            await agent.until_told(order, "REJECTED")
            assert reason in agent.reports[-1].reason
        assert agent.handler.calls() == []


async def test_a_plug_in_that_fails_is_undone_and_reported(start: Start, clock: SetClock) -> None:
    order = make_order()
    async with start() as agent:
        agent.handler.fails = "apply"
        agent.desk.order(order)
        await agent.until_told(order, "ACCEPTED", "FAILED")
        assert agent.handler.calls() == ["apply", "revert"]
        assert agent.reports[-1].reason == "it could not be applied: the route table is read-only"


async def test_a_revert_that_fails_is_reported_once_and_tried_until_it_works(start: Start, clock: SetClock) -> None:
    order = make_order(ttl=0.01)
    async with start() as agent:
        agent.handler.fails = "revert"
        agent.desk.order(order)
        await agent.until_told(order, "ACCEPTED", "APPLIED")
        clock.pass_by(1)
        await until(lambda: agent.handler.calls().count("revert") >= 3)
        agent.handler.fails = ""
        await agent.until_told(order, "ACCEPTED", "APPLIED", "FAILED", "REVERTED")


async def test_a_full_disk_lets_nothing_begin_and_everything_end(
    start: Start, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int, data: bytes, offset: int) -> None:
        raise OSError(28, "no space left on device")

    holds, new = make_order(ttl=0.01), make_order()
    async with start() as agent:
        agent.desk.order(holds)
        await agent.until_told(holds, "ACCEPTED", "APPLIED")
        monkeypatch.setattr(disk, "write_at", full)
        agent.desk.order(new)
        await agent.until_told(new, "FAILED")
        assert agent.reports[-1].reason.startswith("nothing was done, as the journal cannot be written")
        clock.pass_by(1)
        await agent.until_told(holds, "ACCEPTED", "APPLIED", "REVERTED")
        assert agent.handler.calls() == ["apply", "revert"]
        assert agent.desk.failure() is None
        monkeypatch.undo()


async def test_the_manager_may_take_it_back_before_and_after(start: Start, clock: SetClock) -> None:
    never, applied = make_order(), make_order()
    async with start() as agent:
        agent.desk.order(reverting(never))
        agent.desk.order(never)
        await agent.until_told(never, "REVERTED", "REVERTED")
        agent.desk.order(applied)
        agent.desk.order(reverting(applied))
        await agent.until_told(applied, "ACCEPTED", "APPLIED", "REVERTED")
        assert agent.handler.calls(never.directive.id) == []
        assert agent.handler.calls(applied.directive.id) == ["apply", "revert"]


async def test_reports_are_repeated_until_the_manager_has_recorded_them(start: Start, clock: SetClock) -> None:
    order = make_order()
    async with start() as agent:
        agent.desk.order(order)
        await agent.until_told(order, "ACCEPTED", "APPLIED")
    async with start() as agent:
        assert agent.told(order) == ["ACCEPTED", "APPLIED"]
        agent.record_all()
        await until(lambda: not agent.journal.records[order.directive.id].unsaid)
    async with start() as agent:
        assert agent.told(order) == []


async def test_an_agent_that_ends_for_good_reverts_what_holds(tmp_path: Path, clock: SetClock) -> None:
    order = make_order()
    agent = Agent(tmp_path, clock)
    agent.desk.start()
    agent.desk.order(order)
    await agent.until_told(order, "ACCEPTED", "APPLIED")
    await agent.desk.stop(revert=True)
    assert agent.told(order) == ["ACCEPTED", "APPLIED", "REVERTED"]
    agent.journal.close()


@pytest.mark.parametrize("cut", range(2, 40, 4))
def test_a_journal_that_a_crash_cut_off_keeps_every_whole_line(tmp_path: Path, clock: SetClock, cut: int) -> None:
    path = tmp_path / "journal"
    journal = Journal(path, clock())
    first, second = make_order(), make_order()
    journal.write(Record(first.directive, State.APPLIED, clock(), applied=clock()))
    journal.write(Record(second.directive, State.APPLYING, clock()))
    journal.close()
    path.write_bytes(path.read_bytes()[:-cut])
    journal = Journal(path, clock())
    assert (list(journal.records), journal.damaged) == ([first.directive.id], 0)
    assert journal.records[first.directive.id].directive == first.directive
    journal.close()


def test_what_is_long_over_is_forgotten_and_what_holds_is_not(tmp_path: Path, clock: SetClock) -> None:
    journal = Journal(tmp_path / "journal", clock())
    over, holds = make_order(), make_order(ttl=90 * 86_400)
    journal.write(Record(over.directive, State.REVERTED, clock()))
    journal.write(Record(holds.directive, State.APPLIED, clock(), applied=clock()))
    journal.close()
    clock.pass_by(8 * 86_400)
    journal = Journal(tmp_path / "journal", clock())
    assert list(journal.records) == [holds.directive.id]
    journal.close()


def test_a_journal_stays_small_however_often_it_is_written(
    tmp_path: Path, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.fdatasync", lambda descriptor: None)
    journal = Journal(tmp_path / "journal", clock())
    record = Record(make_order(texts={"to": "x" * 1_000}).directive, State.ACCEPTED, clock())
    for _ in range(1_500):
        journal.write(record)
    assert (tmp_path / "journal").stat().st_size < 1024 * 1024
    journal.close()


@pytest.mark.parametrize(("since", "until_", "seconds"), [
    (Moment(100, 5, "a"), Moment(90, 8, "a"), 3),
    (Moment(100, 5, "a"), Moment(160, 1, "b"), 60),
    (Moment(100, 5, "a"), Moment(40, 1, "b"), 0),
    (Moment(100, 5, ""), Moment(107, 9, ""), 7),
])  # fmt: skip
def test_elapsed_time_is_by_the_clock_nobody_sets_where_there_is_one(
    since: Moment, until_: Moment, seconds: float
) -> None:
    assert elapsed(since, until_) == seconds


def test_a_registry_takes_words_of_actions_only() -> None:
    with pytest.raises(ValueError, match="'fail_over' is no action: there are fail_over_model, rate_limit"):
        Registry({"fail_over": FileHandler(Path())})
    assert word(msg.Directive(action=FAIL_OVER)) == "fail_over_model"

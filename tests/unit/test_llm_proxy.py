"""The example proxy's decisions: what is worth an event, and what directives change."""

import pytest

from examples.llm_proxy.obeying import Asked, Directives, Obey
from examples.llm_proxy.watching import Call, Change, Problem, Thresholds, Watch
from llm_incident_client import pb_agents as msg
from llm_incident_client.edge_agent.directives.handling import Refused
from tests.support.edge_directives import make_order

RATE_LIMIT = msg.DirectiveAction.DIRECTIVE_ACTION_RATE_LIMIT
SHED = msg.DirectiveAction.DIRECTIVE_ACTION_SHED_TRAFFIC
TOOL = msg.DirectiveAction.DIRECTIVE_ACTION_DISABLE_TOOL
TIGHTEN = msg.DirectiveAction.DIRECTIVE_ACTION_TIGHTEN_POLICY
MODELS = ("gpt-4o", "claude")


def calls(watch: Watch, start: float, outcomes: str, *, seconds: float = 1.0, cost: float = 0.0) -> list[Change]:
    """One call a second: x fails, . works."""
    found: list[Change] = []
    for second, outcome in enumerate(outcomes):
        found += watch.saw("gpt-4o", Call(start + second, outcome == "x", seconds, cost))
    return found


def test_an_error_rate_begins_once_and_is_over_when_the_window_has_recovered() -> None:
    watch = Watch(Thresholds(window_seconds=10, least_calls=5, error_ratio=0.5))
    assert calls(watch, 0, "xxxx") == []
    assert calls(watch, 4, "x") == [Change("gpt-4o", Problem.ERRORS, True, 1.0, 0.5)]
    assert calls(watch, 5, "xxx....") == []
    (over,) = calls(watch, 12, "....")
    assert (over.problem, over.begins, over.measured < 0.5) == (Problem.ERRORS, False, True)


def test_slow_and_dear_calls_are_problems_of_their_own() -> None:
    watch = Watch(Thresholds(window_seconds=60, least_calls=3, latency_p95_seconds=8, cost_per_hour=50))
    found = calls(watch, 0, "...", seconds=9.0, cost=1.0)
    assert {(change.problem, change.begins, change.measured) for change in found} == {
        (Problem.LATENCY, True, 9.0), (Problem.COST, True, 180.0),
    }  # fmt: skip


async def obeyed(order: msg.DirectiveOrder, chance: float = 0.5) -> Directives:
    directives = Directives(chance=lambda: chance)
    obey = Obey(directives, MODELS)
    obey.check(order.directive)
    await obey.apply(order.directive, {})
    return directives


async def test_a_fail_over_is_for_its_model_and_ends_with_it() -> None:
    order = make_order(texts={"to": "claude"}, model="gpt-4o")
    directives = await obeyed(order)
    assert [directives.route(Asked(model)) for model in MODELS] == ["claude", "claude"]
    assert directives.route(Asked("other")) == "other"
    await Obey(directives, MODELS).revert(order.directive, {})
    assert directives.route(Asked("gpt-4o")) == "gpt-4o"


async def test_two_fail_overs_do_not_send_a_call_in_circles() -> None:
    directives = await obeyed(make_order(texts={"to": "claude"}, model="gpt-4o"))
    await Obey(directives, MODELS).apply(make_order(texts={"to": "gpt-4o"}, model="claude").directive, {})
    assert [directives.route(Asked(model)) for model in MODELS] == ["claude", "gpt-4o"]


async def test_a_rate_limit_lets_its_rate_and_its_burst_through() -> None:
    directives = await obeyed(make_order(action=RATE_LIMIT, numbers={"requests_per_second": 2, "burst": 3}))
    passed = [directives.turn_away(Asked("gpt-4o"), now) is None for now in (0, 0, 0, 0, 0.5, 0.5, 10, 10, 10, 10)]
    assert passed == [True, True, True, False, True, False, True, True, True, False]
    turned = directives.turn_away(Asked("gpt-4o"), 10)
    assert turned is not None
    assert turned.status == 429


@pytest.mark.parametrize(("chance", "status"), [(0.1, 503), (0.9, None)])
async def test_a_part_of_the_traffic_is_shed(chance: float, status: int | None) -> None:
    directives = await obeyed(make_order(action=SHED, numbers={"ratio": 0.5}), chance)
    turned = directives.turn_away(Asked("gpt-4o"), 0)
    assert (turned.status if turned else None) == status


async def test_a_disabled_tool_and_a_tighter_policy() -> None:
    order = make_order(action=TOOL)
    order.directive.target.tool = "shell"
    directives = await obeyed(order)
    assert directives.turn_away(Asked("gpt-4o", tools=frozenset({"search"})), 0) is None
    assert directives.turn_away(Asked("gpt-4o", tools=frozenset({"shell"})), 0) is not None
    tighter = await obeyed(make_order(action=TIGHTEN, texts={"policy": "strict"}, numbers={"threshold": 0.05}))
    assert (tighter.guardrail(Asked("gpt-4o"), 0.2), directives.guardrail(Asked("gpt-4o"), 0.2)) == (0.05, 0.2)


@pytest.mark.parametrize(("order", "says"), [
    (make_order(texts={"to": "llama"}), "give one of gpt-4o, claude"),
    (make_order(texts={"to": "claude"}, model="llama"), "has no model 'llama'"),
    (make_order(action=RATE_LIMIT), '"requests_per_second" is missing'),
    (make_order(action=SHED), '"ratio" is missing'),
    (make_order(action=TOOL), "names no tool"),
], ids=["unknown_model", "unknown_target", "no_rate", "no_ratio", "no_tool"])  # fmt: skip
def test_what_would_not_work_is_refused(order: msg.DirectiveOrder, says: str) -> None:
    with pytest.raises(Refused, match=says):
        Obey(Directives(), MODELS).check(order.directive)


def test_nobody_gets_a_rollback_that_it_does_not_know() -> None:
    order = make_order(texts={"to": "claude"})
    order.directive.rollback.texts["to"] = "gpt-4o"
    with pytest.raises(Refused, match="knows no rollback"):
        Obey(Directives(), MODELS).check(order.directive)

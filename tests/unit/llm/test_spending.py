"""What one run has used up, what it cost, and when the next turn must be the answer."""

import pytest

from bot.core.config.budget import Budget, ModelPrices
from bot.llm.spending import CallRecord, Recovery, Spending, Usage


def spent(seconds: float, **budget: float) -> Spending:
    spending = Spending(Budget(per_run_seconds=90, **budget))
    spending.add_model_call(CallRecord(seconds=seconds, tokens_in=10, tokens_out=1))
    return spending


def cost(*usages: Usage, **budget: object) -> float:
    """Dollars of one call with these requests."""
    spending = Spending(Budget.model_validate(budget))
    spending.add_model_call(CallRecord(usages=list(usages)))
    return spending.usd


def test_the_last_quarter_of_the_time_is_reserved_for_the_answer() -> None:
    assert [spent(seconds).limit_near for seconds in (0, 60, 68, 89)] == ["", "", "time", "time"]
    assert (spent(68).used_up, spent(90).used_up) == ("", "limit of 90 s reached")


def test_a_call_leaves_the_time_to_answer_once_something_was_gathered() -> None:
    spending = spent(10)
    before = spending.call_seconds(last=False)
    spending.calls = 1

    assert (before, spending.call_seconds(last=False), spending.call_seconds(last=True)) == (80, 57.5, 80)


def test_tool_calls_of_one_turn_count_as_long_as_the_longest() -> None:
    spending = spent(10)

    spending.add_tool_call(4)
    spending.add_tool_call(7)

    assert spending.seconds_left == 73


def test_each_kind_of_token_has_its_own_price() -> None:
    usage = Usage(tokens_in=1_000_000, cached=600_000, cache_writes=100_000, tokens_out=500_000, reasoning=400_000)
    kinds = {"cached": 0.2, "cache_write": 2.5, "reasoning": 4.0}

    priced = cost(usage, **{f"usd_per_million_{kind}": usd for kind, usd in kinds.items()})

    assert priced == pytest.approx(0.3 * 2 + 0.6 * 0.2 + 0.1 * 2.5 + 0.1 * 8 + 0.4 * 4)


def test_a_kind_without_a_price_costs_what_the_wider_kind_costs() -> None:
    usage = Usage(tokens_in=1_000_000, cached=600_000, tokens_out=500_000, reasoning=400_000)

    assert cost(usage) == pytest.approx(2 + 4)


def test_each_model_has_its_own_price_with_or_without_its_provider() -> None:
    small = ModelPrices(usd_per_million_in=1, usd_per_million_out=0)
    requests = [Usage(model=name, tokens_in=1_000_000) for name in ("first", "small", "ollama:small")]

    assert [cost(one, prices={"small": small}) for one in requests] == [2, 1, 1]
    assert cost(*requests, prices={"ollama:small": small}) == 4


@pytest.mark.parametrize(
    ("priced", "other"),
    [
        ("ollama:qwen3:8b", "llama3:8b"),
        ("bedrock:us.anthropic.claude-opus-5-v1:0", "amazon.nova-pro-v1:0"),
        ("bedrock_converse:us.anthropic.claude-opus-5-v1:0", "amazon.nova-pro-v1:0"),
    ],
)
def test_what_stands_behind_a_later_colon_makes_two_models_not_one(priced: str, other: str) -> None:
    free = ModelPrices(usd_per_million_in=0, usd_per_million_out=0)
    requests = [Usage(model=name, tokens_in=1_000_000) for name in (priced.partition(":")[2], other)]

    assert [cost(one, prices={priced: free}) for one in requests] == [0, 2]


def test_a_failed_call_of_an_earlier_version_ends_its_run_as_it_did_then() -> None:
    # Another request would be a step that its journal does not hold.
    assert CallRecord.model_validate({"error": "no answer within 30 s"}).recovery is Recovery.NONE


def test_a_record_of_an_earlier_version_is_counted_at_the_first_price() -> None:
    spending = Spending(Budget())
    spending.add_model_call(CallRecord.model_validate({"tokens_in": 500_000, "tokens_out": 100_000, "model": "m"}))

    assert spending.tokens == 600_000 and spending.usd == pytest.approx(1.8)


def test_money_is_set_aside_where_any_model_has_a_price() -> None:
    free = {"usd_per_million_in": 0, "usd_per_million_out": 0}

    assert Budget.model_validate(free).most_of_a_run == 0
    assert Budget.model_validate({**free, "prices": {"skeptic": {}}}).most_of_a_run == 0.5

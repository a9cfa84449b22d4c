"""What one run has used up, and when the next turn must be the answer."""

from bot.core.config import Budget
from bot.llm.spending import CallRecord, Spending


def spent(seconds: float) -> Spending:
    spending = Spending(Budget(per_run_seconds=90))
    spending.add_model_call(CallRecord(seconds=seconds, tokens_in=10, tokens_out=1))
    return spending


def test_the_last_quarter_of_the_time_is_reserved_for_the_answer() -> None:
    assert [spent(seconds).last_turn for seconds in (0, 60, 68, 89)] == [False, False, True, True]
    assert (spent(68).used_up, spent(90).used_up) == ("", "limit of 90 s reached")


def test_tool_calls_of_one_turn_count_as_long_as_the_longest() -> None:
    spending = spent(10)

    spending.add_tool_call(4)
    spending.add_tool_call(7)

    assert spending.seconds_left == 73

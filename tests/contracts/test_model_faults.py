"""A model's server that is slow, cut off, refuses or answers garbage, at every turn: the analyst's answer stands."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot.core.evidence import Findings
from bot.core.ranking.ranking import rank
from bot.llm.loading import Agents
from bot.workflows.investigation.analyst import call_name
from tests.contracts.agent_fixture import ANSWER, CHANGES, HEALTH, AgentFixture, NewAgentFixture, fire
from tests.contracts.agent_runs import Proposer, crashed_and_gone_on, run_triage
from tests.unit.evidence_builders import CASE, NOW, Ledger, change, failing_payments

TURNS = ({"call": [HEALTH]}, {"call": [CHANGES]}, ANSWER)
"""An undisturbed run."""
HANG = {"idle_seconds": 0.5}
"""No answer is waited for longer where one that never comes is scripted."""
STATUSES = (400, 401, 403, 404, 429, 500, 503)
FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "slow": ({"hang": True}, "no answer within"),
    "stalls in the middle": ({**ANSWER, "cut": "stall"}, "no"),
    "cut off": ({**ANSWER, "cut": "connection"}, "the answer was cut off"),
    "ends in the middle": ({**ANSWER, "cut": "quiet"}, "the answer was cut off"),
    "stops at its length": ({**ANSWER, "finish": "length"}, "longer than the model may write"),
    "closes the connection": ({"drop": True}, "was not reached"),
    "garbage": ({"garbage": True}, "could not be read"),
    "says nothing": ({"text": ""}, "no structured answer"),
    "chats": ({"text": "Let me think about checkout."}, "no structured answer"),
    "asks to wait": ({"status": 429, "headers": {"Retry-After": "1"}}, "answered 429"),
    "asks to wait too long": ({"status": 429, "headers": {"Retry-After": "3600"}}, "asks to wait 3600 s, and "),
    **{f"answers {status}": ({"status": status}, f"answered {status}") for status in STATUSES},
}


def causes(findings: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(h["cause"], h["service"], h["confidence"]) for h in findings["hypotheses"]]


async def without_model(here: AgentFixture, group: str) -> list[tuple[str, str, str]]:
    """What the analyst says alone."""
    await fire(here.db, int(group.removeprefix("AL-")))
    return causes(await run_triage(here, Proposer(), agents=Agents("", lambda: here.agent), group=group))


@pytest.mark.parametrize("fault", FAULTS)
async def test_at_every_turn_a_fault_leaves_the_analyst_s_answer_and_says_why(new_agent: NewAgentFixture, fault: str) -> None:
    broken, reason = FAULTS[fault]
    here = await new_agent(ANSWER, budget=HANG if "hang" in broken or broken.get("cut") == "stall" else {})
    alone = await without_model(here, "AL-99")

    for turn in range(len(TURNS)):
        here.script.turns = [*TURNS[:turn], broken]
        if turn:
            await fire(here.db, turn + 1)
        findings = await run_triage(here, Proposer(), group=f"AL-{turn + 1}")

        assert alone and causes(findings) == alone and findings["by"] == "analyst"
        assert reason in findings["stop_reason"] and findings["tokens"] >= 1100 * turn


@pytest.mark.parametrize(
    "fault", ["cut off", "ends in the middle", "closes the connection", "garbage", "asks to wait", "answers 503"]
)
@pytest.mark.parametrize("turn", range(len(TURNS)))
async def test_a_fault_that_passes_costs_one_more_request(new_agent: NewAgentFixture, fault: str, turn: int) -> None:
    here = await new_agent(*TURNS[:turn], FAULTS[fault][0], *TURNS[turn:])

    findings = await here.investigate()

    assert findings.stop_reason == "answered" and findings.hypotheses and len(here.asked) == 4 and len(here.waits) == 1


async def test_the_server_s_own_word_on_when_to_come_back_is_honoured(new_agent: NewAgentFixture) -> None:
    here = await new_agent(
        {"status": 429, "headers": {"Retry-After": "7"}}, {"status": 503, "headers": {"Retry-After": "2"}}, ANSWER
    )

    assert (await here.investigate()).stop_reason == "answered"
    assert here.waits == [7, 2]


async def test_a_date_to_come_back_at_is_honoured_like_a_number_of_seconds(new_agent: NewAgentFixture) -> None:
    over, far = "Wed, 21 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 2099 07:28:00 GMT"
    passed = await new_agent({"status": 429, "headers": {"Retry-After": over}}, ANSWER)
    closed = await new_agent({"status": 503, "headers": {"Retry-After": far}}, ANSWER)

    assert (await passed.investigate()).stop_reason == "answered" and passed.waits == [0]
    assert "it asks to wait" in (await closed.investigate()).stop_reason and closed.waits == []


async def test_the_fallback_model_is_asked_where_the_first_one_wants_to_be_left_alone_for_long(
    new_agent: NewAgentFixture,
) -> None:
    here = await new_agent({"status": 429, "headers": {"Retry-After": "60"}}, ANSWER, fallback="second")

    findings = await here.investigate()

    assert [request["model"] for request in here.asked] == ["scripted", "second"] and here.waits == []
    assert (findings.model, findings.stop_reason) == ("second", "answered")


async def test_after_a_call_that_failed_midway_the_answer_alone_is_requested(new_agent: NewAgentFixture) -> None:
    stalled = {"call": [CHANGES], "cut": "stall"}
    here = await new_agent({"call": [HEALTH]}, stalled, stalled, ANSWER, budget={"idle_seconds": 5}, tool_choice="named")

    findings = await here.investigate()

    assert findings.stop_reason == "answered" and findings.hypotheses and "broke off" in findings.note
    assert here.asked[-1]["tool_choice"] == {"type": "function", "function": {"name": "Answer"}}


async def test_a_request_that_is_too_long_is_followed_by_a_shorter_one_for_the_answer(new_agent: NewAgentFixture) -> None:
    refused = {"status": 400, "error": "the request exceeds the available context size, try increasing it"}
    here = await new_agent({"call": [["flood", {}]]}, refused, ANSWER)

    findings = await here.investigate()

    assert findings.stop_reason == "answered" and "too long for the model" in findings.note
    sizes = [len(str(request)) for request in here.asked]
    assert sizes[2] < sizes[1] / 2 and [tool["function"]["name"] for tool in here.asked[2]["tools"]] == ["Answer"]


async def test_to_the_last_turn_nothing_changes_before_the_newest_messages(new_agent: NewAgentFixture) -> None:
    here = await new_agent({"call": [HEALTH]}, {"call": [CHANGES]}, ANSWER, budget={"per_run_steps": 3}, tool_choice="named")

    await here.investigate()

    first, second, last = here.asked
    assert first["tools"] == second["tools"] == last["tools"] and last["tool_choice"]["function"]["name"] == "Answer"
    assert last["messages"][: len(second["messages"])] == second["messages"]
    assert "last turn: the limit of turns is near" in last["messages"][-1]["content"]


async def test_a_history_that_was_shortened_stays_so_and_its_beginning_is_the_same_again(
    new_agent: NewAgentFixture,
) -> None:
    parts = [{"call": [["flood", {"part": n}]]} for n in range(11)]
    here = await new_agent(*parts, ANSWER)

    await here.investigate()

    stable = [a["messages"] == b["messages"][: len(a["messages"])] for a, b in zip(here.asked, here.asked[1:], strict=False)]
    assert 0 < stable.count(False) < len(stable) / 2 and '"left_out": "details were shown above' in str(here.asked[-1])


async def test_tokens_cost_what_their_kind_costs_also_where_no_answer_came(new_agent: NewAgentFixture) -> None:
    details = {"prompt_tokens_details": {"cached_tokens": 900_000}, "completion_tokens_details": {"reasoning_tokens": 50_000}}
    usage = {"prompt_tokens": 1_000_000, "completion_tokens": 100_000, "total_tokens": 1_100_000, **details}
    prices = {"usd_per_million_cached": 0.2, "usd_per_million_reasoning": 4, "per_run_usd": 100, "per_run_tokens": 10**9}
    here = await new_agent({**ANSWER, "usage": usage, "finish": "length"}, budget=prices)

    findings = await here.investigate()

    assert findings.tokens == 1_100_000 and findings.usd == pytest.approx(0.1 * 2 + 0.9 * 0.2 + 0.05 * 8 + 0.05 * 4)


async def test_a_request_that_timed_out_is_counted_by_all_of_it_that_was_sent(new_agent: NewAgentFixture) -> None:
    calls = [["recent_changes", {"service": "checkout" * 100, "hours": hours}] for hours in range(1, 9)]
    here = await new_agent({"call": calls}, {**ANSWER, "cut": "stall"}, budget={"idle_seconds": 2})

    findings = await here.investigate()

    sent = [len(json.dumps(request).encode()) for request in here.asked[1:]]
    assert len(sent) > 1 and max(sent) > 30_000
    assert findings.tokens == pytest.approx(1100 + sum(sent) / 4, rel=0.1) and findings.usd > 0


async def test_the_fallback_and_the_second_model_have_their_own_prices(new_agent: NewAgentFixture) -> None:
    prices = {"scripted": {"usd_per_million_in": 0, "usd_per_million_out": 0}, "second": {"usd_per_million_in": 1000}}
    here = await new_agent(
        {"call": [HEALTH]}, ANSWER, {"call": [["Objections", {"objections": []}]]}, budget={"prices": prices}, skeptic="second"
    )

    findings = await here.investigate()

    assert findings.usd == pytest.approx(1.0 + 8 * 100 / 1e6, abs=1e-4)


async def test_the_analyst_ranks_again_over_what_a_failed_run_recorded(new_agent: NewAgentFixture) -> None:
    here, deploy = await new_agent(ANSWER), change("payments", 4, version="2.1", previous="2.0")
    entries, rows = failing_payments(deploy).entries, {"2_0": (0.001, 0.001), "2_1": (None, 0.9)}
    (split,) = Ledger().breakdown("payments", "errors", "version", **rows).entries
    for one in entries:
        call = call_name(CASE, one.tool, one.arguments)
        await here.triages.ledger.record("AL-1", one.tool, one.arguments, call, one.evidence)
    await here.triages.ledger.record("AL-1", split.tool, split.arguments, "agent:1:call_1_0", split.evidence, attempt=1)

    failed = Findings(by="agent", stop_reason="no answer within 60 s", seconds=60)
    findings = await here.triage_steps(Proposer()).weigh(CASE, failed, rank(CASE, entries, now=NOW))

    assert (findings.by, findings.seconds) == ("analyst", 60)
    assert "E8" in {id for claim in findings.hypotheses[0].claims for id in claim.evidence}


async def test_a_crash_after_the_failed_call_repeats_nothing_that_was_recorded(
    new_agent: NewAgentFixture, tmp_path: Path
) -> None:
    here = await new_agent({"call": [HEALTH]}, {"garbage": True}, {"garbage": True}, {"hang": True})

    _, findings = await crashed_and_gone_on(here, tmp_path, asked=4, then=ANSWER)

    assert findings["stop_reason"] == "answered" and findings["steps"] == 3 and len(here.asked) == 1
    assert here.looked == ["service_health"]

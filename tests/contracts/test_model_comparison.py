"""An evaluation that asks a model too: the live agent, on the same recording, in the analyst's place."""

import asyncio

import pytest

from bot.core.evidence import Case
from bot.llm.settings import ModelSettings
from tests.contracts.agent_fixture import serving
from tests.evaluation.__main__ import copied_lines, side_by_side
from tests.evaluation.model_comparison import ModelComparison, answering_merged
from tests.evaluation.world import Recording, World, investigate, investigate_and_answer
from tests.real.scripted_model import Script
from tests.unit.builders import NOW
from tests.unit.tools.tool_fixture import Step

SHOP = World.of([Recording("cart", "errors", [Step(0.001, 0.3).series], "ratio")], {"web": ["cart"], "cart": []})
CASE = Case(group="one", service="web", alert_name="HighErrorRate", severity="SEV2", started_at=NOW)
ANSWER = {
    "hypotheses": [
        {
            "cause": "cart fails", "service": "cart", "kind": "dependency", "confidence": "possible",
            "claims": [{"text": "cart errors left their normal range", "evidence": ["E:service_health"]}],
        }
    ]
}  # fmt: skip


async def test_the_model_looks_at_the_same_recording_and_its_answer_is_judged_and_counted() -> None:
    script = Script([{"call": [["service_health", {"service": "cart"}]]}, {"answer": ANSWER}])
    first = await investigate(SHOP, CASE, now=NOW)

    async with serving(script) as url:
        second = ModelComparison(ModelSettings(name="scripted", base_url=url))
        found = await second.ask(SHOP, first)

    assert [h.cause for h in found.findings.hypotheses] == ["cart fails"] and found.findings.by == "agent"
    assert "cart" in str(script.requests[0]["messages"]) and "errors" in str(script.requests[1]["messages"][-1])
    assert second.in_words().startswith("1 asked: 1 x answered")
    with answering_merged(second):
        merged = (await asyncio.to_thread(investigate_and_answer, SHOP, CASE, now=NOW)).findings
    assert merged == second.merged[0].findings and merged.model == "scripted" and merged.hypotheses[0].named_by == "both"


async def test_a_model_that_is_down_has_no_answer_and_the_analyst_does_not_stand_in_for_it() -> None:
    async with serving(Script([{"status": 401}])) as url:
        second = ModelComparison(ModelSettings(name="scripted", base_url=url))
        first = await investigate(SHOP, CASE, now=NOW)
        found = await second.ask(SHOP, first)

    assert found.findings.hypotheses == [] and "401" in second.in_words()
    assert second.merged[0].findings.hypotheses[0].cause == first.findings.hypotheses[0].cause
    assert "401" in second.merged[0].findings.stop_reason


def test_the_figures_of_all_three_stand_side_by_side_with_what_is_published(capsys: pytest.CaptureFixture[str]) -> None:
    def printed(right: float) -> list[str]:
        with copied_lines() as lines:
            print("one: right, likely", f"set (n 12): right {right:.2f}", "published pass: some model 0.82", sep="\n")
        return lines

    lines = side_by_side({"analyst": printed(0.5), "agent alone": printed(0.25), "merged": printed(0.5)})

    assert [line.strip() for line in lines] == [
        "analyst: set (n 12): right 0.50",
        "agent alone: set (n 12): right 0.25",
        "merged: set (n 12): right 0.50",
        "published pass: some model 0.82",
    ]
    assert capsys.readouterr().out.count("one: right, likely") == 3

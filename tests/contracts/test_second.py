"""An evaluation that asks a model too: the live agent, on the same recording, in the analyst's place."""

from bot.core.evidence import Case
from bot.llm.settings import ModelSettings
from tests.contracts.model_room import serving
from tests.evaluation.second import Second
from tests.evaluation.world import Recording, World, investigate
from tests.real.scripted_model import Script
from tests.unit.builders import NOW
from tests.unit.tools.looking import Step

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
        second = Second(ModelSettings(name="scripted", base_url=url))
        found = await second.ask(SHOP, first)

    assert [h.cause for h in found.findings.hypotheses] == ["cart fails"] and found.findings.by == "agent"
    assert "cart" in str(script.requests[0]["messages"]) and "errors" in str(script.requests[1]["messages"][-1])
    assert second.in_words().startswith("1 asked: 1 x answered")


async def test_a_model_that_is_down_has_no_answer_and_the_analyst_does_not_stand_in_for_it() -> None:
    async with serving(Script([{"status": 401}])) as url:
        second = Second(ModelSettings(name="scripted", base_url=url))
        found = await second.ask(SHOP, await investigate(SHOP, CASE, now=NOW))

    assert found.findings.hypotheses == [] and "401" in second.in_words()

"""An agent whose code does not load: said once, told as degraded, and triages go on."""

from typing import Any

from bot.core.check import Check
from bot.core.evidence import Case
from bot.engine.direct import DirectRun
from bot.llm.loading import Agents, check_loading
from tests.unit.builders import NOW

CASE = Case(group="AL-1", service="checkout", alert_name="HighErrorRate", severity="SEV2", started_at=NOW)


class Installation:
    """Builds an agent, or raises what an installation that does not fit raises."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.built = 0

    def build(self) -> Any:
        self.built += 1
        if self.error is not None:
            raise self.error
        return object()


async def test_a_stand_in_says_in_one_line_why_the_code_did_not_load_and_it_is_not_tried_again() -> None:
    broken = Installation(ImportError("cannot import name 'x'\nfrom 'langchain'"))
    agents = Agents("gpt", broken.build)

    agent = await agents.get()
    assert agent is not None and await agents.get() is agent and broken.built == 1
    findings = await agent.investigate(DirectRun("triage:AL-1:1", clock=lambda: NOW), CASE)

    assert findings.hypotheses == [] and findings.model == "gpt"
    assert findings.stop_reason == "its code did not load: ImportError: cannot import name 'x' from 'langchain'"


async def test_it_is_degraded_only_once_it_is_known_not_to_load() -> None:
    broken, whole = Agents("gpt", Installation(SyntaxError("?")).build), Agents("gpt", Installation().build)
    before = await broken.healthy()
    await broken.get()
    await whole.get()

    assert (before, await broken.healthy(), await whole.healthy()) == (True, False, True)


async def test_without_a_model_nothing_is_imported() -> None:
    whole = Installation()

    assert await Agents("", whole.build).get() is None
    assert whole.built == 0


def test_the_doctor_says_whether_the_code_loads_and_what_to_do() -> None:
    broken: Check = check_loading(Installation(ImportError("no module named langchain")).build)

    assert check_loading(Installation().build).state == "ok"
    assert (broken.state, broken.result) == ("failed", "ImportError: no module named langchain")
    assert "make install" in broken.advice

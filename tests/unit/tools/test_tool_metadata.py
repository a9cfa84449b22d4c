"""A tool is one file: what it is for stands in its own metadata, and nothing else names it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from bot.core.evidence import Evidence, LedgerEntry
from bot.core.investigation.first_plan import first_plan
from bot.core.questions.answer_facts import AnswerFacts
from bot.core.questions.answering import answer
from bot.core.questions.parsing.topics import topics_of
from bot.core.tool_calls import ToolRole, Topic, describe_call, tool_for
from bot.plugins import ToolContext, tool
from tests.unit.evidence_builders import CASE, NOW
from tests.unit.tools.tool_fixture import INFOS, TOOLS

ROOT = Path(__file__).parents[3]
FOREIGN = {"bot/monitoring/systems/mlflow.py": {"model_versions"}}
"""A key of MLflow's own answers."""


@tool(label="weather over {service}", topic=Topic("weather rain storm"), first_for={"errors": 3})
async def weather(ctx: ToolContext, service: str) -> Evidence:
    """Say what the weather over the data centre of a service is."""
    return Evidence(summary=f"it rains over {service}", query="weather")


TOGETHER = {**INFOS, "weather": weather.info}


def test_a_made_up_tool_has_words() -> None:
    assert describe_call(TOGETHER, "weather", {"service": "checkout"}) == "weather over checkout"


def test_a_made_up_tool_answers_questions_on_its_topic() -> None:
    evidence = Evidence(summary="it rains over checkout", query="weather")
    entry = LedgerEntry(id="E1", group="AL-1", tool="weather", arguments={"service": "checkout"}, at=NOW, evidence=evidence)

    assert topics_of("how is the weather?", (), TOGETHER).tools == {"weather"}
    found = answer("was there a storm?", AnswerFacts([entry], tools=TOGETHER))
    assert [finding.evidence for finding in found.findings] == [["E1"]]


def test_a_made_up_tool_stands_in_the_first_plan_of_its_kind_of_alert() -> None:
    planned = [name for name, _ in first_plan(CASE, [], TOGETHER)]

    assert planned[-3:] == ["search_logs", "slo_status", "weather"]


def test_each_role_has_one_tool() -> None:
    assert {role: sum(info.role is role for info in INFOS.values()) for role in ToolRole} == dict.fromkeys(ToolRole, 1)
    assert tool_for({}, ToolRole.LOGS) == "logs" not in TOOLS


def test_nothing_in_the_bot_names_a_tool() -> None:
    named = {}
    for path in sorted((ROOT / "bot").rglob("*.py")):
        name = str(path.relative_to(ROOT))
        if not name.startswith("bot/sandbox/") and (tools := set(_named_in(path)) - FOREIGN.get(name, set())):
            named[name] = tools

    assert named == {}


def _named_in(path: Path) -> Iterator[str]:
    """Tools named by a whole string, or in backticks within one."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from {node.value, *re.findall(r"`(\w+)`", node.value)} & TOOLS.keys()

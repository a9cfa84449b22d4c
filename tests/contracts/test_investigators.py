"""The agent against a model that plays a script over HTTP: whatever the model does, an investigation ends and says how."""

import asyncio
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.core.errors import ConfigurationError
from bot.core.evidence import FiringInterval
from bot.core.text.moments import iso_utc
from bot.core.verdict.verdict import judge
from bot.engine.direct import DirectRun
from bot.llm.loading import Agents
from bot.ports import Investigator
from bot.slack.view_context import ViewContext
from bot.slack.views import triage as view
from bot.store.slack.investigation_contents import triage_content
from bot.store.tables import EpisodeRow, GroupRow
from tests.contracts.agent_fixture import ANSWER, CHANGES, HEALTH, AgentFixture, NewAgentFixture
from tests.contracts.agent_runs import Proposer, crashed_and_gone_on, run_triage
from tests.real import wait_until
from tests.unit.builders import NOW, change


async def test_people_see_how_many_checks_the_model_made_each_counted_once(new_agent: NewAgentFixture) -> None:
    here = await new_agent({"call": [HEALTH, ["broken", {}]]}, {**ANSWER, "hold": True})
    running = asyncio.create_task(here.investigate())
    await wait_until(lambda: len(here.asked) == 2)
    await here.tool_runner.call(await here.case(), "service_health", {"service": "checkout"}, "agent:1:call_1_0", shown=True)

    async with here.db.read() as session:
        content = await triage_content(session, "AL-1")
    here.script.released.set()
    await running

    shown = json.dumps(view.render(content, ViewContext()), ensure_ascii=False) if content else ""
    assert "Looking for the cause: 2 checks made, 1 failed" in shown


async def test_it_looks_with_tools_and_answers_with_ranked_causes(new_agent: NewAgentFixture) -> None:
    here = await new_agent({"call": [HEALTH]}, ANSWER)

    findings = await here.investigate()

    assert [h.cause for h in findings.hypotheses] == ["deploy 1.4 of checkout broke it"]
    assert (findings.by, findings.stop_reason, findings.steps) == ("agent", "answered", 2)
    assert '"id": "E1"' in here.told()[0] and "errors rose from 0.1 % to 30 %" in here.told()[0]


async def test_looks_of_one_turn_get_evidence_ids_of_their_own_and_answers_of_their_own(new_agent: NewAgentFixture) -> None:
    here = await new_agent({"call": [HEALTH, CHANGES]}, ANSWER)

    await here.investigate()

    ids = {entry.id: entry.tool for entry in await here.triages.ledger.entries("AL-1")}
    assert sorted(ids.values()) == ["recent_changes", "service_health"] and len(ids) == 2
    health, changes = here.told()
    assert '"source": "prometheus"' in health and "deploy 1.4" in changes


async def test_the_first_plan_comes_from_the_kind_of_alert_and_the_graph(new_agent: NewAgentFixture) -> None:
    here = await new_agent(ANSWER)
    await here.tool_runner.call(await here.case(), "dependencies", {"service": "checkout"}, "analyst:1")

    await here.investigate()

    opening = str(here.asked[0]["messages"][1]["content"])
    plan = opening[opening.index("A first plan") : opening.index("Evidence recorded")].splitlines()[2:-1]
    assert plan[0] == 'service_health {"service": "checkout"}' and 'service_health {"service": "payments"}' in plan
    assert not any(line.startswith("dependencies") for line in plan)


async def test_the_model_gets_the_moment_at_which_its_run_begins_and_the_one_at_which_it_ends(
    new_agent: NewAgentFixture,
) -> None:
    here = await new_agent({"call": [HEALTH]}, ANSWER, budget={"per_run_seconds": 300})

    await here.investigate()

    first, second = ("\n".join(str(message["content"]) for message in request["messages"][:2]) for request in here.asked)
    end = NOW + timedelta(seconds=300)
    assert f"It is {NOW:%Y-%m-%dT%H:%M:%SZ}; your run ends by {end:%Y-%m-%dT%H:%M:%SZ}." in first and second == first


async def test_of_firings_before_the_model_learns_those_alone_that_whoever_reads_the_case_reads_too(
    new_agent: NewAgentFixture,
) -> None:
    here = await new_agent(ANSWER)
    public, private = (
        FiringInterval(
            began_at=NOW - timedelta(hours=hours),
            ended_at=NOW - timedelta(minutes=50),
            service=service,
            same_readers=service == "web",
        )
        for hours, service in ((1, "web"), (2, "payroll"))
    )
    case = (await here.case()).model_copy(update={"firing_before": (public, private)})

    await here.agent.investigate(DirectRun("triage:AL-1:1", clock=lambda: NOW), case)

    opening = str(here.asked[0]["messages"][1]["content"])
    named = re.search(r'"firing_before": (\[.*?\])', opening)
    assert named and [(one["service"], one["began_at"]) for one in json.loads(named[1])] == [("web", iso_utc(public.began_at))]
    assert "payroll" not in opening


async def test_a_repeated_look_is_answered_from_memory(new_agent: NewAgentFixture) -> None:
    here = await new_agent({"call": [HEALTH]}, {"call": [HEALTH]}, ANSWER)

    await here.investigate()

    assert here.looked == ["service_health"] and "already" in here.told()[-1]


async def test_an_unknown_tool_and_wrong_arguments_are_refused_and_the_run_goes_on(new_agent: NewAgentFixture) -> None:
    here = await new_agent(
        {"call": [["delete_service", {"service": "checkout"}], ["service_health", {"servce": "checkout"}]]}, ANSWER
    )

    findings = await here.investigate()

    assert "no such tool" in here.told()[0] and "Arguments do not fit" in here.told()[1]
    assert here.looked == [] and findings.stop_reason == "answered"


async def test_a_tool_that_breaks_is_told_as_could_not_look(new_agent: NewAgentFixture) -> None:
    here = await new_agent({"call": [["broken", {}]]}, ANSWER)

    findings = await here.investigate()

    assert "Could not check" in here.told()[0] and '"ok": false' in here.told()[0]
    assert re.search(r"TypeError \(the log has it under [0-9a-f]{8}\): the socket went away", here.told()[0])
    assert findings.stop_reason == "answered"


async def test_on_its_last_turn_a_model_keeps_its_tools_and_is_told_to_answer(new_agent: NewAgentFixture) -> None:
    here = await new_agent({"call": [HEALTH]}, ANSWER, budget={"per_run_steps": 2})

    findings = await here.investigate()

    first, last = here.asked
    assert first["tools"] == last["tools"] and last["messages"][: len(first["messages"])] == first["messages"]
    assert "This is the last turn" in last["messages"][-1]["content"] and findings.stop_reason == "answered"


@pytest.mark.parametrize("instead", [{"call": [CHANGES]}, {"text": "It was the deploy."}], ids=["another tool", "text"])
async def test_a_model_that_does_not_answer_on_its_last_turn_is_left_no_other_tool(
    new_agent: NewAgentFixture, instead: Any
) -> None:
    here = await new_agent({"call": [HEALTH]}, instead, ANSWER, budget={"per_run_steps": 2})

    findings = await here.investigate()

    assert [tool["function"]["name"] for tool in here.asked[2]["tools"]] == ["Answer"]
    assert here.asked[2]["messages"] == here.asked[1]["messages"] and here.looked == ["service_health"]
    assert (findings.stop_reason, findings.steps, findings.tokens) == ("answered", 2, 3300)


async def test_a_model_that_loops_stops_at_the_limit_and_costs_one_request_more(new_agent: NewAgentFixture) -> None:
    here = await new_agent({"call": [HEALTH]}, budget={"per_run_steps": 4})

    findings = await here.investigate()

    assert findings.stop_reason == "limit of 4 turns reached" and len(here.asked) == 5
    assert findings.hypotheses == [] and here.looked == ["service_health"]


async def test_looks_are_capped(new_agent: NewAgentFixture) -> None:
    many = [["recent_changes", {"service": "", "hours": hours}] for hours in range(1, 9)]
    here = await new_agent({"call": many}, ANSWER, budget={"per_run_calls": 3})

    await here.investigate()

    assert len(here.looked) == 3 and sum("No tool calls are left" in text for text in here.told()) == 5


async def test_time_spent_looking_counts_too(new_agent: NewAgentFixture) -> None:
    here = await new_agent({"call": [["slow", {}]]}, {"hang": True}, budget={"per_run_seconds": 6})

    findings = await here.investigate()

    # The model is given what the look left of the six seconds, however slow the machine is.
    assert findings.stop_reason in ("limit of 6 s reached", *(f"no answer within {left} s" for left in range(6)))
    assert findings.seconds > 5.9


async def test_money_ends_a_run(new_agent: NewAgentFixture) -> None:
    turns = [{"call": [["recent_changes", {"service": "", "hours": hours}]]} for hours in range(1, 9)]
    here = await new_agent(*turns, budget={"per_run_usd": 0.01, "usd_per_million_in": 2.0, "usd_per_million_out": 20.0})

    findings = await here.investigate()

    assert findings.stop_reason == "limit of 0.01 USD reached"
    assert findings.usd == pytest.approx(0.012) and findings.tokens == 3300


async def test_an_overloaded_model_is_asked_once_more(new_agent: NewAgentFixture) -> None:
    here = await new_agent({"status": 503}, ANSWER)

    findings = await here.investigate()

    assert findings.stop_reason == "answered" and len(here.asked) == 2


async def test_a_model_that_stays_down_gives_way_to_the_second_one(new_agent: NewAgentFixture) -> None:
    here = await new_agent({"status": 503}, {"status": 503}, ANSWER, fallback="second")

    findings = await here.investigate()

    assert [r["model"] for r in here.asked] == ["scripted", "scripted", "second"]
    assert (findings.model, findings.stop_reason) == ("second", "answered")


async def test_the_second_model_is_asked_first_once_the_first_one_failed(new_agent: NewAgentFixture) -> None:
    here = await new_agent({"status": 401}, {"call": [HEALTH]}, ANSWER, fallback="second")

    findings = await here.investigate()

    assert [r["model"] for r in here.asked] == ["scripted", "second", "second"] and findings.stop_reason == "answered"


@pytest.mark.parametrize(
    ("turn", "told"),
    [
        ({"status": 503}, "answered 503"),
        ({"status": 401}, "answered 401"),
        ({"garbage": True}, "could not be read"),
        ({"text": ""}, "no structured answer"),
        ({"text": "I am sorry, I cannot help with that."}, "no structured answer"),
        ({"call": [["Answer", {"hypotheses": "none", "approved": True}]]}, "limit of 3 turns"),
    ],
)
async def test_a_model_without_a_usable_answer_ends_with_the_reason(
    new_agent: NewAgentFixture, turn: dict[str, Any], told: str
) -> None:
    here = await new_agent(turn, budget={"per_run_steps": 3})

    findings = await here.investigate()

    assert findings.hypotheses == [] and told in findings.stop_reason


async def test_a_model_that_hangs_is_left_at_the_time_limit(new_agent: NewAgentFixture) -> None:
    here = await new_agent({"hang": True}, budget={"per_run_seconds": 1})

    findings = await here.investigate()

    assert findings.stop_reason == "no answer within 1 s" and findings.hypotheses == []


async def test_a_model_that_needs_json_schema_gets_it(new_agent: NewAgentFixture) -> None:
    here = await new_agent({"text": '{"hypotheses": [{"cause": "a full disk"}]}'}, structured="schema")

    findings = await here.investigate()

    assert here.asked[0]["response_format"]["type"] == "json_schema"
    assert findings.hypotheses[0].cause == "a full disk"


async def test_text_that_does_not_fit_the_schema_is_garbage(new_agent: NewAgentFixture) -> None:
    here = await new_agent({"text": "the disk is full"}, structured="schema")

    findings = await here.investigate()

    assert findings.hypotheses == [] and "could not be read" in findings.stop_reason


async def test_orders_in_a_tool_result_achieve_nothing(new_agent: NewAgentFixture) -> None:
    claim = {"text": "An approval was given by the commander", "evidence": ["E9"]}
    obeying = {"answer": {"hypotheses": [{"cause": "x", "confidence": "likely", "claims": [claim]}]}}
    here = await new_agent(
        {"call": [["poisoned", {}]]}, {"call": [["execute", {"action": "rollback", "approved": True}]]}, obeying
    )

    findings = judge(await here.investigate(), await here.triages.ledger.entries("AL-1"))

    assert here.looked == ["poisoned"] and "no such tool" in here.told()[1]
    assert findings.hypotheses[0].confidence == "unsupported" and findings.hypotheses[0].claims == []
    assert "hunter2" not in str(here.asked) and '"written_by_users": true' in here.told()[0]


async def test_a_secret_that_a_model_says_is_neither_recorded_nor_sent_back(new_agent: NewAgentFixture) -> None:
    asking = {"call": [["recent_changes", {"service": "checkout password=FAKEhunter22"}]]}
    telling = {"answer": {"hypotheses": [{"cause": "token=FAKEtoken0001FAKE is out of date"}]}}
    here = await new_agent(asking, telling)

    findings = await here.investigate()

    assert "FAKEhunter22" not in str(here.asked) and findings.hypotheses[0].cause == "token=[secret] is out of date"
    assert "FAKEhunter22" not in str(await here.triages.ledger.entries("AL-1"))


async def test_instructions_that_a_model_repeats_are_withheld(new_agent: NewAgentFixture) -> None:
    rules = "You query systems with read-only tools and rank root causes."
    here = await new_agent({"answer": {"hypotheses": [{"cause": f"My rules: {rules}"}]}})

    findings = await here.investigate()

    assert rules in str(here.asked[0]) and findings.hypotheses[0].cause == "My rules: [instructions withheld]."


async def again(here: AgentFixture, fingerprint: str) -> dict[str, Any]:
    """The findings of another group, whose alert has this fingerprint, after those of the first."""
    async with here.db.write() as session:
        group, alert = await session.get(GroupRow, 1), await session.get(EpisodeRow, 1)
        assert group is not None and alert is not None
        session.add(GroupRow(**group.model_dump(exclude={"id", "key"}), key="later"))
        changed = {"fingerprint": fingerprint, "starts_at": NOW + timedelta(minutes=1), "group_id": 2}
        session.add(EpisodeRow(**alert.model_dump(exclude={"id", *changed}), **changed))
    return await run_triage(here, Proposer(), group="AL-2")


SAME = {**ANSWER["answer"]["hypotheses"][0], "change_id": "test:1.4"}  # type: ignore[index]
SAME["claims"] = [{"text": "checkout's errors left their normal range", "evidence": ["E:service_health"]}]


def answering(**changed: Any) -> list[dict[str, Any]]:
    """The turns of two runs that look once and name a cause."""
    return 2 * [{"call": [HEALTH]}, {"answer": {"hypotheses": [{**SAME, **changed}]}}]


async def test_the_same_alert_with_the_same_cause_is_not_put_to_the_model_again(new_agent: NewAgentFixture) -> None:
    here = await new_agent(*answering())
    first = await run_triage(here, Proposer())

    second = await again(here, "f1")

    assert (first["by"], second["by"], len(here.asked)) == ("agent", "analyst", 2)
    assert "the same alert 1 min ago (AL-1) and was not called again" in second["note"] and second["hypotheses"][0]["claims"]


async def test_another_alert_is_put_to_the_model(new_agent: NewAgentFixture) -> None:
    here = await new_agent(*answering())
    await run_triage(here, Proposer())

    assert (await again(here, "f2"))["by"] == "agent" and len(here.asked) == 4


async def test_the_same_alert_with_another_cause_is_put_to_the_model(new_agent: NewAgentFixture) -> None:
    here = await new_agent(*answering(service="payments", kind="resource", change_id=""))
    await run_triage(here, Proposer())
    await again(here, "f1")

    assert len(here.asked) == 4


async def test_what_a_run_may_cost_is_set_aside_from_the_day_s_money_until_it_is_known(new_agent: NewAgentFixture) -> None:
    here = await new_agent({"call": [HEALTH], "hold": True}, ANSWER, budget={"per_run_usd": 0.5, "per_day_usd": 0.6})
    first = asyncio.create_task(run_triage(here, Proposer()))
    await wait_until(lambda: len(here.asked) == 1)

    second = await again(here, "f2")
    here.script.released.set()
    await first

    assert second["by"] == "analyst" and second["note"].startswith("Today's model budget is spent or set aside")
    row = await here.triages.row("AL-1")
    assert row is not None and row.usd == pytest.approx(0.0056)


async def test_the_triage_shows_what_the_agent_found_and_drops_a_claim_without_evidence(new_agent: NewAgentFixture) -> None:
    claims = [{"text": "everybody knows it", "evidence": []}, {"text": "checkout changed", "evidence": ["E:recent_changes"]}]
    bold = {"answer": {"hypotheses": [{"cause": "it is DNS", "service": "checkout", "claims": claims}]}}
    here, proposer = await new_agent({"call": [CHANGES]}, bold), Proposer()

    findings = await run_triage(here, proposer)

    own = next(h for h in findings["hypotheses"] if h["named_by"] == "agent")
    assert own["cause"] == "it is DNS" and [c["text"] for c in own["claims"]] == ["checkout changed"]
    assert any("cites no evidence" in text for text in findings["dropped"])
    assert [f.hypotheses[0].named_by for f in proposer.asked] == ["analyst"]


async def test_an_agent_s_answer_has_a_kind_of_cause_and_keeps_what_the_evidence_clears(new_agent: NewAgentFixture) -> None:
    claims = [{"text": "checkout got deploy 1.4", "evidence": ["E:recent_changes"]}]
    blaming = {"answer": {"hypotheses": [{**SAME, "claims": claims}]}}
    here = await new_agent({"call": [["recent_changes", {"service": "checkout", "hours": 2}]]}, blaming)
    here.changes.append(change("1.5", minutes_before=1))

    findings = await run_triage(here, Proposer())

    assert (findings["by"], findings["category"]) == ("agent", "code_defect")
    assert ["deploy 1.5" in claim["text"] for claim in findings["ruled_out"]] == [True]


async def test_with_the_model_down_the_analyst_s_answer_stands_and_says_so(new_agent: NewAgentFixture) -> None:
    here, proposer = await new_agent({"call": [HEALTH]}, {"status": 500}), Proposer()

    findings = await run_triage(here, proposer)

    assert findings["by"] == "analyst" and findings["hypotheses"]
    assert findings["note"].startswith("Model not available (the model's server answered 500). ")
    assert findings["tokens"] == 1100 and proposer.asked[0].by == "analyst"


async def test_an_answer_that_no_evidence_carries_does_not_replace_the_analyst_s(new_agent: NewAgentFixture) -> None:
    invented = {"cause": "it is DNS", "claims": [{"text": "73.91 % of look-ups fail", "evidence": ["E1"]}]}
    here = await new_agent({"answer": {"hypotheses": [invented]}})

    findings = await run_triage(here, Proposer())

    assert findings["by"] == "analyst" and "carries nothing of the model's answer" in findings["note"]
    assert any("73.91 % of look-ups fail" in text for text in findings["dropped"])


async def test_without_a_model_the_analyst_ranks_and_says_so(new_agent: NewAgentFixture) -> None:
    here = await new_agent({"hang": True})

    findings = await run_triage(here, Proposer(), agents=Agents("", lambda: here.agent))

    assert findings["by"] == "analyst" and "No model is set up" in findings["note"] and here.asked == []


async def test_an_agent_that_cannot_be_imported_leaves_the_analyst_s_answer_and_says_so(new_agent: NewAgentFixture) -> None:
    def build() -> Investigator:
        raise ImportError("no module named 'langchain'")

    here, proposer = await new_agent({"hang": True}), Proposer()

    findings = await run_triage(here, proposer, agents=Agents("scripted", build))

    why = "its code did not load: ImportError: no module named 'langchain'"
    assert findings["note"].startswith(f"Model not available ({why}). ")
    assert findings["hypotheses"] and proposer.asked[0].by == "analyst" and here.asked == []


async def test_after_a_crash_no_recorded_call_of_model_or_tool_is_repeated(new_agent: NewAgentFixture, tmp_path: Path) -> None:
    here = await new_agent({"call": [HEALTH, CHANGES]}, {"call": [["poisoned", {}]]}, {"hang": True})

    _, findings = await crashed_and_gone_on(here, tmp_path, asked=3, then=ANSWER)

    assert findings["stop_reason"] == "answered" and findings["steps"] == 3
    assert len(here.asked) == 1 and len(here.told()) == 3
    assert sorted(here.looked) == ["poisoned", "recent_changes", "service_health"]


async def test_a_fallback_or_skeptic_without_its_package_costs_the_first_model_s_work_nothing(
    new_agent: NewAgentFixture,
) -> None:
    here = await new_agent(ANSWER, fallback="mistralai:one", skeptic="mistralai:other")

    findings = await here.investigate()

    assert findings.stop_reason == "answered" and findings.hypotheses
    assert findings.note == "No second model reviewed this: mistralai:other is not usable."


async def test_a_model_without_its_package_says_so_where_it_is_loaded(new_agent: NewAgentFixture) -> None:
    with pytest.raises(ConfigurationError, match="pip install langchain-mistralai"):
        await new_agent(ANSWER, name="mistralai:one")

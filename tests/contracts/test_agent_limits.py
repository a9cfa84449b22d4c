"""Long results, long histories, hints while it looks, and a second model's doubts."""

import asyncio
import json
from datetime import timedelta
from typing import Any

from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from bot.core.actor import Visibility
from bot.core.config.budget import CONTEXT_TOKENS
from bot.core.evidence import Findings
from bot.llm.request_size import most_bytes, replaced, size, within
from bot.llm.results import MAX_TEXT, as_data
from bot.llm.skeptic import within as doubted
from bot.store.triage.gaps import failed_checks
from tests.contracts.agent_fixture import ANSWER, CHANGES, HEALTH, AgentFixture, NewAgentFixture
from tests.real import wait_until
from tests.unit.builders import NOW, evidence

FLOOD = ["flood", {}]

DAY_AGO = NOW - timedelta(days=1)


def read(id: str, **asked: Any) -> list[Any]:
    return ["read_evidence", {"id": id, **asked}]


def sent_bytes(request: dict[str, Any]) -> int:
    """The bytes of a request's body."""
    return len(json.dumps(request, ensure_ascii=False).encode())


async def test_a_result_that_is_too_long_is_shown_with_head_tail_and_the_way_to_the_rest(
    new_agent: NewAgentFixture,
) -> None:
    here = await new_agent({"call": [FLOOD]}, {"call": [read("E1", contains="NEEDLE"), read("E1", line=150)]}, ANSWER)

    await here.investigate()
    shown, found, further = (json.loads(text) for text in here.told())

    assert len(here.told()[0]) <= MAX_TEXT and "of 200 lines left out; read_evidence reads them" in shown["left_out"]
    assert shown["details"][0].startswith("line 1 ") and shown["details"][-1].startswith("line 200 ")
    assert [line[:14] for line in found["lines"]] == ["100 line 100 n"] and found["written_by_users"]
    assert further["lines"][0].startswith("150 line 150 ")


async def test_several_ids_are_read_at_once_and_count_as_no_tool_call(new_agent: NewAgentFixture) -> None:
    calls = [FLOOD, ["monolith", {}]]
    budget = {"per_run_calls": 3}
    here = await new_agent(
        {"call": calls},
        {"call": [read("E1, E2")]},
        {"call": [read("E2;E1 E9")]},
        {"call": [["service_health", {"service": "checkout"}]]},
        ANSWER,
        budget=budget,
    )

    await here.investigate()
    together = json.loads(here.told()[2])

    assert (together["id"], [one["id"] for one in together["passages"]]) == ("E1, E2", ["E1", "E2"])
    assert len(here.told()[2]) <= MAX_TEXT and all(one["lines"] for one in together["passages"])
    assert here.told()[3] == "There is no evidence E9. There is E1, E2."
    assert json.loads(here.told()[4])["id"] == "E3"


async def test_a_result_is_kept_whole_up_to_a_bound_and_says_what_was_not_kept(new_agent: NewAgentFixture) -> None:
    reads = {"call": [read("E:torrent", line=998), read("E:flood", line=200)]}
    here = await new_agent({"call": [["torrent", {}], FLOOD]}, reads, ANSWER)

    await here.investigate()

    by_tool = {entry.tool: entry.evidence.details for entry in await here.triages.ledger.entries("AL-1")}
    assert len(by_tool["torrent"]) == 1001 and by_tool["torrent"][-1] == "(2000 more lines were not kept)"
    assert len(by_tool["flood"]) == 200 and any('"998 drop 998"' in text for text in here.told()[2:])


async def test_one_line_without_an_end_can_be_read_piece_by_piece_and_hides_no_secret(new_agent: NewAgentFixture) -> None:
    here = await new_agent({"call": [["monolith", {}]]}, {"call": [read("E1", contains="needle")]}, ANSWER)

    await here.investigate()

    (entry,) = await here.triages.ledger.entries("AL-1")
    kept = "".join(entry.evidence.details)
    assert 100_000 < len(kept) < 130_000 and "hunter2" not in str(entry) and kept.endswith("(1 more lines were not kept)")
    assert "NEEDLE" in here.told()[-1]


async def test_evidence_from_before_the_model_came_can_be_read(new_agent: NewAgentFixture) -> None:
    here = await new_agent({"call": [read("E1"), read("E9")]}, ANSWER)
    case = await here.case()
    await here.tool_runner.call(case, "recent_changes", {"service": "checkout"}, "analyst:1")

    await here.investigate()

    assert "deploy 1.4" in here.told()[0] and here.told()[1] == "There is no evidence E9. There is E1."
    assert [entry.id for entry in await here.triages.ledger.entries("AL-1")] == ["E1"]


def test_a_long_history_loses_details_of_its_oldest_results_and_no_id() -> None:
    entries = [evidence(f"E{n}", details=("x" * 4000,)) for n in range(1, 5)]
    results = [as_data(entry.id, entry.evidence) for entry in entries]
    messages = [HumanMessage("case")]
    for n, text in enumerate(results):
        messages += [AIMessage("look"), ToolMessage(text, tool_call_id=str(n))]  # type: ignore[list-item]

    kept = replaced(messages, within(messages, 10_000))

    told = [json.loads(str(message.content)) for message in kept if message.type == "tool"]
    assert [one["id"] for one in told] == ["E1", "E2", "E3", "E4"]
    assert ["details" in one for one in told] == [False, False, False, True]
    assert sum(map(size, kept)) <= 10_000


async def test_what_was_read_again_and_again_stays_within_bounds_and_can_be_read_once_more(
    new_agent: NewAgentFixture,
) -> None:
    reads = [{"call": [read("E1", line=line)]} for line in (*range(1, 195, 10), 1)]
    here = await new_agent({"call": [FLOOD]}, *reads, ANSWER, budget={"per_run_steps": 40, "per_run_calls": 40})

    await here.investigate()

    assert max(map(sent_bytes, here.asked)) <= most_bytes(CONTEXT_TOKENS)
    assert json.loads(here.told()[-1])["lines"][0].startswith("1 line 1 ")
    assert {json.loads(text)["id"] for text in here.told()} == {"E1"}


async def test_a_turn_of_many_long_results_stays_within_bounds_and_the_model_is_told_how_to_read_on(
    new_agent: NewAgentFixture,
) -> None:
    calls = [["flood", {}], *(["flood", {"part": n}] for n in range(1, 9))]
    here = await new_agent({"call": calls}, {"call": [read("E9", line=200)]}, ANSWER)

    await here.investigate()

    told = [json.loads(text) for text in here.told(1)]
    assert sent_bytes(here.asked[1]) <= most_bytes(CONTEXT_TOKENS)
    assert {one["id"] for one in told} == {f"E{n}" for n in range(1, 10)}
    assert "details" in told[0] and told[-1]["left_out"] == "there was no room for its details; read_evidence reads them"
    assert json.loads(here.told()[-1])["lines"][0].startswith("200 line 200 ")


async def test_a_fallback_of_a_smaller_window_is_sent_less_than_the_model_that_it_stands_in_for(
    new_agent: NewAgentFixture,
) -> None:
    calls = [["flood", {"part": n}] for n in range(1, 9)]
    down = {"status": 401}
    here = await new_agent(
        {"call": calls}, down, {"call": [HEALTH]}, ANSWER, fallback="second", budget={"context_windows": {"second": 16_000}}
    )

    findings = await here.investigate()

    assert (findings.stop_reason, findings.model) == ("answered", "second")
    whole, shorter, later = here.asked[1:]
    assert [request["model"] for request in (whole, shorter, later)] == ["scripted", "second", "second"]
    assert sent_bytes(whole) > most_bytes(16_000) >= max(sent_bytes(shorter), sent_bytes(later))
    assert {json.loads(text)["id"] for text in here.told()} == {f"E{n}" for n in range(1, 10)}


async def test_a_skeptic_of_a_small_window_reads_less(new_agent: NewAgentFixture) -> None:
    here = await new_agent({"call": [FLOOD]}, *doubting()[1:], skeptic="second", budget={"context_windows": {"second": 6_000}})

    findings = await here.investigate()

    assert here.asked[-1]["model"] == "second" and sent_bytes(here.asked[-1]) <= most_bytes(6_000)
    assert "No second model" not in findings.note


def test_a_summary_and_a_query_of_any_length_leave_whole_json() -> None:
    entry = evidence("E1", summary="s" * 50_000, query="q" * 50_000, details=("x" * 50_000,))
    told = as_data(entry.id, entry.evidence)

    assert json.loads(told)["id"] == "E1" and len(told) <= MAX_TEXT


async def test_what_the_model_asked_wrongly_is_no_gap_in_what_can_be_looked_at(new_agent: NewAgentFixture) -> None:
    wrong = [
        ["service_health", {"service": "no-such"}],
        ["query_metric", {"promql": "sum('"}],
        ["read_web", {"system": "a", "path": "b"}],
    ]
    here = await new_agent({"call": [*wrong, ["broken", {}]]}, ANSWER)

    await here.investigate()

    calls = await failed_checks(here.db, DAY_AGO, {Visibility("C1")})
    assert len(here.told()) == 4 and all('"ok": false' in text for text in here.told())
    assert {check.tool for check in calls} == {"broken", "read_web"}  # no server is configured: that is a gap
    misfit = await here.tool_runner.call(await here.case(), "service_health", {"servce": "checkout"}, "by hand")
    missed = await failed_checks(here.db, DAY_AGO, {Visibility("C1")})
    assert "arguments do not fit: " in misfit.evidence.summary and len(missed) == 2


async def told_while_held(here: AgentFixture, hint: str) -> Findings:
    """The findings of a run to which a person said something while its first request was under way."""
    running = asyncio.create_task(here.investigate())
    await wait_until(lambda: bool(here.asked))
    await here.triages.hint("AL-1", 1, hint, "ann", key="k1")
    await here.triages.hint("AL-1", 1, hint, "ann", key="k1")
    here.script.released.set()
    return await running


async def test_a_hint_that_comes_while_the_model_looks_stands_in_its_next_request(new_agent: NewAgentFixture) -> None:
    here = await new_agent({"call": [HEALTH], "hold": True}, ANSWER)

    findings = await told_while_held(here, "it was the pool")

    said = [str(request["messages"][-1]["content"]) for request in here.asked]
    assert [text.count("ann: it was the pool") for text in said] == [0, 1] and findings.note == ""


async def test_a_hint_that_came_too_late_is_told(new_agent: NewAgentFixture) -> None:
    here = await new_agent({**ANSWER, "hold": True})

    findings = await told_while_held(here, "look at the bank")

    assert "Said too late for this attempt: ann: look at the bank" in findings.note


OBJECTION = {"hypothesis": 1, "refutes": True, "claim": {"text": "1 change on checkout", "evidence": ["E2"]}}


def doubting(*objections: dict[str, Any]) -> list[dict[str, Any]]:
    """The turns of a run whose second model objects."""
    sure = {"answer": {"hypotheses": [{**ANSWER["answer"]["hypotheses"][0], "confidence": "likely"}]}}
    return [{"call": [HEALTH]}, {"call": [CHANGES]}, sure, {"call": [["Objections", {"objections": list(objections)}]]}]


async def confidence_of(here: AgentFixture) -> tuple[str, list[str], Findings]:
    findings = await here.investigate()
    return findings.hypotheses[0].confidence, [claim.text for claim in findings.hypotheses[0].against], findings


async def test_a_refuted_cause_is_no_longer_likely_and_the_evidence_against_it_is_shown(new_agent: NewAgentFixture) -> None:
    here = await new_agent(*doubting(OBJECTION), skeptic="second")

    confidence, against, findings = await confidence_of(here)

    assert (confidence, against) == ("possible", ["1 change on checkout"])
    assert here.asked[-1]["model"] == "second" and findings.steps == 4 and findings.usd > 0
    assert [tool["function"]["name"] for tool in here.asked[-1]["tools"]] == ["Objections"]


async def test_a_doubt_without_evidence_changes_nothing(new_agent: NewAgentFixture) -> None:
    invented = {**OBJECTION, "claim": {"text": "payments failed first", "evidence": ["E7"]}}
    here = await new_agent(*doubting(invented), skeptic="second")

    assert (await confidence_of(here))[:2] == ("likely", [])


def test_a_skeptic_reads_what_is_cited_before_anything_else_and_no_part_of_a_finding() -> None:
    entries = [evidence(f"E{n}", details=("x" * 4000,)) for n in range(1, 31)]

    told = [json.loads(text) for text in doubted(entries, {"E2"}, 12_000)]

    assert [one["id"] for one in told][:4] == ["E2", "E30", "E29", "E28"]
    assert ["details" in one for one in told[:4]] == [True, True, False, False] and len(told) > 20
    assert sum(len(text) + 1 for text in doubted(entries, {"E2"}, 12_000)) <= 12_000


async def test_when_the_second_model_is_down_the_answer_stands_and_says_so(new_agent: NewAgentFixture) -> None:
    here = await new_agent(*doubting()[:-1], {"status": 500}, skeptic="second")

    confidence, against, findings = await confidence_of(here)

    assert (confidence, against) == ("likely", []) and "No second model reviewed this" in findings.note


async def test_without_a_second_model_nobody_is_asked_twice(new_agent: NewAgentFixture) -> None:
    here = await new_agent(*doubting(OBJECTION))

    await here.investigate()

    assert len(here.asked) == 3


async def test_a_list_of_open_questions_stays_in_the_conversation_and_is_no_query(new_agent: NewAgentFixture) -> None:
    plan = ["update_plan", {"items": ["[ ] payments", "[x] checkout: errors rose"]}]
    here = await new_agent(
        {"call": [plan]}, {"call": [["service_health", {"service": "checkout"}]]}, ANSWER, budget={"per_run_calls": 1}
    )

    await here.investigate()

    assert here.told()[0] == "Noted." and json.loads(here.told()[1])["ok"]
    assert [entry.tool for entry in await here.triages.ledger.entries("AL-1")] == ["service_health"]
    assert "[x] checkout: errors rose" in json.dumps(here.asked[2]["messages"])


async def test_a_short_run_is_offered_no_list(new_agent: NewAgentFixture) -> None:
    here = await new_agent(ANSWER, budget={"per_run_steps": 4})

    await here.investigate()

    assert "update_plan" not in [tool["function"]["name"] for tool in here.asked[0]["tools"]]

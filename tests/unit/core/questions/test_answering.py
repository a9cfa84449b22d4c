"""What of the evidence speaks about a question, and that nothing is said where none does."""

from functools import partial
from typing import Any

import pytest

from bot.core.change import Change
from bot.core.evidence import Claim, Evidence, Findings, Hypothesis, LedgerEntry
from bot.core.facts.alerting import AlertFact
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.questions import answer_facts
from bot.core.questions.answering import ModelAnswer, QuestionAnswer, answer, most_relevant_first, with_model_answer
from bot.core.timeline import TimelineEntry
from tests.unit.builders import NOW, at
from tests.unit.tools.tool_fixture import INFOS

AnswerFacts = partial(answer_facts.AnswerFacts, tools=INFOS)


def entry(number: int, tool: str, summary: str, *details: str, service: str = "", **more: Any) -> LedgerEntry:
    """`more`: fields of the evidence."""
    evidence = Evidence(summary=summary, query="q", details=details, **more)
    return LedgerEntry(
        id=f"E{number}", group="AL-1", tool=tool, arguments={"service": service}, at=at(number), evidence=evidence
    )


def change(service: str, kind: str = "deploy", title: str = "v2") -> Change:
    return Change.model_validate({"id": f"ci:{service}", "at": NOW, "service": service, "kind": kind, "title": title})


CHANGES = EvidenceFacts(changes=(change("checkout"), change("search")))
ALERTS = EvidenceFacts(alerts=(AlertFact(name="HighErrorRate", service="checkout", starts_at=NOW),))
LEDGER = [
    entry(
        1, "service_health", "checkout errors rose from 0.1 % to 12 % at 10:02:30 UTC; 1 of 3 signals deviate",
        "checkout errors rose from 0.1 % to 12 %", "checkout latency is normal: 0.1 s", "checkout cpu is normal: 1 cores",
        service="checkout",
    ),
    entry(
        2, "recent_changes", "2 changes on any service in the last 6 h; newest: deploy of checkout at 10:01:00 UTC: v2",
        "10:01:00Z deploy checkout: v2 by bob", "09:00:00Z flag search: new ranking", facts=CHANGES,
    ),
    entry(3, "active_alerts", "3 alerts fire now (checkout 3)", facts=ALERTS, user_controllable=True),
    entry(4, "read_runbook", "Runbook HighErrorRate: roll back the last deploy"),
    entry(5, "past_incidents", "No past incident with a confirmed cause resembles this one (0 on record)"),
    entry(
        6, "search_logs", "checkout: 40 log lines; most: 20 times (new) 'connection pool exhausted after 30 s'",
        service="checkout", user_controllable=True,
    ),
    entry(7, "service_health", "cart: 2 signals look normal", "cart latency is normal: 0.1 s", service="cart"),
    entry(8, "service_health", "Could not check (service_health: service=payments): no answer", service="payments", ok=False),
]  # fmt: skip
CAUSE = Hypothesis(
    cause="deploy v2 of checkout broke it",
    service="checkout",
    confidence="likely",
    claims=[Claim(text="errors rose 90 s after it", evidence=["E1", "E2"])],
)
TIMELINE = [
    TimelineEntry(id="T4", at=NOW, kind="group", text="Acknowledged", who="alice"),
    TimelineEntry(id="T5", at=NOW, kind="triage", text="First cause (likely): deploy v2 of checkout broke it"),
]
MATERIAL = AnswerFacts(
    LEDGER, Findings(hypotheses=[CAUSE]), TIMELINE, "checkout errors left its normal range", "E1", ("ledger-db",), "AL-1"
)


def told(question: str, material: AnswerFacts = MATERIAL) -> list[tuple[list[str], str]]:
    """Ids and first line of each finding."""
    return [(finding.evidence, finding.lines[0]) for finding in answer(question, material).findings]


SPEAK = [
    ("is it the database?", ["E6"], "checkout: 40 log lines; most: 20 times (new) 'connection pool exhausted after 30 s'"),
    ("what changed?", ["E2"], "2 changes on any service in the last 6 h; newest: deploy of checkout at 10:01:00 UTC: v2"),
    ("was there a flag on search?", ["E2"], "09:00:00Z flag search: new ranking"),
    ("is cart slow", ["E7"], "cart latency is normal: 0.1 s"),
    ("how many errors are there?", ["E1"], "checkout errors rose from 0.1 % to 12 % at 10:02:30 UTC; 1 of 3 signals deviate"),
    ("who acknowledged it?", ["T4"], "03:00 UTC Acknowledged (alice)"),
    ("when did it start?", ["E1"], "checkout errors left its normal range"),
    ("has this happened before?", ["E5"], "No past incident with a confirmed cause resembles this one (0 on record)"),
    ("what does the runbook say", ["E4"], "Runbook HighErrorRate: roll back the last deploy"),
    ("AL-1 why?", ["E1", "E2"], "Cause 1, likely: deploy v2 of checkout broke it (errors rose 90 s after it)"),
]


@pytest.mark.parametrize(("question", "evidence", "line"), SPEAK)
def test_the_finding_that_speaks_about_the_question_stands_first_word_for_word(
    question: str, evidence: list[str], line: str
) -> None:
    assert (evidence, line) in told(question)[:2]


def test_a_cause_whose_service_left_its_normal_range_stands_before_what_is_ruled_out() -> None:
    cause = CAUSE.model_copy(update={"claims": [Claim(text="26 s before checkout left its normal range", evidence=["E1"])]})
    cleared = Claim(text="deploy v3 of search: the versions show the same", evidence=["E2"])
    material = AnswerFacts(LEDGER, Findings(hypotheses=[cause], ruled_out=[cleared]), services=("search",), group="AL-1")

    assert [line.partition(":")[0] for _, line in told("why do you think so?", material)] == ["Cause 1, likely", "Ruled out"]


@pytest.mark.parametrize("question", ["is it the kafka cluster?", "did checkout run out of memory?", "how is ledger-db?"])
def test_where_nothing_speaks_about_it_nothing_is_said_and_what_was_looked_at_is_named(question: str) -> None:
    found = answer(question, MATERIAL)

    assert (found.findings, found.checked) == ([], ["E1", "E2", "E3", "E4", "E5", "E6", "E7"])


def test_that_a_list_of_all_changes_holds_none_of_a_service_is_an_answer() -> None:
    ((evidence, line),) = told("what changed on cart?")

    assert evidence == ["E2"] and line.startswith("No change on cart in what was checked: 2 changes on any service")


def test_a_look_that_failed_is_told_and_is_no_all_clear() -> None:
    found = answer("is payments down?", MATERIAL)

    assert found.findings == [] and [one.evidence for one in found.unseen] == [["E8"]]
    assert answer("is cart slow?", MATERIAL).unseen == []


@pytest.mark.parametrize("question", ["is it the database?", "what changed?", "how is cart?"])
def test_where_every_look_failed_each_is_told_whatever_is_asked(question: str) -> None:
    failed = entry(1, "search_logs", "Could not check (search_logs): no answer", service="checkout", ok=False)

    assert [one.evidence for one in answer(question, AnswerFacts([failed, LEDGER[-1]])).unseen] == [["E1"], ["E8"]]


def test_a_signal_that_sums_its_look_up_is_told_once_with_its_bound() -> None:
    moved, calls = (
        "pay latency rose from 0.1 s to 2 s (16 times its usual range)",
        "pay calls to db rose from 1 to 2 (2.0 times its usual range)",
    )
    ledger = [
        entry(1, "service_health", f"{moved}; 1 of 2 signals deviate", f"{moved} [bad above 1 s]", service="pay"),
        entry(2, "call_mix", f"{calls}; 1 of 1 call rates deviate", calls, service="pay"),
    ]
    lines = [
        line for finding in answer("is pay slow?", AnswerFacts(ledger, services=("pay",))).findings for line in finding.lines
    ]

    assert lines[0] == f"{moved} [bad above 1 s]; 1 of 2 signals deviate"
    assert sum(moved in line for line in lines) == 1 and sum(calls in line for line in lines) <= 1


def test_of_two_looks_alike_the_newer_speaks() -> None:
    later = entry(9, "service_health", "cart latency rose to 3 s", service="cart")

    assert told("is cart slow?", AnswerFacts([*LEDGER, later])) == [(["E9"], "cart latency rose to 3 s")]


def test_an_open_question_gets_the_first_cause_the_onset_and_the_changes() -> None:
    assert [evidence for evidence, _ in told("what is going on?")] == [["E1", "E2"], ["E1"], ["E2"]]


def test_a_title_that_happens_to_hold_the_word_does_not_stand_beside_what_was_measured() -> None:
    titled = entry(9, "recent_changes", "1 change on any service", "config checkout: tune the latency budget")

    assert [evidence for evidence, _ in told("is anything slow?", AnswerFacts([titled, *LEDGER]))] == [["E1"], ["E7"]]


def test_letters_in_an_id_are_no_word() -> None:
    hashed = entry(9, "recent_changes", "1 change on any service", "flag search: new ranking [pipeline:chg-db58c256]")

    assert told("is it the database?", AnswerFacts([hashed])) == []
    assert told("is it the database?", AnswerFacts([entry(9, "service_health", "orders-db: 4 signals look normal")])) != []


def test_without_any_evidence_nothing_is_said() -> None:
    nothing = answer("is it the database?", AnswerFacts())

    assert nothing == QuestionAnswer(short=nothing.short)
    assert nothing.short is not None and (nothing.short.verdict, nothing.short.text) == ("unknown", "Nothing was checked")


def test_what_users_can_write_is_marked_as_theirs() -> None:
    assert [finding.untrusted for finding in answer("is it the database?", MATERIAL).findings] == [True]


def event(kind: Any, text: str, who: str = "tocsin") -> AnswerFacts:
    """A record that is one timeline entry, T9."""
    return AnswerFacts(timeline=[TimelineEntry(id="T9", at=NOW, kind=kind, text=text, who=who)], group="AL-1")


OTHERS = ["alert", "note", "change", "incident", "proposal", "decision", "action", "page"]


@pytest.mark.parametrize(("kind", "theirs"), [*((kind, True) for kind in OTHERS), ("group", False)])
def test_a_timeline_entry_that_holds_words_of_others_is_shown_as_theirs(kind: str, theirs: bool) -> None:
    material = event(kind, "HighErrorRate opened this group: the database is fine, approved by everyone")
    claim = Claim(text="the database is fine", evidence=["T9"])
    question = "what did anybody write about the database?"
    found = answer(question, material)

    assert [one.untrusted for one in found.findings] == [theirs]
    assert [one.untrusted for one in with_model_answer(found, ModelAnswer(claims=[claim]), material).findings] == [theirs]


def test_a_title_of_a_change_is_shown_as_its_authors_words() -> None:
    row = change("checkout", "flag", "database is fine")
    titled = entry(
        1,
        "recent_changes",
        "1 change",
        "flag checkout: database is fine",
        source="changes",
        facts=EvidenceFacts(changes=(row,)),
    )
    found = answer("is it the database?", AnswerFacts([titled], group="AL-1"))

    said = [Claim(text=text, evidence=["E1"]) for text in ("database is fine", "the flag of checkout")]
    by_model = with_model_answer(found, ModelAnswer(claims=said), AnswerFacts([titled], group="AL-1"))
    assert [one.untrusted for one in (*found.findings, *by_model.findings)] == [True, True, False]


@pytest.mark.parametrize(("cited", "theirs"), [("E6", True), ("E1", False)])
def test_a_cause_that_only_users_can_have_written_is_shown_as_their_words(cited: str, theirs: bool) -> None:
    cause = Hypothesis(cause="the connection pool", claims=[Claim(text="exhausted after 30 s", evidence=[cited])])
    ruled_out = Claim(text="the connection pool is well", evidence=[cited])
    found = answer("what is the cause?", AnswerFacts(LEDGER, Findings(hypotheses=[cause], ruled_out=[ruled_out])))

    assert [one.untrusted for one in found.findings if "pool" in one.lines[0]] == [theirs, theirs]


@pytest.mark.parametrize(
    ("kind", "text", "who", "told"),
    [
        ("note", "ann said that the pool leaks", "ann", "ann said that the pool leaks (ann)"),
        ("incident", "ann leads the pool now", "ann", "ann leads the pool now"),
        ("incident", "joanna leads the pool now", "ann", "joanna leads the pool now (ann)"),
        ("incident", "ann-marie leads the pool now", "ann", "ann-marie leads the pool now (ann)"),
        ("group", "The pool is quiet", "tocsin", "The pool is quiet"),
    ],
)
def test_whose_entry_it_is_stands_behind_it_unless_it_says_so(kind: str, text: str, who: str, told: str) -> None:
    question = "what did anybody write about the pool?"

    assert answer(question, event(kind, text, who)).findings[0].lines == [f"03:00 UTC {told}"]


def test_a_request_holds_what_speaks_about_the_question_first() -> None:
    assert [entry.id for entry in most_relevant_first("is cart slow?", MATERIAL)][:2] == ["E7", "E1"]
    assert most_relevant_first("who acknowledged it?", MATERIAL)[0].id == "T4"


def judge(*claims: tuple[str, str], reason: str = "answered") -> QuestionAnswer:
    said = [Claim(text=text, evidence=[cited] if cited else []) for text, cited in claims]
    return with_model_answer(
        answer("is cart slow?", MATERIAL), ModelAnswer(claims=said, stop_reason=reason, usd=0.01), MATERIAL
    )


def test_of_a_models_answer_what_the_evidence_carries_stands() -> None:
    findings = judge(("latency of cart is normal at 0.1 s", "E7"), ("cart took 9 s", "E7"), ("alice acknowledged", "T4"))

    assert [finding.lines for finding in findings.findings] == [["latency of cart is normal at 0.1 s"], ["alice acknowledged"]]
    assert (findings.by, findings.usd, findings.dropped) == ("model", 0.01, ["cart took 9 s (9 s does not stand in E7)"])


@pytest.mark.parametrize(
    ("claims", "reason", "note"),
    [
        ([("it is the pool", "E99"), ("payments is well", "E8"), ("trust me", "")], "answered", "carries nothing of the model"),
        ([], "answered", "found nothing about it in the evidence"),
        ([], "the model's server answered 500", "Model not available (the model's server answered 500)."),
    ],
)
def test_if_nothing_of_it_is_carried_the_answer_of_the_code_stands_and_says_so(
    claims: list[tuple[str, str]], reason: str, note: str
) -> None:
    findings = judge(*claims, reason=reason)

    assert findings.by == "code" and findings.findings == answer("is cart slow?", MATERIAL).findings
    assert note in findings.note and findings.usd == 0.01


def test_a_models_claim_that_only_users_can_have_written_is_shown_as_their_words() -> None:
    assert judge(("the connection pool is exhausted after 30 s", "E6")).findings[0].untrusted
    assert not judge(("checkout errors rose to 12 %", "E1")).findings[0].untrusted


def test_an_answer_that_an_older_version_stored_keeps_what_it_checked_and_until_when() -> None:
    old = {"looked_at": ["E1"], "seen_at": NOW.isoformat(), "findings": []}

    stored = QuestionAnswer.model_validate(old)

    assert (stored.checked, stored.collected_at) == (["E1"], NOW)

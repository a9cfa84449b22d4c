"""Yes, no or unknown: what was measured decides, and what was not checked is never a no."""

from typing import Any

import pytest

from bot.core.evidence import Case, Claim, Evidence, Findings, Hypothesis, LedgerEntry
from bot.core.facts.alerting import AlertFact
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.facts.measured import BeyondThresholdFact, CurrentFact, DeviationFact, Family
from bot.core.incident import GroupState
from bot.core.questions.answer_facts import AnswerFacts, WaitingProposal
from bot.core.questions.answering import ModelAnswer, answer, with_model_answer
from bot.core.questions.yes_no.short_answers import short_answer
from bot.core.questions.yes_no.verdicts import ShortAnswer, Verdict
from bot.core.timeline import TimelineEntry
from tests.unit.builders import NOW, at, change
from tests.unit.tools.tool_fixture import INFOS

CASE = Case(group="AL-1", service="checkout", alert_name="HighErrorRate", severity="SEV2", summary="", started_at=NOW)


def entry(
    id: str, tool: str, facts: EvidenceFacts, *details: str, service: str = "", ok: bool = True, **more: Any
) -> LedgerEntry:
    evidence = Evidence(summary=f"{tool} {id}", query="q", details=details, ok=ok, facts=facts, **more)
    return LedgerEntry(id=id, group="AL-1", tool=tool, arguments={"service": service}, at=at(int(id[1:])), evidence=evidence)


def deviation(service: str, signal: str, family: Family, doublings: float, direction: Any = "up") -> DeviationFact:
    return DeviationFact(
        service=service, signal=signal, family=family, doublings=doublings, before=1.0, after=2.0, direction=direction
    )


def current(service: str, signal: str, *, trouble: bool, family: Family = "errors") -> CurrentFact:
    state: Any = "high" if trouble else "usual"
    text = f"{service} {signal} is {'12 %' if trouble else '0.1 %'} now"
    return CurrentFact(
        service=service, signal=signal, family=family, value=1.0, usual=1.0, state=state, trouble=trouble, text=text
    )


HEALTH = entry(
    "E1",
    "service_health",
    EvidenceFacts(
        deviations=(deviation("checkout", "errors", "errors", 4.0), deviation("checkout", "memory", "saturation", -1.0)),
        beyond=(BeyondThresholdFact(signal="errors", text="checkout errors: 12 % [bad above 5 %]"),),
    ),
    "checkout errors rose from 0.1 % to 12 %",
    "checkout memory stayed normal: 400 MB",
    service="checkout",
)
CART = entry(
    "E2", "service_health", EvidenceFacts(deviations=(deviation("cart", "latency", "latency", 0.0),), beyond=()),
    "cart latency stayed normal: 0.1 s", service="cart",
)  # fmt: skip
CHANGES = entry("E3", "recent_changes", EvidenceFacts(changes=(change("a"),)))
ALERTS = entry("E4", "active_alerts", EvidenceFacts(alerts=(AlertFact(name="Hot", service="checkout", starts_at=NOW),)))
FAILED = entry("E5", "service_health", EvidenceFacts(), service="payments", ok=False)
DEPLOY = Hypothesis(
    cause="deploy v2 of checkout", service="checkout", kind="change", confidence="likely",
    claims=[Claim(text="errors rose after it", evidence=["E1", "E3"])],
)  # fmt: skip


def facts(*ledger: LedgerEntry, **values: Any) -> AnswerFacts:
    fields: dict[str, Any] = {
        "services": ("checkout", "cart", "payments", "orders-db"),
        "group": "AL-1",
        "case": CASE,
        "tools": INFOS,
    }
    return AnswerFacts(ledger=ledger, **{**fields, **values})


def verdict(question: str, *ledger: LedgerEntry, **values: Any) -> tuple[str, list[str]]:
    verdict = short_answer(question, facts(*(ledger or (HEALTH, CART, CHANGES, ALERTS, FAILED)), **values))
    assert verdict is not None
    return verdict.verdict, verdict.evidence


CASES = [
    ("is checkout failing?", "yes", ["E1"]),
    ("are there errors on checkout?", "yes", ["E1"]),
    ("Is cart slow?", "no", ["E2"]),
    ("hey tocsin, can you check whether cart is slow", "no", ["E2"]),
    ("is cart ok?", "yes", ["E2"]),
    ("is checkout healthy?", "no", ["E1"]),
    ("is payments down?", "unknown", ["E5"]),
    ("is the disk of cart full?", "unknown", []),
    ("did anything change?", "yes", ["E3"]),
    ("was there a deploy on cart?", "no", ["E3"]),
    ("are alerts firing on cart?", "no", ["E4"]),
    ("is any alert firing?", "yes", ["E4"]),
    ("is it raining?", "unknown", []),
]


@pytest.mark.parametrize(("question", "expected", "evidence"), CASES)
def test_what_was_measured_answers_yes_no_or_unknown(question: str, expected: str, evidence: list[str]) -> None:
    assert verdict(question) == (expected, evidence)


@pytest.mark.parametrize("question", ["what changed?", "why is it slow?", "is it the database or the network?", "who is on it"])
def test_a_question_that_wants_something_else_gets_no_yes_or_no(question: str) -> None:
    assert short_answer(question, facts(HEALTH)) is None


@pytest.mark.parametrize(
    ("question", "findings", "expected"),
    [
        ("is it the deploy?", Findings(hypotheses=[DEPLOY]), "yes"),
        ("is it the config?", Findings(hypotheses=[DEPLOY]), "no"),
        ("is it the deploy?", Findings(hypotheses=[DEPLOY.model_copy(update={"confidence": "possible"})]), "unknown"),
        ("is it checkout?", Findings(hypotheses=[DEPLOY]), "yes"),
        ("is it cart?", Findings(hypotheses=[DEPLOY]), "no"),
        ("is it memory?", Findings(), "no"),
        ("is it the network?", Findings(), "unknown"),
        ("is it the network?", Findings(hypotheses=[DEPLOY]), "unknown"),
        ("is it payments?", Findings(hypotheses=[DEPLOY]), "unknown"),
        ("is it the database?", Findings(ruled_out=[Claim(text="The database was slow before", evidence=["E1"])]), "no"),
    ],
)
def test_a_cause_is_affirmed_by_the_ranking_and_denied_by_what_was_measured(
    question: str, findings: Findings, expected: str
) -> None:
    # Of memory all was checked; payments could not be; of the network nothing was.
    ledger = (HEALTH, CART, CHANGES) if "memory" in question else (HEALTH, CART, CHANGES, FAILED)

    assert verdict(question, *ledger, findings=findings)[0] == expected


def test_a_failed_check_turns_a_no_into_unknown() -> None:
    partly = CART.model_copy(update={"evidence": CART.evidence.model_copy(update={"unseen": ("errors could not be read",)})})

    assert verdict("is cart slow?", partly)[0] == "unknown"


def test_now_is_answered_from_the_newest_values_and_not_from_the_time_of_the_alert() -> None:
    over = entry(
        "E9", "current_values", EvidenceFacts(current=(current("checkout", "errors", trouble=False),)), service="checkout"
    )
    still = entry(
        "E9", "current_values", EvidenceFacts(current=(current("checkout", "errors", trouble=True),)), service="checkout"
    )

    assert verdict("is checkout failing now?", HEALTH, over) == ("no", ["E9"])
    assert verdict("is checkout still failing?", HEALTH, still) == ("yes", ["E9"])
    assert verdict("is checkout failing now?", HEALTH) == ("unknown", [])


@pytest.mark.parametrize(
    ("trouble", "firing", "expected"), [(False, 0, "yes"), (False, 2, "no"), (True, 0, "no"), (None, 0, "unknown")]
)
def test_it_is_over_once_no_alert_fires_and_all_values_are_as_usual(trouble: bool | None, firing: int, expected: str) -> None:
    rows = () if trouble is None else (current("checkout", "errors", trouble=trouble),)
    read = entry("E9", "current_values", EvidenceFacts(current=rows), service="checkout")

    assert verdict("is it over?", HEALTH, read, firing=firing, group_state=GroupState.FIRING)[0] == expected


def test_waiting_proposals_with_who_may_approve_are_part_of_every_answer() -> None:
    waiting = WaitingProposal("AP-3", "AP-3 waits for approval: Roll back checkout. Who may approve: alice.")

    assert answer("what changed?", facts(CHANGES, proposals=[waiting])).waiting == [waiting.text]
    assert verdict("is anything waiting for approval?", CHANGES, proposals=[waiting]) == ("yes", ["AP-3"])
    assert verdict("is anything waiting for approval?", CHANGES)[0] == "no"


def recorded(number: int, kind: Any, text: str) -> TimelineEntry:
    return TimelineEntry(id=f"T{number}", at=NOW, kind=kind, text=text, who="alice")


PROPOSED = recorded(5, "proposal", "AP-3 proposed: Roll back checkout to 1.4")


@pytest.mark.parametrize(
    ("timeline", "expected"),
    [
        ([PROPOSED, recorded(8, "action", "AP-3 ran: 202 accepted")], ("yes", ["T8"])),
        ([recorded(8, "action", "AP-2: bob ran it by hand: Roll back checkout to 1.4")], ("yes", ["T8"])),
        ([recorded(9, "note", "I rolled back checkout")], ("unknown", [])),
        ([PROPOSED], ("unknown", [])),
        ([PROPOSED, recorded(8, "decision", "AP-3 denied by alice: do not roll back")], ("unknown", [])),
        ([PROPOSED, recorded(8, "action", "AP-3 failed: roll back refused, 500")], ("unknown", [])),
        ([PROPOSED, recorded(8, "action", "AP-3 was not run: the roll back expired")], ("unknown", [])),
        ([PROPOSED, recorded(8, "action", "AP-4 ran: 202 accepted")], ("unknown", [])),
    ],
)
def test_what_was_done_is_what_ran_and_not_what_was_proposed_denied_or_written(
    timeline: list[TimelineEntry], expected: Any
) -> None:
    assert verdict("did anyone roll it back?", HEALTH, timeline=timeline) == expected


def test_a_signal_without_a_value_now_is_no_sign_that_it_is_over() -> None:
    missing = CurrentFact(
        service="checkout",
        signal="errors",
        family="errors",
        value=None,
        usual=None,
        state="unknown",
        trouble=False,
        text="checkout errors has no value",
    )
    rows = (missing, current("checkout", "cpu", trouble=False, family="saturation"))
    read = entry("E9", "current_values", EvidenceFacts(current=rows), service="checkout")

    assert verdict("is it over?", read, firing=0, group_state=GroupState.RESOLVED)[0] == "unknown"
    assert verdict("is checkout healthy now?", read, firing=0, group_state=GroupState.RESOLVED)[0] == "unknown"


@pytest.mark.parametrize(
    ("question", "answered"),
    [
        ("did anyone deploy?", "yes"),  # about changes, not about who works on it
        ("is anybody looking?", "no"),
        ("are requests of cart waiting?", "unknown"),  # about traffic, not about proposals
        ("is the error rate over 5 %?", "unknown"),  # about errors, not about whether it is over
    ],
)
def test_a_word_alone_does_not_make_a_subject(question: str, answered: str) -> None:
    assert verdict(question, group_state=GroupState.FIRING)[0] == answered


NOTE = TimelineEntry(id="T7", at=NOW, kind="note", text="It is the database, I am sure", who="mallory")


def test_what_people_wrote_in_the_thread_is_no_evidence() -> None:
    material = facts(CHANGES, timeline=[NOTE])
    by_model = ModelAnswer(
        claims=[Claim(text="It is the database", evidence=["T7"])], verdict=Verdict.YES, stop_reason="answered"
    )

    by_code = answer("is it the database?", material)
    read = with_model_answer(by_code, by_model, material, "is it the database?")

    assert by_code.short is not None and by_code.short.verdict == "unknown" and by_code.findings == []
    assert read.by == "code" and read.short == by_code.short
    assert [one.untrusted for one in answer("what did mallory write?", material).findings] == [True]


def test_a_note_makes_no_yes_of_a_model_where_the_question_is_about_notes() -> None:
    note = NOTE.model_copy(update={"text": "I rolled checkout back"})
    material = facts(CHANGES, timeline=[note])
    claims = [Claim(text="mallory wrote: I rolled checkout back", evidence=["T7"])]
    by_model = ModelAnswer(claims=claims, verdict=Verdict.YES, stop_reason="answered")
    question = "did anybody write that they rolled back checkout?"
    by_code = answer(question, material).model_copy(
        update={"short": ShortAnswer(verdict=Verdict.UNKNOWN, text="nothing recorded says so", evidence=["E1"])}
    )

    read = with_model_answer(by_code, by_model, material, question)

    assert read.by == "model" and [finding.untrusted for finding in read.findings] == [True]
    assert read.short is not None and read.short.verdict == "unknown"


@pytest.mark.parametrize(
    ("measured", "by_model", "expected"), [("unknown", "yes", "yes"), ("no", "yes", "no"), ("no", "unknown", "no")]
)
def test_a_model_decides_only_what_measurement_leaves_open(measured: str, by_model: str, expected: str) -> None:
    by_code = answer("is cart slow?", facts(CART)).model_copy(
        update={"short": ShortAnswer(verdict=Verdict(measured), text="as measured", evidence=["E2"])}
    )
    claims = [Claim(text="cart latency stayed normal", evidence=["E2"])]
    model = ModelAnswer(claims=claims, verdict=Verdict(by_model), stop_reason="answered")

    merged = with_model_answer(by_code, model, facts(CART), "is cart slow?")

    assert merged.short is not None and merged.short.verdict == expected
    assert bool(merged.note) == (by_model != "unknown")


def test_a_database_in_trouble_by_its_own_word_is_no_cause_yet_and_no_all_clear() -> None:
    report = entry("E9", "database_health", EvidenceFacts(problems=("9 sessions wait for locks",)))
    verdict = short_answer("is it the database?", facts(HEALTH, report))

    assert verdict is not None and (verdict.verdict, verdict.evidence, verdict.untrusted) == ("unknown", ["E9"], True)
    assert verdict.text == "9 sessions wait for locks, but no ranked cause is a database"


DATABASE_LATENCY = entry(
    "E6",
    "service_health",
    EvidenceFacts(deviations=(deviation("orders-db", "latency", "latency", -1.0),), beyond=()),
    "orders-db latency stayed normal: 24 ms, before 24 ms [bad above 600 ms]",
    service="orders-db",
)
SLOW = entry(
    "E7",
    "service_health",
    EvidenceFacts(deviations=(deviation("checkout", "latency", "latency", 4.0),), beyond=()),
    "checkout latency rose from 0.4 s to 2 s",
    service="checkout",
)


def test_a_slow_database_is_one_whose_own_latency_rose_and_not_the_slow_service() -> None:
    assert verdict("is the database slow?", SLOW, DATABASE_LATENCY) == ("no", ["E6"])
    assert verdict("is the database slow?", SLOW)[0] == "unknown"

    lines = [
        line for finding in answer("is the database slow?", facts(SLOW, DATABASE_LATENCY)).findings for line in finding.lines
    ]
    assert lines and all("orders-db" in line for line in lines)


def test_why_not_asks_whether_it_is_the_cause() -> None:
    known = {"findings": Findings(hypotheses=[DEPLOY])}

    assert verdict("why not cart?", HEALTH, CART, **known)[0] == "no"
    assert verdict("why isn't it the deploy?", HEALTH, CHANGES, **known)[0] == "yes"
    assert verdict("Why not payments?", HEALTH, FAILED, **known)[0] == "unknown"
    assert short_answer("why not roll back everything now and look later?", facts(HEALTH, **known)) is None


def test_a_cleared_deploy_of_another_service_says_nothing_of_the_named_one() -> None:
    cleared = Claim(text="deploy 2.0.0 of cart: its errors came from checkout errors", evidence=["E3"])
    known = {"findings": Findings(hypotheses=[DEPLOY], ruled_out=[cleared])}
    ledger = (HEALTH, entry("E3", "recent_changes", EvidenceFacts(changes=(change("a", service="cart"),))))

    found = short_answer("was it the deploy of payments?", facts(*ledger, **known))

    assert found is not None and (found.verdict, found.text) == ("no", "No deploy on payments in what was checked")
    assert verdict("was it the deploy of cart?", *ledger, **known) == ("no", ["E3"])


def test_who_may_approve_without_a_proposal_is_answered_that_none_waits() -> None:
    verdict = short_answer("who may approve?", facts(HEALTH))

    assert verdict is not None and (verdict.verdict, verdict.text) == ("no", "No proposal waits for approval")
    waiting = facts(HEALTH, proposals=(WaitingProposal("AP-1", "AP-1 waits; bob may approve it"),))
    assert answer("who may approve?", waiting).waiting == ["AP-1 waits; bob may approve it"]


def test_what_is_asked_of_now_without_a_service_is_about_the_alerting_one() -> None:
    other = entry(
        "E8", "service_health", EvidenceFacts(deviations=(deviation("cart", "errors", "errors", 6.0),)),
        "cart errors rose from 0 % to 40 %", service="cart",
    )  # fmt: skip
    first = answer("what is the error rate now?", facts(other, HEALTH)).findings[0]

    assert first.evidence == ["E1"]


def test_a_cleared_deploy_does_not_answer_no_while_another_deploy_leads() -> None:
    lead = DEPLOY.model_copy(update={"confidence": "possible", "lead_status": "best lead"})
    cleared = Claim(text="deploy 2.0.0 of cart: nothing of cart left its normal range", evidence=["E3"])
    ledger = (HEALTH, entry("E3", "recent_changes", EvidenceFacts(changes=(change("a", service="cart"),))))
    verdict = short_answer("is it the deploy?", facts(*ledger, findings=Findings(hypotheses=[lead], ruled_out=[cleared])))

    assert verdict is not None and (verdict.verdict, verdict.text) == ("unknown", f"Best lead: {lead.cause}")


@pytest.mark.parametrize("question", ["is Prometheus down?", "is the login slow?", "is checkout hacked?"])
def test_trouble_of_a_service_is_no_yes_to_a_question_about_something_else(question: str) -> None:
    read = short_answer(question, facts(HEALTH, SLOW))

    assert read is not None and read.verdict == "unknown" and "measures" in read.text
    assert short_answer("are customers affected?", facts(HEALTH)) != read, "customers are who the service serves"


def test_that_a_service_is_slow_is_no_yes_to_why_it_is_slow() -> None:
    provider = Hypothesis(
        cause="An outside provider that checkout calls is failing", service="checkout", kind="external", confidence="likely",
        claims=[Claim(text="checkout latency rose", evidence=["E7"])],
    )  # fmt: skip
    question = "is checkout slow because of something it calls?"

    assert verdict(question, SLOW)[0] == "unknown"
    assert verdict(question, SLOW, findings=Findings(hypotheses=[provider])) == ("yes", ["E7"])
    assert verdict("is checkout slow because of cart?", SLOW, CART)[0] == "no", "checkout is slow, and cart is well"


def test_the_cause_that_decides_stands_before_what_moved_on_the_subject_where_a_long_answer_is_cut() -> None:
    busy = entry(
        "E8",
        "service_health",
        EvidenceFacts(deviations=(deviation("orders-db", "latency", "latency", 3.0),), beyond=()),
        f"orders-db latency rose {'again and again ' * 30}",
        service="orders-db",
    )
    verdict = short_answer("is it the database?", facts(HEALTH, busy, findings=Findings(hypotheses=[DEPLOY])))

    assert verdict is not None and verdict.verdict == "no"
    assert verdict.text.startswith("The likely cause is another: deploy v2 of checkout; orders-db latency rose")


INVENTORY = DEPLOY.model_copy(
    update={"cause": "deploy 3.5.0 of checkout (Read stock in one request) broke checkout", "change_id": "test:a"}
)
THEIRS = (
    change("a", version="3.5.0", previous_version="3.4.0", author="alice", title="Read stock in one request"),
    change("b", service="cart", version="3.20.0", author="bob", minutes_before=3),
    change("c", service="cart", kind="config", author="dave", minutes_before=90),
)
CLEARED = Claim(text="deploy 3.20.0 of cart: the versions before and after show the same", evidence=["E3"])
MEASURED = entry(
    "E1",
    "service_health",
    EvidenceFacts(
        deviations=(
            deviation("checkout", "errors", "errors", 4.0),
            deviation("checkout", "latency", "latency", 0.0),
            deviation("checkout", "memory", "saturation", 0.0),
            deviation("checkout", "traffic", "traffic", 0.0),
            deviation("cart", "errors", "errors", 2.0),
        )
    ),
    "checkout errors rose from 0.1 % to 46.7 %",
    "checkout latency stayed normal: 309 ms, before 309 ms",
    "cart errors rose from 0.1 % to 3 %",
    service="checkout",
)
RECORDED = (MEASURED, entry("E3", "recent_changes", EvidenceFacts(changes=THEIRS)))


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("is it load?", "no"),  # "request" stands in the title of the change
        ("is it caused by traffic?", "no"),
        ("was it alice's deploy?", "yes"),
        ("was it bob's deploy?", "no"),
        ("was it carol's deploy?", "unknown"),
        ("did the 3.5.0 release break it?", "yes"),
        ("is version 3.20.0 bad?", "no"),
        ("did the 9.9.9 release break it?", "unknown"),
        ("is it the flag?", "no"),
        ("can we rule out the deploy of cart?", "yes"),
        ("can we rule out the deploy of checkout?", "no"),
        ("is the cart deploy not the problem?", "yes"),
        ("is checkout failing because cart is broken?", "no"),
        ("is latency normal?", "yes"),
        ("is memory ok?", "yes"),
        ("is latency higher than normal?", "no"),
        ("did traffic go up?", "no"),
        ("is anything else affected?", "yes"),
        ("did bob deploy anything?", "yes"),
        ("did carol deploy anything?", "unknown"),
        ("any deploy in the last hour?", "yes"),
        ("any config change in the last hour?", "no"),
        ("any config change in the last 2 hours?", "yes"),
        ("could this be DNS?", "unknown"),
    ],
)
def test_a_person_a_version_a_kind_and_a_span_of_time_are_part_of_what_is_asked(question: str, expected: str) -> None:
    assert verdict(question, *RECORDED, findings=Findings(hypotheses=[INVENTORY], ruled_out=[CLEARED]))[0] == expected


@pytest.mark.parametrize(
    ("question", "opening"),
    [
        ("is the error rate above 90%?", "Not compared with that number; measured:"),
        ("did errors start before 22:50?", "Not compared with that moment; recorded:"),
        ("did it start before the deploy?", "Not compared with that moment; recorded:"),
        ("are errors decreasing?", "No trend was read; measured:"),
        ("are only some users failing?", "Not counted; measured:"),
        ("is it safe to deploy now?", "For people to decide; likely cause:"),
        ("do we need to scale up checkout?", "For people to decide; likely cause:"),
        ("can I restart it?", "For people to decide; likely cause:"),
        ("is it urgent?", "For people to decide; likely cause:"),
        ("should checkout be restarted?", "For people to decide; likely cause:"),
        ("is it the deploy or the database?", "Likely cause:"),
    ],
)
def test_what_no_measurement_of_the_subject_decides_gets_what_is_known_and_no_yes(question: str, opening: str) -> None:
    short = short_answer(question, facts(*RECORDED, onset="at 22:55 UTC", findings=Findings(hypotheses=[INVENTORY])))

    assert short is not None and (short.verdict, short.opening) == ("unknown", opening)


def test_whether_it_began_before_something_is_told_by_both_moments() -> None:
    short = short_answer("did it start before the deploy?", facts(*RECORDED, onset="at 22:55 UTC", onset_evidence="E1"))

    assert short is not None and short.text.startswith("it began at 22:55 UTC; 2 deploys; newest: deploy of cart at ")
    assert short.evidence == ["E1", "E3"]


def test_one_cleared_deploy_of_two_is_no_answer_to_whether_it_was_a_deploy() -> None:
    assert verdict("is it the deploy?", *RECORDED, findings=Findings(ruled_out=[CLEARED]))[0] == "unknown"
    assert verdict("is it the deploy of cart?", *RECORDED, findings=Findings(ruled_out=[CLEARED]))[0] == "no"


def test_a_model_gives_no_leave_to_act() -> None:
    material = facts(*RECORDED, findings=Findings(hypotheses=[INVENTORY]))
    by_code = answer("is it safe to deploy now?", material)
    claims = [Claim(text="checkout errors rose from 0.1 % to 46.7 %", evidence=["E1"])]
    model = ModelAnswer(claims=claims, verdict=Verdict.YES, stop_reason="answered")

    read = with_model_answer(by_code, model, material, "is it safe to deploy now?")

    assert read.short is not None and read.short.verdict == "unknown" and read.by == "model"


@pytest.mark.parametrize(
    "question",
    [
        "is only checkout failing?",
        "is checkout completely down?",
        "are both checkout and cart failing?",
        "does checkout have twice the errors?",
        "was the deploy of checkout reverted?",
        "is the deploy still running?",
        "so nothing changed?",
        "is the deploy of checkout fine?",
        "really the deploy of cart?",
        "has the deploy of cart anything to do with it?",
        "did checkout break cart?",
        "any deploys last week?",
        "is there a latency alert?",
    ],
)
def test_one_word_that_nothing_read_keeps_what_is_known_from_being_a_yes_or_a_no(question: str) -> None:
    ledger = (*RECORDED, ALERTS)
    short = short_answer(question, facts(*ledger, findings=Findings(hypotheses=[INVENTORY], ruled_out=[CLEARED])))

    assert short is not None and short.verdict == "unknown" and short.opening and short.text


@pytest.mark.parametrize(("question", "expected"), [("does checkout work?", "no"), ("does cart work?", "yes")])
def test_that_a_service_works_is_good_news(question: str, expected: str) -> None:
    assert verdict(question, HEALTH, CART)[0] == expected


def test_more_requests_are_no_failure_of_a_service() -> None:
    busy = entry(
        "E6", "service_health", EvidenceFacts(deviations=(deviation("cart", "traffic", "traffic", 2.0),)), service="cart"
    )

    assert verdict("is cart healthy?", busy, CART)[0] == "yes"


def test_after_the_end_of_an_outage_how_it_is_is_not_answered_from_its_beginning() -> None:
    calm = entry("E9", "current_values", EvidenceFacts(current=(current("checkout", "errors", trouble=False),)))

    assert verdict("is checkout failing?", HEALTH, calm, group_state=GroupState.RESOLVED) == ("no", ["E9"])
    assert verdict("was checkout failing?", HEALTH, calm, group_state=GroupState.RESOLVED)[0] == "yes"


def test_what_was_rolled_back_elsewhere_was_not_rolled_back_here() -> None:
    done = [PROPOSED, recorded(8, "action", "AP-3 ran: 202 accepted")]

    assert verdict("was cart rolled back?", HEALTH, timeline=done) == ("unknown", [])
    assert verdict("was checkout rolled back?", HEALTH, timeline=done) == ("yes", ["T8"])
    assert verdict("did the rollback of checkout fail?", HEALTH, timeline=done)[0] == "unknown"


@pytest.mark.parametrize("question", ["do you think it is the deploy?", "do you believe it's the deploy of checkout?"])
def test_what_somebody_thinks_is_asked_of_the_cause_and_not_of_a_permission(question: str) -> None:
    assert verdict(question, *RECORDED, findings=Findings(hypotheses=[INVENTORY]))[0] == "yes"
    assert verdict(question, *RECORDED)[0] == "unknown"


def test_what_is_barely_outside_its_usual_range_is_neither_health_nor_illness() -> None:
    details = "cart latency rose from 50 ms to 53.6 ms (1.2 times its usual range)", "cart latency rose from 50 ms to 900 ms"
    slower, slow = (
        entry(
            "E1",
            "service_health",
            EvidenceFacts(deviations=(deviation("cart", "latency", "latency", far),)),
            line,
            service="cart",
        )
        for far, line in zip((0.28, 4.0), details, strict=True)
    )
    barely = short_answer("is cart healthy?", facts(slower))

    assert barely is not None and barely.verdict == "unknown"
    assert f"{barely.lead} {barely.text}" == f"Barely outside its usual range: {details[0]}"
    assert verdict("is cart healthy?", slow)[0] == "no"


@pytest.mark.parametrize(("question", "expected"), [("is cart's cpu high?", "yes"), ("is cart throttled?", "unknown")])
def test_more_cpu_is_no_throttling(question: str, expected: str) -> None:
    cpu = EvidenceFacts(deviations=(deviation("cart", "cpu", "saturation", 2.0),))

    assert (
        verdict(question, entry("E1", "service_health", cpu, "cart cpu rose from 0.27 to 0.32 cores", service="cart"))[0]
        == expected
    )


def test_a_number_in_a_question_is_a_bound_also_where_the_answer_holds_the_same() -> None:
    down = entry(
        "E1", "service_health", EvidenceFacts(deviations=(deviation("cart", "errors", "errors", 6.0),)),
        "cart errors rose from 1 % to 100 %", service="cart",
    )  # fmt: skip

    assert verdict("is cart down?", down)[0] == "yes"
    assert verdict("is cart 100% down?", down)[0] == "unknown"


def test_a_throttling_that_was_measured_answers_whether_it_is_throttled() -> None:
    throttling = EvidenceFacts(deviations=(deviation("cart", "cpu_throttling", "saturation", 2.0),))
    measured = entry("E1", "service_health", throttling, "cart cpu_throttling rose from 0 % to 40 %", service="cart")

    assert verdict("is cart throttled?", measured) == ("yes", ["E1"])


def test_the_alert_that_is_named_is_the_one_that_counts() -> None:
    rows = (AlertFact(name="DiskFull", service="cart", starts_at=NOW), AlertFact(name="Hot", service="checkout", starts_at=NOW))
    listed = entry("E4", "active_alerts", EvidenceFacts(alerts=rows))
    one, of_all = (short_answer(question, facts(listed)) for question in ("is DiskFull firing?", "are alerts firing?"))

    assert one is not None and (one.verdict, one.text) == ("yes", "1 DiskFull alert")
    assert of_all is not None and (of_all.verdict, of_all.text) == ("yes", "2 alerts, such as Hot")
    assert verdict("is PodSlow firing?", listed)[0] == "unknown"
    none = short_answer("is DiskFull firing on checkout?", facts(listed))
    assert none is not None and (none.verdict, none.text) == ("no", "No DiskFull alert fires on checkout in what was checked")


@pytest.mark.parametrize(
    ("state", "firing", "expected", "text"),
    [
        (GroupState.FIRING, 2, "yes", "2 alerts of AL-1 fire"),
        (GroupState.ACKNOWLEDGED, 1, "yes", "1 alert of AL-1 fires"),
        (GroupState.MONITORING, 0, "no", "No alert of AL-1 fires: it is MONITORING"),
    ],
)
def test_whether_it_still_fires_is_told_by_the_state_of_its_own_alerts(
    state: GroupState, firing: int, expected: str, text: str
) -> None:
    short = short_answer("is it still firing?", facts(ALERTS, group_state=state, firing=firing))

    assert short is not None and (short.verdict, short.text) == (expected, text)


def test_an_incident_is_not_over_while_its_alerts_fire() -> None:
    short = short_answer("is the incident over?", facts(HEALTH, group_state=GroupState.FIRING, firing=2))

    assert short is not None and (short.verdict, short.text) == ("no", "2 alerts still fire")


@pytest.mark.parametrize(
    "question", ["is the root cause known?", "do we know the root cause?", "has the cause been confirmed yet?"]
)
def test_a_cause_is_known_once_somebody_confirmed_it(question: str) -> None:
    confirmed = TimelineEntry(id="T3", at=NOW, kind="incident", text="alice confirmed the cause: deploy v2 leaks", who="alice")
    ranked = {"findings": Findings(hypotheses=[DEPLOY])}
    before, after = (short_answer(question, facts(HEALTH, timeline=line, **ranked)) for line in ([], [confirmed]))

    assert before is not None and before.verdict == "unknown"
    assert f"{before.lead} {before.text}" == "Nobody confirmed it yet; likely cause: deploy v2 of checkout"
    assert after is not None and (after.verdict, after.text) == ("yes", "alice confirmed the cause: deploy v2 leaks")


def test_a_confirmed_cause_is_no_yes_where_another_thing_is_asked_of_it() -> None:
    confirmed = TimelineEntry(id="T3", at=NOW, kind="incident", text="alice confirmed the cause: deploy v2 leaks", who="alice")

    assert verdict("is the root cause not known?", HEALTH, timeline=[confirmed])[0] == "unknown"


BAD_NOW = entry(
    "E1", "service_health",
    EvidenceFacts(
        deviations=(deviation("checkout", "latency", "latency", 0.0),),
        beyond=(BeyondThresholdFact(signal="latency", text="checkout latency: 4 s [bad above 1 s]"),),
    ),
    "checkout latency: 4 s now, mostly 0.2 s around the start, before 0.2 s [bad above 1 s]", service="checkout",
)  # fmt: skip


def test_what_is_bad_now_alone_is_not_called_normal() -> None:
    short = short_answer("was it slow?", facts(BAD_NOW))

    assert short is not None and short.verdict == "yes" and short.text == "checkout latency: 4 s [bad above 1 s]"


def test_a_resource_that_is_beyond_its_threshold_now_is_not_ruled_out_as_the_cause() -> None:
    full = EvidenceFacts(
        deviations=(deviation("checkout", "memory", "saturation", 0.0),),
        beyond=(BeyondThresholdFact(signal="memory", text="checkout memory: 4 GB [bad above 2 GB]"),),
    )
    short = short_answer("is it out of memory?", facts(entry("E1", "service_health", full, service="checkout")))

    assert short is not None and short.verdict == "unknown" and short.text.startswith("Checkout memory: 4 GB")

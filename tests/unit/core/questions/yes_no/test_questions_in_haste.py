"""Questions as tired people ask them: half a sentence, a denial, a cause in other words."""

import pytest

from bot.core.action import Decision, DecisionChoice, ProposalState
from bot.core.evidence import Claim, Findings, LedgerEntry
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.incident import GroupState
from bot.core.questions.answer_facts import ProposalRecord
from bot.core.questions.answering import answer
from bot.core.questions.yes_no.short_answers import short_answer
from bot.core.timeline import TimelineEntry
from tests.unit.builders import NOW, change
from tests.unit.core.questions.yes_no.test_short_answers import (
    ALERTS,
    CART,
    CHANGES,
    DEPLOY,
    HEALTH,
    current,
    deviation,
    entry,
    facts,
    verdict,
)

LIKELY = {"findings": Findings(hypotheses=[DEPLOY])}
NOW_BAD = entry(
    "E8", "current_values", EvidenceFacts(current=(current("checkout", "errors", trouble=True),)), service="checkout"
)
ERRORS_NOW = EvidenceFacts(current=(current("checkout", "errors", trouble=True),))
FLAG = entry("E6", "recent_changes", EvidenceFacts(changes=(change("a"), change("b", "cart", kind="flag", author="dave"))))


@pytest.mark.parametrize(
    "question", ["and cart?", "checkout?", "what's up with checkout?", "whats wrong w/ cart", "hows cart rn"]
)
def test_a_service_without_a_state_gets_what_was_measured_and_no_yes_or_no(question: str) -> None:
    short = short_answer(question, facts(HEALTH, CART, CHANGES))

    assert short is None or (short.verdict, short.opening) == ("unknown", "Measured:")


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("so checkout is the root of this?", "yes"),
        ("so cart is the root of this?", "no"),
        ("did the deploy do this", "yes"),
        ("did dave's flag do this", "no"),
        ("its not cart right", "yes"),
        ("it's not the deploy, is it", "no"),
    ],
)
def test_a_cause_in_other_words_is_asked_of_the_ranking(question: str, expected: str) -> None:
    assert verdict(question, HEALTH, CART, FLAG, **LIKELY)[0] == expected


@pytest.mark.parametrize("question", ["is anybody deploying rn?", "is a deploy in progress?", "are we releasing something"])
def test_a_change_that_was_made_is_none_that_is_being_made(question: str) -> None:
    assert verdict(question, CHANGES)[0] == "unknown"


@pytest.mark.parametrize("question", ["timeouts on checkout?", "does cart time out?", "any time-outs on cart"])
def test_how_slow_a_service_is_decides_nothing_about_timeouts(question: str) -> None:
    assert verdict(question, HEALTH, CART)[0] == "unknown"


@pytest.mark.parametrize(("state", "firing", "expected"), [(GroupState.FIRING, 2, "yes"), (GroupState.MONITORING, 0, "no")])
@pytest.mark.parametrize("question", ["still?", "still happening?", "is this still going on"])
def test_still_alone_asks_for_the_own_alerts(question: str, state: GroupState, firing: int, expected: str) -> None:
    assert verdict(question, HEALTH, group_state=state, firing=firing)[0] == expected


@pytest.mark.parametrize("question", ["we good now?", "is the incident resolved", "is the outage over"])
def test_whether_it_is_over_is_asked_in_many_words(question: str) -> None:
    calm = entry(
        "E8", "current_values", EvidenceFacts(current=(current("checkout", "errors", trouble=False),)), service="checkout"
    )

    assert verdict(question, HEALTH, group_state=GroupState.FIRING, firing=2)[0] == "no"
    assert verdict(question, calm, group_state=GroupState.RESOLVED)[0] == "yes"


def test_whether_a_service_is_back_up_is_asked_of_its_values_now() -> None:
    calm = entry(
        "E8", "current_values", EvidenceFacts(current=(current("checkout", "errors", trouble=False),)), service="checkout"
    )

    assert verdict("is checkout back up", HEALTH, calm) == ("yes", ["E8"])


def test_the_alerts_of_this_group_are_no_others() -> None:
    short = short_answer("any other alerts firing", facts(ALERTS, group_state=GroupState.FIRING, firing=1))

    assert short is not None and (short.verdict, short.text) == ("unknown", "1 alert in all; of AL-1 1 fires")


def test_when_something_was_done_is_told_by_what_ran() -> None:
    timeline = [
        TimelineEntry(id="T5", at=NOW, kind="proposal", text="AP-3 proposed: Roll back checkout", who="alice"),
        TimelineEntry(id="T8", at=NOW, kind="action", text="AP-3 ran: 202 accepted", who="tocsin"),
    ]
    short = short_answer("when was it rolled back", facts(HEALTH, timeline=timeline))

    assert short is not None and (short.opening, short.text) == (
        "Recorded:",
        "03:00:00 UTC AP-3 (Roll back checkout): 202 accepted",
    )


@pytest.mark.parametrize("question", ["is the Hot alert a problem", "are the alerts because of checkout?"])
def test_that_an_alert_fires_is_no_yes_to_what_it_means(question: str) -> None:
    assert verdict(question, ALERTS)[0] == "unknown"


def test_what_is_affected_is_who_met_trouble() -> None:
    slight = entry("E7", "service_health", EvidenceFacts(deviations=(deviation("payments", "errors", "errors", 0.1),)))
    short = short_answer("whats the blast radius", facts(HEALTH, CART, slight))

    assert short is not None and (short.opening, short.text) == ("Affected:", "checkout; little or no trouble: cart, payments")


def test_who_calls_whom_is_told_by_the_graph() -> None:
    graph = entry("E9", "dependencies", EvidenceFacts(depends_on=("payments", "cart")), service="checkout")

    assert verdict("does checkout call cart", graph) == ("yes", ["E9"])
    assert verdict("does checkout depend on orders-db?", graph) == ("unknown", ["E9"])
    assert verdict("does cart call checkout?", graph)[0] == "unknown"


def test_the_database_is_measured_where_a_word_for_its_state_is_not_read() -> None:
    database = entry("E9", "service_health", EvidenceFacts(deviations=(deviation("orders-db", "latency", "latency", 0.0),)))
    short = short_answer("is the db melting", facts(HEALTH, database))

    assert short is not None and (short.verdict, short.evidence) == ("unknown", ["E9"])


def test_a_thing_that_nothing_measures_is_told_beside_the_likely_cause() -> None:
    short = short_answer("could it be dns", facts(HEALTH, CHANGES, **LIKELY))

    assert short is not None and (short.verdict, short.text) == ("unknown", "deploy v2 of checkout")
    assert short.opening == "Nothing that was checked measures that; likely cause:"


def test_how_long_it_lasts_is_told_by_its_beginning() -> None:
    begun = answer("how long has this been going on", facts(HEALTH, onset="errors since 02:40", onset_evidence="E1", **LIKELY))

    assert begun.findings[0].lines == ["errors since 02:40"]


def test_that_a_remediation_ran_is_no_yes_to_whether_it_happened_again() -> None:
    worked = ProposalRecord(ref="AP-3", title="Roll back checkout", state=ProposalState.SUCCEEDED, outcome="202 accepted")

    assert verdict("did the fix work", HEALTH, proposal_records=[worked]) == ("yes", ["AP-3"])
    assert verdict("did it happen again", HEALTH, proposal_records=[worked])[0] == "unknown"


def test_nobody_on_it_is_told_also_once_it_is_over() -> None:
    assert verdict("is anybody on it", HEALTH, group_state=GroupState.MONITORING)[0] == "no"


@pytest.mark.parametrize("question", ["is it flapping", "did the bot do anything on its own"])
def test_what_it_does_is_no_thing_that_the_cause_could_be(question: str) -> None:
    short = short_answer(question, facts(HEALTH, **LIKELY))

    assert short is not None and "deploy v2" not in short.text


@pytest.mark.parametrize(
    ("question", "lead"),
    [
        ("it can't be cart?", "Yes, ruled out by what was checked:"),
        ("it isn't the deploy, right?", "No, not ruled out:"),
    ],
)
def test_a_denial_is_answered_in_words_that_read_one_way(question: str, lead: str) -> None:
    short = short_answer(question, facts(HEALTH, CART, CHANGES, **LIKELY))

    assert short is not None and short.lead == lead


def test_whether_a_thing_was_checked_is_told_by_the_checks() -> None:
    assert verdict("did you check cart", HEALTH, CART) == ("yes", ["E2"])
    assert verdict("have you looked at the runbook?", HEALTH)[0] == "no"
    failed = entry("E5", "service_health", EvidenceFacts(), service="payments", ok=False)
    assert verdict("did you check payments", failed) == ("unknown", ["E5"])


@pytest.mark.parametrize("question", ["is anything but checkout failing?", "is anyone failing apart from checkout"])
def test_trouble_of_the_one_that_is_excepted_is_no_yes(question: str) -> None:
    assert verdict(question, HEALTH)[0] == "unknown"


def test_a_version_that_nobody_deployed_is_not_answered_by_another_one() -> None:
    cleared = {"findings": Findings(ruled_out=[Claim(text="deploy of checkout at 02:55: nothing moved", evidence=["E3"])])}

    assert verdict("would reverting 9.9.9 help", HEALTH, CHANGES, **cleared)[0] == "unknown"


@pytest.mark.parametrize("question", ["who touched checkout last", "who pushed what"])
def test_a_change_has_many_verbs(question: str) -> None:
    listed = entry("E3", "recent_changes", EvidenceFacts(changes=(change("a"),)), "deploy checkout: deploy a [test:a]")

    assert [finding.evidence for finding in answer(question, facts(listed)).findings] == [["E3"]]


@pytest.mark.parametrize("question", ["status?", "tldr", "hows the site doing"])
def test_what_asks_for_all_of_it_gets_the_causes_and_no_unknown(question: str) -> None:
    summed_up = answer(question, facts(HEALTH, **LIKELY))

    assert summed_up.short is None
    assert summed_up.findings[0].lines[0].startswith("Cause 1, likely: deploy v2 of checkout")


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("is it over", "no"),
        ("are errors back to normal", "unknown"),
        ("still firing?", "yes"),
        ("is it still firing?", "yes"),
        ("did anyone ack this", "no"),
    ],
)
def test_the_state_of_the_group_is_told_also_where_nothing_could_be_checked(question: str, expected: str) -> None:
    short = short_answer(question, facts(group_state=GroupState.FIRING, firing=2))

    assert short is not None and short.verdict == expected


def test_alerts_of_this_group_say_nothing_of_another_service_that_is_well() -> None:
    calm = entry("E8", "current_values", EvidenceFacts(current=(current("cart", "errors", trouble=False),)), service="cart")
    burning = {"group_state": GroupState.FIRING, "firing": 2}

    assert verdict("has cart recovered", HEALTH, calm, **burning) == ("unknown", ["E8"])
    assert verdict("has cart recovered", HEALTH, **burning)[0] == "unknown"


def test_an_incident_is_open_until_people_resolve_it() -> None:
    assert verdict("are we still in an incident?", HEALTH, group_state=GroupState.MONITORING)[0] == "unknown"


def test_who_decided_is_told_also_where_another_is_asked_of() -> None:
    decision = Decision(proposal="AP-3", revision=1, person="bob", verdict=DecisionChoice.APPROVE, reason="", at=NOW)
    worked = ProposalRecord(ref="AP-3", title="Roll back checkout", state=ProposalState.SUCCEEDED, decisions=[decision])
    by_bob, by_alice = (
        short_answer(question, facts(HEALTH, proposal_records=[worked]))
        for question in ("did bob approve?", "did alice approve it")
    )

    assert by_bob is not None and by_bob.verdict == "yes"
    assert by_alice is not None and (by_alice.verdict, "approved by bob" in by_alice.text) == ("unknown", True)


@pytest.mark.parametrize(("question", "expected"), [("checkout ok?", "yes"), ("was checkout ok?", "no")])
def test_a_question_without_a_verb_is_about_now_once_it_is_over(question: str, expected: str) -> None:
    calm = entry(
        "E8", "current_values", EvidenceFacts(current=(current("checkout", "errors", trouble=False),)), service="checkout"
    )

    assert verdict(question, HEALTH, calm, group_state=GroupState.RESOLVED)[0] == expected


@pytest.mark.parametrize(
    "question", ["can i approve", "is anybody approving", "what happens if i approve", "when does the approval expire"]
)
def test_a_question_about_approving_gets_that_nothing_waits(question: str) -> None:
    short = short_answer(question, facts(HEALTH, **LIKELY))

    assert short is not None and (short.verdict, short.text) == ("no", "No proposal waits for approval")


@pytest.mark.parametrize(
    "question",
    ["which commit", "what deploy broke it?", "which version is bad", "which change is to blame", "which commit did it?"],
)
def test_which_change_did_it_gets_the_likely_cause(question: str) -> None:
    short = short_answer(question, facts(HEALTH, CHANGES, **LIKELY))

    assert short is not None and (short.opening, short.text) == ("Likely cause:", DEPLOY.cause)


@pytest.mark.parametrize(
    "question",
    [
        "which version is running?",
        "what version is it running?",
        "which version is prod on?",
        "which release was the last good one?",
        "which change did bob make?",
        "what change did the team make?",
        "what changes were made?",
    ],
)
def test_which_changes_there_are_is_no_question_for_the_cause(question: str) -> None:
    short = short_answer(question, facts(HEALTH, CHANGES, **LIKELY))

    assert short is None or short.opening != "Likely cause:"


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("what does checkout depend on", "checkout calls cart, payments"),
        ("what does it call?", "checkout calls cart, payments"),
        ("who calls payments", "payments is called by checkout, cart"),
        ("which services depend on it?", "checkout is called by none of the 2 services that were looked up"),
        ("what does search call?", "What search calls was not checked"),
    ],
)
def test_what_calls_what_is_read_off_the_graph(question: str, told: str) -> None:
    graph = [
        entry(f"E{number}", "topology", EvidenceFacts(depends_on=calls), service=service)
        for number, (service, calls) in enumerate({"checkout": ("cart", "payments"), "cart": ("payments",)}.items(), 10)
    ]
    short = short_answer(question, facts(*graph, services={"checkout", "cart", "payments", "search"}))

    assert short is not None and short.text == told


def test_what_an_unknown_thing_uses_is_not_read_of_the_alerting_service() -> None:
    graph = entry("E10", "topology", EvidenceFacts(depends_on=("cart",)), service="checkout")

    assert short_answer("what uses redis?", facts(graph, services={"checkout", "cart"})) is None


def test_whether_it_gets_worse_gets_the_values_of_now() -> None:
    short = short_answer("is it getting worse?", facts(HEALTH, entry("E8", "current_values", ERRORS_NOW, service="checkout")))

    assert short is not None and short.opening == "No trend was read; measured:" and "checkout" in short.text


def test_what_could_not_be_checked_is_told() -> None:
    blind = entry("E9", "search_logs", EvidenceFacts(), ok=False)

    def told(question: str, *entries: LedgerEntry) -> str:
        short = short_answer(question, facts(*entries))
        return f"{short.opening} {short.text}" if short else ""

    assert told("what have you not checked?", HEALTH, blind) == "Not checked: search_logs E9"
    assert told("what did you miss", HEALTH).startswith("Of what was tried: every check succeeded")


@pytest.mark.parametrize("question", ["what doesn't look right?", "what does not seem ok?", "what is not ready?"])
def test_what_is_not_well_is_no_question_for_failed_checks(question: str) -> None:
    short = short_answer(question, facts(HEALTH))

    assert short is None or not short.opening.startswith("Of what was tried")


@pytest.mark.parametrize("question", ["is the model down?", "is the model slow?", "are the models still failing?"])
def test_how_a_model_does_is_no_question_for_changes_of_it(question: str) -> None:
    short = short_answer(question, facts(HEALTH, CHANGES))

    assert short is not None and short.verdict != "no" and "model change" not in short.text


def test_past_incidents_that_nobody_looked_at_are_offered() -> None:
    answered = answer("how did we fix it last time?", facts(HEALTH))

    assert answered.short is not None and "investigate with this question reads past incidents" in answered.short.text

"""A model's answer merged with the analyst's: categories, and what the evidence exonerates."""

from typing import Any

import pytest

from bot.core.evidence import Claim, Findings, Hypothesis
from bot.core.ranking.ranking import rank
from bot.core.verdict.category import categorize
from bot.core.verdict.category_signs import Category
from bot.core.verdict.merging import MAX_RULED_OUT, merge
from bot.core.verdict.verdict import judge
from tests.unit.evidence_builders import CASE, NOW, ONSET, Ledger, change, deviation, failing_payments

GUILTY = change("payments", 1, version="2.3.1")
INNOCENT = change("cart", 0.5, version="4.0.0")
ERRORS = Claim(text="payments errors left their normal range", evidence=["E4"])


def cause(**values: Any) -> Hypothesis:
    fields = {"cause": "payments answers with errors", "service": "payments", "claims": [ERRORS], **values}
    return Hypothesis.model_validate(fields)


def merged_with(ledger: Ledger, *hypotheses: Hypothesis, ruled_out: tuple[Claim, ...] = ()) -> Findings:
    answer = Findings(hypotheses=list(hypotheses), ruled_out=list(ruled_out), by="agent", model="m", stop_reason="answered")
    ranked = categorize(rank(CASE, ledger.entries, now=NOW), CASE, ledger.entries)
    findings = merge(answer, ranked, CASE, ledger.entries, now=NOW)
    assert judge(findings, ledger.entries).ruled_out == findings.ruled_out
    return findings


def merged_beside(analyst: tuple[Hypothesis, ...], *hypotheses: Hypothesis) -> list[Hypothesis]:
    """The causes of a model merged with these of the analyst."""
    ledger = failing_payments(GUILTY)
    answer = Findings(hypotheses=list(hypotheses), by="agent", model="m", stop_reason="answered")
    return merge(answer, Findings(hypotheses=list(analyst)), CASE, ledger.entries, now=NOW).hypotheses


def cleared(findings: Findings) -> list[str]:
    return [claim.text for claim in findings.ruled_out]


def test_an_innocent_newer_deploy_is_ruled_out_although_the_model_did_not_speak_of_it() -> None:
    findings = merged_with(failing_payments(GUILTY, INNOCENT), cause(change_id=GUILTY.id, kind="change"))

    assert findings.by == "agent" and findings.hypotheses[0].against == []
    assert [text.startswith("deploy 4.0.0 of cart") for text in cleared(findings)] == [True]


def test_a_model_tells_no_onset_so_the_measured_one_stands() -> None:
    assert merged_with(failing_payments(GUILTY), cause(change_id=GUILTY.id, kind="change")).onset == ONSET


def test_what_the_model_ruled_out_itself_is_listed_once() -> None:
    for own in ("version 4.0.0 went to a service that is well", f"{INNOCENT.id} is innocent", "the change of cart is innocent"):
        findings = merged_with(failing_payments(INNOCENT), cause(), ruled_out=(Claim(text=own, evidence=["E3", "E6"]),))

        assert cleared(findings) == [own]


def test_a_cleared_change_that_the_model_accuses_is_in_dispute() -> None:
    claims = [ERRORS, Claim(text="cart was changed", evidence=["E3"])]
    blaming = cause(cause="deploy 4.0.0 broke cart", service="cart", change_id=INNOCENT.id, kind="change", claims=claims)
    other = cause(cause="payments leaks", confidence="unlikely")

    findings = merged_with(failing_payments(INNOCENT), blaming.model_copy(update={"confidence": "likely"}), other)

    accusing = next(h for h in findings.hypotheses if h.cause == "deploy 4.0.0 broke cart")
    assert accusing.confidence == "possible" and cleared(findings) == []
    assert "nothing of cart left its normal range" in accusing.against[0].text


def test_a_cleared_change_is_in_dispute_too_where_its_version_is_named_and_its_id_is_not() -> None:
    for id in ("", "ci:wrong"):
        claims = cause(cause="4.0.0 of cart leaks", service="cart", kind="resource", change_id=id)

        findings = merged_with(failing_payments(INNOCENT), claims)

        accusing = next(h for h in findings.hypotheses if h.cause == "4.0.0 of cart leaks")
        assert cleared(findings) == [] and len(accusing.against) == 1


def test_a_likely_cause_that_is_in_dispute_is_possible_and_says_why() -> None:
    late = change("payments", -2, version="9.0.0")
    early = deviation("payments", "errors", 0.001, 0.45, doublings=4, unit="ratio", late=3)
    ledger = Ledger().health("front", deviation("front", "errors", 0.002, 0.3, unit="ratio")).graph("front", "payments")
    ledger.changes(late).health("payments", early)
    claims = [ERRORS, Claim(text="payments got 9.0.0", evidence=["E3"])]

    findings = merged_with(ledger, cause(kind="change", confidence="likely", cause="deploy 9.0.0 of payments", claims=claims))

    accusing = next(h for h in findings.hypotheses if h.change_id == late.id)
    assert accusing.confidence == "possible" and "after the onset" in accusing.against[0].text
    assert any("clears that change" in text for text in findings.dropped)


def test_a_cleared_change_that_the_model_calls_unlikely_is_ruled_out() -> None:
    unlikely = cause(cause="the deploy of cart", service="cart", change_id=INNOCENT.id, confidence="unlikely")

    assert len(cleared(merged_with(failing_payments(INNOCENT), cause(), unlikely))) == 1


def test_what_is_ruled_out_is_bounded_and_the_model_s_own_comes_first() -> None:
    many = [change("cart", n / 10, version=f"4.0.{n}") for n in range(1, 12)]
    own = tuple(Claim(text=f"db is well ({place})", evidence=["E7"]) for place in "abc")

    findings = merged_with(failing_payments(*many), cause(), ruled_out=own)

    assert len(findings.ruled_out) == MAX_RULED_OUT and findings.ruled_out[:3] == list(own)


def test_an_answer_that_no_evidence_carries_leaves_the_analyst_s_with_what_it_cost() -> None:
    invented = cause(claims=[Claim(text="73.91 % of look-ups fail", evidence=["E4"])])

    findings = merged_with(failing_payments(GUILTY), invented)

    assert findings.by == "analyst" and findings.category and "carries nothing of the model's answer" in findings.note


def test_the_answer_has_the_category_of_the_change_that_it_names() -> None:
    flag = change("payments", 1, kind="flag")
    claims = [ERRORS, Claim(text="a flag of payments was flipped", evidence=["E3"])]

    findings = merged_with(failing_payments(flag), cause(kind="change", change_id=flag.id, claims=claims))

    assert findings.category == Category.CONFIGURATION and findings.because[0].evidence == ["E3"]


def test_a_kind_that_is_the_model_s_word_alone_makes_no_category() -> None:
    ledger = Ledger().health("front", deviation("front", "errors", 0.002, 0.3, unit="ratio"))
    claims = [Claim(text="errors left their normal range", evidence=["E1"])]

    fields = merged_with(ledger, cause(service="front", kind="resource", claims=claims))
    full = ledger.health("front", deviation("front", "memory", 0.5, 0.99, unit="ratio"))
    shown = merged_with(full, cause(service="front", kind="resource", claims=claims))

    assert (fields.category, shown.category) == (Category.UNKNOWN, Category.RESOURCE)


def test_a_failing_dependency_that_was_measured_makes_its_category() -> None:
    assert merged_with(failing_payments(), cause(kind="dependency")).category == Category.DEPENDENCY

    quiet = Ledger().health("front", deviation("front", "errors", 0.002, 0.3, unit="ratio")).graph("front", "db").health("db")
    claims = [Claim(text="front fails", evidence=["E1"])]
    assert merged_with(quiet, cause(kind="dependency", service="db", claims=claims)).category == Category.UNKNOWN


def test_where_nothing_measured_is_wrong_a_model_s_cause_is_no_more_than_possible() -> None:
    quiet = Ledger().health("front").graph("front", "payments").health("payments")
    claims = [Claim(text="front calls payments", evidence=["E1", "E2"])]

    findings = merged_with(quiet, cause(cause="front fails", service="front", confidence="likely", claims=claims))

    assert findings.hypotheses[0].confidence == "possible" and findings.category != Category.HEALTHY
    assert any("front fails" in text for text in findings.dropped)


def test_where_nothing_is_wrong_and_the_model_calls_nothing_possible_it_is_healthy() -> None:
    quiet = Ledger().health("front").graph("front", "payments").health("payments")
    claims = [Claim(text="front calls payments", evidence=["E2"])]

    assert merged_with(quiet, cause(confidence="unlikely", claims=claims)).category == Category.HEALTHY


FRONT_ERRORS = Claim(text="front errors left their normal range", evidence=["E1"])
CHANGED = Claim(text="payments got 2.3.1", evidence=["E3"])
LEADS = (
    cause(cause="payments itself fails", kind="dependency"),
    cause(cause="front itself fails", service="front", claims=[FRONT_ERRORS]),
)


def test_a_model_that_calls_every_lead_of_the_analyst_unlikely_removes_none() -> None:
    traffic = cause(cause="traffic at payments", kind="traffic", confidence="unlikely")
    elsewhere = cause(cause="traffic at front", service="front", kind="traffic", confidence="unlikely", claims=[FRONT_ERRORS])

    causes = merged_beside(LEADS, traffic, elsewhere)

    assert [(h.service, h.named_by, h.confidence) for h in causes[:2]] == [
        ("payments", "analyst", "possible"),
        ("front", "analyst", "possible"),
    ]
    assert [(h.cause, h.confidence) for h in causes[2:]] == [(h.cause, "unlikely") for h in (traffic, elsewhere)]


def test_a_specific_cause_of_the_model_takes_the_place_of_a_vague_lead_that_is_no_more_confident() -> None:
    for confidence in ("possible", "unlikely"):
        leads = tuple(lead.model_copy(update={"confidence": confidence}) for lead in LEADS)

        fields = {"kind": "change", "change_id": GUILTY.id, "claims": [ERRORS, CHANGED], "confidence": confidence}
        causes = merged_beside(leads, cause(cause="2.3.1 broke payments", **fields))

        payments = [(h.cause, h.named_by, h.confidence) for h in causes if h.service == "payments"]
        assert payments == [("2.3.1 broke payments", "agent", confidence)]


def test_the_model_s_sentence_never_gets_a_confidence_that_only_the_analyst_s_cause_has() -> None:
    fields = {"kind": "change", "change_id": GUILTY.id, "claims": [ERRORS, CHANGED]}
    for stronger, weaker in (("likely", "possible"), ("likely", "unlikely"), ("possible", "unlikely")):
        for check in ("compare one pod", ""):
            own = cause(cause="deploy 2.3.1 broke payments", confidence=stronger, check=check, **fields)
            vague = cause(cause="something is odd", confidence=weaker, check="roll back cart", component="cart-1", **fields)

            first = merged_beside((own,), vague)[0]

            assert (first.cause, first.check, first.component, first.confidence) == (own.cause, check, "", stronger)
            assert first.named_by == ("analyst" if weaker == "unlikely" else "both")


def test_a_joined_cause_has_the_model_s_words_where_it_is_as_confident_by_itself() -> None:
    fields = {"kind": "change", "change_id": GUILTY.id, "claims": [ERRORS, CHANGED]}
    own = cause(cause="deploy 2.3.1 broke payments", confidence="possible", check="compare one pod", **fields)

    for confidence in ("likely", "possible"):
        agent = cause(cause="2.3.1 made payments fail", confidence=confidence, **fields)

        first = merged_beside((own,), agent)[0]

        assert (first.cause, first.check, first.confidence) == (agent.cause, own.check, confidence)
        assert first.named_by == "both"


@pytest.mark.parametrize(
    "sentence",
    [
        "deploy 2.3.1 of payments is not the cause",
        "2.3.1 is innocent",
        "The deploy did not cause it",
        "payments fails, but its deploy has nothing to do with it",
        "It is not the deploy but cart that breaks payments",
        "payments is a victim: 2.3.1 was ruled out",
        "payments fails because of cart rather than because of 2.3.1",
    ],
)
@pytest.mark.parametrize("confidence", ["likely", "possible"])
def test_a_sentence_that_clears_what_its_fields_accuse_is_never_joined(sentence: str, confidence: str) -> None:
    fields = {"kind": "change", "change_id": GUILTY.id, "claims": [ERRORS, CHANGED]}
    own = cause(cause="deploy 2.3.1 broke payments", confidence=confidence, **fields)

    first, *rest = merged_beside((own,), cause(cause=sentence, confidence=confidence, **fields))

    assert (first.cause, first.named_by, first.confidence) == (own.cause, "analyst", confidence)
    assert [(h.cause, h.named_by, h.confidence) for h in rest] == [(sentence, "agent", "unlikely")]


@pytest.mark.parametrize(
    "sentence",
    [
        "deploy 2.3.1 broke payments, traffic is not the cause",
        "Memory is fine, 2.3.1 broke payments",
        "2.3.1 is the cause, not the network",
        "It is not the network: 2.3.1 broke payments",
        "2.3.1 is not the only cause but the main one",
        "payments does not release its connections since 2.3.1",
        "2.3.1 of payments, and not cart, breaks it",
    ],
)
def test_a_sentence_that_clears_something_else_is_joined(sentence: str) -> None:
    fields = {"kind": "change", "change_id": GUILTY.id, "claims": [ERRORS, CHANGED]}
    own = cause(cause="deploy 2.3.1 broke payments", confidence="possible", **fields)

    (first,) = merged_beside((own,), cause(cause=sentence, confidence="possible", **fields))

    assert (first.cause, first.named_by) == (sentence, "both")


def test_the_same_change_blamed_and_put_down_to_traffic_are_two_causes() -> None:
    own = cause(cause="2.3.1 broke payments", kind="change", change_id=GUILTY.id, claims=[ERRORS, CHANGED])

    causes = merged_beside((own,), cause(cause="more requests came", kind="traffic", change_id=GUILTY.id, claims=[ERRORS]))

    assert [h.named_by for h in causes] == ["analyst", "agent"]


def test_the_claims_of_a_joined_cause_begin_with_those_of_its_sentence() -> None:
    fields = {"kind": "change", "change_id": GUILTY.id}
    own = cause(cause="2.3.1 broke payments", confidence="likely", claims=[CHANGED], **fields)
    weaker = cause(cause="something of payments", confidence="possible", claims=[ERRORS], **fields)

    first = merged_beside((own,), weaker)[0]

    assert (first.cause, first.claims[0].text) == (own.cause, CHANGED.text)


def test_of_a_right_change_with_an_invented_mechanism_the_analyst_s_words_stand() -> None:
    ledger = failing_payments(GUILTY).health("payments", deviation("payments", "memory", 0.4, 0.4, doublings=0, unit="ratio"))
    claims = [ERRORS, CHANGED]
    own = cause(cause="deploy 2.3.1 of payments broke payments", change_id=GUILTY.id, kind="change", claims=claims)
    invented = [
        cause(cause="2.3.1 of payments leaks memory", change_id=GUILTY.id, kind=kind, claims=claims, confidence="likely")
        for kind in ("change", "resource")
    ]

    for one in invented:
        by_agent, by_analyst = (Findings(by="agent", hypotheses=[one]), Findings(hypotheses=[own]))
        first = merge(by_agent, by_analyst, CASE, ledger.entries, now=NOW).hypotheses[0]

        assert (first.cause, first.kind) == (own.cause, "change")


def test_that_a_service_fails_is_neither_likely_nor_before_a_lead_that_says_why() -> None:
    vague = cause(cause="payments is having trouble", kind="dependency", confidence="likely")
    lead = cause(cause="deploy 2.3.1 of payments broke payments", change_id=GUILTY.id, kind="change", claims=[ERRORS, CHANGED])

    causes = merged_beside((lead,), vague)

    assert [(one.cause, one.confidence) for one in causes] == [(lead.cause, "possible"), (vague.cause, "possible")]

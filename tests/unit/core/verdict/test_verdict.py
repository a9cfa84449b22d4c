"""What code lets an investigator claim."""

from datetime import datetime

import pytest

from bot.core.change import Change
from bot.core.evidence import Claim, Findings, Hypothesis, LedgerEntry
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.verdict.verdict import judge
from tests.unit.evidence_builders import ONSET, change, deviation, entry, failed

DEPLOY = change("payments", 2, version="2.3.1")


def evidence(of: Change = DEPLOY) -> list[LedgerEntry]:
    """E1 the deviation, E2 the change, E3 a look that failed, E4 log lines that users can write."""
    symptom = deviation("payments", "errors", 0.0012, 0.4387, unit="ratio").as_fact()
    lines = entry(4, "search_logs", EvidenceFacts(templates=()), source="loki", summary='41 lines "no rule for region"')
    lines = lines.model_copy(update={"evidence": lines.evidence.model_copy(update={"user_controllable": True})})
    return [
        entry(1, "service_health", EvidenceFacts(deviations=(symptom,)), service="payments"),
        entry(2, "recent_changes", EvidenceFacts(changes=(of,)), source="changes", service="payments"),
        failed(3, "search_logs", "connection refused"),
        lines,
    ]


def findings(*claims: tuple[str, str], kind: str = "change", change_id: str = DEPLOY.id) -> Findings:
    made = [Claim(text=text, evidence=ids.split()) for text, ids in claims]
    fields = {
        "cause": "payments is broken",
        "service": "payments",
        "kind": kind,
        "change_id": change_id,
        "confidence": "likely",
    }
    return Findings(hypotheses=[Hypothesis.model_validate({**fields, "claims": made})])


def first(answer: Findings, ledger: list[LedgerEntry], onset: datetime | None = None) -> Hypothesis:
    return judge(answer, ledger, onset=onset).hypotheses[0]


SYMPTOM = ("Errors rose to 0.439 from 12:00 on", "E1")
BEFORE = ("2.3.1 was deployed 2 min before the onset", "E1 E2")


def test_a_change_before_the_onset_of_a_deviating_service_may_be_likely() -> None:
    assert first(findings(SYMPTOM, BEFORE), evidence()).confidence == "likely"


@pytest.mark.parametrize(
    ("text", "cited", "why"),
    [
        ("Errors rose", "E9", "there is no evidence E9"),
        ("Logs show a timeout", "E3", "E3 could not be checked"),
        ("It is DNS", "", "cites no evidence"),
    ],
)
def test_a_claim_without_evidence_is_dropped_with_the_reason(text: str, cited: str, why: str) -> None:
    result = judge(findings(SYMPTOM, (text, cited)), evidence())

    assert [c.text for c in result.hypotheses[0].claims] == [SYMPTOM[0]]
    assert any(why in line for line in result.dropped)


@pytest.mark.parametrize(
    ("text", "cited", "shown", "why"),
    [
        ("Errors rose to 71 %", "E1", "Errors rose to [figure not in evidence]", "71 % does not stand in E1"),
        ("Deployed 2.9.9 before it", "E2", "Deployed [version not in evidence] before it", "2.9.9 does not stand in E2"),
        ("It began at 09:14", "E1", "It began at [time not in evidence]", "09:14 does not stand in E1"),
        ('It says "out of disk"', "E4", "It says [words not in evidence]", "out of disk does not stand in E4"),
        (
            "Deployed 45 min before the onset",
            "E1 E2",
            "Deployed [figure not in evidence] before the onset",
            "45 min does not stand in E1, E2",
        ),
    ],
)
def test_what_the_evidence_does_not_hold_is_struck_and_its_sentence_stays(text: str, cited: str, shown: str, why: str) -> None:
    result = judge(findings(SYMPTOM, (text, cited)), evidence())

    assert [c.text for c in result.hypotheses[0].claims] == [SYMPTOM[0], shown]
    assert any(why in line for line in result.dropped)


def test_a_figure_may_stand_in_the_evidence_of_another_claim_of_the_same_cause() -> None:
    result = judge(findings(("2.3.1 came 2 min before errors rose", "E1"), BEFORE), evidence())

    assert result.hypotheses[0].claims[0].text == "2.3.1 came 2 min before errors rose"


def test_a_claim_keeps_the_evidence_that_there_is_of_what_it_cites() -> None:
    result = judge(findings(("Errors rose to 0.439", "E1 E9 E3")), evidence())

    assert result.hypotheses[0].claims[0].evidence == ["E1"]
    assert [line.partition(",")[0] for line in result.dropped[:2]] == ["there is no evidence E9", "E3 could not be checked"]


@pytest.mark.parametrize(
    "text",
    [
        "Errors are at 43.9 %",
        "44% of requests fail",
        "Errors went from 0.12 % to 0.44",
        "The error ratio grew 366 times",
        "It began at 2026-03-01T12:00:00Z, 12:00 UTC",
        "payments p99 and HTTP errors in AL-1 rose (E1)",
    ],
)
def test_the_obvious_is_not_refused(text: str) -> None:
    assert judge(findings((text, "E1")), evidence()).hypotheses[0].claims, judge(findings((text, "E1")), evidence()).dropped


def test_evidence_of_another_group_supports_nothing() -> None:
    ledger = [e.model_copy(update={"group": "AL-2"}) if e.id == "E2" else e for e in evidence()]

    result = judge(findings(SYMPTOM, BEFORE), ledger, group="AL-1")

    assert any("E2 belongs to another incident" in line for line in result.dropped)
    assert result.hypotheses[0].confidence == "possible"


def test_a_hypothesis_without_a_supported_claim_is_unsupported_and_last() -> None:
    empty = findings(("Errors rose to 71 %", "E1")).hypotheses[0].model_copy(update={"cause": "made up"})
    both = Findings(hypotheses=[empty, *findings(SYMPTOM, BEFORE).hypotheses])

    result = judge(both, evidence())

    assert [(h.cause, h.confidence) for h in result.hypotheses][1] == ("made up", "unsupported")


def test_one_system_alone_is_never_likely() -> None:
    assert first(findings(SYMPTOM, kind="resource", change_id=""), evidence()).confidence == "possible"


def test_what_users_can_write_is_never_likely_alone() -> None:
    ledger = evidence()
    ledger[0] = ledger[0].model_copy(update={"evidence": ledger[0].evidence.model_copy(update={"user_controllable": True})})

    claims = (SYMPTOM, ('41 lines "no rule for region"', "E4"))
    assert first(findings(*claims, kind="resource", change_id=""), ledger).confidence == "possible"


def test_more_requests_before_a_change_are_no_onset_where_the_incident_s_was_measured() -> None:
    requests = deviation("payments", "requests_per_sec", 100, 400, family="traffic", late=-20, doublings=2)
    facts = EvidenceFacts(deviations=(requests.as_fact(),))
    busy = [entry(1, "service_health", facts, service="payments"), evidence()[1]]
    claimed = findings(("payments was changed 2 min before the onset", "E1 E2"))

    answers = (claimed.model_copy(update={"onset": onset, "by": "agent"}) for onset in (ONSET, None))
    judged = [judge(answer, busy).hypotheses[0].confidence for answer in answers]

    assert judged == ["possible", "unlikely"]


def test_a_change_after_the_onset_is_unlikely_whatever_is_claimed() -> None:
    late = change("payments", -3, version="2.3.1")

    result = judge(findings(SYMPTOM, ("2.3.1 was deployed", "E2"), change_id=late.id), evidence(late))

    assert result.hypotheses[0].confidence == "unlikely"
    assert any("came after the onset" in line for line in result.dropped)


def test_the_newest_change_of_a_service_that_does_not_deviate_is_at_most_possible() -> None:
    newest = change("cart", 1, version="5.0.0")
    ledger = evidence(newest)
    accused = findings(SYMPTOM, ("5.0.0 is the newest deploy", "E2"), change_id=newest.id).hypotheses[0]

    judged = first(Findings(hypotheses=[accused.model_copy(update={"service": "cart"})]), ledger, onset=ONSET)

    assert judged.confidence == "possible"


def test_what_could_not_be_looked_at_is_listed() -> None:
    assert judge(Findings(), evidence()).not_checked == ["Could not check (search_logs): connection refused"]


def test_judging_twice_changes_nothing() -> None:
    once = judge(findings(SYMPTOM, BEFORE, ("Errors rose to 71 %", "E1")), evidence())

    assert judge(once, evidence()) == once


@pytest.mark.parametrize(("source", "allowed"), [("incidents", "possible"), ("runbooks", "possible"), ("catalogue", "likely")])
def test_what_was_useful_before_corroborates_nothing_of_now(source: str, allowed: str) -> None:
    ledger = [*evidence(), entry(5, "past_incidents", EvidenceFacts(), source=source, summary="payments failed before")]
    answer = findings(SYMPTOM, ("payments failed before", "E5"), kind="dependency", change_id="")

    assert first(answer, ledger).confidence == allowed


def test_what_a_look_saw_only_in_part_is_listed_with_the_looks_that_failed() -> None:
    whole = entry(1, "recent_changes", EvidenceFacts(changes=()), source="changes")
    partly = whole.model_copy(update={"evidence": whole.evidence.model_copy(update={"unseen": ("Could not check (Argo CD)",)})})

    judged = judge(Findings(), [partly, failed(2, "search_logs", "connection refused")])

    assert judged.not_checked[0] == "Could not check (Argo CD)" and "connection refused" in judged.not_checked[1]


RIVAL = change("cart", 1, version="4.0.0")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cart 4.0.0 was deployed at 11:59", "cart 4.0.0 was deployed at 11:59"),
        ("the deploy of cart at 11:59 came a minute before the onset at 12:00", None),
        ("cart 4.0.0 was deployed at 11:31", "cart 4.0.0 was deployed at [time not in evidence]"),
    ],
)
def test_what_is_ruled_out_may_say_of_a_change_what_its_record_says(text: str, shown: str | None) -> None:
    ledger = [*evidence(), entry(5, "recent_changes", EvidenceFacts(changes=(RIVAL,)), source="changes")]
    health = entry(6, "service_health", EvidenceFacts(deviations=()), summary="cart: 7 signals look normal", service="cart")
    answer = findings(SYMPTOM, BEFORE).model_copy(update={"ruled_out": [Claim(text=text, evidence=["E6"])]})

    assert [claim.text for claim in judge(answer, [*ledger, health]).ruled_out] == [shown or text]

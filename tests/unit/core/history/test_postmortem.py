"""The draft says only what the record carries."""

from typing import Any

import pytest

from bot.core.action import Proposal, ProposalState, Tier
from bot.core.alert import Severity
from bot.core.evidence import Claim, Findings, Hypothesis
from bot.core.history.past_incidents import ConfirmedCause
from bot.core.history.postmortem import PostmortemRecord, draft, graph_marks, is_needed, markdown
from bot.core.timeline import TimelineEntry
from tests.unit.builders import NOW, at, group, incident


def material(**values: object) -> PostmortemRecord:
    cause = Hypothesis(
        cause="deploy 2.4.0 of checkout", confidence="likely", claims=[Claim(text="7 % errors", evidence=["E3"])]
    )
    fields: dict[str, object] = {
        "incident": incident(),
        "group": group(cleared_at=at(15), acknowledged_at=at(2)),
        "timeline": (TimelineEntry(id="T1", at=NOW, kind="group", text="opened"),),
        "findings": Findings(hypotheses=[cause]),
        "onset": at(-1),
        "onset_evidence": "E1",
        "impact": ("checkout errors exceeded 0.02 ratio for 15.0 min", "E9"),
        "evidence": {"E1": "health", "E3": "by version", "E9": "impact"},
    }
    return PostmortemRecord.model_validate({**fields, **values})


def proposal(state: ProposalState, outcome: str, verification: str = "") -> Proposal:
    texts = dict.fromkeys(("action", "action_version", "kind", "service", "dry_run", "policy_version", "requester"), "-")
    moments = dict.fromkeys(("dry_run_at", "expires_at", "created_at"), NOW)
    exact: dict[str, Any] = {
        "arguments": {},
        "targets": {},
        "steps": [],
        "tier": Tier.TWO,
        "plan_fingerprint": "d",
        "revision": 1,
    }
    named = {"ref": "AP-1", "group": "AL-1", "incident": "INC-1", "title": "Roll back checkout", "because": "E3"}
    return Proposal(**texts, **moments, **exact, **named, state=state, outcome=outcome, verification=verification)


def test_every_sentence_names_what_it_stands_on() -> None:
    sentences = [sentence for section in draft(material()) for sentence in section.sentences]

    assert sentences
    assert all(sentence.sources for sentence in sentences)


def test_a_claim_whose_evidence_is_unknown_is_left_out() -> None:
    text = markdown(material(evidence={}), draft(material(evidence={})))

    assert "7 % errors" not in text


def test_the_cause_is_not_confirmed_until_a_person_said_so() -> None:
    open_text = markdown(material(), draft(material()))
    confirmed = material(incident=incident(cause="bad deploy 2.4.0"))

    assert "Not confirmed by a person" in open_text
    assert "Confirmed by a person: bad deploy 2.4.0" in markdown(confirmed, draft(confirmed))


def test_the_cause_names_who_confirmed_it() -> None:
    cause = ConfirmedCause(text="bad deploy 2.4.0", confirmed_by="alice", at=NOW)
    confirmed = material(incident=incident(cause="bad deploy 2.4.0"), cause=cause)

    assert f"Confirmed by alice at {NOW:%H:%M:%S} UTC: bad deploy 2.4.0" in markdown(confirmed, draft(confirmed))


def test_a_draft_names_the_day_of_the_incident_and_of_what_came_on_another() -> None:
    cause = ConfirmedCause(text="bad deploy 2.4.0", confirmed_by="alice", at=at(24 * 60))
    text = markdown(material(cause=cause), draft(material(cause=cause)))

    assert "arrived at 2026-03-01 03:00:00 UTC." in text
    assert "Confirmed by alice at 2026-03-02 03:00:00 UTC: bad deploy 2.4.0" in text


@pytest.mark.parametrize(
    ("state", "verification", "told"),
    [
        (
            ProposalState.SUCCEEDED,
            "recovered: errors: 0 %, within the threshold of 2 %",
            "succeeded (errors: 0 %, within the threshold of 2 %).",
        ),
        (ProposalState.VERIFYING, "", "verifying (Run by hand by alice)."),
    ],
)
def test_an_action_is_one_sentence_of_who_what_came_and_what_was_seen(
    state: ProposalState, verification: str, told: str
) -> None:
    ran = proposal(state, "Run by hand by alice.", verification)

    assert f"- Roll back checkout: done by hand, without an approval; {told} [AP-1]" in markdown(
        material(proposals=(ran,)), draft(material(proposals=(ran,)))
    )


def test_detection_says_how_long_the_first_alert_took() -> None:
    assert "60 s before the first alert arrived" in markdown(material(), draft(material()))


def test_who_acknowledged_before_it_fired_again_is_not_nobody() -> None:
    took = TimelineEntry(id="T7", at=at(3), kind="group", text="Acknowledged by alice", who="alice")
    again = material(group=group(cleared_at=at(15), acknowledged_at=None), timeline=(took,))

    assert "It was acknowledged after 3 min. [T7]" in markdown(again, draft(again))


def test_what_never_ran_is_not_among_the_actions_taken() -> None:
    ended = material(proposals=(proposal(state=ProposalState.EXPIRED, outcome="The incident closed."),))

    assert "No action was executed through Tocsin." in markdown(ended, draft(ended))


def test_resolving_by_hand_is_not_marked_as_cleared() -> None:
    by_hand = material(incident=incident(resolved_at=at(20)), group=group(cleared_at=at(20)))

    assert graph_marks(by_hand) == []
    assert graph_marks(material()) == [(at(15), "alerts cleared")]


def test_a_look_that_failed_is_listed() -> None:
    told = {
        "evidence": {"E1": "no change", "E7": "Could not check (search_logs): no answer within 10 s"},
        "unseen": {
            "E1": ("Could not check (Argo CD): HTTP 403",),
            "E7": ("Could not check (search_logs): no answer within 10 s",),
        },
    }

    text = markdown(material(**told), draft(material(**told)))

    assert "no answer within 10 s [E7]" in text and "Argo CD: HTTP 403 [E1]" in text
    assert "None of the looks" not in text


def test_no_look_that_failed_is_something_else_than_no_look() -> None:
    looked, blind = (markdown(material(evidence=seen), draft(material(evidence=seen))) for seen in ({"E1": "health"}, {}))

    assert "All checks succeeded." in looked
    assert "Nothing was checked." in blind


def test_one_alert_is_told_as_one() -> None:
    one = material(group=group(alerts=1))

    assert "One alert is all that came." in markdown(one, draft(one))


def test_foreign_text_cannot_make_a_new_heading() -> None:
    forged = (TimelineEntry(id="T1", at=NOW, kind="alert", text="x\n## Root cause\n- approved by all"),)

    text = markdown(material(timeline=forged), draft(material(timeline=forged)))

    assert text.count("\n## Root cause") == 1


def test_a_small_incident_without_action_needs_no_draft() -> None:
    small = incident(severity=Severity.SEV3)

    assert not is_needed(small, executed=False, human_minutes=5)
    assert is_needed(small, executed=True, human_minutes=5)
    assert is_needed(small, executed=False, human_minutes=31)
    assert is_needed(incident(), executed=False, human_minutes=0)


def test_the_impact_cites_what_the_graph_of_the_incident_marks() -> None:
    acts = (
        TimelineEntry(id="T2", at=at(5), kind="action", text="AP-1 ran: POST answered 200"),
        TimelineEntry(id="T3", at=at(9), kind="action", text="Recovered after AP-1: errors: 0.1 %"),
    )
    drawn = material(timeline=acts, graph="checkout errors: from 20 % to 0.1 %.")
    impact = next(section for section in draft(drawn) if section.title == "Impact").sentences

    assert graph_marks(drawn) == [(at(5), "AP-1 ran"), (at(9), "Recovered after AP-1"), (at(15), "alerts cleared")]
    assert impact[1].text == "The graph shows checkout errors: from 20 % to 0.1 %."
    assert impact[1].sources == ("E9", "T2", "T3", "AL-1")


def test_what_was_ruled_out_is_no_contributing_factor() -> None:
    cleared = Findings(ruled_out=[Claim(text="deploy v9 of cart came later", evidence=["E1"])])
    sections = {section.title: section for section in draft(material(findings=cleared))}

    assert sections["Contributing factors"].sentences == ()
    assert sections["Other causes considered"].sentences[0].text == "Ruled out: deploy v9 of cart came later"
    assert "Other causes considered" not in {section.title for section in draft(material(findings=None))}


def test_a_first_cause_that_a_person_confirmed_is_not_told_twice() -> None:
    ranked = Hypothesis(cause="v2 broke it", confidence="likely", claims=[Claim(text="errors", evidence=["E1"])])
    said = ConfirmedCause(text="v2 broke it", confirmed_by="bob", at=at(16))
    both = material(findings=Findings(hypotheses=[ranked]), cause=said)

    text = markdown(both, draft(both))

    assert text.count("v2 broke it") == 1 and "It was Tocsin's first cause (likely). [E1]" in text


def test_without_alerts_the_draft_says_who_declared_it_and_since_when() -> None:
    declared = {
        "incident": incident(title="slow since 02:45"),
        "group": group(key="", alerts=0, firing=0),
        "impact": None,
        "onset": None,
    }
    text = markdown(material(**declared), draft(material(**declared)))

    assert "It lasted 35 min, as reported." in text
    assert "A person declared it at 2026-03-01 03:00:00 UTC." in text
    assert "alert arrived" not in text and "grouped" not in text


def test_what_was_resolved_while_alerts_fired_is_not_told_as_over() -> None:
    early = {"group": group(cleared_at=at(15), firing=2), "incident": incident(resolved_at=at(15))}
    text = markdown(material(**early), draft(material(**early)))

    assert "It was resolved by hand after 16 min, from the onset, while 2 alerts fired." in text and "It lasted" not in text


def test_an_onset_in_a_gap_of_the_samples_is_told_with_both_ends_of_the_gap() -> None:
    in_gap = material(onset_not_before=at(-4))

    assert "left its normal range between 02:56:00 and 02:59:00 UTC, at least 60 s before the first" in markdown(
        in_gap, draft(in_gap)
    )


def test_what_was_never_tried_is_not_called_unreadable() -> None:
    text = markdown(material(impact=None), draft(material(impact=None)))

    assert "Impact was not measured." in text
    assert "readable" not in text


def test_alerts_that_joined_a_declared_incident_did_not_report_it() -> None:
    record = material(incident=incident(declared_by="alice"), group=group(alerts=3, firing=0), onset=None)
    text = markdown(record, draft(record))

    assert "A person declared it at 2026-03-01 03:00:00 UTC." in text and "3 alerts were grouped into one." in text
    assert "alert arrived" not in text


def test_a_plan_that_ended_early_is_told_with_where_and_what_did_not_run() -> None:
    part = proposal(ProposalState.PENDING, "")
    text = "Stopped after step 1 of 2: This incident was stopped. Step 2 did not run."
    plan = proposal(ProposalState.STOPPED, text, "recovered: errors 0.1 %")
    ended = material(proposals=(plan.model_copy(update={"parts": [part, part], "steps_begun": 1}),))

    told = f"- Roll back checkout: done by hand, without an approval; stopped ({text.rstrip('.')}). [AP-1]"
    assert told in markdown(ended, draft(ended))


def test_what_each_attempt_of_the_triage_finds_again_is_told_once() -> None:
    texts = ["First cause (best lead): a bad deploy", "First cause (best lead): a bad deploy", "First cause (likely): the pool"]
    entries = [TimelineEntry(id=f"T{n}", at=at(n), kind="triage", text=text) for n, text in enumerate(texts)]
    notes = [TimelineEntry(id=f"T{n}", at=at(n), kind="note", text="still bad", who="bob") for n in (7, 8)]
    unseen = dict.fromkeys(("E1", "E3"), ("Could not check (runbook): no runbooks are configured",))
    again = material(timeline=(*entries, *notes), unseen=unseen)

    text = markdown(again, draft(again))

    assert text.count("a bad deploy") == 1 and text.count("the pool") == 1 and text.count("still bad") == 2
    assert text.count("no runbooks are configured") == 1 and "no runbooks are configured [E1, E3]" in text

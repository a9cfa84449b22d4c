"""The draft says only what the record carries."""

from bot.core.alert import Severity
from bot.core.evidence import Claim, Findings, Hypothesis
from bot.core.postmortem import Material, abstract, draft, markdown, needed
from bot.core.timeline import TimelineEntry
from tests.unit.builders import NOW, at, group, incident


def material(**values: object) -> Material:
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
        "impact": ("checkout errors was above 0.02 ratio for 15.0 min", "E9"),
        "evidence": {"E1": "health", "E3": "by version", "E9": "impact"},
    }
    return Material.model_validate({**fields, **values})


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


def test_detection_says_how_long_the_first_alert_took() -> None:
    assert "60 s before the first alert arrived" in markdown(material(), draft(material()))


def test_without_a_readable_signal_the_impact_is_not_zero_but_unmeasured() -> None:
    text = markdown(material(impact=None), draft(material(impact=None)))

    assert "Impact could not be measured" in text


def test_a_look_that_failed_is_listed() -> None:
    blind = {"E1": "health", "E7": "Could not look (search_logs): no answer within 10 s"}

    text = markdown(material(evidence=blind), draft(material(evidence=blind)))

    assert "no answer within 10 s [E7]" in text
    assert "Every check that was made could be made" not in text


def test_the_abstract_has_at_most_five_lines() -> None:
    assert 3 <= len(abstract(draft(material()))) <= 5


def test_foreign_text_cannot_make_a_new_heading() -> None:
    forged = (TimelineEntry(id="T1", at=NOW, kind="alert", text="x\n## Root cause\n- approved by all"),)

    text = markdown(material(timeline=forged), draft(material(timeline=forged)))

    assert text.count("\n## Root cause") == 1


def test_a_small_incident_without_action_needs_no_draft() -> None:
    small = incident(severity=Severity.SEV3)

    assert not needed(small, executed=False, human_minutes=5)
    assert needed(small, executed=True, human_minutes=5)
    assert needed(small, executed=False, human_minutes=31)
    assert needed(incident(), executed=False, human_minutes=0)

"""Right and wrong answers over every fault of the sandbox: what is kept of each, alone and beside the analyst's."""

from collections.abc import Callable, Mapping

import pytest

from bot.core.evidence import Claim, Findings, Hypothesis
from bot.core.redaction.prompt_leak import PromptLeak
from bot.core.verdict.merging import merge, same_cause, views_text
from bot.core.verdict.verdict import judge
from prompts import prompt
from tests.answers import false_answers, false_wordings, true_answers
from tests.answers.reading import Reading, cause, claim
from tests.answers.recorded import investigated
from tests.answers.scoring import (
    WANTED,
    WRITTEN,
    Answered,
    false_corpus,
    false_sentences_corpus,
    judged,
    true_corpus,
    true_wordings_corpus,
    written_corpus,
    wrong_causes_corpus,
)
from tests.answers.true_answers import answered

WRITE: Mapping[str, Callable[[Reading], Findings]] = {
    "right": true_answers.exact,
    "differently worded": true_answers.in_factors,
    "vague": false_answers.vague,
    "wrong but plausible": false_answers.innocent_deploy,
    "wrong kind": false_answers.wrong_kind,
    "nonsense": false_answers.nonsense,
    "hostile": false_answers.hostile,
    "invented": false_answers.invented,
}
FAULTS = [name for name in sorted(investigated()) if name.endswith("/1")]


def reading(name: str) -> Reading:
    return Reading(name, investigated()[name])


def sure(of: Reading) -> Findings:
    """The analyst's answer with the true cause called likely, however sure it is by its own."""
    right = true_answers.exact(of).hypotheses[0]
    found = next((h for h in of.of.findings.hypotheses if same_cause(h, right)), None)
    assert found is not None, f"{of.name}: the analyst does not name the cause"
    others = [h for h in of.of.findings.hypotheses if h is not found]
    first = found.model_copy(update={"confidence": "likely"})
    lower = [h.model_copy(update={"confidence": "possible"}) if h.confidence == "likely" else h for h in others]
    return of.of.findings.model_copy(update={"hypotheses": [first, *lower]})


def misled(of: Reading) -> Findings:
    """An analyst that calls the innocent deploy likely."""
    wrong = false_answers.innocent_deploy(of).hypotheses[0]
    return of.of.findings.model_copy(update={"hypotheses": [wrong]})


def merged(of: Reading, by_agent: Findings, by_analyst: Findings) -> Findings:
    one = of.of
    return merge(by_agent, by_analyst, one.case, one.ledger, now=one.now, services=one.services)


def is_right(hypothesis: Hypothesis, of: Reading) -> bool:
    return same_cause(hypothesis, true_answers.exact(of).hypotheses[0])


def test_right_answers_are_kept_whole_and_no_wrong_one_is_called_likely() -> None:
    right, wrong = judged(true_corpus()), judged(false_corpus())

    assert len(right) == len(wrong) == WANTED
    assert sum(one.whole for one in right) >= 0.95 * WANTED, [(one.answered.name, one.alone.dropped) for one in right]
    assert [one.answered.name for one in wrong if one.likely or one.shown_likely] == []


def test_further_wordings_are_kept_whole_where_they_are_right_and_never_likely_where_the_cause_is_wrong() -> None:
    right, wrong = judged(true_wordings_corpus()), judged(wrong_causes_corpus())

    assert len(right) == 40 and sum(one.whole for one in right) >= 0.95 * len(right), [one.changed for one in right]
    assert [one.answered.name for one in wrong if one.likely or one.shown_likely] == []


def test_answers_in_the_words_of_several_writers_are_kept_whole_where_they_are_right_and_never_likely_where_wrong() -> None:
    right, wrong = (judged(written_corpus([WRITTEN], right=right)) for right in (True, False))

    assert len(right) == 40 and [(one.answered.name, one.alone.dropped) for one in right if not one.whole] == []
    assert len(wrong) == 40 and [one.answered.name for one in wrong if one.likely or one.shown_likely] == []


def test_an_innocent_deploy_is_called_likely_of_no_fault() -> None:
    answers = [
        Answered(name, one, write(Reading(name, one)))
        for name, one in investigated().items()
        for write in (false_answers.innocent_deploy, false_wordings.innocent_deploy_with_all_true_figures)
    ]

    assert [one.answered.name for one in judged(answers) if one.likely or one.shown_likely] == []


def test_a_sentence_that_is_false_does_not_stand_as_it_was_written() -> None:
    factors = [Answered(name, one, false_wordings.wrong_factor(Reading(name, one))) for name, one in investigated().items()]
    answers = judged([*false_sentences_corpus(), *factors])
    firsts = [(one, one.answered.answer.hypotheses[0].claims[0].text) for one in answers]

    assert [(one.answered.name, text) for one, text in firsts if text not in one.changed] == []


@pytest.mark.parametrize("quality", WRITE)
@pytest.mark.parametrize("name", FAULTS)
def test_a_right_likely_cause_of_the_analyst_is_never_lost(name: str, quality: str) -> None:
    of = reading(name)

    findings = merged(of, WRITE[quality](of), sure(of))

    first = findings.hypotheses[0]
    assert first.confidence == "likely" and is_right(first, of), (first.cause, findings.dropped)
    assert [h.cause for h in findings.hypotheses[1:] if h.confidence == "likely"] == []
    assert judge(findings, of.of.ledger) == findings


@pytest.mark.parametrize("quality", ["right", "differently worded"])
@pytest.mark.parametrize("name", FAULTS)
def test_a_right_answer_is_joined_with_the_analyst_s_in_the_model_s_wording_on_both_evidences(name: str, quality: str) -> None:
    of = reading(name)
    answer, analyst = WRITE[quality](of), sure(of)

    first = merged(of, answer, analyst).hypotheses[0]

    cited = {id for one in first.claims for id in one.evidence}
    own = {id for one in answer.hypotheses[0].claims for id in one.evidence}
    assert (first.named_by, first.cause) == ("both", answer.hypotheses[0].cause)
    assert own & cited and {one.text for one in first.claims} & {one.text for one in analyst.hypotheses[0].claims}


@pytest.mark.parametrize("name", FAULTS)
def test_a_wrong_likely_cause_of_the_analyst_is_overturned_by_evidence(name: str) -> None:
    of = reading(name)

    findings = merged(of, true_answers.exact(of), misled(of))

    first = findings.hypotheses[0]
    assert first.confidence == "likely" and is_right(first, of) and first.named_by == "agent"
    assert findings.hypotheses[1].named_by == "analyst" and findings.hypotheses[1].confidence == "possible"
    assert views_text(findings).startswith("They disagree: the AI model names this cause first")


def test_a_service_or_change_that_nobody_knows_is_refused_with_a_note() -> None:
    of = reading("bad-deploy/1")
    row = claim("it fails", of.health(of.root))
    unknown_service = answered(cause("billing-gateway fails", "billing-gateway", "dependency", row))

    for answer, named in ((unknown_service, "billing-gateway"), (false_answers.invented(of), "pipeline:chg-00000000")):
        findings = merged(of, answer, of.of.findings)

        assert named in findings.note and "refused" in findings.note
        assert all(h.named_by != "agent" for h in findings.hypotheses) and is_right(findings.hypotheses[0], of)


def test_a_change_is_known_by_its_version_title_or_short_id() -> None:
    of = reading("bad-deploy/1")
    change = of.change
    assert change is not None
    row = claim(f"{of.root} fails", of.health(of.root))
    for id, text in (
        (change.version, "it broke"),
        (f"deploy {change.version}", "it broke"),
        (change.id.partition(":")[2], "it broke"),
        ("", f"the new release of {of.root}"),
        ("", f"{of.root} v{change.version}"),
        ("", f'"{change.title}"'),
    ):
        answer = answered(cause(text, f"{of.root}-service", "change", row, change_id=id))

        first = judge(answer, of.of.ledger).hypotheses[0]

        assert (first.service, first.change_id, first.confidence) == (of.root, change.id, "likely"), (id, text)


def test_a_figure_that_is_wrong_is_struck_and_takes_neither_its_sentence_nor_the_confidence_along() -> None:
    for name in FAULTS:
        of = reading(name)
        answer = true_answers.exact(of)
        wrong = Claim(text="and 7,654,321 requests were lost in 17 days", evidence=[of.health(of.root)])
        first = answer.hypotheses[0]
        answer = answered(first.model_copy(update={"claims": [*first.claims, wrong]}))

        judged_first = judge(answer, of.of.ledger).hypotheses[0]

        assert judged_first.confidence == "likely"
        struck = "and [figure not in evidence] requests were lost in [figure not in evidence]"
        assert judged_first.claims[-1].text == struck and len(judged_first.claims) == len(first.claims) + 1


def test_the_words_of_a_cause_make_nothing_likely_and_nothing_less_so() -> None:
    of = reading("slow-dependency/1")
    right = true_answers.exact(of).hypotheses[0]
    for text in ("something odd happened", "gremlins", "an N+1 query in the quote path", f"{of.root}"):
        worded = answered(right.model_copy(update={"cause": text}))

        assert judge(worded, of.of.ledger).hypotheses[0].confidence == "likely", text


def test_a_sentence_about_another_resource_is_no_wording_of_the_analyst_s_cause() -> None:
    of = reading("pool-exhaustion/1")
    answer = true_answers.exact(of).hypotheses[0].model_copy(update={"cause": f"{of.root} ran out of memory"})

    findings = merged(of, answered(answer), sure(of))

    assert (findings.hypotheses[0].named_by, findings.hypotheses[0].confidence) == ("analyst", "likely")
    assert [(h.cause, h.confidence) for h in findings.hypotheses if h.named_by == "agent"] == [(answer.cause, "possible")]


def test_words_of_unknown_kind_never_stand_for_a_cause_of_the_analyst() -> None:
    of = reading("memory-leak/1")
    row = claim(f"{of.root} fails", of.health(of.root))
    sure_of_itself = of.of.findings.hypotheses[0].model_copy(
        update={"kind": "unknown", "confidence": "likely", "change_id": ""}
    )
    analyst = of.of.findings.model_copy(update={"hypotheses": [sure_of_itself]})

    findings = merged(of, answered(cause("buy now", of.root, "unknown", row)), analyst)

    assert findings.hypotheses[0].cause == sure_of_itself.cause


@pytest.mark.parametrize(
    "text",
    [
        "its version alone carries the failure",
        "the connections were out of range before errors and latency rose",
        "every dependency was checked and none explains it",
        "calls to the provider fail, and not only later",
        "it is the only change in the ten minutes before the onset",
        "nothing else on this service explains it better",
    ],
)
def test_the_rules_of_the_prompt_leave_what_answers_say_alone(text: str) -> None:
    rules = PromptLeak([prompt("triage").render(steps="", calls="", seconds="", services=[], services_tool="")])

    assert rules.without(text) == text

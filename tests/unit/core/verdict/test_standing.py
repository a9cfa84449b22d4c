"""What a possible cause is beside the others: the best lead, or one of several."""

from bot.core.evidence import Findings, Hypothesis, Lead
from bot.core.verdict.verdict import by_confidence


def standings(*likelihoods: float, probability: float = 0.8) -> list[str]:
    causes = [Hypothesis(cause=f"cause {n}", likelihood=likelihood) for n, likelihood in enumerate(likelihoods)]
    lead = Lead(basis="measured", distance=0.2, probability=probability)
    return [h.confidence_text for h in by_confidence(Findings(hypotheses=causes, lead=lead)).hypotheses]


def test_a_cause_that_lies_clearly_ahead_is_the_best_lead() -> None:
    assert standings(0.6, 0.2) == ["best lead", "one of several"]


def test_causes_that_lie_close_together_are_each_one_of_several() -> None:
    assert standings(0.3, 0.28) == ["one of several", "one of several"]


def test_a_lead_that_is_wrong_more_often_than_right_is_one_of_several() -> None:
    assert standings(0.6, 0.2, probability=0.3)[0] == "one of several"


def test_the_only_possible_cause_is_the_best_lead() -> None:
    assert standings(0.2) == ["best lead"]


def test_other_confidences_keep_their_words_and_so_do_stored_rows() -> None:
    likely = Hypothesis(cause="a", confidence="likely")
    stored = Hypothesis.model_validate({"cause": "b", "confidence": "possible", "score": 0.4})

    assert [h.confidence_text for h in by_confidence(Findings(hypotheses=[likely])).hypotheses] == ["likely"]
    assert stored.confidence_text == "possible"


def test_a_cause_that_no_evidence_carries_is_said_to_be_so_in_words() -> None:
    assert Hypothesis(cause="a", confidence="unsupported").confidence_text == "not shown by evidence"

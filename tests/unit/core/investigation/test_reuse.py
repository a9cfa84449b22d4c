"""When a model is not asked once more: it answered alike, or was asked about this outage and nothing is first that was not."""

from bot.core.evidence import Findings, Hypothesis
from bot.core.investigation.reuse import answered_before, of_model


def findings(*services: str, model: str = "") -> Findings:
    causes = [
        Hypothesis(cause=f"{name} ran out of memory", kind="resource", service=name, confidence="possible") for name in services
    ]
    return Findings(hypotheses=causes, model=model, stop_reason="answered" if model else "")


def test_a_model_was_answered_before_where_the_same_cause_is_first_as_then() -> None:
    earlier = findings("cart", "stock", model="m1")

    assert answered_before(earlier, findings("cart"))
    assert not answered_before(earlier, findings("stock")) and not answered_before(earlier, findings())
    assert not answered_before(findings("cart"), findings("cart"))


def test_a_model_that_did_not_answer_was_not_asked() -> None:
    down = findings("cart", model="m1").model_copy(update={"stop_reason": "503"})

    assert not answered_before(down, findings("cart"))


def test_what_the_model_had_no_part_in_is_not_its_answer() -> None:
    earlier = findings("cart", "stock", model="m1")
    for cause, who in zip(earlier.hypotheses, ("analyst", "both"), strict=True):
        cause.named_by = who  # type: ignore[assignment]

    assert [cause.service for cause in of_model(earlier).hypotheses] == ["stock"]


def test_a_cause_of_no_kind_is_the_same_where_the_analyst_named_it_both_times_and_not_where_the_model_did() -> None:
    unknown = Hypothesis(cause="cart itself fails", kind="unknown", service="cart", confidence="possible")
    now = Findings(hypotheses=[unknown])
    then, by_model = (
        now.model_copy(
            update={
                "hypotheses": [unknown.model_copy(update={"named_by": who})],
                "model": "m1",
                "stop_reason": "answered",
            }
        )
        for who in ("", "agent")
    )

    assert answered_before(then, now) and not answered_before(by_model, now)

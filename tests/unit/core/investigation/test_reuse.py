"""When a model is not asked once more: it answered alike, or was asked about this outage and nothing is first that was not."""

from bot.core.evidence import Findings, Hypothesis
from bot.core.investigation.reuse import asked_before, stands


def findings(*services: str, model: str = "") -> Findings:
    causes = [
        Hypothesis(cause=f"{name} ran out of memory", kind="resource", service=name, confidence="possible") for name in services
    ]
    return Findings(hypotheses=causes, model=model)


def test_a_model_was_asked_before_where_the_same_cause_is_first_as_then() -> None:
    earlier = findings("cart", "stock", model="m1")

    assert asked_before(earlier, findings("cart"))
    assert not asked_before(earlier, findings("stock")) and not asked_before(earlier, findings())
    assert not asked_before(findings("cart"), findings("cart"))


def test_what_a_model_answered_stands_only_while_nothing_can_be_measured() -> None:
    earlier = findings("cart", model="m1")

    assert stands(earlier, findings(), blind=True)
    assert not stands(earlier, findings(), blind=False)
    assert not stands(earlier, findings("stock"), blind=True) and not stands(findings("cart"), findings(), blind=True)


def test_a_cause_of_no_kind_is_the_same_where_the_analyst_named_it_both_times_and_not_where_the_model_did() -> None:
    unknown = Hypothesis(cause="cart itself fails", kind="unknown", service="cart", confidence="possible")
    now = Findings(hypotheses=[unknown])
    then, by_model = (Findings(hypotheses=[unknown.model_copy(update={"named_by": who})], model="m1") for who in ("", "agent"))

    assert asked_before(then, now) and not asked_before(by_model, now)

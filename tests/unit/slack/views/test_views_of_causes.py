"""Two answers in one message: people read who names what."""

from bot.core.evidence import NamedBy
from tests.messages.words import text_of
from tests.unit.slack.contents import findings, hypothesis, rendered_details, rendered_triage


def shown(*named_by: NamedBy, service: str = "payments") -> str:
    causes = [
        hypothesis(f"cause {n}", named_by=by, service="checkout" if n == 1 else service) for n, by in enumerate(named_by, 1)
    ]
    _, blocks = rendered_details(findings=findings(*causes, by="agent", model="gpt-5.1"))
    return text_of(blocks)


def test_where_both_agree_the_message_says_so() -> None:
    assert "The AI model and the built-in analyst agree on this cause." in shown("both", "agent")


def test_where_they_disagree_both_are_named_with_their_causes() -> None:
    text = shown("agent", "agent", "analyst")

    assert "They disagree: the AI model names this cause first, the built-in analyst names cause 3 (likely)." in text
    assert "*3. Likely, by the built-in analyst:* cause 3" in text


def test_that_they_disagree_stands_in_the_message_itself() -> None:
    _, blocks = rendered_triage(findings=findings(hypothesis(named_by="agent"), hypothesis(named_by="analyst"), by="agent"))

    assert "*Against:* the built-in analyst names another cause" in text_of(blocks)


def test_two_causes_on_one_service_are_said_to_be_on_one() -> None:
    assert "the AI model names cause 2 on the same service" in shown("analyst", "agent", service="checkout")


def test_without_a_model_nobody_is_named() -> None:
    assert "agree" not in shown("") and "analyst" not in shown("")

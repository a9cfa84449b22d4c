"""The bot's instructions do not come out of the model again."""

from bot.core.redaction.prompt_leak import WITHHELD, PromptLeak

RULES = "You look with read-only tools and rank root causes. People decide and act; you cannot change anything."


def test_a_sentence_of_the_instructions_is_withheld_and_the_rest_stays() -> None:
    said = "The cause: you look with READ-ONLY tools, and rank root causes! Errors rose to 30 %."

    assert PromptLeak([RULES]).without(said) == f"The cause: {WITHHELD}! Errors rose to 30 %."


def test_words_that_a_finding_shares_with_the_instructions_stay() -> None:
    said = "People decide and act on checkout; root causes were ranked with tools."

    assert PromptLeak([RULES]).without(said) == said


def test_every_text_of_an_answer_is_looked_at() -> None:
    answer = {"hypotheses": [{"cause": RULES, "score": 0.5, "claims": [{"text": "errors rose", "evidence": ["E1"]}]}]}

    kept = PromptLeak([RULES]).without_all(answer)

    assert kept == {
        "hypotheses": [{"cause": f"{WITHHELD}.", "score": 0.5, "claims": [{"text": "errors rose", "evidence": ["E1"]}]}]
    }

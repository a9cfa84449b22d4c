"""What a private answer shows of a verb's text."""

from typing import Any

from bot.plugins import Reply
from bot.slack.answers import Answers
from tests.messages.words import text_of

SLACK: Any = None
"""Nothing is sent here."""


def test_a_long_answer_is_whole_in_a_dialog() -> None:
    text = "\n".join(f"service-{n}, restart: approve; no runs yet." for n in range(150))

    shown = text_of(Answers(SLACK).rendered(Reply(text, dialog=True))[1])

    assert "service-149, restart" in shown and "more line" not in shown

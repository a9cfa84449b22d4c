"""The demo's transcript is read in a terminal, where Slack's markup is noise."""

import pytest

from bot.console.terminal.plain import plain


@pytest.mark.parametrize(
    ("markup", "words"),
    [
        ("*Onset:* <!date^1795628260^{time_secs}|2026-11-25 17:37:40 UTC> · 2 * 3", "Onset: 2026-11-25 17:37:40 UTC · 2 * 3"),
        ("<http://127.0.0.1:1/graph?g0.expr=up%7B%7D|E4 health> · E3", "E4 health · E3"),
        ("<@U1> and <@U9>", "@alice and @U9"),
        ("```\nPOST x\n```", "POST x\n"),
        ("digest `7b5c` and `&lt;∗&gt; a &amp; b`", "digest 7b5c and <∗> a & b"),
    ],
)
def test_markup_becomes_words(markup: str, words: str) -> None:
    assert plain(markup, {"U1": "alice"}) == words

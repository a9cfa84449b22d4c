"""Which mentions would really notify somebody."""

import pytest

from bot.sandbox.workspace.mentions import of_message


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("<!here> look", ["here"]),
        ("*<!here>*", ["here"]),
        ("<@U1|alice> and <!subteam^S1|@oncall> and <@U1>", ["U1", "S1"]),
        ("`<!channel>` and ```\n<@U1>\n```", []),
        ("&lt;!channel&gt; @channel", []),
    ],
)
def test_mrkdwn_notifies_outside_code_only(text: str, found: list[str]) -> None:
    assert of_message(text, []) == found


def test_plain_text_and_rich_text_words_notify_nobody() -> None:
    words = {"type": "rich_text_section", "elements": [{"type": "text", "text": "<!channel>"}]}
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": "<!here>"}},
        {"type": "rich_text", "elements": [words]},
        {"type": "table", "rows": [[{"type": "raw_text", "text": "<@U1>"}]]},
    ]

    assert of_message("", blocks) == []


def test_rich_text_mentions_and_fields_notify() -> None:
    pieces = [{"type": "user", "user_id": "U1"}, {"type": "broadcast", "range": "here"}]
    blocks = [
        {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": pieces}]},
        {"type": "section", "fields": [{"type": "mrkdwn", "text": "on call: <@U2>"}]},
    ]

    assert of_message("", blocks) == ["U1", "here", "U2"]


def test_link_names_makes_bare_words_notify() -> None:
    assert of_message("@here please", [], link_names=True) == ["here"]

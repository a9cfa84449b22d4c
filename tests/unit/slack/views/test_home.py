"""The home tab as blocks."""

import json

from bot.core.messages.replies import HomeReply, ListRow
from bot.slack.blocks import check_blocks
from bot.slack.views.home import home_view, render
from tests.unit.builders import NOW
from tests.unit.slack.contents import proposal_content


def row(number: int, title: str = "High errors", state: str = "FIRING") -> ListRow:
    return ListRow(ref=f"AL-{number}", title=title, service="checkout", severity="SEV2", state=state, opened_at=NOW)


def buttons(blocks: list[dict[str, object]]) -> list[str]:
    return [element["action_id"] for block in blocks if block["type"] == "actions" for element in block["elements"]]  # type: ignore[attr-defined]


def test_only_the_tab_itself_has_buttons_to_approve() -> None:
    content = HomeReply(waiting=[proposal_content().proposal], slash="/incident")

    assert buttons(home_view(content)["blocks"])[:3] == ["approve", "deny", "show"]
    assert buttons(render(content)[1])[:1] == ["show"]


def test_what_is_acknowledged_has_no_button_to_acknowledge() -> None:
    content = HomeReply(rows=[row(1), row(2, state="ACKNOWLEDGED")], slash="/incident")

    assert buttons(render(content)[1])[:3] == ["show", "ack", "show"]


def test_it_keeps_slack_s_limits_and_parses_nobody_s_text() -> None:
    waiting = [proposal_content({"title": "<!channel> " + "x" * 400}).proposal] * 30
    content = HomeReply(waiting=waiting, rows=[row(n, "<!here> *bold*") for n in range(10)], more=True, slash="/incident")

    text, blocks = render(content, decidable=True)

    assert check_blocks(blocks) == [] and text == "Waiting for you: 30"
    shown = json.dumps(blocks)
    assert "<!channel" not in shown and "<!here" not in shown and "20 more proposals" in shown


def test_a_rota_that_cannot_be_read_is_no_absence_from_it() -> None:
    _, both = render(HomeReply(on_call=["cart"], unread=["shop"], slash="/incident"))
    _, alone = render(HomeReply(unread=["shop"], slash="/incident"))

    assert "On call now for cart. Whether you are on call for shop is not known: the rota cannot be read" in str(both)
    assert "Whether you are on call for shop is not known" in str(alone) and "not on call now" not in str(alone)

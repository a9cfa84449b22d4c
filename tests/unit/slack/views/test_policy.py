"""The card of a policy that gives more says what gets wider, who may agree and until when."""

from datetime import timedelta
from typing import Any

from bot.core.approvals.policies.policy_review import PolicyState
from bot.core.messages.proposals import PolicyContent
from bot.slack.blocks import Block, check_blocks
from bot.slack.views.policy import render
from tests.unit.builders import NOW


def card(**values: Any) -> tuple[str, list[Block]]:
    fields: dict[str, Any] = {
        "ref": "POL-2", "state": PolicyState.WAITING, "gains": ["mallory becomes a deputy"], "loaded_by": "tocsin",
        "until": NOW + timedelta(days=1), "who_may": "alice or bob can confirm it.",
    }  # fmt: skip
    return render(PolicyContent(**{**fields, **values}))


def buttons(blocks: list[Block]) -> list[object]:
    return [element["action_id"] for block in blocks if block["type"] == "actions" for element in block["elements"]]  # type: ignore[attr-defined]


def test_a_policy_that_waits_says_what_gets_wider_and_who_may_agree() -> None:
    fallback, blocks = card()

    assert fallback == "POLICY WAITS FOR A SECOND PERSON: rights would get wider (POL-2)"
    assert "• mallory becomes a deputy" in str(blocks) and "alice or bob can confirm it." in str(blocks)
    assert "the rights stay as they were" in str(blocks)
    assert buttons(blocks) == ["policy_confirm", "policy_reject"] and not check_blocks(blocks)


def test_the_first_of_two_who_agrees_stands_on_the_card() -> None:
    _, blocks = card(agreed=("alice",))

    assert "alice agreed" in str(blocks) and buttons(blocks) == ["policy_confirm", "policy_reject"]


def test_what_was_decided_has_no_buttons_and_says_by_whom() -> None:
    _, blocks = card(state=PolicyState.IN_FORCE, decided_by="alice", decided_at=NOW)

    assert (
        buttons(blocks) == [] and "confirmed by alice" in str(blocks) and "POLICY IN FORCE: rights are wider now" in str(blocks)
    )


def test_a_long_list_is_cut_and_says_how_much_is_missing() -> None:
    _, blocks = card(gains=[f"person{n} becomes a deputy" for n in range(40)])

    assert "and 28 more changes: tocsin policy diff lists all" in str(blocks) and not check_blocks(blocks)


def test_names_of_others_are_letters_in_the_card() -> None:
    _, blocks = card(gains=["<!channel> becomes an *admin*"], loaded_by="<@U1>")

    assert "&lt;@U1&gt;" in str(blocks)
    assert {"type": "text", "text": "• ‹!channel› becomes an *admin*"} in blocks[1]["elements"][0]["elements"]  # type: ignore[index]

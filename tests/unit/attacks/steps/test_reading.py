"""What the player of approval steps refuses to read, and how it understands the rest."""

import json
from typing import Any
from urllib.parse import parse_qs

import pytest

from tests.attacks.steps.acts import _flipped, _patched
from tests.attacks.steps.cast import merged
from tests.attacks.steps.checks import fits
from tests.attacks.steps.items import Unplayable, grouped, item_of
from tests.attacks.steps.names import button, of_kind, sql_of_kind, states
from tests.attacks.steps.workspace import Delivery


def item(**changes: Any) -> dict[str, Any]:
    step = {"actor": "bot", "act": "propose", "args": {"entry": "restart"}, "as": "P1"}
    checks = [{"calls": {"P1": 0}}]
    plain = {"id": "one", "of": "x", "technique": "t", "about": "a", "steps": [step], "expect": checks}
    return {**plain, "twin": [step], "twin_expect": checks, **changes}


@pytest.mark.parametrize("extra", [{"hint": 1}, {"steps": [{"actor": "bot", "act": "propose", "args": {}, "when": 1}]}])
def test_a_key_that_the_form_does_not_have_is_an_error(extra: dict[str, Any]) -> None:
    with pytest.raises(Unplayable, match="unknown"):
        item_of(item(**extra))


def test_neighbours_of_one_group_are_played_together_and_the_order_stays() -> None:
    def step(label: str, group: str = "") -> dict[str, Any]:
        return {"actor": "owner", "act": "slash", "args": {"text": label}, "as": label, **({"with": group} if group else {})}

    steps = item_of(item(steps=[step("D1"), step("D2", "g"), step("D3", "g"), step("D4", "h"), step("D5")])).steps

    assert [[one.label for one in group] for group in grouped(steps)] == [["D1"], ["D2", "D3"], ["D4"], ["D5"]]


def test_collective_states_stand_for_the_products_own() -> None:
    assert states("waits") == {"pending", "partly approved"}
    assert states(["succeeded", "not run"]) >= {"succeeded", "stale", "refused"}


@pytest.mark.parametrize("unknown", [lambda: states("gone"), lambda: button("push"), lambda: of_kind("noise", "")])
def test_a_word_that_nobody_knows_is_an_error(unknown: Any) -> None:
    with pytest.raises(ValueError, match="unknown"):
        unknown()


def test_kinds_of_audit_rows_are_found_by_what_they_begin_with() -> None:
    assert of_kind("refused", "refused: approve") and of_kind("edge", "proposal") and not of_kind("approve", "refused: approve")
    assert sql_of_kind("alarm") == "alarm%" and sql_of_kind("edge") == "proposal"


def test_a_count_is_a_number_or_has_limits() -> None:
    assert fits(2, 2) and fits(2, {"min": 1}) and fits(2, {"min": 1, "max": 2}) and not fits(2, {"max": 1})
    with pytest.raises(Unplayable):
        fits(1, {"about": 1})


def test_a_merge_patch_removes_with_null_and_replaces_lists() -> None:
    assert merged({"a": {"b": 1, "c": 2}, "d": [1]}, {"a": {"b": None}, "d": [2]}) == {"a": {"c": 2}, "d": [2]}


def test_a_patch_lies_over_the_payload_of_a_press_and_over_the_fields_of_a_command() -> None:
    press = Delivery(kind="interactive", payload={"user": {"id": "U1"}, "team": {"id": "T1"}})
    slash = Delivery(kind="slash_commands", body=b"text=stop&user_id=U1&response_url=")

    patched = json.loads(parse_qs(_patched(press, {"user": {"id": "U2"}}).decode())["payload"][0])
    fields = parse_qs(_patched(slash, {"user_id": "U2"}).decode(), keep_blank_values=True)

    assert patched == {"user": {"id": "U2"}, "team": {"id": "T1"}}
    assert fields == {"text": ["stop"], "user_id": ["U2"], "response_url": [""]}


def test_one_flipped_byte_is_another_body_of_the_same_length() -> None:
    assert _flipped(b"x=approve&y") != b"x=approve&y" and len(_flipped(b"x=approve&y")) == 11

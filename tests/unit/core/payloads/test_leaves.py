"""Every form in which senders write names and values becomes a leaf with its path."""

import json

import pytest

from bot.core.payloads.leaves import MAX_LEAVES, leaves_of, words_of


def values(document: object) -> dict[str, object]:
    return {leaf.dotted_path: leaf.value for leaf in leaves_of(document)}


@pytest.mark.parametrize("name", ["newStateValue", "new_state_value", "New State Value", "new-state.values", "NEWStateValue"])
def test_words_are_the_same_however_they_are_written(name: str) -> None:
    assert words_of(name) == ("new", "state", "value")


def test_a_string_that_holds_json_is_opened() -> None:
    assert values({"Message": json.dumps({"AlarmName": "Errors"})}) == {"Message.AlarmName": "Errors"}


@pytest.mark.parametrize(
    "tags",
    ["team:shop, env:prod", [["team", "shop"], ["env", "prod"]], ["team:shop", "env:prod"],
     [{"key": "team", "value": "shop"}, {"key": "env", "value": "prod"}], {"team": "shop", "env": "prod"},
     [{"Name": "team", "Value": "shop"}, {"Name": "env", "Value": "prod"}],
     [{"tag_id": 1, "monitor_id": 7, "value": value, "name": name, "color": "#059669"}
      for name, value in (("team", "shop"), ("env", "prod"))]],
)  # fmt: skip
def test_labels_are_read_from_rows_pairs_texts_and_objects(tags: object) -> None:
    labels = {leaf.name: leaf.value for leaf in leaves_of({"tags": tags}) if leaf.label}

    assert labels == {"team": "shop", "env": "prod"}


@pytest.mark.parametrize("wrapped", [{"type": "string", "value": "high"}, {"stringValue": "high"}, {"S": "high"}, "high"])
def test_a_wrapper_that_tells_the_type_is_taken_off(wrapped: object) -> None:
    (leaf,) = leaves_of({"severity": wrapped})

    assert (leaf.words, leaf.value) == (("severity",), "high")


def test_a_document_of_any_size_and_depth_gives_few_leaves() -> None:
    deep: object = "x"
    for _ in range(500):
        deep = {"a": deep}

    assert leaves_of(deep) == []
    assert len(leaves_of({str(number): number for number in range(100_000)})) == MAX_LEAVES
    assert values("[" * 60_000) == {"": "[" * 60_000}

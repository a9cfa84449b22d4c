"""Words that set the least tier, and the many ways to write none."""

import pytest

from bot.core.action import Tier
from bot.core.config.verbs import least_tier_of, names_scaling_to_nothing, scales_to_nothing, telling_names


@pytest.mark.parametrize("name", ["delete_volume", "deleteVolume", "Drop-Table", "purge", "cache.wipe", "db/truncate"])
def test_what_destroys_needs_two_people(name: str) -> None:
    assert least_tier_of(name) is Tier.THREE


@pytest.mark.parametrize("name", ["drain", "drain_pair", "cordon-node", "scale_down", "shut_down_workers", "flushCache"])
def test_what_interrupts_is_no_small_thing(name: str) -> None:
    assert least_tier_of(name) is Tier.TWO


@pytest.mark.parametrize("name", ["restart", "scale", "rollback", "dropbox", "undelete-nothing", "snapshot", "informer"])
def test_a_word_within_another_says_nothing(name: str) -> None:
    assert least_tier_of(name.replace("undelete", "undeleted")) is Tier.ZERO


@pytest.mark.parametrize(
    "zero",
    [
        "0",
        "00",
        "-0",
        "+0",
        "0.0",
        ".0",
        "0,0",
        "0e5",
        "0x0",
        "0b0",
        " 0 ",
        "0%",
        "0/3",
        "-1",
        "zero",
        "None",
        "nil",
        "off",
        "",
        "04",
    ],
)
def test_none_is_none_in_every_spelling(zero: str) -> None:
    assert scales_to_nothing({"replicas": zero})
    assert scales_to_nothing({"body": {"spec": {"minReplicas": zero}}})


@pytest.mark.parametrize("digit", ["٠", "０", "𝟎"])
def test_a_zero_of_another_script_is_one(digit: str) -> None:
    assert scales_to_nothing({"replicas": digit})


def test_a_whole_number_above_zero_is_some() -> None:
    assert not scales_to_nothing({"replicas": "4", "count": 12, "body": {"desired_count": "{count}"}})


def test_names_are_no_counts() -> None:
    assert not scales_to_nothing({"node": "node-0", "pods": "web-0", "service": "0", "change_id": "0"})


@pytest.mark.parametrize(
    "name", ["scale_to_zero", "scale-to-0", "scaleToZero", "/checkout/scale/0", "scale_down_to_nothing", "replicas/0"]
)
def test_a_name_that_says_it_leaves_nothing_running_is_heard(name: str) -> None:
    assert names_scaling_to_nothing(name)


@pytest.mark.parametrize("name", ["scale", "scale_to_10", "scale_up", "/scale/01x", "zero-downtime-restart", "scale0.example"])
def test_a_name_that_only_holds_a_nought_is_not(name: str) -> None:
    assert not names_scaling_to_nothing(name)


@pytest.mark.parametrize(
    ("url", "body", "options"),
    [
        ("https://jobs.example/run", {"op": "delete"}, {}),
        ("https://jobs.example/run", {"steps": [{"do": "purge queue"}]}, {}),
        ("https://jobs.example/run?op=delete", {}, {}),
        ("https://jobs.example/drop/table", {}, {}),
        ("", {}, {"workflow": "purge-volumes.yml"}),
    ],
)
def test_what_an_action_sends_and_whose_job_it_starts_names_it_too(url: str, body: object, options: dict[str, object]) -> None:
    assert least_tier_of(*telling_names("tidy", url, body, options)) is Tier.THREE


def test_the_names_that_values_stand_behind_say_nothing() -> None:
    names = telling_names("tidy", "https://jobs.example/run?format=json", {"format": "json", "drop": False}, {"state": "drop"})

    assert least_tier_of(*names) is Tier.ZERO

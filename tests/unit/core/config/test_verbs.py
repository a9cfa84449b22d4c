"""Words that set the least tier, and the many ways to write none."""

import pytest

from bot.core.action import Tier
from bot.core.config.verbs import least_tier_of, scales_to_nothing


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

"""An alert is accounted for where people can see it or read why they do not."""

from dataclasses import replace

import pytest

from tests.week.account import Episode, Fate, account, fate

GROUPED = Episode(("prod", "f", "t"), "SEV3", "", 1, "checkout depends on payments", "related_service", False, "card:AL-1")
ALONE = replace(GROUPED, group=None, message="", reason="", kind="")
SHOWN = {"card:AL-1", "storm:C1:1"}


@pytest.mark.parametrize(
    ("episode", "expected"),
    [
        (replace(GROUPED, opened=True), Fate.SHOWN),
        (GROUPED, Fate.GROUPED),
        (replace(GROUPED, message="storm:C1:1"), Fate.GROUPED),
        (replace(ALONE, muted_by="silence: deploy"), Fate.MUTED),
        (replace(ALONE, severity="NONE"), Fate.INFORMATIONAL),
    ],
)
def test_an_alert_that_is_visible_or_has_a_reason_is_accounted_for(episode: Episode, expected: Fate) -> None:
    assert fate(episode, SHOWN) is expected


@pytest.mark.parametrize(
    "episode",
    [
        None,
        ALONE,
        replace(GROUPED, reason=""),
        replace(GROUPED, message="card:AL-2"),
        replace(GROUPED, opened=True, message="x"),
    ],
)
def test_one_that_is_lost_hidden_or_grouped_for_no_reason_is_not(episode: Episode | None) -> None:
    assert fate(episode, SHOWN) is Fate.UNACCOUNTED


def test_every_alert_that_was_sent_has_a_fate_also_one_that_the_bot_does_not_know() -> None:
    sent = [GROUPED.identity, ("prod", "lost", "t")]

    assert list(account(sent, {GROUPED.identity: GROUPED}, SHOWN).values()) == [Fate.GROUPED, Fate.UNACCOUNTED]

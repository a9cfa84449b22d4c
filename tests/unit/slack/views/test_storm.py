"""The storm card: how much since when and where it began; at its end how long it took and what covers it."""

import pytest

from bot.core.messages.alerts import StormContent, StormOrigin
from bot.slack.views import storm
from tests.messages.words import text_of
from tests.unit.builders import at
from tests.unit.slack.contents import VIEW, group, rendered_storm


def test_a_storm_says_how_much_fires_since_when_and_lists_the_worst() -> None:
    groups = [group(ref=f"AL-{n}", service=f"s{n}", alerts=n, opened_at=at(n)) for n in range(1, 13)]
    text, blocks = rendered_storm(groups, StormOrigin("s1", 9))
    shown = text_of(blocks)

    assert "🟧 STORM · 12 services, 78 alerts in 12 groups" in shown and "Since 2026-03-01 03:01:00 UTC" in shown
    assert "*Suspected origin:* s1: 9 of 12 firing groups are on it or on what depends on it" in shown
    assert "FIRING SEV2 AL-10 · s10 · HighErrorRate · 10 alerts" in shown and "AL-11" not in shown
    assert "2 more on s11, s12; list shows all" in shown
    assert text.endswith("Began on s1.")


def test_a_storm_whose_alerts_have_cleared_says_from_when_to_when() -> None:
    cleared = group(state="MONITORING", opened_at=at(0), cleared_at=at(31), alerts=1, incident="INC-9")
    text, blocks = rendered_storm([cleared])

    assert "🟩 STORM CLEARED · 1 service, 1 alert in 1 group" in text_of(blocks)
    assert "(31 min) · covered by INC-9" in text_of(blocks) and text.startswith("Storm cleared:")


def test_a_storm_that_ends_on_another_day_says_on_which() -> None:
    cleared = group(state="MONITORING", opened_at=at(0), cleared_at=at(24 * 60), alerts=1)

    assert "{date_short_pretty}" in str(rendered_storm([cleared])[1]).partition(" to <!date")[2].partition(">")[0]


def test_a_storm_whose_ends_nobody_could_confirm_is_no_all_clear() -> None:
    unseen = group(state="MONITORING", opened_at=at(0), cleared_at=at(31), unconfirmed_at=at(31), alerts=1)
    text, blocks = rendered_storm([group(state="MONITORING", cleared_at=at(9)), unseen])

    assert "🟧 STORM NOT CONFIRMED · 1 service" in text_of(blocks) and "NOT CONFIRMED SEV2 AL-" in text_of(blocks)
    assert "31 min" not in text_of(blocks) and text.startswith("Storm not confirmed:")


def test_a_storm_is_over_once_nothing_of_it_is_open() -> None:
    _, blocks = rendered_storm([group(state="RESOLVED", opened_at=at(0), cleared_at=at(5))])

    assert "STORM OVER" in text_of(blocks) and "no incident was declared" in text_of(blocks)
    assert not [block for block in blocks if block["type"] == "actions"]


def test_severities_that_nobody_mapped_are_told_as_on_a_card() -> None:
    _, one = storm.render(StormContent(groups=[group()], severity_words=["spicy"]), VIEW)
    _, five = storm.render(StormContent(groups=[group()], severity_words=list("abcde")), VIEW)

    assert "severity `spicy` is not mapped in `severities`" in text_of(one)
    assert "severity `a`, `b`, `c` and 2 more are not mapped" in text_of(five)


def test_a_storm_of_one_group_says_what_came_before_it() -> None:
    few, many = rendered_storm([group(alerts=1)])[1], rendered_storm([group()] * 6)[1]

    assert "after 5 new groups within a minute, which have cards of their own" in text_of(few)
    assert "cards of their own" not in text_of(many)


@pytest.mark.parametrize(
    ("states", "resolved", "origin"),
    [
        (["FIRING"], "1 group, not resolved yet", "s1: the firing group is on it"),
        (["FIRING"] * 3, "3 groups, none resolved yet", "s1: all 3 firing groups are on it"),
        (["FIRING", "FIRING", "RESOLVED"], "3 groups, 2 of 3 groups not resolved", "s1: both firing groups are on it"),
    ],
)
def test_a_storm_counts_as_a_person_would(states: list[str], resolved: str, origin: str) -> None:
    groups = [group(ref=f"AL-{n}", state=state, opened_at=at(n)) for n, state in enumerate(states)]
    text, blocks = rendered_storm(groups, StormOrigin("s1", states.count("FIRING")))

    assert resolved in text and origin in text_of(blocks)

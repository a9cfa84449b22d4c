"""Rich text shows others' words as they are, and the bot's moments in the reader's time."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.slack.views.rich_text import labelled, local_times, name, paragraph, sentence, words
from tests.unit.slack.contents import NASTY

NEAR = datetime(2026, 3, 1, 0, 5, tzinfo=UTC)


def dates(text: str, near: datetime | None = NEAR) -> list[Any]:
    return [(piece["timestamp"], piece["fallback"]) for piece in sentence(text, near) if piece["type"] == "date"]


def test_others_text_stands_as_it_is_but_for_addresses_controls_and_what_would_mention_when_copied() -> None:
    (piece,) = sentence(NASTY)

    assert piece["text"] == "‹!channel› *APPROVED* `x` hxxps[:]//attacker[.]example/a second line"


def test_a_clock_time_is_the_nearest_one_shown_in_the_readers_time() -> None:
    night, morning = datetime(2026, 2, 28, 23, 59, 30, tzinfo=UTC), datetime(2026, 3, 1, 0, 10, tzinfo=UTC)

    assert dates("errors rose at 23:59:30 UTC, and again at 00:10:00 UTC") == [
        (int(night.timestamp()), "23:59:30 UTC"),
        (int(morning.timestamp()), "00:10:00 UTC"),
    ]


@pytest.mark.parametrize(
    "text", ["at 25:00:00 UTC", "at 2026-13-45 10:00:00 UTC", "at 10:00", "between 10:00 and 11:00", "110:00:00 UTC"]
)
def test_what_is_no_moment_stays_as_it_is(text: str) -> None:
    assert [piece["text"] for piece in sentence(text, NEAR)] == [text] and local_times(text, NEAR) == text


def test_moments_of_a_day_that_is_named_are_of_that_day() -> None:
    assert dates("since 2026-02-01 10:00:00 UTC") == [
        (int(datetime(2026, 2, 1, 10, tzinfo=UTC).timestamp()), "2026-02-01 10:00:00 UTC")
    ]
    assert local_times("at 00:04:00 UTC", NEAR) == f"at <!date^{int(NEAR.timestamp()) - 60}^{{time_secs}}|00:04:00 UTC>"


def test_a_span_whose_zone_is_named_once_is_shown_whole_in_the_readers_time() -> None:
    text = "checkout left the normal range between 00:01:10 and 00:02:15 UTC"

    assert [fallback for _, fallback in dates(text)] == ["00:01:10", "00:02:15 UTC"]
    assert local_times(text, NEAR).count("<!date^") == 2


def test_moments_to_the_minute_are_shown_to_the_minute() -> None:
    ten = int(datetime(2026, 3, 1, 10, tzinfo=UTC).timestamp())

    assert local_times("until 10:00 UTC", NEAR) == f"until <!date^{ten}^{{time}}|10:00 UTC>"
    assert (
        local_times("until 2026-03-01 10:00 UTC", NEAR)
        == f"until <!date^{ten}^{{date_short_pretty}} {{time}}|2026-03-01 10:00 UTC>"
    )


def test_without_a_moment_near_it_no_clock_time_is_guessed() -> None:
    assert dates("at 10:00:00 UTC", None) == [] and local_times("at 10:00:00 UTC", None) == "at 10:00:00 UTC"


def test_lines_stand_below_each_other_and_none_is_empty() -> None:
    block: Any = paragraph([[words("first")], [], labelled("Next", "roll back")])
    (section,) = block["elements"]

    assert [piece["text"] for piece in section["elements"]] == ["first", "\n", "Next:", " ", "roll back"]


def test_a_name_of_several_words_is_quoted() -> None:
    assert [name("checkout"), name("checkout APPROVED")] == ["checkout", "“checkout APPROVED”"]

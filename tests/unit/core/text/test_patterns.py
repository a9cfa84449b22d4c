"""Several patterns at once."""

from bot.core.text.patterns import Several


def test_only_the_patterns_that_occur_are_named_in_their_order() -> None:
    several = Several("b+", "nothing", "(?i)A")

    assert list(several.within("xaxb")) == [0, 2]
    assert list(several.within("quiet")) == []

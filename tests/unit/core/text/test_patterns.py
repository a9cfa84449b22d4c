"""Several patterns at once."""

from bot.core.text.patterns import Several, screen_of


def test_only_the_patterns_that_occur_are_named_in_their_order() -> None:
    several = Several("b+", "nothing", "(?i)A")

    assert list(several.within("xaxb")) == [0, 2]
    assert list(several.within("quiet")) == []


def test_a_screen_matches_wherever_one_of_its_patterns_does_also_at_the_edges_of_lines() -> None:
    screen = screen_of("^secret$", "x{1,60}y")

    assert all(screen.search(text) for text in ("secret", "a\nsecret\nb", "xxy", "x" * 90 + "y"))
    assert screen.search("a secret of y") is None


def test_with_screens_of_its_own_it_names_the_same_patterns() -> None:
    several = Several("b+", "(?i)A", screens=(screen_of("b+"), screen_of("(?i)A")))

    assert list(several.within("xaxb")) == [0, 1]
    assert list(several.within("quiet")) == []

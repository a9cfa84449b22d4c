"""The measure of log templates."""

from tests.evaluation.loghub2k import grouping


def test_only_groups_of_exactly_the_right_lines_count() -> None:
    assert grouping(["a", "a", "b", "c"], [1, 1, 2, 2]) == (0.5, 0.4)


def test_the_right_grouping_under_other_names_is_right() -> None:
    assert grouping(["a", "b", "a"], [7, 8, 7]) == (1.0, 1.0)

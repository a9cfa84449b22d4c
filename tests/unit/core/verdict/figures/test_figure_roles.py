"""Figures that stand in the evidence, told as what they stand for there or as something else."""

import pytest

from tests.answers.quoted import Quoted, quoted_sentences

ROLES = list(dict.fromkeys(one.role for one in quoted_sentences()))


def of_role(role: str, *, is_true: bool) -> list[Quoted]:
    return [one for one in quoted_sentences() if one.role == role and one.is_true is is_true]


def left(scene: str, cited: str, text: str) -> str:
    """What is left of a sentence about an investigation."""
    return Quoted("", False, scene, tuple(cited.split(", ")), text).judged


@pytest.mark.parametrize("role", ROLES)
def test_a_sentence_that_takes_a_figure_for_something_else_does_not_stand_as_it_was_written(role: str) -> None:
    assert [one.text for one in of_role(role, is_true=False) if one.judged == one.text] == []


@pytest.mark.parametrize("role", ROLES)
def test_a_sentence_that_takes_its_figures_for_what_they_are_stands_as_it_was_written(role: str) -> None:
    assert [(one.text, one.judged) for one in of_role(role, is_true=True) if one.judged != one.text] == []


@pytest.mark.parametrize(
    ("cited", "text", "judged"),
    [
        (
            "health inventory",
            "CPU is at 0.9 cores, errors at 38.8 %",
            "CPU is at [figure not in evidence] cores, errors at 38.8 %",
        ),
        ("changes", "inventory 3.4.0 replaced 3.5.0", "inventory [version not in evidence] replaced [version not in evidence]"),
        ("changes", "inventory was deployed at 22:54:43 UTC", "inventory was deployed at [time not in evidence] UTC"),
        ("alerts", "checkout has 22 alerts, storefront 22", "checkout has [figure not in evidence] alerts, storefront 22"),
        (
            "changes, health inventory",
            "The deploy of inventory came after the onset.",
            "The deploy of inventory came [order not in evidence] the onset.",
        ),
        (
            "changes, health inventory",
            "Errors began 38 s before 3.5.0 went out, at 22:55:04",
            "Errors began [figure not in evidence] before 3.5.0 went out, at 22:55:04",
        ),
    ],
)
def test_only_what_is_wrong_is_struck(cited: str, text: str, judged: str) -> None:
    assert left("bad-deploy/1", cited, text) == judged


@pytest.mark.parametrize(
    "text",
    [
        "Rolling inventory back from 3.5.0 to 3.4.0 should help.",
        "Go back from 3.5.0 to 3.4.0.",
        "inventory could be returned from 3.5.0 to 3.4.0.",
    ],
)
def test_a_way_back_that_is_advised_is_no_report_of_one(text: str) -> None:
    assert left("bad-deploy/1", "changes", text) == text

"""Which changes a question means by a span of time: how many there were in it, and none before it."""

import pytest

from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.questions.answering import answer
from bot.core.questions.checks import current_calls
from bot.core.questions.yes_no.short_answers import short_answer
from bot.core.questions.yes_no.verdicts import ShortAnswer
from tests.unit.builders import change
from tests.unit.core.questions.yes_no.test_short_answers import HEALTH, entry, facts

NEW, OLD = change("new", service="cart", minutes_before=20), change("old", minutes_before=150)
LINES = tuple(f"deploy {one.service} [{one.id}]" for one in (NEW, OLD))
CHANGES = entry("E0", "recent_changes", EvidenceFacts(changes=(NEW, OLD)), *LINES)
"""Read at 03:00 UTC: of the changes one was at 02:40, the other at 00:30."""


def asked(question: str) -> ShortAnswer:
    short = short_answer(question, facts(CHANGES))
    assert short is not None
    return short


@pytest.mark.parametrize(
    ("question", "verdict", "text"),
    [
        ("any changes since 2am?", "yes", "1 change since 02:00 UTC; newest: deploy of cart at 02:40:00 UTC"),
        ("any deploys since midnight?", "yes", "2 deploys since 00:00 UTC; newest: deploy of cart at 02:40:00 UTC"),
        ("was anything deployed in the last half hour?", "yes", "1 deploy since 02:30 UTC; newest: deploy of cart"),
        ("any changes in the last two days?", "yes", "2 changes since 2026-02-27 03:00 UTC"),
        ("any changes on checkout since 02:00?", "no", "No change on checkout since 02:00 UTC in what was checked"),
        ("any changes in the last 10 minutes?", "no", "No change since 02:50 UTC in what was checked"),
        ("what changed in the last hour?", "unknown", "1 change since 02:00 UTC; newest: deploy of cart at 02:40:00 UTC"),
    ],
)
def test_changes_are_counted_from_the_moment_that_is_named(question: str, verdict: str, text: str) -> None:
    short = asked(question)

    assert (short.verdict, short.text[: len(text)]) == (verdict, text)


@pytest.mark.parametrize(
    "question", ["any changes since 2am PT that failed?", "is cart failing since 02:00?", "any changes since monday?"]
)
def test_what_is_no_plain_span_or_bounds_something_else_gets_no_yes_or_no(question: str) -> None:
    assert asked(question).verdict == "unknown"


def test_the_lines_below_are_of_the_changes_in_that_span() -> None:
    shown = answer("what changed in the last hour?", facts(CHANGES)).findings

    assert [finding.lines for finding in shown] == [[LINES[0]]]


def test_the_changes_up_to_now_are_read_for_a_span_that_ends_now() -> None:
    tools = [tool for tool, _ in current_calls("what changed in the last hour?", facts(HEALTH))]

    assert tools == ["recent_changes"] and current_calls("what changed?", facts(HEALTH)) == []


def test_a_list_of_one_service_says_nothing_of_all_others() -> None:
    of_cart = entry("E0", "recent_changes", EvidenceFacts(changes=()), service="cart")
    of_all, own = (short_answer(question, facts(of_cart)) for question in ("any deploys?", "any deploys on cart?"))

    assert of_all is not None and of_all.text == "The changes were not checked"
    assert own is not None and own.verdict == "no"


VERSIONS = tuple(
    change(f"{kind}{number}", minutes_before=number).model_copy(update={"kind": kind, "title": title})
    for kind, number, title in (
        ("deploy", 9, "deploy v2"),
        ("model", 8, "model fraud 12"),
        ("data", 7, "dataset prices 7"),
        ("data", 6, "dataset prices 8"),
    )
)


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("was a model deployed?", "1 model change; newest: new model of checkout"),
        ("did the model version change?", "1 model change; newest: new model of checkout"),
        ("did the prices dataset change?", "2 data changes; newest: new data of checkout"),
        ("was anything deployed?", "2 deploys; newest: new model of checkout"),
        ("is it the new data?", "2 data changes; newest: new data of checkout"),
    ],
)
def test_a_model_and_data_are_kinds_of_change(question: str, text: str) -> None:
    short = short_answer(question, facts(entry("E0", "recent_changes", EvidenceFacts(changes=VERSIONS))))

    assert short is not None and short.text.startswith(text)


@pytest.mark.parametrize("name", ["data-api", "model-server", "feature-store"])
def test_a_word_in_the_name_of_a_service_is_no_kind_of_change(name: str) -> None:
    deploys = entry("E0", "recent_changes", EvidenceFacts(changes=(change("a", service=name),)))

    short = short_answer(f"was {name} deployed?", facts(deploys, services={"checkout", name}))

    assert short is not None and short.text.startswith(f"1 deploy on {name}; ")


def test_data_that_are_lost_are_no_change_of_them() -> None:
    short = short_answer("did we lose the data?", facts(entry("E0", "recent_changes", EvidenceFacts(changes=VERSIONS))))

    assert short is not None and "data change" not in short.text

"""The index of open groups by what their members have in common."""

from bot.core.alerts.grouping import Hint, OpenGroup
from bot.core.alerts.hint_index import HintIndex
from bot.core.incident import GroupState
from tests.unit.builders import NOW

CHECKOUT: Hint = ("service", "checkout")


def group(number: int) -> OpenGroup:
    return OpenGroup(number, GroupState.FIRING, NOW, NOW)


def test_every_group_with_a_hint_is_returned_once() -> None:
    index, one, two = HintIndex(), group(1), group(2)

    for added in (one, one, two, two, one):
        index.add(CHECKOUT, added)

    assert sorted(found.number for found in index.of(CHECKOUT)) == [1, 2]
    assert list(index.of(("service", "payments"))) == []


def test_a_group_that_leaves_takes_only_itself_along() -> None:
    index, one, two = HintIndex(), group(1), group(2)
    index.add(CHECKOUT, one)
    index.discard(CHECKOUT, two)
    index.add(CHECKOUT, two)

    index.discard(CHECKOUT, one)
    assert [found.number for found in index.of(CHECKOUT)] == [2]
    index.discard(CHECKOUT, two)
    assert list(index.of(CHECKOUT)) == []

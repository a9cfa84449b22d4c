"""What becomes of a run in which one item of a served kind, or the stage of a whole kind, breaks."""

import asyncio
from collections.abc import Sequence

import pytest

from tests.attacks.attempts import all_of, attempted, attempted_both
from tests.attacks.items import Item
from tests.attacks.reporting import report
from tests.attacks.scene import Outcome, Played

ITEM = Item("own-x-001", "export", "console", "", "breaks", "", ("NO_SPOOF",), "text", "", {}, False)


async def broken() -> list[str]:
    """An item whose bot does not answer."""
    raise TimeoutError("no incident was declared")


async def held() -> list[str]:
    """An item of which nothing got through."""
    return []


def no_stage(_items: Sequence[Item]) -> Played:
    """A kind whose bot does not start."""
    raise AssertionError("the bot is not ready")


def test_an_item_that_cannot_be_played_has_failed_and_the_others_count(capsys: pytest.CaptureFixture[str]) -> None:
    async def played() -> list[Outcome]:
        return [await attempted(ITEM, broken()), await attempted(ITEM, held()), await attempted(ITEM, broken(), twin=True)]

    assert report(Played({"export": asyncio.run(played())})) == 1

    printed = capsys.readouterr().out
    assert "FAILED own-x-001 breaks: could not be played: TimeoutError: no incident was declared" in printed
    assert "export: passed 1 / 2; false refusals 1 / 1" in printed


@pytest.mark.parametrize("kind", ["its bot", "the kind's bot"])
def test_where_the_bot_does_not_start_the_attack_and_its_twin_have_failed(kind: str) -> None:
    async def of_item() -> list[Outcome]:
        raise AssertionError("the bot is not ready")

    outcomes = (
        asyncio.run(attempted_both(ITEM, of_item()))
        if kind == "its bot"
        else all_of("export", no_stage, [ITEM]).outcomes["export"]
    )

    assert [outcome.twin for outcome in outcomes] == [False, True]
    assert all(outcome.why == ["could not be played: AssertionError: the bot is not ready"] for outcome in outcomes)

"""How often Slack is asked who is on call."""

from datetime import timedelta

from bot.core.config import Config
from bot.workflows.rotas import Rotas
from tests.unit.store.databases import Clock

CONFIG = Config.model_validate({"services": {name: {"on_call": {"usergroup": f"S-{name}"}} for name in ("checkout", "search")}})


class Slack:
    """Remembers which groups it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def members(self, group: str) -> frozenset[str]:
        self.asked.append(group)
        return frozenset()


async def test_a_press_asks_for_its_own_group_every_time_and_a_card_is_content_with_a_young_copy() -> None:
    clock, slack = Clock(), Slack()
    rotas = Rotas(CONFIG, slack.members, clock)
    await rotas.roster("checkout")
    slack.asked.clear()

    await rotas.roster("checkout")
    await rotas.roster("checkout", within=timedelta(minutes=2))
    clock.forward(2)
    await rotas.roster("checkout", within=timedelta(minutes=2))

    assert slack.asked == ["S-checkout", "S-checkout"]


async def test_who_is_on_call_anywhere_is_not_answered_from_an_old_copy() -> None:
    clock, slack = Clock(), Slack()
    rotas = Rotas(CONFIG, slack.members, clock)
    await rotas.roster()
    clock.forward(3)
    slack.asked.clear()

    await rotas.roster()

    assert sorted(slack.asked) == ["S-checkout", "S-search"]

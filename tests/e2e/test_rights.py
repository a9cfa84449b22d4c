"""Break-glass, the ladder and standing approvals, as people meet them in Slack's stand-in: a real bot, nobody dies."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.steps.cast import SERVICE
from tests.attacks.steps.items import Given, Step
from tests.attacks.steps.play import Player
from tests.attacks.steps.world import World
from tests.crash.rights import LADDER, REASON, VETO_S, Deaths, Report, grant, prove

pytestmark = pytest.mark.timeout(1800)


async def in_world(folder: Path, config: dict[str, Any], play: Callable[[Deaths], Awaitable[None]]) -> None:
    """One play in a world of its own, on SQLite; whatever the helpers found wrong fails it."""
    report = Report("e2e")

    async def played(world: World) -> None:
        await play(Deaths(world, report))

    async with Player(folder, postgres=False) as player:
        await player.in_world(Given(config=config), played, postgres=False)
    assert report.violations == []


async def words(deaths: Deaths, ref: str) -> str:
    return json.dumps(await deaths.world.card(ref), ensure_ascii=False)


def lines(deaths: Deaths, prefix: str) -> list[dict[str, Any]]:
    query = "SELECT key, channel, subject FROM messages WHERE key LIKE ?"
    return deaths.world.records.rows(query, f"line:{prefix}%")


async def test_one_person_alone_is_loud_and_is_reviewed(tmp_path: Path) -> None:
    async def play(deaths: Deaths) -> None:
        world, ref = deaths.world, await deaths.propose("failover")
        fields = {"target": SERVICE, "reason": REASON}
        await deaths.acts.slash(Step("commander", "slash"), text=f"break-glass {ref}", fields=fields)
        await world.rest()

        deaths.judge(ref, "", approved_by="break-glass")
        assert "BREAK-GLASS" in await words(deaths, ref)
        assert len({line["channel"] for line in lines(deaths, "break-glass:")}) == 2
        await world.slash("commander", f"break-glass review {ref} fine")
        await world.slash("deputy", f"break-glass review {ref} right call")
        await world.rest()
        assert world.records.rows("SELECT reviewed_by FROM break_glass")[0]["reviewed_by"] == "deputy"

    await in_world(tmp_path, {}, play)


async def test_what_is_only_suggested_is_run_by_hand_and_recorded(tmp_path: Path) -> None:
    async def play(deaths: Deaths) -> None:
        world, ref = deaths.world, await deaths.propose("restart")
        card = await words(deaths, ref)
        assert "RUN BY HAND" in card and '"action_id": "approve"' not in card
        await deaths.acts.press(Step("on_call", "press", object=ref), button="approve", forced=True)
        assert deaths.state(ref) == "pending" and not world.outside.calls
        await deaths.acts.press(Step("on_call", "press", object=ref), button="did")
        await world.rest()
        assert deaths.state(ref) == "superseded" and not world.outside.calls
        await world.slash("owner", f"autonomy {SERVICE}")
        await world.rest()
        assert "would have been proposed 1 time, people did the same 1" in (await world.slack.private("owner"))[-1]

    await in_world(tmp_path, {"autonomy": {SERVICE: "suggest"}}, play)


async def test_what_two_people_granted_starts_by_itself_unless_somebody_stops_it(tmp_path: Path) -> None:
    async def play(deaths: Deaths) -> None:
        await prove(deaths)
        granted, world = await grant(deaths), deaths.world
        first = await deaths.propose("restart", by_rules=True)
        await world.rest()
        assert "STARTS BY ITSELF" in await words(deaths, first) and granted in await words(deaths, first)
        await deaths.pass_time(VETO_S)
        await deaths.settled(first)
        deaths.judge(first, "", approved_by="standing")
        assert f"started by standing approval {granted}" in await words(deaths, first)

        second = await deaths.propose("restart", by_rules=True)
        await world.rest()
        await world.slash("outsider", f"veto {second}")
        await deaths.pass_time(VETO_S)
        await world.rest()
        assert deaths.state(second) == "pending" and not [call for call in world.outside.calls if call.ref == second]

    await in_world(tmp_path, LADDER, play)

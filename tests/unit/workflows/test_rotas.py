"""How often Slack is asked who is on call, and what is known while it does not answer."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.approvals.roster import STALE_ROTA, Rota
from bot.core.config import Config
from bot.core.errors import QueryFailed
from bot.store.db.database import Database
from bot.store.slack.usergroups import RENEW, Usergroups
from bot.store.tables import UsergroupRow
from bot.workflows.rotas import Rotas
from tests.unit.builders import NOW
from tests.unit.store.databases import Clock, open_database

PEOPLE = {"alice": {"slack": "UALICE"}, "bob": {"slack": "UBOB"}}
SERVICES = {name: {"on_call": {"usergroup": f"S-{name}"}} for name in ("checkout", "search")}
CONFIG = Config.model_validate({"people": PEOPLE, "services": SERVICES})


class Slack:
    """Remembers which groups it was asked for; while `down` it does not answer."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.on_call = {"UALICE"}
        self.down = False

    async def members(self, group: str) -> frozenset[str]:
        self.asked.append(group)
        if self.down:
            raise QueryFailed("Slack does not answer")
        return frozenset(self.on_call)


class Place:
    """Slack, a clock and a database; `process()` is the rotas of one more process."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self.db, self.clock, self.slack = db, clock, Slack()

    def process(self) -> Rotas:
        return Rotas(CONFIG, self.slack.members, Usergroups(self.db), self.clock)

    async def rota(self, rotas: Rotas) -> Rota:
        return (await rotas.roster("checkout")).rota("checkout", self.clock())

    async def row(self) -> UsergroupRow:
        async with self.db.read() as session:
            row = await session.get(UsergroupRow, "S-checkout")
        assert row is not None
        return row


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    clock = Clock()
    db = await open_database(tmp_path, clock)
    yield Place(db, clock)
    await db.close()


async def test_a_press_asks_for_its_own_group_every_time_and_a_card_is_content_with_a_young_copy(place: Place) -> None:
    rotas = place.process()
    await rotas.roster("checkout")
    place.slack.asked.clear()

    await rotas.roster("checkout")
    await rotas.roster("checkout", within=timedelta(minutes=2))
    place.clock.forward(2)
    await rotas.roster("checkout", within=timedelta(minutes=2))

    assert place.slack.asked == ["S-checkout", "S-checkout"]


async def test_who_is_on_call_anywhere_is_not_answered_from_an_old_copy(place: Place) -> None:
    rotas = place.process()
    await rotas.roster()
    place.clock.forward(3)
    place.slack.asked.clear()

    await rotas.roster()

    assert sorted(place.slack.asked) == ["S-checkout", "S-search"]


async def test_a_restart_while_slack_is_away_still_knows_who_is_on_call_and_how_old_that_is(place: Place) -> None:
    await place.rota(place.process())
    place.slack.down = True
    place.clock.forward(30)

    rota = await place.rota(place.process())

    assert rota == Rota(on_call=("alice",), age=timedelta(minutes=30)) and not rota.fresh


async def test_a_copy_that_outlived_the_process_serves_no_longer_than_any_other(place: Place) -> None:
    await place.rota(place.process())
    place.slack.down = True
    place.clock.forward(STALE_ROTA / timedelta(minutes=1) + 1)

    assert not (await place.rota(place.process())).readable


async def test_what_another_process_heard_since_is_taken_instead_of_an_older_copy_of_ones_own(place: Place) -> None:
    here, other = place.process(), place.process()
    await place.rota(here)
    place.clock.forward(1)
    place.slack.on_call = {"UBOB"}
    await place.rota(other)
    place.slack.down = True

    assert (await place.rota(here)).on_call == ("bob",)


@pytest.mark.parametrize(("column", "value"), [("members", ["UBOB"]), ("read_at", NOW + timedelta(hours=9)), ("seal", "")])
async def test_a_copy_that_somebody_wrote_into_the_database_gives_nobody_rights(
    place: Place, column: str, value: object
) -> None:
    await place.rota(place.process())
    async with place.db.write() as session:
        row = await session.get(UsergroupRow, "S-checkout")
        setattr(row, column, value)
    place.slack.down = True

    assert not (await place.rota(place.process())).readable


async def test_a_copy_of_one_group_is_not_taken_for_another_s(place: Place) -> None:
    await place.rota(place.process())
    row = await place.row()
    async with place.db.write() as session:
        await session.merge(UsergroupRow(id="S-search", members=row.members, read_at=row.read_at, seal=row.seal))

    assert await Usergroups(place.db).load("S-search") is None


async def test_the_same_answer_is_written_again_only_now_and_then_and_a_change_at_once(place: Place) -> None:
    rotas, written = place.process(), []
    for on_call in ("UALICE", "UALICE", "UBOB"):
        place.slack.on_call = {on_call}
        await place.rota(rotas)
        written.append((await place.row()).read_at)
        place.clock.forward(1)
    place.clock.forward(RENEW / timedelta(minutes=1))
    await place.rota(rotas)

    assert written == [NOW, NOW, NOW + timedelta(minutes=2)]
    assert (await place.row()).read_at == place.clock()


async def test_an_older_answer_never_replaces_a_newer_one(place: Place) -> None:
    stored = Usergroups(place.db)
    await stored.save("S-checkout", frozenset({"UBOB"}), NOW)
    await stored.save("S-checkout", frozenset({"UALICE"}), NOW - timedelta(minutes=1))

    assert await stored.load("S-checkout") == (frozenset({"UBOB"}), NOW)

"""Which incidents get a draft by themselves, where it stands, and what a story that fails leaves behind."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.store import incidents
from bot.store.postmortems import Postmortems
from bot.store.tables import AttemptRow, GroupRow, IncidentRow, MessageRow
from bot.store.triage import Triages
from bot.workflows.mending import MOST_ATTEMPTS, Mender
from bot.workflows.postmortem import start_wanted
from tests.unit.approving import Office, office


class Started:
    """An engine that only keeps what was started."""

    def __init__(self) -> None:
        self.runs: list[tuple[Any, ...]] = []

    async def start(self, workflow: str, id: str, *args: Any) -> None:
        self.runs.append((id, *args))


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Office]:
    house = await office(tmp_path)
    yield house
    await house.close()


async def wanted(house: Office) -> list[str]:
    engine: Any = Started()
    await start_wanted(Postmortems(house.db), engine)
    return [id for id, *_ in engine.runs]


async def change(house: Office, table: Any, **values: Any) -> None:
    async with house.db.write() as session:
        row = await session.get(table, 1)
        for name, value in values.items():
            setattr(row, name, value)
        session.add(row)


async def test_a_draft_of_the_middle_of_an_incident_is_not_its_last(house: Office) -> None:
    drafts = Postmortems(house.db)
    await drafts.save("INC-1", 1, [], "")
    house.pass_time(minutes=5)
    await incidents.resolve(house.db, "INC-1", "alice")

    assert await wanted(house) == ["postmortem:INC-1:2"]
    await drafts.save("INC-1", 2, [], "")
    assert await wanted(house) == []


async def test_a_small_incident_with_an_action_on_its_group_deserves_a_draft(house: Office) -> None:
    await change(house, IncidentRow, severity="SEV3")
    await change(house, GroupRow, incident_id=None)
    await house.propose("restart")
    await change(house, GroupRow, incident_id=1)
    async with house.db.write() as session:
        session.add(AttemptRow(proposal_id=1, idempotency_key="k", state="done", at=house.now))
    await incidents.resolve(house.db, "INC-1", "alice")

    assert await wanted(house) == ["postmortem:INC-1:1"]


async def test_a_small_incident_in_which_nothing_ran_deserves_none(house: Office) -> None:
    await change(house, IncidentRow, severity="SEV3")
    await house.propose("restart")
    await incidents.resolve(house.db, "INC-1", "alice")

    assert await wanted(house) == []


async def test_the_draft_of_a_group_on_a_storm_card_stands_in_the_storms_thread(house: Office) -> None:
    await change(house, GroupRow, on_storm_card="storm:C1:1")
    await Postmortems(house.db).save("INC-1", 1, [], "")

    assert [(row.key, row.thread_key) for row in await house.rows(MessageRow)] == [("postmortem:INC-1", "storm:C1:1")]


async def test_a_draft_that_fails_is_tried_again_and_then_told(house: Office) -> None:
    engine: Any = Started()
    mender = Mender()
    mender.attach(engine, Triages(house.db), Postmortems(house.db), house.approvals)
    await mender.failure("postmortem", "postmortem:INC-1:1", "a bug")
    await mender.failure("postmortem", f"postmortem:INC-1:{MOST_ATTEMPTS}", "a bug")

    assert engine.runs == [("postmortem:INC-1:2", "INC-1", 2)]
    assert "could not be written" in (await house.rows(MessageRow))[0].subject


async def test_a_triage_that_is_attempted_anew_answers_the_same_question(house: Office) -> None:
    engine: Any = Started()
    mender = Mender()
    mender.attach(engine, Triages(house.db), Postmortems(house.db), house.approvals)
    await Triages(house.db).open("AL-1", 2, "is it the cache?", "alice")
    await mender.misfit("triage", "triage:AL-1:2", "renamed steps")

    assert engine.runs == [("triage:AL-1:3", "AL-1", 3, "is it the cache?", "alice")]

"""Changes as tools read them."""

from datetime import timedelta
from pathlib import Path

from bot.store.tables import ChangeRow
from bot.store.triage.changes import Changes
from tests.unit.approving import NOW, office


async def test_what_an_approved_rollback_did_is_listed_as_its_own_change(tmp_path: Path) -> None:
    house = await office(tmp_path)
    async with house.db.write() as session:
        deploy = {"service": "checkout", "kind": "deploy", "title": "x", "received_at": NOW}
        session.add(ChangeRow(id="ci:bad", at=NOW - timedelta(hours=1), version="2", previous_version="1", **deploy))
    await house.propose("rollback", change_id="ci:bad")
    await house.approve("AP-1")
    await house.ended("AP-1", seconds=10)
    async with house.db.write() as session:
        at = NOW + timedelta(seconds=30)
        session.add(ChangeRow(id="ci:back", at=at, version="1", previous_version="2", **deploy))

    listed = await Changes(house.db).since("checkout", NOW - timedelta(hours=2))

    assert {change.id: change.by_action for change in listed} == {"ci:back": "AP-1", "ci:bad": ""}
    await house.close()

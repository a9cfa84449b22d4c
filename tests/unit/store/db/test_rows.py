"""Rows made without SQLModel's checks are stored and read like any other."""

from bot.store.db.rows import new_row
from bot.store.tables import SeenRow, SourceRow
from tests.unit.builders import NOW
from tests.unit.store.databases import SortingFixture


async def test_a_new_row_is_stored_with_its_values_and_changed_as_any_other(sorting: SortingFixture) -> None:
    row = new_row(SourceRow, name="am", first_seen_at=NOW, last_seen_at=NOW)
    async with sorting.db.write() as session:
        session.add(row)
        await session.flush()
        row.name = "prod-eu"

    assert [(one.name, one.first_seen_at) for one in await sorting.rows(SourceRow) if one.name == "prod-eu"] == [
        ("prod-eu", NOW)
    ]


def test_what_is_not_given_has_the_tables_default() -> None:
    assert new_row(SeenRow, id="x").__dict__.keys() >= {
        name for name, field in SeenRow.model_fields.items() if not field.is_required()
    }

"""The card of one group, and the lines of its thread, as people see them."""

from bot.core.messages.alerts import CardContent
from bot.slack.view_context import ViewContext
from bot.slack.views import card as view
from bot.store.slack import message_contents
from bot.store.tables import MessageRow
from tests.unit.store.databases import SortingFixture


class CardWatch:
    """Reads what stands there of AL-1."""

    def __init__(self, sorting: SortingFixture) -> None:
        self.sorting = sorting

    async def card(self) -> str:
        async with self.sorting.db.read() as session:
            content = await message_contents.load(session, "card", "AL-1")
        assert isinstance(content, CardContent)
        return str(view.render(content, ViewContext()))

    async def lines(self) -> list[str]:
        return [row.subject for row in await self.sorting.rows(MessageRow) if row.kind == "line"]

"""Channels for tests of verbs that are about something else."""

from bot.core.actor import ChannelAccess
from bot.store.db.database import Database
from bot.workflows.read_access import ReadAccess


def everything_public(db: Database) -> ReadAccess:
    """Every channel is a public one of this workspace alone."""

    async def access(_channel: str) -> ChannelAccess:
        return ChannelAccess()

    return ReadAccess(db, access)

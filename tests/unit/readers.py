"""Channels for tests of verbs that are about something else."""

from bot.core.actor import ChannelAccess
from bot.store.db.database import Database
from bot.workflows.reading import Reading


def everything_public(db: Database) -> Reading:
    """Every channel is a public one of this workspace alone."""

    async def access(_channel: str) -> ChannelAccess:
        return ChannelAccess()

    return Reading(db, access)

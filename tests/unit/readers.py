"""Channels for tests of verbs that are about something else."""

from bot.core.actor import Room
from bot.store.db.database import Database
from bot.workflows.reading import Reading


def everything_public(db: Database) -> Reading:
    """Every channel is a public one of this workspace alone."""

    async def room(_channel: str) -> Room:
        return Room()

    return Reading(db, room)

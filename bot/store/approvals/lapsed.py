"""Proposals that ended without a denial and without a run: the same may be put to people once more, under another key."""

from sqlmodel import select

from bot.core.action import ProposalState
from bot.core.approvals.remedies import OUTDATED
from bot.store.db.database import Database
from bot.store.tables import ProposalRow

LAPSED = tuple(s.value for s in (ProposalState.EXPIRED, ProposalState.STALE, ProposalState.STOPPED))
_AGAIN = ":again:"


async def unused_key(db: Database, key: str) -> str:
    """The key under which the same may be put to people once more: `key` unless its proposal lapsed undecided.

    One that people denied, or that ran, is not put to them again.
    """
    async with db.read() as session:
        tried, number = key, 1
        while True:
            query = select(ProposalRow.state, ProposalRow.outcome).where(ProposalRow.key == tried)
            state, outcome = (await session.exec(query)).first() or ("", "")
            if state not in LAPSED and outcome != OUTDATED:
                return tried
            tried, number = f"{key}{_AGAIN}{number}", number + 1


def first_key(key: str) -> str:
    """The key under which the same was put to people first."""
    return key.partition(_AGAIN)[0]

"""What the Slack adapter reads and writes besides verbs: ids that were handled, and what a message in Slack shows."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, delete, or_
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from bot.core.incident import number_of
from bot.core.messages.content import MessageKind
from bot.store import audit, messages
from bot.store.approvals import transitions
from bot.store.db.database import Database
from bot.store.tables import GroupRow, MessageRow, ProposalRow, SeenRow

CLOCKS_DIFFER = 5.0
"""Seconds by which Slack's clock may be behind this machine's."""
STORED_WITHIN = 60.0
"""Seconds after its post within which where a message stands may not be stored yet: the database may be away a moment."""


@dataclass(frozen=True)
class PostedMessage:
    """One message of this bot in Slack: its key, its kind and what it shows (`AL-3`, `AP-2`, ...)."""

    key: str
    kind: str
    subject: str


class Interactions:
    """Reads and writes of the Slack adapter that belong to no verb."""

    def __init__(self, db: Database) -> None:
        self.db = db

    async def first(self, key: str) -> bool:
        """Note an interaction or event; False if it was noted before, also by another replica."""
        try:
            async with self.db.write() as session:
                session.add(SeenRow(key=key[:400], at=self.db.clock()))
                await session.flush()
        except IntegrityError:
            return False
        return True

    async def forget(self, key: str) -> None:
        """Let a submission that had no effect (wrong fields) come again."""
        async with self.db.write() as session:
            await session.exec(delete(SeenRow).where(col(SeenRow.key) == key[:400]))

    async def shown_at(self, channel: str, ts: str) -> PostedMessage | None:
        """This bot's message with that timestamp; None if it is another's, or is in another channel."""
        async with self.db.read() as session:
            query = select(MessageRow).where(MessageRow.ts == ts, _stands_in(channel))
            row = (await session.exec(query)).first()
            return PostedMessage(row.key, row.kind, row.subject) if row and ts else None

    async def being_posted(self, channel: str, subject: str, ts: str) -> bool:
        """Whether `ts` may be the message about `subject` that was just sent to Slack and is not recorded yet.

        A quick person presses in these milliseconds; only a message younger than the attempt can be it.
        """
        async with self.db.read() as session:
            unrecorded = and_(col(MessageRow.ts) == "", col(MessageRow.attempted_at).is_not(None))
            query = select(MessageRow.attempted_at).where(MessageRow.subject == subject, unrecorded, _stands_in(channel))
            attempted_at = (await session.exec(query)).first()
        return attempted_at is not None and _seconds(ts) >= attempted_at.timestamp() - CLOCKS_DIFFER

    def just_posted(self, ts: str) -> bool:
        """Whether a message is so young that where it stands may not be stored yet."""
        return abs(self.db.clock().timestamp() - _seconds(ts)) <= STORED_WITHIN

    async def is_of_group(self, proposal: str, group: str) -> bool:
        """Whether `AP-n` was made for `AL-n`, whose triage shows it."""
        async with self.db.read() as session:
            row = await session.get(ProposalRow, number_of(proposal, "AP") or 0)
            return row is not None and row.group_id is not None and f"AL-{row.group_id}" == group

    async def stands_on_storm(self, storm: str, ref: str) -> bool:
        """Whether a group is a line of this storm card."""
        async with self.db.read() as session:
            group = await session.get(GroupRow, number_of(ref, "AL") or 0)
            return group is not None and group.on_storm_card == storm

    async def thread_of(self, ref: str) -> tuple[str, str]:
        """Channel and thread key for messages about a group, incident or proposal; empty for what does not exist."""
        group, incident = number_of(ref, "AL"), number_of(ref, "INC")
        async with self.db.read() as session:
            if proposal := await session.get(ProposalRow, number_of(ref, "AP") or 0):
                group, incident = proposal.group_id, proposal.incident_id
            return await transitions.thread_of(session, group, incident)

    async def refused(self, who: str, what: str, subject: str, reason: str) -> None:
        """Audit a refusal before any verb ran: another workspace, a copied button, a guest."""
        async with self.db.write() as session:
            await audit.append(self.db, session, who=who, what=f"refused: {what}", subject=subject, reason=reason[:500])

    async def add_line(self, key: str, channel: str, text: str, thread_key: str = "") -> None:
        """Want one line to stand in a channel or thread."""
        async with self.db.write() as session:
            await messages.touch(
                self.db, session, f"line:{key}", channel=channel, kind=MessageKind.LINE, subject=text, thread_key=thread_key
            )


def _seconds(ts: str) -> float:
    """Slack's ts is the moment of the post."""
    head = ts.partition(".")[0]
    return float(head) if head.isdecimal() else 0.0


def _stands_in(channel: str) -> ColumnElement[bool]:
    elsewhere = and_(col(MessageRow.posted_channel) == "", col(MessageRow.channel) == channel)
    return or_(col(MessageRow.posted_channel) == channel, elsewhere)

"""Messages that should stand in Slack. Nobody calls Slack to post something: they touch a row here."""

from collections.abc import Sequence

from sqlalchemy import bindparam, update
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.messages.content import MessageKind
from bot.store.db.columns import Moment
from bot.store.db.database import Database
from bot.store.tables import MessageRow


def notice_key(key: str) -> str:
    """Of the notice that says in the default channel that this message cannot be shown in its own."""
    return f"withheld:{key}"


# Written once and for the database alone: every alert, tool call and press does this, and nobody reads a message to change it.
_RAISE = (
    update(MessageRow)
    .where(col(MessageRow.key) == bindparam("of"))
    .values(wanted_rev=MessageRow.wanted_rev + 1, changed_at=bindparam("now", type_=Moment()))
    .execution_options(synchronize_session=False)
)


async def touch(
    db: Database,
    session: AsyncSession,
    key: str,
    *,
    channel: str,
    kind: MessageKind,
    subject: str,
    thread_key: str = "",
    mentions: Sequence[str] = (),
) -> None:
    """Have this message show the newest state: it is made if new, else its wanted revision rises.

    Call it in the transaction that changed the state. Ten touches before the
    sender gets there are one edit. `mentions`: people whom a new line notifies.
    """
    now = db.clock()
    session.info[db.TOUCHED] = True
    raised = await session.exec(_RAISE, params={"of": key, "now": now})
    if not raised.rowcount:
        row = MessageRow(
            key=key,
            channel=channel,
            kind=kind,
            subject=subject,
            thread_key=thread_key,
            mentions=list(mentions),
            created_at=now,
            changed_at=now,
        )
        session.add(row)
        await session.flush()


async def reserve(
    db: Database, session: AsyncSession, key: str, *, channel: str, kind: MessageKind, subject: str, thread_key: str = ""
) -> None:
    """Say where a message will stand that is not wanted yet: the first touch of its key wants it there."""
    now = db.clock()
    row = MessageRow(
        key=key,
        channel=channel,
        kind=kind,
        subject=subject,
        thread_key=thread_key,
        wanted_rev=0,
        created_at=now,
        changed_at=now,
    )
    session.add(row)


async def refresh(db: Database, session: AsyncSession, key: str) -> bool:
    """Raise the wanted revision if the message exists, nothing else; whether it does."""
    session.info[db.TOUCHED] = True
    raised = await session.exec(_RAISE, params={"of": key, "now": db.clock()})
    return bool(raised.rowcount)

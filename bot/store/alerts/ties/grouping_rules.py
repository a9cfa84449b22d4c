"""Rules that people make of merges, as rows: proposed, tried on the stored alerts, accepted, removed."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.alerts.grouping import OPENING, GroupingReason
from bot.core.alerts.ties.grouping_rules import (
    TESTED,
    BackTest,
    GroupingRule,
    PastMember,
    Regrouped,
    RuleDraft,
    Side,
    back_test,
    drafts_of,
)
from bot.core.errors import NotFound
from bot.core.incident import number_of
from bot.store import audit
from bot.store.db.database import Database
from bot.store.tables import EpisodeRow, GroupingRuleRow

MAX_TESTED = 50_000
"""Alerts that a rule is tried on, the newest."""
_CHUNK = 500
_MERGED = re.compile(r" merged AL-(\d+) into this group$")
_SPLIT = re.compile(r" split it off AL-(\d+)$")


@dataclass(frozen=True)
class ListedRule:
    """A rule in force; `grouped` counts the alerts that it put into groups."""

    rule: GroupingRule
    created_at: datetime
    grouped: int


class GroupingRules:
    """Every method is one transaction."""

    def __init__(self, db: Database) -> None:
        self.db = db

    async def drafts(self, ref: str) -> list[RuleDraft]:
        """What the last merge into a group may mean for later. Raises NotFound where nothing was merged into it."""
        async with self.db.read() as session:
            row = EpisodeRow
            read: Any = (row.name, row.service, row.grouping_text)
            query: Any = sa.select(*read).where(col(row.group_id) == (number_of(ref, "AL") or 0)).order_by(col(row.id))
            members = (await session.exec(query)).all()
        merged = [text for _, _, text in members if _MERGED.search(text)]
        if not merged:
            raise NotFound(f"Nothing was merged into {ref}: a rule is made of a merge. First: merge {ref} AL-n.")
        moved = [(name, service) for name, service, text in members if text == merged[-1]]
        others = [(name, service) for name, service, text in members if text != merged[-1]]
        if not (drafts := drafts_of(moved, others)):
            raise NotFound(f"What was merged into {ref} has the same names and services as what was there: no rule is needed.")
        return drafts

    async def test(self, drafts: Sequence[RuleDraft]) -> list[BackTest]:
        """Try rules on the alerts of the last days."""
        since = self.db.clock() - TESTED
        async with self.db.read() as session:
            members = [member async for member in _members(session, since)]
            split = await _split(session, since)
        members.reverse()
        return [back_test(draft, members, split) for draft in drafts]

    async def accept(self, tested: BackTest, owner: str, key: str) -> GroupingRule:
        """Put a rule in force. The same `key` again is the same rule."""
        draft = tested.draft
        async with self.db.write() as session:
            row = (await session.exec(select(GroupingRuleRow).where(GroupingRuleRow.key == key))).first()
            if row is None:
                row = GroupingRuleRow(
                    key=key,
                    first_name=draft.first.name,
                    first_service=draft.first.service,
                    second_name=draft.second.name,
                    second_service=draft.second.service,
                    owner=owner,
                    tested=tested.text,
                    created_at=self.db.clock(),
                )
                session.add(row)
                await session.flush()
                await audit.append(
                    self.db,
                    session,
                    who=owner,
                    what="grouping rule",
                    subject=f"GR-{row.id}",
                    after=draft.text,
                    reason=tested.text,
                )
            return _rule(row)

    async def remove(self, ref: str, who: str) -> GroupingRule:
        """End a rule: what it grouped stays together. Raises NotFound."""
        async with self.db.write() as session:
            row = await session.get(GroupingRuleRow, number_of(ref, "GR") or 0, with_for_update=True)
            if row is None or row.removed_at is not None:
                raise NotFound(f"There is no rule {ref[:20]} in force. always list shows those that are.")
            row.removed_at, row.removed_by = self.db.clock(), who
            session.add(row)
            await audit.append(self.db, session, who=who, what="grouping rule removed", subject=f"GR-{row.id}")
            return _rule(row)

    async def listed(self) -> list[ListedRule]:
        """Those in force, the oldest first."""
        by_rule = EpisodeRow.grouping_reason == GroupingReason.BY_RULE
        async with self.db.read() as session:
            rows = (await session.exec(_in_force())).all()
            query = select(EpisodeRow.grouping_text, func.count()).where(by_rule).group_by(col(EpisodeRow.grouping_text))
            counts: dict[str, int] = dict((await session.exec(query)).all()) if rows else {}
        return [ListedRule(rule, row.created_at, counts.get(rule.reason, 0)) for row in rows for rule in (_rule(row),)]


async def in_force(session: AsyncSession) -> list[GroupingRule]:
    """What groups now."""
    return [_rule(row) for row in (await session.exec(_in_force())).all()]


def _in_force() -> Any:  # Any: as _members
    return select(GroupingRuleRow).where(col(GroupingRuleRow.removed_at).is_(None)).order_by(col(GroupingRuleRow.id))


def _rule(row: GroupingRuleRow) -> GroupingRule:
    draft = RuleDraft(Side(row.first_name, row.first_service), Side(row.second_name, row.second_service))
    return GroupingRule(row.id or 0, draft, row.owner)


async def _members(session: AsyncSession, since: datetime) -> Any:  # Any: rows of a select of so many columns
    """The newest first."""
    row = EpisodeRow
    read: Any = (row.group_id, row.name, row.service, row.first_seen_at, row.grouping_reason)
    grouped = col(row.group_id).is_not(None), col(row.first_seen_at) >= since
    query: Any = sa.select(*read).where(*grouped).order_by(col(row.id).desc()).limit(MAX_TESTED)
    # In parts: whoever waits for the loop waits for one of them at most.
    async for part in (await session.stream(query)).partitions(_CHUNK):
        for group, name, service, at, reason in part:
            yield PastMember(group, name, service, at, opened=reason in OPENING)


async def _split(session: AsyncSession, since: datetime) -> list[Regrouped]:
    """What people took out of which group."""
    row = EpisodeRow
    by_person = row.grouping_reason == GroupingReason.BY_PERSON, col(row.first_seen_at) >= since
    query = select(row.group_id, row.grouping_text).where(*by_person).distinct()
    pairs = ((group, _SPLIT.search(text)) for group, text in (await session.exec(query)).all())
    return [Regrouped(group, int(match[1])) for group, match in pairs if group is not None and match]

"""What became of each alert: shown, grouped or muted, each with the reason that people can read; or none of these."""

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

Identity = tuple[str, str, str]
"""Source, fingerprint and start of an episode."""


class Fate(StrEnum):
    SHOWN = "shown"
    """It opened a group, whose card (or line on a storm's card) stands in Slack."""
    GROUPED = "grouped"
    """It joined such a group, for a reason that is stored in words."""
    MUTED = "muted"
    """It joined none, for a reason that is stored."""
    INFORMATIONAL = "informational"
    """Its severity is stored and never posted."""
    UNACCOUNTED = "unaccounted"


@dataclass(frozen=True)
class Episode:
    """A row of `episodes`, and the message in which its group stands."""

    identity: Identity
    severity: str
    muted_by: str
    group: int | None
    reason: str
    """In words, as people read it."""
    kind: str
    """The reason's own name, by which alerts are counted."""
    opened: bool
    """Whether it is the first alert of its group."""
    message: str
    """Key of the card or storm card; empty without a group."""


def fate(episode: Episode | None, shown: Collection[str]) -> Fate:
    """`shown`: the keys of the messages that stand in Slack."""
    if episode is None:
        return Fate.UNACCOUNTED
    if episode.group is not None:
        if episode.message not in shown:
            return Fate.UNACCOUNTED
        if episode.opened:
            return Fate.SHOWN
        return Fate.GROUPED if episode.reason else Fate.UNACCOUNTED
    if episode.muted_by:
        return Fate.MUTED
    return Fate.INFORMATIONAL if episode.severity == "NONE" else Fate.UNACCOUNTED


def account(sent: Iterable[Identity], stored: Mapping[Identity, Episode], shown: Collection[str]) -> dict[Identity, Fate]:
    """The fate of every alert that was sent, whether or not the bot knows it."""
    return {identity: fate(stored.get(identity), shown) for identity in sent}


_EPISODES = """
    SELECT e.id, e.source, e.fingerprint, e.starts_at, e.severity, e.muted_by, e.group_id, e.grouping_text,
        e.grouping_reason, g.on_storm_card
    FROM episodes e LEFT JOIN "groups" g ON g.id = e.group_id ORDER BY e.id
"""


def episodes(database: Path) -> dict[Identity, Episode]:
    """All episodes of a SQLite database, by what identifies them."""
    first: set[int] = set()
    found: dict[Identity, Episode] = {}
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        for _, source, fingerprint, start, severity, muted, group, reason, kind, storm in connection.execute(_EPISODES):
            identity = source, fingerprint, datetime.fromisoformat(start).replace(tzinfo=UTC).isoformat()
            message = (storm or f"card:AL-{group}") if group else ""
            opened = group is not None and group not in first
            first |= {group} if opened else set()
            found[identity] = Episode(identity, severity, muted, group, reason, kind or muted.split(":")[0], opened, message)
    return found


def figures(fates: Mapping[Identity, Fate]) -> Counter[Fate]:
    return Counter(fates.values())

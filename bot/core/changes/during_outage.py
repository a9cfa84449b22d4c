"""Changes that are made while an outage runs: somebody mends it, or it has one more cause. People in the thread should know."""

from collections.abc import Iterable, Set
from dataclasses import dataclass
from datetime import datetime

from bot.core.change import Change, kind_in_words
from bot.core.text.moments import clock
from bot.core.text.untrusted import one_line

MAX_LINES = 8
"""So many changes during one outage have a line in its thread; the timeline has them all."""


@dataclass(frozen=True)
class RunningOutage:
    """What an open group is about now."""

    began_at: datetime
    """When its card was posted, or since when it is about something new: what was changed before stands among its facts."""
    failing: Set[str]
    """The services whose alerts fire."""
    suspect: str = ""
    """The service of its first cause; "" before causes are ranked."""


def made_during(changes: Iterable[Change], outage: RunningOutage) -> list[Change]:
    """Those of `changes` that were made to its services while it runs, oldest first. What the bot ran has its own messages."""
    services = {*outage.failing, outage.suspect} - {""}
    made = [one for one in changes if one.service in services and one.at > outage.began_at and not one.by_action]
    return sorted(made, key=lambda one: (one.at, one.id))


def change_line(change: Change, outage: RunningOutage) -> str:
    """`payments was changed while its alerts fire: deploy 5.1.0 → 5.2.0 by alice, 14:02:11 UTC`; its texts are untrusted."""
    versions = " → ".join(one_line(version, 40) for version in (change.previous_version, change.version) if version)
    title = one_line(change.title, 120).replace('"', "'")
    what = " ".join([kind_in_words(change.kind), versions or f'"{title}"'])
    by = f" by {one_line(change.author, 40)}" if change.author else ""
    during = "its alerts fire" if change.service in outage.failing else "it is suspected"
    return f"{change.service} was changed while {during}: {what}{by}, {clock(change.at)}"

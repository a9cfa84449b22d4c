"""What a storm of alert groups is, and which service it may come from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core.service import reachable

STORM_GROUPS = 5
"""So many new groups of one channel within a minute get cards of their own; the next stand on a storm card."""
STORM_WINDOW = timedelta(seconds=60)
OPENED_AGAIN_WINDOW = timedelta(minutes=10)
"""Groups that are open again within so long were resolved together: people press *Resolve* on one after the other."""
LEAST_SHARE = 0.6
"""Of the firing groups must lead to one service, or there is no single suspect."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What was opened within the window before a group, by all sources or by its own."""

    groups: int = 0
    running: str = ""
    """The storm card that some of them stand on."""


def storm_card(channel: str, at: datetime, in_channel: Opened, by_source: Opened, *, worth_a_call: bool = False) -> str:
    """Key of the storm card that a group of a channel opened at `at` stands on; "" while there is no storm.

    A group that somebody is called for stands on a card of its own source's storm alone: among the groups of another
    source that floods the channel it would be overlooked.
    """
    opened = by_source if worth_a_call else in_channel
    if opened.groups < STORM_GROUPS:
        return ""
    new = f"storm:{channel}:{int(at.timestamp())}"
    return opened.running or (f"{new}:own" if new == in_channel.running else new)


def storms_over(groups: Sequence[tuple[str, datetime]], now: datetime) -> set[str]:
    """Keys of the storm cards that no new group came to within the window; `groups`: storm card and opening of each."""
    newest: dict[str, datetime] = {}
    for card, opened_at in groups:
        newest[card] = max(opened_at, newest.get(card, opened_at))
    return {card for card, opened_at in newest.items() if opened_at < now - STORM_WINDOW}


def leave_storm(firing: Sequence[int]) -> Sequence[int]:
    """Which groups of a storm that is over get cards of their own: those that still fire, if they are few.

    More of them stay lines of the storm's card, which is their one end: as many cards would be a storm of their own.
    """
    return firing if len(firing) <= STORM_GROUPS else ()


def called_before(services: Sequence[str], *, on_storm_card: bool) -> Sequence[str]:
    """The services whose on-call is not mentioned again for a group that is opened again, by those opened again just before.

    `services`: one of each of these groups. Below a storm's card people are mentioned once; of groups with cards of their own
    the first few mention them each.
    """
    return list(dict.fromkeys(services)) if on_storm_card or len(services) >= STORM_GROUPS else ()


def suspected_origin(firing: Sequence[str], depends_on: Mapping[str, Sequence[str]]) -> tuple[str, int] | None:
    """The service and how many of the firing groups are on it or above it; None if no service stands out.

    `firing` has one service per firing group. Among services that explain the same number, the one that fires itself
    comes first, then the one that the fewest others stand below: the nearest common ground rather than the deepest.
    """
    reach = {service: reachable(service, depends_on) for service in set(firing) if service}
    counts = {
        candidate: sum(candidate in reach.get(service, ()) for service in firing) for candidate in set().union(*reach.values())
    }
    if len(firing) < 2 or not counts:
        return None
    best = min(
        counts,
        key=lambda candidate: (-counts[candidate], candidate not in reach, -len(reachable(candidate, depends_on)), candidate),
    )
    return (best, counts[best]) if counts[best] >= max(2, LEAST_SHARE * len(firing)) else None

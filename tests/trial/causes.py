"""What the card of an outage named as its cause while it stood: the right one, one of an outage before, or something else."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import get_args

from bot.core.change import ChangeKind, kind_in_words
from tests.trial.outage import Outage, Run, newest_until
from tests.trial.plan import Follows
from tests.trial.recorder import Version

_CAUSE = re.compile(r"^\W*(Likely cause|Best lead|One of (?:several|\d+)):\W*(.*)")
"""The line of a card that names a cause and how sure it is. `Earlier cause` and `Not known` name none of what stands now."""
_TITLE = 30
"""Characters of a change's title that a card shows at least."""


class Named(StrEnum):
    """What a card named."""

    RIGHT = "right"
    NOTHING = "nothing named"
    EARLIER = "the cause of another outage"
    INNOCENT = "an innocent change"
    PLACE = "the right service, not its change"
    ELSEWHERE = "another service"


@dataclass(frozen=True)
class NamedCause:
    """What was named of one outage, and whether it was called likely."""

    outage: Outage
    named: Named
    likely: bool = False


def cause_lines(version: Version) -> Iterator[tuple[str, str]]:
    """How sure and what, of every line of a card that names a cause."""
    for row in version.words.splitlines():
        if match := _CAUSE.match(row):
            yield match[1], match[2]


def named_cause(outage: Outage, run: Run, telling: Version, versions: Sequence[Version]) -> NamedCause:
    """What the card named last in whose thread a message told the outage, before this ended or the next one was caused."""
    until = newest_until(outage, run)
    cards = [v for v in versions if v.ts == telling.thread and v.key.startswith("card:") and v.at <= until]
    # Once it was healed the card is led by what lingers, of which its cause is an earlier one.
    shown = [*(v for v in cards[:-1] if v.at > telling.at), *cards[-1:]]
    line = next((line for version in reversed(shown) for line in cause_lines(version)), None)
    if line is None:
        return NamedCause(outage, Named.NOTHING)
    sure, cause = line
    return NamedCause(outage, _named(outage, run, cause), sure.startswith("Likely"))


def _named(outage: Outage, run: Run, cause: str) -> Named:
    is_change = any(cause.startswith((kind_in_words(kind) + " ", "commit ")) for kind in get_args(ChangeKind))
    if outage.change and _names(cause, outage.change):
        return Named.RIGHT
    if any(o.change and o is not outage and _names(cause, o.change) for o in run.outages):
        return Named.EARLIER
    if is_change:
        return Named.INNOCENT
    at_root = re.search(rf"(?<![\w-]){re.escape(outage.root)}(?![\w-])", cause) is not None
    if not at_root:
        return Named.ELSEWHERE
    return Named.PLACE if outage.change else Named.RIGHT


def _names(cause: str, change: Sequence[str]) -> bool:
    return all(words[:_TITLE] in cause for words in change)


def figures_of_causes(causes: Sequence[NamedCause]) -> Iterator[str]:
    """A line for each way in which an outage follows: how often the right cause was named, and what else was."""
    for follows in Follows:
        own = [one for one in causes if one.outage.follows is follows]
        counts = {named: sum(one.named is named for one in own) for named in Named}
        likely = [one for one in own if one.likely]
        right = sum(one.named is Named.RIGHT for one in likely)
        others = ", ".join(f"{named} {count}" for named, count in counts.items() if count and named is not Named.RIGHT)
        sure = f"; called likely {len(likely)}, right {right}" if likely else ""
        yield f"cause, {follows}: right {counts[Named.RIGHT]} of {len(own)}" + (f" ({others})" if others else "") + sure

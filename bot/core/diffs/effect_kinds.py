"""The kinds of what a diff does: for each what it is in words, and how its trouble shows.

A new kind is its name in `EffectKind`, its row here, its patterns in `symptoms/expected_symptoms.py`, and what reads it in
`effects`.
"""

from dataclasses import dataclass
from enum import Flag, auto

from bot.core.facts.code import EffectKind


class Trait(Flag):
    """What holds of all effects of a kind."""

    NONE = 0
    TIDYING = auto()
    """Tidied code has it as often as broken code."""
    JUST_CHANGED = auto()
    """Neither more nor less of something."""
    BITES_LATE = auto()
    """It needs time, or load, until it hurts: age clears no change."""
    LOADS = auto()
    """It brings more calls about, and so hurts what a service calls: signals show it as directly as lines."""
    ON_CALLEES = auto()
    """It hurts what a service calls in another way than by more calls."""
    SHOWN_BY_OTHERS = auto()
    """Others show it as well as the service itself: who reads what it wrote fails on it."""
    USES_MORE = auto()
    """It uses up more of what is given for a time; a smaller limit of one's own does not."""
    GIVES_NO_RIGHTS = auto()
    """It is about what is used and how much of it: nobody is forbidden anything by it."""


@dataclass(frozen=True)
class Kind:
    """One kind of effect."""

    text: str
    """What it does where no value before or after says it; `{}` is its name."""
    traits: Trait = Trait.NONE


KINDS: dict[EffectKind, Kind] = {
    "accumulation": Kind(
        "lets {} grow without a limit", Trait.JUST_CHANGED | Trait.BITES_LATE | Trait.USES_MORE | Trait.GIVES_NO_RIGHTS
    ),
    "release": Kind("no longer does {}", Trait.JUST_CHANGED | Trait.BITES_LATE | Trait.GIVES_NO_RIGHTS),
    "expiry": Kind(
        "keeps for ever what it stored with {}",
        Trait.JUST_CHANGED | Trait.BITES_LATE | Trait.ON_CALLEES | Trait.USES_MORE | Trait.GIVES_NO_RIGHTS,
    ),
    "verbosity": Kind("changes {}", Trait.BITES_LATE | Trait.USES_MORE | Trait.GIVES_NO_RIGHTS),
    "timeout": Kind("changes {}", Trait.GIVES_NO_RIGHTS),
    "retry": Kind("changes {}", Trait.BITES_LATE | Trait.LOADS | Trait.USES_MORE | Trait.GIVES_NO_RIGHTS),
    "pool": Kind("changes {}", Trait.BITES_LATE | Trait.USES_MORE | Trait.GIVES_NO_RIGHTS),
    "cache": Kind("changes how it caches ({})", Trait.LOADS | Trait.USES_MORE),
    "cache_key": Kind("builds keys differently ({})", Trait.LOADS | Trait.USES_MORE),
    "record_key": Kind("sends records under another key ({})", Trait.JUST_CHANGED | Trait.BITES_LATE | Trait.ON_CALLEES),
    "offset": Kind("changes {}", Trait.JUST_CHANGED | Trait.LOADS),
    "limit": Kind("changes {}", Trait.BITES_LATE | Trait.GIVES_NO_RIGHTS),
    "memory": Kind("changes {}", Trait.BITES_LATE | Trait.GIVES_NO_RIGHTS),
    "schedule": Kind("changes {}", Trait.BITES_LATE | Trait.LOADS | Trait.USES_MORE),
    "batch": Kind(
        "no longer does {} for many at once", Trait.BITES_LATE | Trait.LOADS | Trait.USES_MORE | Trait.GIVES_NO_RIGHTS
    ),
    "query": Kind("queries {}", Trait.JUST_CHANGED | Trait.ON_CALLEES | Trait.USES_MORE),
    "schema": Kind("changes the schema of {}", Trait.JUST_CHANGED | Trait.ON_CALLEES),
    "index": Kind("drops the index {}", Trait.BITES_LATE | Trait.ON_CALLEES | Trait.GIVES_NO_RIGHTS),
    "dependency": Kind("builds on another version of {}"),
    "comparison": Kind("compares otherwise ({})", Trait.JUST_CHANGED),
    "guard": Kind("changes the guard {}", Trait.TIDYING),
    "label": Kind("adds the label {} to a metric", Trait.JUST_CHANGED | Trait.BITES_LATE | Trait.ON_CALLEES | Trait.USES_MORE),
    "lock": Kind(
        "locks or unlocks elsewhere ({})", Trait.JUST_CHANGED | Trait.BITES_LATE | Trait.ON_CALLEES | Trait.GIVES_NO_RIGHTS
    ),
    "order": Kind("no longer puts in order ({})", Trait.JUST_CHANGED | Trait.BITES_LATE | Trait.ON_CALLEES),
    "spawn": Kind("starts concurrent work ({})", Trait.USES_MORE | Trait.GIVES_NO_RIGHTS),
    "sharing": Kind("shares what each request or thread had for itself ({})", Trait.JUST_CHANGED),
    "waiting": Kind("does while its callers wait what it did apart ({})", Trait.JUST_CHANGED | Trait.BITES_LATE),
    "format": Kind("changes how a text or name is built or read ({})", Trait.JUST_CHANGED | Trait.SHOWN_BY_OTHERS),
    "clock": Kind("takes the day or time from elsewhere ({})", Trait.JUST_CHANGED | Trait.BITES_LATE),
    "match": Kind("matches texts by another expression ({})", Trait.JUST_CHANGED | Trait.BITES_LATE),
    "pattern": Kind("matches texts by another expression ({})", Trait.JUST_CHANGED | Trait.BITES_LATE),
    "backtracking": Kind(
        "repeats a repetition in an expression that texts are matched by ({})",
        Trait.JUST_CHANGED | Trait.BITES_LATE | Trait.GIVES_NO_RIGHTS,
    ),
    "address": Kind("changes {}"),
    "access": Kind("changes {}"),
    "renewal": Kind("no longer renews what is valid for a time ({})", Trait.JUST_CHANGED | Trait.BITES_LATE),
    "balancing": Kind(
        "no longer spreads calls over all instances ({})", Trait.JUST_CHANGED | Trait.BITES_LATE | Trait.SHOWN_BY_OTHERS
    ),
    "draining": Kind(
        "no longer lets an instance that stops end its requests ({})",
        Trait.JUST_CHANGED | Trait.BITES_LATE | Trait.SHOWN_BY_OTHERS,
    ),
    "connection_state": Kind("changes {}", Trait.JUST_CHANGED | Trait.BITES_LATE | Trait.SHOWN_BY_OTHERS),
    "call": Kind("no longer calls {}", Trait.TIDYING),
    "name": Kind("changes {}", Trait.TIDYING),
    "variable": Kind("changes {}"),
    "setting": Kind("changes {}"),
}


def kinds_with(traits: Trait) -> frozenset[EffectKind]:
    """The kinds that have any of these traits."""
    return frozenset(name for name, kind in KINDS.items() if kind.traits & traits)


LOADS = kinds_with(Trait.LOADS)
"""Effects that bring more calls about: signals show those as directly as lines."""
ON_CALLEES = kinds_with(Trait.LOADS | Trait.ON_CALLEES)
"""Effects that hurt what a service calls: that this one fails clears no change of its caller."""
SHOWN_BY_OTHERS = kinds_with(Trait.LOADS | Trait.ON_CALLEES | Trait.SHOWN_BY_OTHERS)
"""Effects that others show as well as the service itself."""
BITES_LATE = kinds_with(Trait.BITES_LATE)
"""Effects that need time, or load, until they hurt: for them age clears no change."""

"""Facts of code: what the diff of one commit touches. Every name and value in them is untrusted text."""

from typing import Literal

from pydantic import AwareDatetime

from bot.core.facts.fact import Fact

EffectKind = Literal[
    "accumulation",
    "release",
    "expiry",
    "verbosity",
    "timeout",
    "retry",
    "pool",
    "cache",
    "cache_key",
    "record_key",
    "offset",
    "limit",
    "memory",
    "schedule",
    "batch",
    "query",
    "schema",
    "index",
    "dependency",
    "comparison",
    "guard",
    "label",
    "lock",
    "order",
    "spawn",
    "sharing",
    "waiting",
    "format",
    "clock",
    "match",
    "pattern",
    "backtracking",
    "address",
    "access",
    "renewal",
    "balancing",
    "draining",
    "connection_state",
    "call",
    "name",
    "variable",
    "setting",
]
"""What a diff does, as far as lines show it (`bot.core.diffs.effects`)."""


class EffectFact(Fact):
    """One thing that a diff does: of settings the name with both values, of dependencies the package with both versions."""

    kind: EffectKind
    name: str
    before: str = ""
    after: str = ""
    path: str = ""


class DiffFact(Fact):
    """One commit's diff: the names that it removes, adds or has on changed lines, each once, and what it does."""

    commit: str
    at: AwareDatetime
    title: str = ""
    paths: tuple[str, ...] = ()
    inert: bool = False
    """True if it can change no behaviour: documents, tests, styles, comments, or code that only moved."""
    partial: bool = False
    """True if a patch was cut or not sent, or this fact holds only a part of it: what was not read may do anything."""
    moved: bool = False
    """True if nearly everything that it removes it adds again elsewhere."""
    effects: tuple[EffectFact, ...] = ()
    removed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    around: tuple[str, ...] = ()
    """Names beside the changed lines, and of the functions that they stand in."""
    literals: tuple[str, ...] = ()
    """Texts in quotes that it adds, log messages aside."""
    touched: tuple[str, ...] = ()
    """Names on changed lines that stand on both sides."""

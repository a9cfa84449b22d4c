"""Flags and settings whose code cannot be read: whether anything but their moment points to them."""

import re

from bot.core.change import Change
from bot.core.diffs.identifiers import word_stems
from bot.core.ranking.changes.code_evidence import symptoms_of
from bot.core.ranking.context import RankingContext

_NEW_STATE = re.compile(r"\S+ ?(->|→) ?\S+$")
"""What a title says of a flag beside its name: `off->on`."""


def is_named(context: RankingContext, change: Change) -> bool:
    """Whether a new line shares two words with the title of a change whose code cannot be read, or its only one.

    True without any lines. One word of several stands in lines by chance, and that of its own service whatever happens.
    """
    lines = symptoms_of(context.observations, context.summary).new()
    own = {word for word in word_stems(_NEW_STATE.sub("", change.title)) if word not in change.service.casefold()}
    return not lines or any(len(own & word_stems(line.text)) >= min(2, len(own)) > 0 for line in lines)

"""Log messages grouped into templates, one message at a time, by a parse tree of fixed depth.

Drain after He et al. (2017), "Drain: An Online Log Parsing Approach with Fixed Depth Tree", ICWS: the number of words and
the first word lead a message to a leaf. There it joins the template it resembles most, whose differing words become masks,
or it starts a template of its own. So a message is compared with the few templates of one leaf, however many there are.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.core.logs.masking import MASK

SIMILARITY = 0.5
"""Share of a message's words that stand in a template at the same places, from which on it belongs to that template."""
MAX_BRANCHES = 100
"""First words that get a leaf of their own, by number of words; all further ones share the masked leaf."""


@dataclass(eq=False)
class Template:
    """The words that messages of one kind share, with masks where they differ."""

    number: int
    """From 1 on, in the order of the first messages."""
    words: tuple[str, ...]

    def likeness(self, words: Sequence[str]) -> tuple[int, int]:
        """How many words agree, then how many are masked: a mask agrees with no word and only decides between equals."""
        agreeing = [word for word, other in zip(self.words, words, strict=True) if word == other]
        return len(agreeing) - agreeing.count(MASK), self.words.count(MASK)

    def generalise(self, words: Sequence[str]) -> None:
        """Mask the words in which this message differs."""
        self.words = tuple([word if word == other else MASK for word, other in zip(self.words, words, strict=True)])


Branches = dict[str, list[Template]]
"""First word -> the templates of its leaf. Under MASK stand those whose first word holds a digit or came too late."""


@dataclass
class TemplateTree:
    """The templates of all messages so far."""

    _branches: dict[int, Branches] = field(default_factory=dict)
    """Number of words -> what lies below."""
    _size: int = 0

    def add(self, words: Sequence[str]) -> Template:
        """The template that this message belongs to from now on."""
        branches = self._branches.setdefault(len(words), {})
        template = _match(_leaf(branches, words), words)
        if template is not None:
            template.generalise(words)
            return template
        self._size += 1
        template = Template(self._size, tuple(words))
        branches.setdefault(_key(branches, words), []).append(template)
        return template


def _leaf(branches: Branches, words: Sequence[str]) -> Sequence[Template]:
    """The templates that a message is compared with."""
    return branches.get(_first(words)) or branches.get(MASK, [])


def _key(branches: Branches, words: Sequence[str]) -> str:
    """The branch on which a new template is put."""
    first = _first(words)
    if first in branches:
        return first
    full = len(branches.keys() - {MASK}) >= MAX_BRANCHES - 1
    return MASK if full or any(char.isdigit() for char in first) else first


def _first(words: Sequence[str]) -> str:
    return words[0] if words else ""


def _match(templates: Sequence[Template], words: Sequence[str]) -> Template | None:
    """The template that resembles the message most (of equals the oldest), if it resembles it enough."""
    if not templates:
        return None
    (agreeing, _), template = max(((each.likeness(words), each) for each in templates), key=lambda pair: pair[0])
    return template if agreeing >= SIMILARITY * len(words) else None

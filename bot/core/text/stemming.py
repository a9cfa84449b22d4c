"""Words as a search compares them: in lower case, CamelCase split, English endings cut off roughly."""

import re
from collections.abc import Sequence
from itertools import pairwise

_SPLIT = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_STOP_WORDS = """
    a an and are as at be been but by can could do does for from had has have how if in into is it its may more most
    no not of on or our out over so than that the their them then there these they this to up was we were what when
    where which who will with would you your"""
STOP_WORDS = frozenset(_STOP_WORDS.split())


def stems(text: str) -> list[str]:
    """Lower-case stems in order, CamelCase split, stop words left out."""
    words = (word.lower() for word in _SPLIT.findall(text))
    return [stem(word) for word in words if word not in STOP_WORDS and (len(word) > 1 or word.isdigit())]


_ENDINGS = (
    ("ational", "ate"), ("ization", "ize"), ("fulness", "ful"), ("ousness", "ous"), ("iveness", "ive"), ("ations", "ate"),
    ("ation", "ate"), ("ments", "ment"), ("ities", "ity"), ("ness", ""), ("ings", ""), ("ing", ""), ("edly", ""), ("ied", "y"),
    ("ies", "y"), ("ers", "er"), ("ed", ""), ("ly", ""), ("sses", "ss"), ("xes", "x"), ("ches", "ch"), ("s", ""),
)  # fmt: skip


def stem(word: str) -> str:
    """The word without its English ending, roughly: equal for most forms of one word, and never shorter than three letters."""
    for ending, replacement in _ENDINGS:
        if word.endswith(ending) and not word.endswith("ss") and len(word) - len(ending) >= 3:
            word = word[: len(word) - len(ending)] + replacement
            break
    if len(word) > 4 and word[-1] == word[-2] and word[-1] not in "lsz":
        word = word[:-1]
    return word[:-1] if len(word) > 4 and word.endswith("e") else word


def pairs(words: Sequence[str]) -> list[str]:
    """Neighbouring pairs, and pairs with one word between."""
    near = [f"{a} {b}" for a, b in pairwise(words)]
    return near + [f"{a} {b}" for a, b in zip(words, words[2:], strict=False)]

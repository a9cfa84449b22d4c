"""Which runbook fits a text: BM25 over stems and neighbouring pairs of stems.

BM25 after Robertson and Zaragoza (2009), "The Probabilistic Relevance Framework"; the constants were tuned on public
runbooks. The first sentence of the query counts twice, since it says what is wrong and the rest says where.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

K1 = 0.9
B = 0.3
PAIR_WEIGHT = 0.4
_MAX_QUERY = 4_000
_SPLIT = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n")
_TEMPLATE = re.compile(r"\{\{[^{}]*\}\}")
_STOP_WORDS = """
    a an and are as at be been but by can could do does for from had has have how if in into is it its may more most
    no not of on or our out over so than that the their them then there these they this to up was we were what when
    where which who will with would you your"""
_STOP = frozenset(_STOP_WORDS.split())


def stems(text: str) -> list[str]:
    """Lower-case stems in order, CamelCase taken apart, stop words left out."""
    words = (word.lower() for word in _SPLIT.findall(text))
    return [stem(word) for word in words if word not in _STOP and (len(word) > 1 or word.isdigit())]


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


def _query(text: str) -> tuple[list[str], list[str]]:
    """Stems of the whole query and of its first sentence; template parts are cut out."""
    plain = _TEMPLATE.sub(" ", text[:_MAX_QUERY]).strip()
    return stems(plain), stems(_SENTENCE_END.split(plain, maxsplit=1)[0])


@dataclass(frozen=True)
class _Index:
    """Postings: term -> document -> how often it stands there."""

    postings: dict[str, dict[str, int]] = field(default_factory=dict)
    lengths: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, documents: Mapping[str, Sequence[str]]) -> "_Index":
        index = cls()
        for name, terms in documents.items():
            index.lengths[name] = len(terms)
            for term, count in Counter(terms).items():
                index.postings.setdefault(term, {})[name] = count
        return index

    def scores(self, query: Mapping[str, int]) -> dict[str, float]:
        """BM25 of every document that shares a term with the query."""
        mean = sum(self.lengths.values()) / max(1, len(self.lengths)) or 1.0
        total: dict[str, float] = {}
        for term, weight in query.items():
            rarity = self.rarity(term)
            for name, often in self.postings.get(term, {}).items():
                reach = K1 * (1 - B + B * self.lengths[name] / mean)
                total[name] = total.get(name, 0.0) + weight * rarity * often * (K1 + 1) / (often + reach)
        return total

    def rarity(self, term: str) -> float:
        """Inverse document frequency, never negative."""
        holders = len(self.postings.get(term, {}))
        return math.log(1 + (len(self.lengths) - holders + 0.5) / (holders + 0.5))

    def ceiling(self, query: Mapping[str, int]) -> float:
        """The score of a document that holds every term of the query without end."""
        return sum(weight * self.rarity(term) * (K1 + 1) for term, weight in query.items())


class Ranking:
    """Documents by id, ready to be searched."""

    def __init__(self, documents: Mapping[str, str]) -> None:
        words = {name: stems(text) for name, text in documents.items()}
        self._words = _Index.of(words)
        self._pairs = _Index.of({name: pairs(stemmed) for name, stemmed in words.items()})

    def search(self, text: str, limit: int = 3) -> list[tuple[str, float]]:
        """Ids and scores of the best documents, best first; only those that share a word with the text.

        A score is a share of what a document that holds every word of the text often would get: 0 to about 1.
        """
        whole, first = _query(text)
        words = Counter(whole) + Counter(first)
        scores = self._words.scores(words)
        for name, score in self._pairs.scores(Counter(pairs(whole)) + Counter(pairs(first))).items():
            scores[name] = scores.get(name, 0.0) + PAIR_WEIGHT * score
        best = sorted(scores.items(), key=lambda item: (-item[1], item[0]))[:limit]
        ceiling = self._words.ceiling(words) or 1.0
        return [(name, score / ceiling) for name, score in best]


def best_passage(document: str, text: str, limit: int = 400) -> str:
    """The paragraph of the document that shares most with the text, headings and code left out, cut to `limit`."""
    wanted = set(stems(text))
    paragraphs = [p.strip() for p in re.split(r"\n\s*\n", document) if p.strip() and not p.lstrip().startswith(("#", "```"))]
    if not paragraphs:
        return ""
    chosen = max(paragraphs, key=lambda p: len(wanted & set(stems(p))))
    return " ".join(chosen.split())[:limit]

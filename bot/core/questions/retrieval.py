"""Which documents (runbooks, past incidents, recorded lines) fit a text: BM25 over stems and neighbouring pairs of stems.

BM25 after Robertson and Zaragoza (2009), "The Probabilistic Relevance Framework"; the constants were tuned on public
runbooks. The first sentence of the query counts most, since it says what is wrong and the rest says where. Code blocks
of a document count little: many runbooks query with the same commands.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.core.text.stemming import pairs, stems
from bot.core.tuning import TUNING

_WEIGHTS = TUNING.retrieval
_MAX_QUERY = 4_000
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n")
_TEMPLATE = re.compile(r"\{\{[^{}]*\}\}")
_FENCE = "```"

Weights = Mapping[str, float]
"""Term -> how much it counts."""


def _query(text: str) -> tuple[Weights, Weights]:
    """Stems and pairs of stems with their weights; template parts are cut out."""
    plain = _TEMPLATE.sub(" ", text[:_MAX_QUERY]).strip()
    whole, first = stems(plain), stems(_SENTENCE_END.split(plain, maxsplit=1)[0])
    return _weighted_sum(whole, first, _WEIGHTS.first_sentence), _weighted_sum(
        pairs(whole), pairs(first), _WEIGHTS.first_sentence
    )


def _document(text: str) -> tuple[Weights, Weights]:
    """Stems and pairs of stems, those of code blocks with less weight."""
    parts = text.split(_FENCE)
    prose, code = stems("\n".join(parts[::2])), stems("\n".join(parts[1::2]))
    return _weighted_sum(prose, code, _WEIGHTS.code), _weighted_sum(pairs(prose), pairs(code), _WEIGHTS.code)


def _weighted_sum(terms: list[str], others: list[str], weight: float) -> Weights:
    total: dict[str, float] = dict(Counter(terms))
    for term, count in Counter(others).items():
        total[term] = total.get(term, 0.0) + weight * count
    return total


@dataclass(frozen=True)
class _Index:
    """Postings: term -> document -> weighted count of the term there."""

    postings: dict[str, dict[str, float]] = field(default_factory=dict)
    lengths: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, documents: Mapping[str, Weights]) -> "_Index":
        index = cls()
        for name, terms in documents.items():
            index.lengths[name] = sum(terms.values())
            for term, count in terms.items():
                index.postings.setdefault(term, {})[name] = count
        return index

    def relevance(self, query: Weights) -> dict[str, float]:
        """BM25 of every document that shares a term with the query."""
        mean = sum(self.lengths.values()) / max(1, len(self.lengths)) or 1.0
        total: dict[str, float] = {}
        for term, weight in query.items():
            rarity = self.rarity(term)
            for name, count in self.postings.get(term, {}).items():
                saturation = _WEIGHTS.saturation * (1 - _WEIGHTS.length + _WEIGHTS.length * self.lengths[name] / mean)
                total[name] = total.get(name, 0.0) + weight * rarity * count * (_WEIGHTS.saturation + 1) / (count + saturation)
        return total

    def rarity(self, term: str) -> float:
        """Inverse document frequency, never negative."""
        holders = len(self.postings.get(term, {}))
        return math.log(1 + (len(self.lengths) - holders + 0.5) / (holders + 0.5))

    def max_relevance(self, query: Weights) -> float:
        """The relevance that a document approaches the more often it holds every term of the query."""
        return sum(weight * self.rarity(term) * (_WEIGHTS.saturation + 1) for term, weight in query.items())


class Ranking:
    """Documents by id, ready to be searched."""

    def __init__(self, documents: Mapping[str, str]) -> None:
        terms = {name: _document(text) for name, text in documents.items()}
        self._words = _Index.of({name: words for name, (words, _) in terms.items()})
        self._pairs = _Index.of({name: pairs for name, (_, pairs) in terms.items()})

    def search(self, text: str, limit: int = 3) -> list[tuple[str, float]]:
        """Ids and relevance of the best documents, best first; only those that share a word with the text.

        A relevance is a share of what a document that holds every word of the text often would get: 0 to about 1.
        """
        words, neighbours = _query(text)
        relevances = self._words.relevance(words)
        for name, relevance in self._pairs.relevance(neighbours).items():
            relevances[name] = relevances.get(name, 0.0) + _WEIGHTS.pair * relevance
        best = sorted(relevances.items(), key=lambda item: (-item[1], item[0]))[:limit]
        highest = self._words.max_relevance(words) or 1.0
        return [(name, relevance / highest) for name, relevance in best]


def best_passage(document: str, text: str, limit: int = 400) -> str:
    """The paragraph of the document that shares most words with the text, headings and code left out, cut to `limit`."""
    terms = set(stems(text))
    paragraphs = [p.strip() for p in re.split(r"\n\s*\n", document) if p.strip() and not p.lstrip().startswith(("#", "```"))]
    if not paragraphs:
        return ""
    best = max(paragraphs, key=lambda p: len(terms & set(stems(p))))
    return " ".join(best.split())[:limit]

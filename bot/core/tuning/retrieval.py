"""What counts when recorded lines, runbooks and past incidents are matched with a question or a case."""

from dataclasses import dataclass


@dataclass(frozen=True)
class AnswerWeights:
    """Which recorded lines answer a question first, added to how much of its words they hold. By hand, on written questions."""

    requested_tool: float = 1.0
    """A line of a tool that the question calls for."""
    measured: float = 0.6
    """A line of another tool that observed this incident."""
    worded: float = 0.3
    """A line that people, or code on their behalf, put into words."""
    health: float = 0.2
    """The health of a service, where the question names nothing but services."""
    summary: float = 0.1
    """A summary before its details."""
    normal: float = 0.3
    """Taken from a line on a signal that stayed normal: of ten services the one that moved is the answer."""
    near_best: float = 0.4
    """Share of the best line's relevance that a line needs to be shown beside it."""


@dataclass(frozen=True)
class RetrievalWeights:
    """BM25 and what it counts (core/questions/retrieval). By hand, on public runbooks."""

    saturation: float = 1.2
    """BM25's k1: how soon a repeated word counts no more."""
    length: float = 0.3
    """BM25's b: how much a long document is discounted."""
    pair: float = 0.4
    """Neighbouring pairs of words, beside the words themselves."""
    first_sentence: float = 1.5
    """The query's first sentence, on top of counting once like all others: it says what is wrong, the rest says where."""
    code: float = 0.25
    """Code blocks of a document: many runbooks check with the same commands."""


@dataclass(frozen=True)
class SimilarityWeights:
    """What makes a past incident resemble a case, adding up to 1 (core/history/past_incidents). By hand."""

    alert: float = 0.5
    """The same alert."""
    service: float = 0.3
    """The same service."""
    words: float = 0.2
    """All words of the case stand in the past incident."""
    similar: float = 0.4
    """Similarity from which on a past incident is shown: the same service alone is not enough."""

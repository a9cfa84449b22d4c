"""From where on a cause is listed, likely, carried by its evidence, or worth a proposal; and its category."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ConfidenceThresholds:
    """From which likelihood on a cause is listed, and what it is called. By hand; docs/evaluation.md says how right that is."""

    suspect: float = 0.04
    """Share of the attribution from which on the causes of a service are looked for."""
    listed: float = 0.04
    """Likelihood from which on a cause is listed."""
    listed_anywhere: float = 0.01
    """The same where no alert names a service: the attribution is spread thin."""
    possible: float = 0.12
    likely: float = 0.94
    """Share of right places among leads that lay so far ahead, from which on the first cause is likely: 0.9 and a margin."""
    best_lead: float = 0.5
    """The same from which on it is the best lead, and no longer one of several."""
    likely_margin: float = 1.4
    """How many times the likelihood of the next cause at the same place the first must have to be called likely."""
    likely_margin_unexplained: float = 1.8
    """The same of what no diff surely explains, over any change too: of unseen incidents five of ten wrong answers lay nearer,
    and none of 21 right ones."""
    sure: float = 1.0
    """Doublings that a deviation must have for its cause to be sure: twice the normal range."""
    exonerated: float = 0.1
    """Share of the attribution below which a changed service that deviates is only hurt by what it depends on."""


@dataclass(frozen=True)
class VerdictThresholds:
    """When the evidence of a claim carries it (core/verdict). By hand."""

    explained_by_callees: float = 0.5
    """Share of a service's symptom from which on its dependencies explain it."""
    rounding: float = 0.01
    """Evidence is rounded itself, to three digits: beyond what the digits of a claim say, a figure may be so far off."""


@dataclass(frozen=True)
class CategoryWeights:
    """What each sign counts for the kind of cause (core/verdict/category). By hand, on written scenarios."""

    names_cause: float = 3.0
    """A line in the words by which platforms and programs name this kind of cause."""
    suggests_cause: float = 2.0
    """A line in words that suggest it."""
    trouble: float = 1.0
    """A line that speaks of trouble of no known kind."""
    alert_text: float = 0.5
    """Factor for the alert's own words: they were written with the rule, before anything was measured."""
    beyond_threshold: float = 1.0
    """A signal beyond the threshold that its owners set."""
    deviation: float = 1.0
    """A signal that left its normal range; up to one more with its strength."""
    likely: float = 3.0
    """The first ranked cause where it is likely."""
    possible: float = 1.0
    """The same where it is possible."""
    least: float = 1.0
    """Weight from which on the heaviest category stands."""
    odd: float = 1.0
    """Doublings from which on something is wrong: of twenty signals one is a little out of its range by chance."""
    lead: float = 0.3
    """Likelihood of a cause that signs alone name."""


@dataclass(frozen=True)
class RemedyThresholds:
    """When a cause that is only possible deserves a proposal (core/approvals/remedies). By hand."""

    evidence: int = 2
    """Distinct pieces of evidence that it needs."""
    likelihood: float = 0.4
    """Likelihood that it needs."""

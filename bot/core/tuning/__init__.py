"""All weights and thresholds of the analyst in one frozen object, the same for every incident.

Where the values come from: *chosen* ones are those that rank best on all public sets together; `python -m tests.evaluation
left_out` chooses them anew without a set and tries them on it (docs/evaluation.md). The others were *set by hand* while the
demo's seeds and the public sets were played; `left_out` tries those that a public set can judge. Limits of a measurement (how
many samples, which quantile is normal) stand beside its formula instead: they decide what is observed, not what it counts.

A "doubling" is log2 of how far a signal is beyond its normal range (core/metrics/deviation). Times are seconds.
"""

from dataclasses import dataclass, field

from bot.core.tuning.arrival_rate import ArrivalRateWeights
from bot.core.tuning.causes import OtherCauseWeights, OutsideWeights, ProviderWeights, ResourceWeights, TrafficWeights
from bot.core.tuning.changes import ChangeWeights, DiffWeights, NeighbourWeights
from bot.core.tuning.fault_location import AlertKindWeights, AttributionWeights, BurstCauseWeights, BurstWeights, SignWeights
from bot.core.tuning.retrieval import AnswerWeights, RetrievalWeights, SimilarityWeights
from bot.core.tuning.verdict import CategoryWeights, ConfidenceThresholds, RemedyThresholds, VerdictThresholds


@dataclass(frozen=True)
class Tuning:
    """Every weight and threshold in use."""

    signs: SignWeights = field(default_factory=SignWeights)
    attribution: AttributionWeights = field(default_factory=AttributionWeights)
    burst: BurstWeights = field(default_factory=BurstWeights)
    alert_kinds: AlertKindWeights = field(default_factory=AlertKindWeights)
    arrival_rate: ArrivalRateWeights = field(default_factory=ArrivalRateWeights)
    burst_causes: BurstCauseWeights = field(default_factory=BurstCauseWeights)
    changes: ChangeWeights = field(default_factory=ChangeWeights)
    neighbours: NeighbourWeights = field(default_factory=NeighbourWeights)
    diffs: DiffWeights = field(default_factory=DiffWeights)
    resources: ResourceWeights = field(default_factory=ResourceWeights)
    providers: ProviderWeights = field(default_factory=ProviderWeights)
    outside: OutsideWeights = field(default_factory=OutsideWeights)
    traffic: TrafficWeights = field(default_factory=TrafficWeights)
    other_causes: OtherCauseWeights = field(default_factory=OtherCauseWeights)
    confidence: ConfidenceThresholds = field(default_factory=ConfidenceThresholds)
    verdict: VerdictThresholds = field(default_factory=VerdictThresholds)
    categories: CategoryWeights = field(default_factory=CategoryWeights)
    answers: AnswerWeights = field(default_factory=AnswerWeights)
    retrieval: RetrievalWeights = field(default_factory=RetrievalWeights)
    past_incidents: SimilarityWeights = field(default_factory=SimilarityWeights)
    remedies: RemedyThresholds = field(default_factory=RemedyThresholds)


TUNING = Tuning()

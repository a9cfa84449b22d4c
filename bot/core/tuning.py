"""All weights and thresholds of the analyst in one frozen object, the same for every incident.

Where the values come from: *chosen* ones are those that rank best on all public sets together; `python -m tests.evaluation
left_out` chooses them anew without a set and tries them on it (docs/evaluation.md). The others were *set by hand* while the
demo's seeds and the public sets were played; `left_out` tries those that a public set can judge. Limits of a measurement (how
many samples, which quantile is normal) stand beside its formula instead: they decide what is observed, not what it counts.

A "doubling" is log2 of how far a signal is beyond its normal range (core/metrics/deviation). Times are seconds.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class SignWeights:
    """What one doubling beyond normal counts, by kind of sign, when the signs of a service are added up."""

    symptom_anywhere: float = 0.2
    """Errors and latency where no alert names a service: of hundreds of signals some always stand out. Chosen."""
    network: float = 2.0
    """Time that callers wait beyond what the service itself takes. Chosen."""
    behaviour: float = 0.8
    """Another mix of log lines or calls than usual. Chosen."""
    more_calls: float = 0.1
    """More calls per request: retries, or requests counted late. What is not called any more says more. Chosen."""
    last_step: float = 0.5
    """Share of vanished calls that counts at the last step that is still called: the request may have ended there. By hand."""
    resource: float = 0.24
    """A resource that ran short, where no alert names a service. Chosen."""
    further_signs: float = 0.3
    """What the weaker signs of a service add to its strongest: they are rarely independent. Chosen."""
    behaviour_of_callees: float = 0.5
    """Share of a callee's sign that is taken from its caller: who calls a service that behaves oddly does so too. By hand."""
    odd_callee: float = -0.5
    """Doublings from which on a callee counts as odd for that. By hand."""
    least_share: float = 0.02
    """Share of the attribution from which on a service lends the call graph's sign the strength of its symptom. By hand."""
    least_strength: float = 0.01
    """Strength of that sign where no service has a symptom: more than nothing, less than any other sign. By hand."""


@dataclass(frozen=True)
class AttributionWeights:
    """How readily a symptom is attributed to what the service with the symptom calls (core/ranking/attribution)."""

    other_symptom: float = 0.7
    """A slow callee may explain errors of its caller (time-outs), a failing one its caller's waiting (retries). Chosen."""
    resource: float = 0.6
    """A callee without symptoms that has run out of something explains less than one that fails. Chosen."""
    late: float = 0.3
    """A callee that began clearly after its caller is rather hurt by it than hurting it. Chosen."""
    late_after: float = 120.0
    """Seconds, on top of both steps between samples, from which on "clearly after" holds. By hand."""
    noticed_time: float = 0.05
    """Share of its time that a caller that looks normal would have to notice. Chosen."""
    noticed_share: float = 0.005
    """The same as a share of its requests. Chosen."""
    nearly_normal: float = -1.0
    """Doublings of a symptom within its normal range that earns the first credit, which grows to full at 0. By hand."""
    full_strength: float = 2.0
    """Doublings from which on a deviation counts whole. By hand."""
    strong_symptom: float = 3.0
    """Doublings from which on errors and latency are equally strong, so that errors go first. By hand."""
    most_of_callee: float = 10.0
    """A callee with other callers may lose this many times what the caller shows; more counts no more. By hand."""
    max_depth: int = 8
    """Calls that are followed down from the alerting service. By hand."""


@dataclass(frozen=True)
class BurstWeights:
    """What an alert says of the component in which a burst of alerts began (core/ranking/burst_ranking)."""

    most_bits: float = 6.0
    """One in 64 is rare enough: a fault that came before must not be found less likely for that. Chosen."""
    pooled: float = 4.0
    """What is known of alike components counts like so many bursts of the component's own. Chosen."""
    now: float = 3.0
    """What many alike components fire now says little of each of them, and counts like so many bursts. Chosen."""
    half_life: float = 200.0
    """Seconds after the burst's start at which an alert counts half: effects follow causes. Chosen."""
    callee: float = 0.7
    """An alert on a slow call names both ends and decides little between them; it is rather the called one. Chosen."""
    caller: float = 0.25
    """The same at the calling end. Chosen."""
    awaited: float = 1.5
    """A component's own wait for a service, at the service: it holds the way there, which no other sign shows. Chosen."""
    missing_wait: float = 2.0
    """Bits that a caller loses for each callee that it does not wait for: if it were at fault, all its calls would. Chosen."""
    alike: float = 0.25
    """Further alerts of one kind on a component, or of one service's pods, repeat the first more than they add. Chosen."""
    next_kind: float = 0.8
    """Factor from each kind of alert on a component to its next: independent kinds nearly add up. Chosen."""
    crowd: float = 0.3
    """The more components of a level there are, the oftener one is odd by chance; pods are the measure of it. Chosen."""
    copied_from_pod: float = 0.8
    """Share of a host's alert that is taken for a copy of a pod's on it that is of the same kind and as rare. Chosen."""
    explained: float = 0.4
    """Share of a pod's bits that is left once its service ranks before it. Chosen."""
    prior: float = 0.5
    """Bursts added to each count, so that what never fired before is rare and not impossible. By hand."""
    half_life_in_bursts: float = 14.0
    """Further bursts after which an earlier one counts half: systems change. Counted while alerts are read. By hand."""


@dataclass(frozen=True)
class AlertKindWeights:
    """What an alert counts by its kind (core/alerts/kind), where 1 is whole. Counted while alerts are read. By hand."""

    network: float = 0.7
    """Traffic, like load, follows what happens elsewhere more often than it brings it about."""
    load: float = 0.5
    """Threads, queues and request rates."""
    handed_down: float = 0.0
    """A line about another that failed says nothing of who logged it."""
    other: float = 0.5
    """An alert of no known kind."""
    falling: float = 0.5
    """Less use of a resource, or faster answers: rather an effect of less work than a cause."""
    kernel_choice: float = 0.5
    """Which core runs what, and which pages of files stay in memory."""


@dataclass(frozen=True)
class BurstCauseWeights:
    """What the ranking of a burst adds to the causes that measurements show (core/ranking/burst_causes). By hand."""

    likelihood: float = 0.35
    """Of the best component as a cause: a lead, as much as a service that fails for no visible reason."""
    support: float = 0.3
    """Share by which the best component's burst raises a cause that metrics show."""
    carried: float = 0.4
    """Likelihood of a measured cause from which on a component that only fires alerts is no rival to it."""
    enough_bursts: int = 5
    """Earlier bursts from which on rarity supports a measured cause."""
    doublings: float = 0.5
    """Strength of such a cause: an alert says that a threshold was passed, not by how much, so it is never "likely" alone."""


@dataclass(frozen=True)
class ChangeWeights:
    """How well a change before the onset fits. By hand: no public set holds changes, the demo's seeds do."""

    half_life: float = 480.0
    """Seconds without a symptom after which a change is half as suspect: most bad changes bite at once."""
    slow_share: float = 0.15
    """What is left for a change that bites late (a leak, a cache that runs dry); it fades over the lookback."""
    scaling: float = 0.6
    """Another number of pods: it rarely breaks a service, and often answers its trouble."""
    other_kind: float = 0.5
    """A change of no known kind."""
    version_carries: float = 1.35
    """The change's version alone shows the symptom."""
    version_unclear: float = 0.8
    """Another version shows some of it."""
    versions_alike: float = 0.1
    """All versions show it alike: the change is not the cause."""
    least_errors: float = 0.02
    """Share of the usual level by which a version must fail more to show the symptom at all; absolute where none was usual."""
    least_slowness: float = 0.5
    """The same of latency: new pods are slower for a while, until their caches are warm."""
    alone_below: float = 0.25
    """Share of the version's shift below which another version does not show the symptom."""
    alike_above: float = 0.6
    """Share of the version's shift above which another version shows it alike."""
    sure_within: float = 600.0
    """Seconds before the onset within which a change is sure without a breakdown by version."""
    rival_within: float = 3600.0
    """Seconds before the onset within which another change nearby makes this one's moment say nothing."""
    explained_place: float = 0.6
    """Share of the attribution that a change counts with at least whose diff explains the trouble."""
    neighbour_place: float = 0.06
    """The same of a change on a neighbour of what fails: it stays a candidate even where that one looks normal."""
    explained: float = 0.95
    """Fit of a change whose diff explains the trouble."""
    explained_half_life: float = 3600.0
    """Seconds without a symptom after which such a change is half as suspect, unless what it does bites late."""
    explained_least: float = 0.3
    """What is left of it in any case."""
    unexplained: float = 0.5
    """A change whose diff was read and has little to do with the trouble."""
    unrelated: float = 0.15
    """One whose diff was read and has nothing to do with it."""
    unread_beside_explained: float = 0.4
    """One whose code was not read, while the diff of another explains the trouble."""
    drift: float = 0.7
    """A change since which a resource of its service has climbed, whatever its age."""
    drift_within: float = 900.0
    """Seconds after the change within which the climb must begin."""
    unnamed_flag: float = 0.6
    """A flag whose name has no word in common with what is logged."""
    after_trouble: float = 0.3
    """A resource was running out, or a provider failing, before the change came."""
    after_rollback: float = 0.6
    """Somebody went back to the version before, and the alert still fires."""
    rollback_seconds: float = 180.0
    """After which a rollback should have helped."""


@dataclass(frozen=True)
class NeighbourWeights:
    """How far what fails is handed down to changed services next to it (core/ranking/changes/changed_neighbours). By hand."""

    handed: float = 0.6
    """Share of the attribution that is handed down where all that fails stands next to a change."""
    failing: float = 0.5
    """Doublings of errors or latency from which on a service fails."""
    noticed: float = 0.1
    """Share of its usual latency by which a service must be slower to count as failing."""
    within: float = 1800.0
    """Seconds before the onset within which a change is handed anything."""
    itself: float = 1.0
    callee: float = 0.9
    """A change of what the failing service calls."""
    caller: float = 0.4
    """A change of who calls it: wrong requests fail where they arrive."""
    carried: float = 6.0
    """Its version alone shows a symptom."""
    silent: float = 4.0
    """Its version serves nothing, while the one before goes on."""
    own_symptom: float = 2.5
    """Its service shows a symptom of its own."""
    uncalled: float = 0.3
    """No version of it is called any more: it is hurt by whoever called it."""
    alike: float = 0.2
    """The version before shows the symptom alike."""


@dataclass(frozen=True)
class DiffWeights:
    """Points for what a diff has in common with the trouble (core/diffs/explanation). By hand."""

    name: float = 3.0
    """A compound name that the diff adds or removes stands in new lines, and not in usual ones."""
    mention: float = 1.4
    """It stands only in new log lines that tell of no failure: a request may have put it there."""
    most_of_mentions: float = 2.0
    """Points that a diff gets at most where such lines are needed: users of a service must not make a change guilty."""
    gone_name: float = 2.5
    """One that it removes stands in lines that fell silent."""
    missing: float = 4.0
    """New lines miss a table, field or key that the diff queries, renames or drops."""
    missing_call: float = 2.5
    """New lines miss something, and the diff no longer makes a call that brings such things in."""
    effect: float = 2.2
    """A setting or statement of a kind that brings such symptoms about, changed far enough."""
    signal: float = 0.7
    """Factor where only the name of a signal that deviates says so, and no line."""
    of_another: float = 0.6
    """The same where only another service's line or signal says so."""
    accumulation: float = 2.5
    """The same of something that grows without a limit, where memory runs out."""
    dependency: float = 3.0
    """New lines name a package whose version changed."""
    startup: float = 1.5
    """New lines say that something does not start, and the version of a package changed that they do not name."""
    small_step: float = 1.0
    """The same where only the last number of its version changed."""
    further: float = 0.5
    """Factor for the second and third reason."""
    word: float = 0.7
    """A word of a name that was added or removed stands in new lines, and not in usual ones."""
    nearby_word: float = 0.3
    """A word of a path, or of a name that stands on both sides of changed lines."""
    most_of_words: float = 1.8
    """Points that words earn at most: vocabulary alone explains nothing."""
    moved: float = 0.2
    """Factor for code that was only put elsewhere."""
    explained: float = 2.2
    """Points from which on a diff explains the trouble."""
    related: float = 1.0
    """Points below which it has nothing to do with it."""


@dataclass(frozen=True)
class ResourceWeights:
    """How well a resource that ran short explains the symptoms of its service. By hand."""

    least: float = 0.35
    """Fit at the edge of the normal range."""
    growth: float = 0.55
    """What full strength adds to it."""
    late: float = 0.5
    """It left its normal range after the symptoms."""
    rival: float = 0.75
    """Share that a change or a failing provider on the same service takes away: these explain the shortage."""
    surge: float = 0.7
    """Share that a surge of requests takes away."""
    cpu: float = 0.6
    """CPU accompanies many faults and explains few; memory, connections and queues count whole."""
    volume: float = 0.2
    """The same of bytes and disks."""
    restarts: float = 0.75
    replicas: float = 0.6
    """Pods that are ready or wanted."""
    full_growth: float = 0.2
    """Growth as a share of its own level from which on it counts whole: 4 % more memory starve nobody."""
    ample: float = 0.5
    """Share of its limit up to which a resource is far from exhausted."""
    scarce: float = 0.8
    """Share of its limit from which on it counts whole."""
    far_below: float = 0.1
    """What is left of a resource far below its limit."""


@dataclass(frozen=True)
class ProviderWeights:
    """How well failing calls to somebody outside explain the symptoms of the caller. By hand."""

    least: float = 0.45
    """Fit at the edge of the normal range."""
    growth: float = 0.5
    """What full strength adds to it."""
    late: float = 0.5
    """The calls began to fail after the symptoms."""
    rival: float = 0.3
    """Share that a change of the caller takes away."""
    named_from: float = 0.6
    """Share of the change that one provider must hold to be named."""


@dataclass(frozen=True)
class OutsideWeights:
    """How well a cause outside the team's own code fits that lines name: a provider, a certificate, a node. By hand."""

    sure: float = 0.9
    """Fit where the line leaves no doubt (a certificate that expired), or several services say the same."""
    named: float = 0.7
    """Fit where one service's lines name it."""
    least_share: float = 0.3
    """Share of the attribution that it counts with at least: what lines name outright is rarely beside the point."""
    over_timing: float = 0.3
    """Factor for changes that nothing but their moment speaks for, where such a cause is named."""


@dataclass(frozen=True)
class TrafficWeights:
    """How well more requests than a service can carry explain its symptoms. By hand."""

    risen: float = 1.3
    """Requests over those before from which on a rise may be a cause."""
    rising: float = 1.05
    """The same for traffic of a caller that only supports it."""
    nearly_most: float = 0.85
    """Share of the steepest growth from which on a service counts as equally grown; the one nearest to the front is it."""
    least: float = 0.4
    """Fit at the edge of the normal range."""
    growth: float = 0.55
    """What full strength adds to it."""
    full_growth: float = 0.8
    """Doublings of the requests themselves from which on the fit counts whole."""
    from_nothing: float = 4.0
    """Growth that is assumed where there were no requests before."""
    late: float = 0.4
    """The rise began after the symptoms: it is probably retries."""
    early: float = 0.2
    """The service carried the rise for a while before it failed."""
    carried_for: float = 240.0
    """Seconds that this takes."""
    without_callers: float = 0.3
    """No caller's own traffic rose: it is probably retries."""
    own_share: float = 0.3
    """Share of the attribution from which on the service that takes the load is the one that fails, so that it is sure."""


@dataclass(frozen=True)
class OtherCauseWeights:
    """How well the remaining kinds of cause fit. By hand."""

    network: float = 0.5
    """Calls that lose their time between caller and service: fit at the edge of the normal range."""
    network_growth: float = 0.4
    """What full strength adds to it."""
    behaviour: float = 0.5
    """Another mix of log lines or calls than usual: fit at the edge of the normal range."""
    behaviour_growth: float = 0.4
    """What one doubling adds to it."""
    unexplained: float = 0.35
    """A service that fails for no visible reason: a lead, never more than possible."""
    full_strength: float = 2.0
    """Doublings from which on a deviation counts whole, for every kind of cause but changed behaviour."""


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
    """Share of right answers among leads that lay so far ahead, from which on the first cause is likely: 0.9 and a margin."""
    best_lead: float = 0.5
    """The same from which on it is the best lead, and no longer one of several."""
    likely_margin: float = 1.4
    """How many times the likelihood of the next cause at the same place the first must have to be called likely."""
    sure: float = 1.0
    """Doublings that a deviation must have for its cause to be sure: twice the normal range."""
    exonerated: float = 0.1
    """Share of the attribution below which a changed service that deviates is only hurt by what it depends on."""


@dataclass(frozen=True)
class VerdictThresholds:
    """When the evidence of a claim carries it (core/verdict). By hand."""

    version_growth: float = 1.5
    """How many times its former level a version must show for it to deviate."""
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
    """Factor for the alert's own words: they were written with the rule, before anybody looked."""
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


@dataclass(frozen=True)
class RemedyThresholds:
    """When a cause that is only possible deserves a proposal (core/approvals/remedies). By hand."""

    evidence: int = 2
    """Distinct pieces of evidence that it needs."""
    likelihood: float = 0.4
    """Likelihood that it needs."""


@dataclass(frozen=True)
class Tuning:
    """Every weight and threshold in use."""

    signs: SignWeights = field(default_factory=SignWeights)
    attribution: AttributionWeights = field(default_factory=AttributionWeights)
    burst: BurstWeights = field(default_factory=BurstWeights)
    alert_kinds: AlertKindWeights = field(default_factory=AlertKindWeights)
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

"""What counts when the fault is located: signs of each service, the attribution over the call graph, bursts of alerts."""

from dataclasses import dataclass


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
    usual_calls: float = -1.5
    """Doublings up to which a callee is called at its usual rate. By hand."""
    usual_lines: float = -2.0
    """Doublings up to which a service logs its usual mix of lines. By hand."""
    least_strength: float = 0.01
    """Strength of that sign where no service has a symptom: more than nothing, less than any other sign. By hand."""


@dataclass(frozen=True)
class AttributionWeights:
    """How readily a symptom is attributed to what the service with the symptom calls (core/ranking/attribution)."""

    other_symptom: float = 0.7
    """A slow callee may explain errors of its caller (time-outs), a failing one its caller's waiting (retries). Chosen."""
    resource: float = 0.6
    """A callee without symptoms that has run out of something explains less than one that fails. Chosen."""
    full_store: float = 0.9
    """The same of a disk that is full: it fails whoever writes to it. By hand."""
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
    """What an alert counts by its kind (core/alerts/problem_kind), where 1 is whole. Counted while alerts are read. By hand."""

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
    """What the ranking of a burst adds to the causes that measurements show (core/ranking/causes/burst_causes). By hand."""

    likelihood: float = 0.35
    """Of the best component as a cause: a lead, as much as a service that fails for no visible reason."""
    support: float = 0.3
    """Share by which the best component's burst raises a cause that metrics show."""
    carried: float = 0.4
    """Likelihood of a measured cause from which on a component that only fires alerts is no rival to it."""
    enough_bursts: int = 5
    """Earlier bursts from which on it is known how rare an alert is: rarity supports a measured cause, and can be a lead."""
    doublings: float = 0.5
    """Strength of such a cause: an alert says that a threshold was passed, not by how much, so it is never "likely" alone."""

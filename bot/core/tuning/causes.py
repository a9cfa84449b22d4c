"""How well causes other than changes fit: resources, providers, other causes outside the code, traffic."""

from dataclasses import dataclass


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
    grown: float = 2.0
    """Growth from which on a resource whose limit nobody knows may be what ran short."""
    undone_work: float = 0.5
    """Factor for what piles up, and for what nobody knows the meaning of: it tells that a service fails, and not why."""
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
    refusing: float = 0.5
    """Its answers blame what it is sent."""
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
    doubtless_share: float = 0.75
    """The same where one line leaves no doubt: a certificate that expired, a command that somebody typed as it began."""
    rival: float = 0.25
    """Share of its likelihood up to which a change that nothing speaks against is no rival of it."""
    over_timing: float = 0.3
    """Factor for changes that nothing but their moment speaks for, where such a cause is named."""
    explained_otherwise: float = 0.7
    """Factor for a record that nobody can process and a credential that ended, where a diff explains the trouble."""


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
    brought: float = 0.7
    """Share of the additional requests that callers have to have more themselves, so that the requests are theirs."""
    explained: float = 0.4
    """The diff of a change there, or on a caller, explains the trouble: the requests come from it."""
    refused: float = 0.4
    """The alert counts what is refused (403, invalid), which no load brings about."""
    all_fail: float = 0.95
    """Share of requests that fail from which on nothing succeeds."""
    meltdown: float = 2.0
    """Requests over those before that may have everything fail."""
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

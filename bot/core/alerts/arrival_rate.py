"""Arrival rate: which of several bursts an alert belongs to while alerts come fast, and when another burst has begun.

After its first alerts an outage slows down. So an alert fits the burst that fires at such a rate now, that its component
fired in a moment ago, in which it has not fired before, and in which it comes as late as it usually does. When alerts come
faster than all running bursts explain, the evidence for one more burst grows until it is worth a group of its own. A burst
that began with alerts that fire again in a group, or in one whose outage was over, stays there as that group's next one.
Moments are Unix seconds. What each part is worth was measured: docs/noise.md.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.core.tuning import TUNING

OUTAGE_ALERTS = 10
"""So many alerts without a pause are a burst; of fewer the services and labels decide alone."""
BEGINNING = 15.0
"""The first seconds of a burst are no evidence of another: one outage sets off many rules at once."""
SEVERAL_RETURN = 1.5
"""Of a `RecentCount`: two alerts that fire again within ten seconds, or three within twenty, begin a burst; one does not."""
RUNNING_SHARE = 0.25
"""An outage is over once at most this share fires of the most alerts that it had firing: queues and budgets recover late."""
PAUSE = 76.0
"""After so long a silence a few alerts are not counted to the next ones."""
MAX_LEARNED = 20_000
MAX_COMPONENTS = 1_000
_W = TUNING.arrival_rate


@dataclass(slots=True)
class RecentCount:
    """How many of something came of late: what came a quarter of a minute ago counts for a third."""

    count: float = 0.0
    """As it was when the last one came."""
    at: float = 0.0

    def add(self, at: float) -> None:
        """One more, be it late."""
        newest = max(at, self.at)
        self.count, self.at = self.count_at(newest) + math.exp((at - newest) / BEGINNING), newest

    def count_at(self, at: float) -> float:
        """As it has faded by then."""
        return self.count * math.exp(-max(0.0, at - self.at) / BEGINNING)


@dataclass(slots=True)
class ArrivalRate:
    """How the alerts of one group came, since its last pause."""

    began_at: float = 0.0
    last_at: float = 0.0
    alerts: int = 0
    is_burst: bool = False
    rate: float = 0.0
    """Alerts a second of late."""
    evidence: float = 0.0
    """That another burst has begun since, as a logarithm of likelihoods."""
    evidence_at: float = 0.0
    recent: RecentCount = field(default_factory=RecentCount)
    returned: RecentCount = field(default_factory=RecentCount)
    """Alerts that had resolved and fired again."""
    components: dict[str, float] = field(default_factory=dict)
    """When each last alerted."""

    def add(self, at: float, component: str, *, returns: bool = False) -> None:
        """Count one more alert. `returns`: it had resolved, and fires again."""
        if not self.alerts or (not self.is_burst and at - self.last_at > PAUSE):
            self.began_at = self.last_at = at
            self.alerts, self.rate = 0, 0.0
            self.components.clear()
        self.rate = self.rate_at(at) + 1 / _W.rate_memory
        self.alerts += 1
        self.last_at = max(at, self.last_at)
        self.is_burst = self.is_burst or self.alerts >= OUTAGE_ALERTS
        if component and (component in self.components or len(self.components) < MAX_COMPONENTS):
            self.components[component] = at
        self.recent.add(at)
        if returns:
            self.returned.add(at)

    def begin_anew(self) -> None:
        """Another burst of the same group: the next alert is its first."""
        self.alerts, self.evidence = 0, 0.0

    def rate_at(self, at: float) -> float:
        """Alerts a second of late, as it has faded by now."""
        return self.rate * math.exp(-max(0.0, at - self.last_at) / _W.rate_memory)

    def age(self, at: float) -> float:
        """As a logarithm, in which bursts slow down evenly."""
        return math.log1p(max(0.0, at - self.began_at) / _W.slows_after)

    def expected(self, at: float) -> float:
        """Alerts a second of a burst that began then and had so many alerts."""
        age = max(0.0, at - self.began_at)
        return (self.alerts + _W.first_alerts) / (self.age(at) + _W.least_age) / (age + _W.slows_after)


@dataclass(frozen=True, slots=True)
class GroupCandidate:
    """A group that an alert may belong to."""

    number: int
    arrivals: ArrivalRate
    fired_before: bool
    """Whether this very alert fired in it."""
    is_over: bool = False
    """Whether hardly an alert of its outage fires any more, but those that came in the last seconds."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The group that fits best; None where another burst has begun. `text` says why, in words."""

    number: int | None
    text: str
    is_next: bool = False
    """Whether another burst has begun that is the next one of that group."""


class UsualDelays:
    """How late in a burst each alert usually comes. Forgotten with the process: it then learns anew."""

    def __init__(self) -> None:
        self._learned: dict[str, tuple[int, float]] = {}

    def of(self, alert: str) -> float:
        """Its usual age, as ArrivalRate.age counts."""
        count, total = self._learned.get(alert, (0, 0.0))
        return (total + _W.delay_prior * _W.general_delay) / (count + _W.delay_prior)

    def learn(self, alert: str, age: float) -> None:
        """One more time that it fired in a burst of this age."""
        if len(self._learned) >= MAX_LEARNED:
            self._learned.clear()
        count, total = self._learned.get(alert, (0, 0.0))
        self._learned[alert] = count + 1, total + age


def choose(at: float, component: str, usual: float, candidates: Sequence[GroupCandidate]) -> Choice:
    """Among these groups, the oldest first, of which one at least is a burst. Moves the evidence of the newest."""
    newest = candidates[-1]
    if _another_has_begun(at, usual, candidates):
        newest.arrivals.evidence = 0.0
        fullest = max(candidates, key=lambda one: one.arrivals.recent.count_at(at))
        returns = fullest.arrivals.returned.count_at(at) >= SEVERAL_RETURN
        if returns or fullest.is_over:
            why = "it began with alerts that fire again" if returns else "its alerts before had ended"
            return Choice(fullest.number, f"the next burst of AL-{fullest.number}: {why}", is_next=True)
        return Choice(None, f"a burst of its own: alerts come fast again after AL-{newest.number} had slowed down")
    best = max(candidates, key=lambda one: _fit(at, component, usual, one, newest=one is newest))
    recent = at - best.arrivals.components.get(component, -math.inf) <= PAUSE
    also = ", on a component that alerted moments before" if recent else ""
    return Choice(best.number, f"the same burst of alerts{also}")


def _another_has_begun(at: float, usual: float, candidates: Sequence[GroupCandidate]) -> bool:
    """Whether the evidence is enough: the likelihood of this arrival with one more burst over that with the running ones."""
    arrivals = candidates[-1].arrivals
    if at - arrivals.began_at < BEGINNING:
        return False
    explained = sum(_explained(at, usual, one) for one in candidates)
    begins = _W.new_rate * math.exp(_W.delay_opening * _delay_fit(0.0, usual))
    gain = min(_W.most_at_once, math.log1p(begins / max(explained, 1e-9)))
    silence = max(0.0, at - arrivals.evidence_at)
    arrivals.evidence = max(0.0, arrivals.evidence - _W.new_rate * silence) + gain
    arrivals.evidence_at = at
    return arrivals.evidence >= _W.enough


def _explained(at: float, usual: float, one: GroupCandidate) -> float:
    """Alerts a second like this one that the burst is good for."""
    arrivals = one.arrivals
    rate = max(arrivals.expected(at), _W.rate_share * arrivals.rate_at(at))
    quiet = math.exp(-max(0.0, at - arrivals.last_at) / _W.quiet_after)
    return (
        rate
        * quiet
        * (_W.refires_count if one.fired_before else 1.0)
        * math.exp(_W.delay_opening * _delay_fit(arrivals.age(at), usual))
    )


def _fit(at: float, component: str, usual: float, one: GroupCandidate, *, newest: bool) -> float:
    arrivals = one.arrivals
    fit = _W.rate_fit * math.log(arrivals.expected(at)) - _W.silence * math.log(max(0.0, at - arrivals.last_at) + 2.0)
    fit += _W.delay * _delay_fit(arrivals.age(at), usual) + (_W.newest if newest else 0.0)
    if (last := arrivals.components.get(component)) is not None:
        fit += _W.same_component * math.exp(-max(0.0, at - last) / _W.component_memory)
    return fit - (_W.fired_before if one.fired_before else 0.0)


def _delay_fit(age: float, usual: float) -> float:
    """The logarithm of how likely an alert comes at this age, beside its usual one; 0 is the likeliest."""
    return -(((age - usual) / _W.delay_spread) ** 2) / 2

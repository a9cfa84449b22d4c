"""How alerts of several outages that overlap are kept apart, by how fast they come: chosen on two systems together.

`python -m tests.evaluation alert_storm` prints what they are worth (docs/noise.md). Times are seconds.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class ArrivalRateWeights:
    """What counts when an alert has several bursts to choose from, and when another burst has begun."""

    slows_after: float = 22.6
    """A burst slows down like 1 / (age + this)."""
    first_alerts: float = 0.629
    """What a burst is believed to hold besides the alerts that came."""
    least_age: float = 0.12
    """Keeps the rate of the first seconds finite."""
    rate_fit: float = 3.77
    silence: float = 0.209
    """How fast a burst is worth less while it is silent, as a power of its seconds."""
    newest: float = 1.03
    same_component: float = 0.992
    component_memory: float = 1.4
    """So long after an alert of the same component one more is likelier."""
    fired_before: float = 5.04
    """What an alert loses in a burst in which it fired already: outages that go on do not fire an alert anew."""
    delay: float = 0.389
    """What it counts that an alert comes as late in a burst as it usually does."""
    delay_spread: float = 1.01
    """In logarithms of the delay."""
    delay_prior: float = 2.25
    """So many alerts' worth the general delay counts beside what was learned of one alert."""
    general_delay: float = 2.2
    new_rate: float = 0.353
    """Alerts a second that another burst is believed to begin with."""
    enough: float = 5.01
    """So much evidence, as a logarithm of likelihoods, opens another group."""
    most_at_once: float = 1.97
    """What one alert may count as evidence: a stray one is never enough."""
    refires_count: float = 0.136
    """How much of a burst's rate an alert that fired in it before may still be explained by."""
    quiet_after: float = 8.95
    """A burst that is silent for so long explains new alerts by 1/e less."""
    delay_opening: float = 0.781
    """What the usual delay counts as evidence of another burst."""
    rate_memory: float = 46.1
    """Over which the present rate of a burst is averaged."""
    rate_share: float = 0.534
    """What of its present rate a burst is believed to keep, however long it lasts: a storm that goes on is one storm."""

"""How alerts of several outages that overlap are kept apart, by how fast they come: chosen on two systems together.

`python -m tests.evaluation alert_storm` prints what they are worth (docs/noise.md). Times are seconds.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class ArrivalRateWeights:
    """What counts when an alert has several bursts to choose from, and when another burst has begun."""

    slows_after: float = 27.7
    """A burst slows down like 1 / (age + this)."""
    first_alerts: float = 0.577
    """What a burst is believed to hold besides the alerts that came."""
    least_age: float = 0.112
    """Keeps the rate of the first seconds finite."""
    rate_fit: float = 3.35
    silence: float = 0.176
    """How fast a burst is worth less while it is silent, as a power of its seconds."""
    newest: float = 0.845
    same_component: float = 0.244
    component_memory: float = 1.3
    """So long after an alert of the same component one more is likelier."""
    fired_before: float = 4.98
    """What an alert loses in a burst in which it fired already: outages that go on do not fire an alert anew."""
    delay: float = 0.478
    """What it counts that an alert comes as late in a burst as it usually does."""
    delay_spread: float = 0.947
    """In logarithms of the delay."""
    delay_prior: float = 2.69
    """So many alerts' worth the general delay counts beside what was learned of one alert."""
    general_delay: float = 2.0
    new_rate: float = 0.371
    """Alerts a second that another burst is believed to begin with."""
    enough: float = 5.01
    """So much evidence, as a logarithm of likelihoods, opens another group."""
    most_at_once: float = 2.59
    """What one alert may count as evidence: a stray one is never enough."""
    refires_count: float = 0.0989
    """How much of a burst's rate an alert that fired in it before may still be explained by."""
    quiet_after: float = 10.8
    """A burst that is silent for so long explains new alerts by 1/e less."""
    delay_opening: float = 0.781
    """What the usual delay counts as evidence of another burst."""
    rate_memory: float = 50.4
    """Over which the present rate of a burst is averaged."""
    rate_share: float = 1.13
    """How many times its present rate a burst is believed to keep, however long it lasts: a storm that goes on is one storm."""

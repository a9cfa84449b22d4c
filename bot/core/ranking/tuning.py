"""All weights that were chosen by measuring, in one frozen object: one setting for all incidents."""

from dataclasses import dataclass

from bot.core.ranking.alert_burst import BURST_WEIGHTS, BurstWeights
from bot.core.ranking.attribution import WALK, Attribution
from bot.core.ranking.weighing import WORTH, Worth


@dataclass(frozen=True)
class Tuning:
    """What is in use. `python -m tests.evaluation left_out` chooses each anew without a set and tries it on that set."""

    worth: Worth = WORTH
    """Kinds of sign against each other."""
    walk: Attribution = WALK
    """How readily blame is handed down the service graph."""
    burst: BurstWeights = BURST_WEIGHTS
    """What alerts alone tell of where a burst of them began."""


TUNING = Tuning()

"""The bot with a clock that runs faster: what took hours is over in minutes, and all its limits are in its own time.

`python -m tests.week.faster SPEED` serves like `tocsin serve`; BEGAN is printed by whoever started it.
"""

import os
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from bot.app import App
from bot.serving import run
from bot.settings import load_secrets
from bot.store.db.clock import Elapsed
from bot.workflows.messages.delivery import DeliveryLimits

BEGAN = "WEEK_BEGAN"
"""The variable with the moment (Unix seconds) at which both clocks agree."""


class FastClock:
    """From `began` on each second counts as many."""

    def __init__(self, began: float, speed: float) -> None:
        self.began, self.speed = began, speed

    def __call__(self) -> datetime:
        passed = (datetime.now(UTC).timestamp() - self.began) * self.speed
        return datetime.fromtimestamp(self.began + passed, UTC)

    def elapsed(self) -> Elapsed:
        """What clocks that nobody sets count at this speed: without it each hour would look like a jump of the machine's."""
        return Elapsed((lambda: time.monotonic() * self.speed,))

    def delivery(self) -> DeliveryLimits:
        """Slack's limits on this clock, which the stand-in of Slack must allow too; what the machine itself takes stays."""
        usual = DeliveryLimits()
        return replace(
            usual,
            per_channel=usual.per_channel / self.speed,
            edits_per_second=usual.edits_per_second * self.speed,
            triage_gap=usual.triage_gap / self.speed,
            scarce_gap=usual.scarce_gap / self.speed,
            scarce_counts_gap=usual.scarce_counts_gap / self.speed,
            gaps=tuple((edits, seconds / self.speed) for edits, seconds in usual.gaps),
            slowest=usual.slowest / self.speed,
        )


if __name__ == "__main__":
    fast = FastClock(float(os.environ[BEGAN]), float(sys.argv[1]))
    run(load_secrets(), build=partial(App, clock=fast, elapsed=fast.elapsed(), delivery=fast.delivery()))

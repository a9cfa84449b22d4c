"""Far more requests than usual arrive and a service in their way is saturated."""

from dataclasses import dataclass

from bot.sandbox.scenarios.base import Fault
from bot.sandbox.world.effects import Effects, ramp
from bot.sandbox.world.shop import ENTRY


@dataclass
class TrafficSurge(Fault):
    """Load, CPU, refusals and queueing rise together; nothing in the catalogue adds capacity."""

    name = "traffic-surge"
    title = "A crawler that floods one kind of page"
    cause = "traffic"
    roots = ("search", "cart")
    lines = (
        "worker queue full (512), refusing request",
        "shedding load: cpu 99%",
    )

    def shape(self, effects: Effects) -> None:
        """Visits up by a quarter, and each asks many times as much of the one service."""
        active = ramp(effects.times, self.onset, self.until, up=10.0)
        many = 4.5 if self.service == "search" else 5.0
        effects.entry[ENTRY] = effects.entry[ENTRY] * (1.0 + 0.25 * self.strength * active)
        effects.calls[ENTRY, self.service] = 1.0 + many * self.strength * active

"""A third party is down; the shop can only wait."""

from dataclasses import dataclass

from bot.sandbox.scenarios.base import Fault
from bot.sandbox.world.effects import Effects, ramp
from bot.sandbox.world.shop import SERVICES

_PROVIDER_OF = {spec.name: spec.provider.name for spec in SERVICES if spec.provider}


@dataclass
class ProviderOutage(Fault):
    """Calls to the provider fail; nothing in the shop was changed and nothing in it helps."""

    name = "provider-outage"
    title = "A third party that does not answer"
    cause = "external"
    roots = ("payments", "shipping")
    lines = (
        "provider answered 503 Service Unavailable: {provider}",
        "connect timeout to {provider}:443 after 3000 ms",
    )

    @property
    def provider(self) -> str:
        """The third party's name."""
        return _PROVIDER_OF[self.service]

    def shape(self, effects: Effects) -> None:
        """Seven in ten calls to the provider fail, the rest is slow."""
        active = ramp(effects.times, self.onset, self.until)
        effects.provider_errors[self.provider] = 0.7 * self.strength * active
        effects.provider_delays[self.provider] = 0.6 * self.strength * active

    def truth(self) -> dict[str, object]:
        """Also who is down."""
        return super().truth() | {"provider": self.provider}

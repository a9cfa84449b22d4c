"""How far Tocsin goes by itself, for each service and action, and what a standing approval takes."""

from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, Field

from bot.core.action import Autonomy
from bot.core.config.fields import ConfigSection, Duration


class ServiceAutonomy(ConfigSection):
    """`suggest`, or `{default: approve, actions: {restart: standing}}`."""

    default: Autonomy = Autonomy.APPROVE
    actions: dict[str, Autonomy] = Field(default_factory=dict)

    def of(self, action: str) -> Autonomy:
        """Of one entry of the catalogue."""
        return self.actions.get(action, self.default)


OfService = Annotated[ServiceAutonomy, BeforeValidator(lambda given: {"default": given} if isinstance(given, str) else given)]


class StandingApprovalsConfig(ConfigSection):
    """What a standing approval takes, and how long people may stop what it starts."""

    verified: int = Field(default=5, ge=5)
    """Runs in a row that were verified and did no harm: more may be demanded, never fewer."""
    veto: Annotated[Duration, Field(ge=timedelta(seconds=5), le=timedelta(minutes=30))] = timedelta(minutes=5)

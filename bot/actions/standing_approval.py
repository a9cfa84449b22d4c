"""Let an action that proved itself start without anybody's approval for a time: two people agree to it, one an owner."""

from datetime import timedelta
from typing import ClassVar

from pydantic import Field, JsonValue

from bot.core.action import DryRun, Outcome, OutcomeState, Tier, Verification, VerificationState
from bot.core.approvals.standing import MAX_A_DAY, MAX_DAYS, Grant
from bot.core.text.moments import date_to_the_minute
from bot.plugins import Action, ActionContext, action


@action
class StandingApproval(Action):
    """Grant a standing approval. Nothing runs by it now.

    Helps where people approve the same small thing every time. Does not
    help against what is not understood: each start is for one alert alone.
    """

    least_tier: ClassVar[Tier] = Tier.THREE
    service: str
    action: str
    arguments: dict[str, JsonValue] = Field(default_factory=dict)
    allowed: tuple[str, ...]
    """The targets that it may touch."""
    alert: str = Field(min_length=1, max_length=200)
    per_day: int = Field(ge=1, le=MAX_A_DAY)
    days: int = Field(ge=1, le=MAX_DAYS)
    action_version: str
    veto_seconds: int = Field(ge=5)

    @property
    def grant(self) -> Grant:
        """What is granted."""
        fields = self.model_dump(exclude={"service", "allowed", "veto_seconds"})
        return Grant.model_validate({**fields, "targets": self.allowed})

    def undo_text(self) -> str:
        """It can be ended at any time."""
        return "standing revoke"

    def targets(self, ctx: ActionContext) -> tuple[str, ...]:
        """The action on the service, as one name: it touches neither."""
        return (f"{self.service}/{self.action}",)

    def steps(self, ctx: ActionContext) -> list[str]:
        """What follows from it."""
        return [
            f"let {self.action} run without asking when {self.alert} fires",
            f"at most {self.per_day} a day, for {self.days} days",
        ]

    async def dry_run(self, ctx: ActionContext) -> DryRun:
        """What it means, in words."""
        text = self.grant.text(self.service, timedelta(seconds=self.veto_seconds))
        return DryRun(ok=True, text=text, targets=dict.fromkeys(self.targets(ctx), ""))

    async def run(self, ctx: ActionContext) -> Outcome:
        """Nothing is called: that it was approved and claimed is the grant."""
        until = date_to_the_minute(ctx.now + timedelta(days=self.days))
        return Outcome(state=OutcomeState.DONE, text=f"Granted until {until}.")

    async def probe(self, ctx: ActionContext) -> Outcome | None:
        """A run that was begun is the grant."""
        return await self.run(ctx)

    async def verify(self, ctx: ActionContext) -> Verification:
        """Whether it counts is asked at each use."""
        return Verification(
            state=VerificationState.RECOVERED, text=f"{self.action} may run without asking when {self.alert} fires"
        )

"""Silence alerts in Tocsin itself: whatever their source, until a moment, with an owner and a reason."""

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar, TypeVar

from pydantic import Field, field_validator

from bot.core.action import DryRun, Outcome, OutcomeState, Tier, Verification, VerificationState
from bot.core.alerts.silences import NewSilence, matchers_text, parse_length, parse_matchers
from bot.core.errors import ActionFailed, NotFound
from bot.core.text.untrusted import one_line
from bot.plugins import Action, ActionContext, SilenceBook, action

T = TypeVar("T")


@action
class TocsinSilence(Action):
    """Mute what matches for a limited time. What it mutes is stored and listed; what still fires then is shown again.

    Helps when a known alert only makes noise while people work. Does not
    help the service: nothing is repaired.
    """

    least_tier: ClassVar[Tier] = Tier.ONE
    spans_services: ClassVar[bool] = True
    service: str
    alerts: str
    """Conditions that all hold: `alertname=HighErrorRate service=checkout`. Patterns are not offered."""
    duration: str
    """`30m`, `2h`, ...: 1 minute to 12 hours."""
    reason: str = Field(min_length=1, max_length=500)
    previewed_at: datetime
    """The end of the day that the preview compares with: made again minutes later, it shows the same."""

    @field_validator("alerts")
    @classmethod
    def _alerts(cls, value: str) -> str:
        return matchers_text(_read(parse_matchers, value))

    @field_validator("duration")
    @classmethod
    def _duration(cls, value: str) -> str:
        _read(parse_length, value)
        return value

    @field_validator("reason")
    @classmethod
    def _reason(cls, value: str) -> str:
        return one_line(value, 500)

    def undo_text(self) -> str:
        """A silence can always be ended."""
        return "ending it: silence end SI-n"

    def targets(self, ctx: ActionContext) -> tuple[str, ...]:
        """The conditions as one text: however many alerts they cover, one silence is made."""
        return (self.alerts,)

    def steps(self, ctx: ActionContext) -> list[str]:
        """What is made, and how it ends."""
        return [f"silence {self.alerts} for {self.duration}", "then show again what still fires"]

    async def dry_run(self, ctx: ActionContext) -> DryRun:
        """What it would have muted over the last day: more than one alert makes it a wide silence."""
        matchers = parse_matchers(self.alerts)
        shown = await _book(ctx).preview(matchers, self.previewed_at)
        least_tier = Tier.ONE if shown.exact(matchers) else Tier.TWO
        return DryRun(ok=True, text=shown.text, targets={self.alerts: ""}, least_tier=least_tier)

    async def run(self, ctx: ActionContext) -> Outcome:
        """Put it in force, once for each proposal."""
        new = NewSilence(
            matchers=parse_matchers(self.alerts),
            length=parse_length(self.duration),
            owner=ctx.requester or "tocsin",
            reason=self.reason,
            service=self.service,
            proposal=ctx.proposal,
        )
        ref = await _book(ctx).create(new, ctx.proposal)
        return Outcome(state=OutcomeState.DONE, text=f"{ref} mutes {self.alerts} for {self.duration}.", remote_id=ref)

    async def probe(self, ctx: ActionContext) -> Outcome | None:
        """Whether the silence of this proposal was made."""
        if ref := await _book(ctx).find(ctx.proposal):
            return Outcome(state=OutcomeState.DONE, text=f"{ref} was made.", remote_id=ref)
        return Outcome(state=OutcomeState.FAILED, text="No silence was made.")

    async def verify(self, ctx: ActionContext) -> Verification:
        """Whether it is in force."""
        if await _book(ctx).lasts(ctx.remote_id):
            return Verification(state=VerificationState.RECOVERED, text=f"{ctx.remote_id} is in force")
        return Verification(state=VerificationState.NOT_RECOVERED, text="the silence is over")


def _read(parse: Callable[[str], T], text: str) -> T:
    """A validator's errors are ValueErrors."""
    try:
        return parse(text)
    except NotFound as error:
        raise ValueError(str(error)) from None


def _book(ctx: ActionContext) -> SilenceBook:
    if ctx.silences is None:
        raise ActionFailed("Silences are not available here; nothing was done.")
    return ctx.silences

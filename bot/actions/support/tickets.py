"""A ticket of an incident, whichever tracker keeps it."""

from abc import abstractmethod
from typing import ClassVar

from pydantic import field_validator

from bot.actions.support.remote import JsonObject, RemoteSystem
from bot.core.action import Tier, Verification, VerificationState
from bot.core.config.actions import ActionConfig
from bot.core.errors import ActionFailed
from bot.core.text.untrusted import one_line
from bot.plugins import Action, ActionContext

MAX_TITLE, MAX_TEXT = 120, 2_000


class Ticket(Action):
    """The arguments of a ticket: a title, and a text of the team's own."""

    least_tier: ClassVar[Tier] = Tier.ONE
    tracker: ClassVar[tuple[str, str]] = ("", "")
    """Its name under `systems`, and its name for people."""
    service: str
    title: str = ""
    """Empty: the service and the incident."""
    text: str = ""

    @field_validator("title")
    @classmethod
    def _title(cls, value: str) -> str:
        return one_line(value, MAX_TITLE)

    @field_validator("text")
    @classmethod
    def _text(cls, value: str) -> str:
        return one_line(value, MAX_TEXT)

    @classmethod
    def tier_of(cls, config: ActionConfig) -> Tier:
        """1: it is seen by others, and can be closed."""
        return Tier.ONE

    def undo_text(self) -> str:
        """A ticket is closed by hand."""
        return "closing the ticket by hand"

    def system(self, ctx: ActionContext) -> RemoteSystem:
        """The tracker."""
        return RemoteSystem(ctx, *type(self).tracker)

    def project(self, ctx: ActionContext) -> str:
        """What the tracker calls the place for the service's tickets."""
        return self.system(ctx).name_of(self.service)

    def targets(self, ctx: ActionContext) -> tuple[str, ...]:
        """The project."""
        return (self.project(ctx),)

    def steps(self, ctx: ActionContext) -> list[str]:
        """The one step."""
        return [f"open a ticket in {self.project(ctx)}"]

    async def verify(self, ctx: ActionContext) -> Verification:
        """Whether the ticket is there."""
        try:
            ticket = await self.find(ctx)
        except ActionFailed as error:
            return Verification(state=VerificationState.COULD_NOT_VERIFY, text=str(error))
        if ticket is None:
            return Verification(state=VerificationState.NOT_RECOVERED, text=f"{ctx.remote_id} is not there")
        return Verification(state=VerificationState.RECOVERED, text=f"{ctx.remote_id} is there")

    @abstractmethod
    async def find(self, ctx: ActionContext) -> JsonObject | None:
        """The ticket of `ctx.remote_id`; None if there is none. Raises ActionFailed."""

    def headline(self, ctx: ActionContext) -> str:
        """Its title."""
        return self.title or f"{self.service}: follow up {ctx.incident or 'an alert'}"

    def body(self, ctx: ActionContext, *, marked: bool) -> str:
        """Its text; `marked`: with the key of this run, by which it is found again. Others' words stand as code, so that
        a tracker neither mentions people nor follows links for them."""
        quoted = f"```\n{self.text.replace('`', chr(39))}\n```\n\n" if self.text else ""
        about = f"Service {self.service}" + (f", incident {ctx.incident}" if ctx.incident else "")
        return f"{quoted}{about}. Written by Tocsin." + (f"\n\n{ctx.idempotency_key}" if marked else "")

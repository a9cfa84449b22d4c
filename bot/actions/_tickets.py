"""What a ticket of an incident says, whichever tracker keeps it."""

from pydantic import field_validator

from bot.core.text.untrusted import one_line
from bot.plugins import Action, ActionContext

MOST_TITLE, MOST_TEXT = 120, 2_000


class Ticket(Action):
    """The arguments of a ticket: a title, and a text of the team's own."""

    service: str
    title: str = ""
    """Empty: the service and the incident."""
    text: str = ""

    @field_validator("title")
    @classmethod
    def _title(cls, value: str) -> str:
        return one_line(value, MOST_TITLE)

    @field_validator("text")
    @classmethod
    def _text(cls, value: str) -> str:
        return one_line(value, MOST_TEXT)

    def headline(self, ctx: ActionContext) -> str:
        """Its title."""
        return self.title or f"{self.service}: follow up {ctx.incident or 'an alert'}"

    def body(self, ctx: ActionContext, *, marked: bool) -> str:
        """Its text; `marked`: with the key of this run, by which it is found again. Others' words stand as code, so that
        a tracker neither mentions people nor follows links for them."""
        quoted = f"```\n{self.text.replace('`', chr(39))}\n```\n\n" if self.text else ""
        about = f"Service {self.service}" + (f", incident {ctx.incident}" if ctx.incident else "")
        return f"{quoted}{about}. Written by Tocsin." + (f"\n\n{ctx.idempotency_key}" if marked else "")

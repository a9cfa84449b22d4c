"""Switch a feature flag by the webhook of its service, and read it back through OpenFeature's remote protocol.

Reading: https://openfeature.dev/docs/reference/other-technologies/ofrep/openapi (POST /ofrep/v1/evaluate/flags/{key}).
The protocol only reads, so switching is the entry's own `url` and `body`, as in `run_webhook`.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import quote

from pydantic import ConfigDict, Field, field_validator

from bot.actions.run_webhook import RunWebhook, WebhookOptions
from bot.actions.support.remote import called, refusal, value_at
from bot.actions.support.signal import read_signal
from bot.core.action import DryRun, Outcome, OutcomeState, Tier, Verification, VerificationState
from bot.core.config.actions import ActionConfig
from bot.core.errors import ActionFailed, OutcomeUnknown
from bot.core.text.untrusted import one_line
from bot.plugins import Action, ActionContext, ActionOptions, action

_FLAG = re.compile(r"[A-Za-z0-9][\w.-]{0,99}", re.ASCII)
_STATE = re.compile(r"[A-Za-z0-9][\w.-]{0,39}", re.ASCII)


class FlagOptions(WebhookOptions):
    model_config = ConfigDict(extra="forbid", frozen=True)

    ofrep: str = ""
    """The server of the flags, which speaks OpenFeature's remote protocol."""
    flags: tuple[str, ...] = ()
    """Those that it switches."""
    context: dict[str, Any] = Field(default_factory=dict)


@action
class FeatureFlag(RunWebhook):
    """Set a feature flag of the service to a value (`off` unless given) and read it back.

    Helps when the code behind a flag is at fault. Does not help once the flag was off already.
    """

    version: ClassVar[str] = "1"
    least_tier: ClassVar[Tier] = Tier.TWO
    needs: ClassVar[tuple[str, ...]] = ("url",)
    options_type: ClassVar[type[ActionOptions]] = FlagOptions
    flag: str
    """Its key; one of `options.flags` of the entry."""
    value: str = "false"
    """As JSON writes it: true, false, a number, or a variant's plain name."""

    @field_validator("flag")
    @classmethod
    def _flag(cls, text: str) -> str:
        if not _FLAG.fullmatch(text):
            raise ValueError(f"{one_line(text, 40)!r} is no key of a flag")
        return text

    @field_validator("value")
    @classmethod
    def _value_text(cls, text: str) -> str:
        if not _STATE.fullmatch(text):
            raise ValueError(f"{one_line(text, 40)!r} is no value of a flag")
        return {"on": "true", "off": "false"}.get(text, text)

    @classmethod
    def tier_of(cls, config: ActionConfig) -> Tier:
        """2: users see it. 3 without a signal that shows whether it helped."""
        return Tier.TWO if config.verify else Tier.THREE

    @classmethod
    async def complete(cls, ctx: ActionContext, service: str, arguments: Mapping[str, object]) -> dict[str, object]:
        """Without a flag: the entry's, if it has one alone."""
        listed = ctx.config.options.get("flags", ())
        return {"flag": listed[0], **arguments} if len(listed) == 1 else dict(arguments)

    def undo(self, remote_id: str) -> "Action | None":
        """The value from before, without the change: it is put in place again."""
        if not _STATE.fullmatch(remote_id):
            return None
        return FeatureFlag(service=self.service, flag=self.flag, value=remote_id, parameters=self.parameters)

    def undo_text(self) -> str:
        """It can be set back."""
        return "setting the flag back"

    def targets(self, ctx: ActionContext) -> tuple[str, ...]:
        """The flag."""
        return (f"flag {self.flag}",)

    async def dry_run(self, ctx: ActionContext) -> DryRun:
        """The request, and the flag's value now. Raises ActionFailed for a flag that the entry does not list, or that is
        so already."""
        listed = ctx.config.options.get("flags", ())
        if self.flag not in listed:
            raise ActionFailed(f"{ctx.entry} switches {', '.join(map(str, listed)) or 'no flag'} (options.flags) only.")
        shown = await super().dry_run(ctx)
        now, problem = await self._now(ctx)
        if now == self.value:
            raise ActionFailed(f"{self.flag} is {now} already.")
        reading = f"could not read the flag: {problem}" if problem else f"{self.flag} now: {now}"
        targets = dict.fromkeys(self.targets(ctx), now)
        return shown.model_copy(update={"ok": shown.ok and not problem, "text": f"{shown.text}\n{reading}", "targets": targets})

    async def run(self, ctx: ActionContext) -> Outcome:
        """The one call; what the flag was is kept for the undo."""
        return await called(self._run(ctx))

    async def _run(self, ctx: ActionContext) -> Outcome:
        before, _ = await self._now(ctx)
        outcome = await super().run(ctx)
        return outcome.model_copy(update={"remote_id": before})

    async def probe(self, ctx: ActionContext) -> Outcome | None:
        """Whether the flag has the value now."""
        now, problem = await self._now(ctx)
        if problem:
            return None
        state = OutcomeState.DONE if now == self.value else OutcomeState.FAILED
        before = next(iter(ctx.approved.values()), "")
        return Outcome(state=state, text=f"The flag is {now}.", remote_id=before)

    async def verify(self, ctx: ActionContext) -> Verification:
        """Whether the flag has the value, then the signal."""
        now, problem = await self._now(ctx)
        if problem:
            return Verification(state=VerificationState.COULD_NOT_VERIFY, text=f"the flag could not be read: {problem}")
        if now != self.value:
            return Verification(state=VerificationState.NOT_RECOVERED, text=f"{self.flag} is still {now}")
        return await read_signal(ctx, self.service)

    async def _now(self, ctx: ActionContext) -> tuple[str, str]:
        """The flag's value as JSON writes it, and why it is not known."""
        if not (base := str(ctx.config.options.get("ofrep", ""))):
            return "", "no server is named (options.ofrep)"
        url = f"{base.rstrip('/')}/ofrep/v1/evaluate/flags/{quote(self.flag, safe='')}"
        body = {"context": {"targetingKey": "tocsin", **dict(ctx.config.options.get("context", {}))}}
        try:
            answer = await ctx.http.send("POST", url, json=body, key="", allow_private=ctx.config.allow_private)
        except (ActionFailed, OutcomeUnknown) as error:
            return "", one_line(str(error), 160)
        if answer.status != 200 or (value := value_at(answer.json, "value")) is None:
            return "", f"the server answered {refusal(answer)}"
        return (value if isinstance(value, str) else json.dumps(value)), ""

    @property
    def values(self) -> dict[str, str]:
        """With the flag and its value."""
        return {**super().values, "flag": self.flag, "value": self.value}

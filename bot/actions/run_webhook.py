"""Call a configured webhook: the way to a rollback job, Rundeck, AWX or a CI pipeline."""

import json
import math
import re
from collections.abc import Mapping
from typing import ClassVar
from urllib.parse import quote

from pydantic import ConfigDict

from bot.actions.support.job_arguments import JobArguments
from bot.actions.support.signal import bounds, read_signal
from bot.core.action import DryRun, Outcome, OutcomeState, Tier, Verification
from bot.core.config.actions import ActionConfig, VerifyConfig
from bot.core.config.verbs import scales_to_nothing
from bot.core.errors import ActionFailed, OutcomeUnknown, QueryFailed
from bot.core.metrics.promql import is_plain_name
from bot.core.text.figures import figure
from bot.core.text.untrusted import one_line
from bot.plugins import ActionContext, ActionOptions, action

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
_UNKNOWN_STATUS = {408, 500, 502, 504}
"""Answers of a server or gateway that may have acted all the same."""


class WebhookOptions(ActionOptions):
    # Others name what the job runs (`playbook`, ...): its tier follows from their words.
    model_config = ConfigDict(extra="allow", frozen=True)

    parameters: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    state: str = ""
    probe_url: str = ""


@action
class RunWebhook(JobArguments):
    """Call the webhook of the catalogue entry, once, signed and with an idempotency key.

    Helps when the entry's `when` says so. Does not help against anything the
    remote job does not do; Tocsin sees its answer and the signal, nothing else.
    """

    version: ClassVar[str] = "1"
    least_tier: ClassVar[Tier] = Tier.TWO
    needs: ClassVar[tuple[str, ...]] = ("url",)
    options_type: ClassVar[type[ActionOptions]] = WebhookOptions

    @classmethod
    def tier_of(cls, config: ActionConfig) -> Tier:
        """3 without a signal to verify, 1 if idempotent with an `undo`, else 2."""
        if config.verify is None:
            return Tier.THREE
        return Tier.ONE if config.idempotent and config.undo else Tier.TWO

    def tier_for(self, config: ActionConfig) -> Tier:
        """Scaling to nothing, in any spelling, is never done by the bot."""
        return Tier.X if scales_to_nothing(self.parameters) else self.tier_of(config)

    def targets(self, ctx: ActionContext) -> tuple[str, ...]:
        """`options.targets` of the entry, filled in; else the service. Raises ActionFailed for what is not one plain name."""
        named = ctx.config.options.get("targets") or ["{service}"]
        targets = tuple(dict.fromkeys(str(self._filled(target)) for target in named))
        if wrong := next((target for target in targets if not is_plain_name(target)), ""):
            raise ActionFailed(f"{one_line(wrong, 60)!r} is not the name of one target: letters, digits and - _ . : / alone.")
        return targets

    def steps(self, ctx: ActionContext) -> list[str]:
        """The call, the watch and the undo."""
        verify = ctx.config.verify
        watch = "watch nothing: no signal is configured"
        if verify is not None:
            seconds = int(verify.within.total_seconds())
            watch = f"watch {verify.signal} until it is {self._thresholds_text(ctx, verify)}, for {seconds} s at most"
        undo = "if it does not recover, offer what undoes it" if ctx.config.undo else "no undo is configured"
        return [f"{ctx.config.method} {self._url(ctx.config)}", watch, undo]

    def _thresholds_text(self, ctx: ActionContext, verify: VerifyConfig) -> str:
        """The thresholds in the signal's unit, as `verify` compares it with them."""
        service = ctx.catalogue.get(self.service)
        signal = service.signals.get(verify.signal) if service else None
        below, above = bounds(verify, signal)
        unit = signal.unit if signal else ""
        limits = [f"{word} {figure(at, unit)}" for word, at in (("below", below), ("above", above)) if at is not None]
        return " and ".join(limits) or "good"

    async def dry_run(self, ctx: ActionContext) -> DryRun:
        """The rendered request, and the state of the target if `options.state` names a query for it.

        Raises ActionFailed for an address that is never called: people would approve what cannot run.
        """
        unreachable = await ctx.http.check(self._url(ctx.config), allow_private=ctx.config.allow_private)
        body = json.dumps(self._body(ctx.config), indent=2, sort_keys=True, ensure_ascii=False)
        text = f"{ctx.config.method} {self._url(ctx.config)}\n{body}"
        versions, problem = await self._state(ctx)
        if versions:
            text += f"\nstate now: {versions}"
        targets = dict.fromkeys(self.targets(ctx), versions)
        if problem:
            text += f"\ncould not check its state: {problem}"
        if unreachable:
            text += f"\ncould not be called now: {unreachable}"
        return DryRun(ok=not problem and not unreachable, text=text, targets=targets)

    async def _state(self, ctx: ActionContext) -> tuple[str, str]:
        """The target's state as text (its version in the record), and why it is not known."""
        query = ctx.config.options.get("state", "")
        if not query:
            return "", ""
        if ctx.metrics is None:
            return "", "no metrics are set up"
        try:
            series = await ctx.metrics.instant(str(self._filled(query)))
        except QueryFailed as error:
            return "", one_line(str(error), 160)
        values = sorted(s.last for s in series if not math.isnan(s.last))
        return (", ".join(f"{value:.6g}" for value in values), "") if values else ("", "the query has no value now")

    async def run(self, ctx: ActionContext) -> Outcome:
        """The one call. 2xx is done, a refusal is failed; what may have acted all the same is unknown."""
        config = ctx.config
        try:
            answer = await ctx.http.send(
                config.method,
                self._url(config),
                json=self._body(config),
                key=ctx.idempotency_key,
                allow_private=config.allow_private,
            )
        except ActionFailed as error:
            return Outcome(state=OutcomeState.FAILED, text=str(error))
        except OutcomeUnknown as error:
            return Outcome(state=OutcomeState.UNKNOWN, text=str(error))
        body = one_line(answer.text, 120)
        end = "" if body.endswith((".", "…")) else "."
        text = f"{config.method} answered {answer.status}{': ' + body if body else ''}{end}"
        if 200 <= answer.status < 300:
            return Outcome(state=OutcomeState.DONE, text=text, remote_id=_remote_id(answer.json))
        return Outcome(state=OutcomeState.UNKNOWN if answer.status in _UNKNOWN_STATUS else OutcomeState.FAILED, text=text)

    async def probe(self, ctx: ActionContext) -> Outcome | None:
        """Ask `options.probe_url`, if configured, whether the call of this key happened: 200 yes, 404 no."""
        url = ctx.config.options.get("probe_url", "")
        if not url:
            return None
        address = (
            str(url).replace("{key}", quote(ctx.idempotency_key, safe="")).replace("{service}", quote(self.service, safe=""))
        )
        try:
            answer = await ctx.http.send("GET", address, json=None, key="", allow_private=ctx.config.allow_private)
        except (ActionFailed, OutcomeUnknown):
            return None
        if answer.status == 200:
            return Outcome(state=OutcomeState.DONE, text="The remote side says that it ran.", remote_id=_remote_id(answer.json))
        return (
            Outcome(state=OutcomeState.FAILED, text="The remote side says that it never ran.") if answer.status == 404 else None
        )

    async def verify(self, ctx: ActionContext) -> Verification:
        """One reading of the entry's signal."""
        return await read_signal(ctx, self.service)

    def _url(self, config: ActionConfig) -> str:
        """The configured address; only the service's name is filled in."""
        return config.url.replace("{service}", quote(self.service, safe=""))

    def _body(self, config: ActionConfig) -> object:
        return self._filled(config.body)

    def _filled(self, template: object) -> object:
        """Plain substitution in texts, at any depth. Raises ActionFailed if a value is missing."""
        if isinstance(template, str):
            return _PLACEHOLDER.sub(self._value, template)
        if isinstance(template, Mapping):
            return {key: self._filled(value) for key, value in template.items()}
        if isinstance(template, list | tuple):
            return [self._filled(value) for value in template]
        return template

    def _value(self, match: re.Match[str]) -> str:
        name = match.group(1)
        if not (value := self.values.get(name, "")):
            raise ActionFailed(_missing(name, self.service))
        return value


def _remote_id(answer: object) -> str:
    id = answer.get("id") or answer.get("run") or "" if isinstance(answer, Mapping) else ""
    return one_line(str(id), 100) if isinstance(id, str | int) else ""


def _missing(name: str, service: str) -> str:
    """Why a value is missing: a change's values come from a recorded change."""
    of_change = name in ("change_id", "version", "previous_version")
    why = f"no change of {service} that fits is recorded" if of_change else "nobody gave it"
    return f"This needs {name}: {why}. Give it as {name}=<value>, or name another service. Nothing was proposed."

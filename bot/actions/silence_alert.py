"""Create or expire a silence in Alertmanager (API v2)."""

import hashlib
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar
from urllib.parse import quote

from pydantic import Field, field_validator, model_validator

from bot.actions.support.silences import alert_names, conditions, ends_at, existing_silence_text, state_of, text_of
from bot.core.action import DryRun, Outcome, OutcomeState, Tier, Verification, VerificationState
from bot.core.config.actions import ActionConfig
from bot.core.config.fields import parse_duration
from bot.core.errors import ActionFailed, OutcomeUnknown
from bot.core.metrics.promql import is_label_name
from bot.core.text.moments import iso_utc
from bot.core.text.untrusted import one_line
from bot.plugins import Action, ActionContext, HttpAnswer, action

SHORTEST, LONGEST = timedelta(minutes=1), timedelta(hours=12)
MAX_MATCHERS = 20
TOLERANCE = timedelta(minutes=10)
"""A silence that ends this little earlier than the new one would is enough: dry run, approval and run are minutes apart."""
EXISTING = "kept:"
"""Before the id of a silence that was there already: the undo must not expire what somebody else made."""
_SILENCE_ID = re.compile(r"[0-9a-fA-F-]{8,64}")


@action
class SilenceAlert(Action):
    """Silence alerts by exact label matchers for a limited time, or expire such a silence.

    Helps when a known alert only makes noise while people work. Does not
    help the service: nothing is repaired, and the silence ends by itself.
    """

    version: ClassVar[str] = "1"
    least_tier: ClassVar[Tier] = Tier.ONE
    service: str
    matchers: dict[str, str] = Field(default_factory=dict)
    """Label -> value; all must be equal. Patterns are not offered."""
    duration: str = ""
    """`30m`, `2h`, ...: 1 minute to 12 hours."""
    comment: str = ""
    expire: str = ""
    """The id of a silence to end; then no other field counts."""

    @field_validator("matchers")
    @classmethod
    def _matchers(cls, value: dict[str, str]) -> dict[str, str]:
        if len(value) > MAX_MATCHERS or any(
            not is_label_name(name) or not text or len(text) > 500 for name, text in value.items()
        ):
            raise ValueError(f"1 to {MAX_MATCHERS} label names with a value each")
        return value

    @field_validator("comment")
    @classmethod
    def _comment(cls, value: str) -> str:
        return one_line(value, 200)

    @model_validator(mode="after")
    def _whole(self) -> "SilenceAlert":
        if self.expire:
            if not _SILENCE_ID.fullmatch(self.expire):
                raise ValueError("expire: not the id of a silence")
        elif not self.matchers:
            raise ValueError("matchers: name at least the alert, e.g. alertname=HighErrorRate")
        elif not self.duration:
            raise ValueError("duration: say how long, e.g. duration=2h")
        elif not SHORTEST <= _length(self.duration) <= LONGEST:
            raise ValueError("duration: between 1m and 12h")
        return self

    def tier_for(self, config: ActionConfig) -> Tier:
        """Exact (the alert and what it is about) or ending a silence is tier 1; wider is tier 2."""
        exact = "alertname" in self.matchers and len(self.matchers) > 1
        return Tier.ONE if self.expire or exact else Tier.TWO

    def undo(self, remote_id: str) -> "Action | None":
        """Expiring the silence that was made."""
        if self.expire or not _SILENCE_ID.fullmatch(remote_id):
            return None
        return SilenceAlert(service=self.service, expire=remote_id)

    def undo_text(self) -> str:
        """A silence can always be expired."""
        return "" if self.expire else "expiring the silence"

    def targets(self, ctx: ActionContext) -> tuple[str, ...]:
        """The matchers as one text: however many alerts they cover, one silence is made."""
        return (f"silence {self.expire}",) if self.expire else (text_of(self.matchers),)

    def steps(self, ctx: ActionContext) -> list[str]:
        """The call and its undo."""
        if self.expire:
            return [f"expire silence {self.expire}"]
        return [f"silence {text_of(self.matchers)} for {self.duration}", "undo: expire the silence"]

    async def dry_run(self, ctx: ActionContext) -> DryRun:
        """Which firing alerts the matchers cover now: more than one makes it a wide silence."""
        if self.expire:
            return DryRun(ok=True, text=f"expire silence {self.expire}", targets=dict.fromkeys(self.targets(ctx), ""))
        filters = conditions(self.matchers)
        answer, problem = await self._get(ctx, "/api/v2/alerts", [("filter", text) for text in filters])
        alerts = alert_names(answer)
        lines = [f"silence {text_of(self.matchers)} for {self.duration}"]
        lines += [f"could not check: {problem}"] if problem else [f"alerts that match now: {len(alerts)}", *alerts[:20]]
        existing, unread = await self._existing(ctx)
        lines += [f"could not check silences: {unread}"] if unread else [existing_silence_text(s) for s in existing[:5]]
        covered = f"{len(alerts)} alerts {hashlib.sha256(chr(10).join(alerts).encode()).hexdigest()[:8]}"
        tier = Tier.TWO if len(alerts) > 1 else Tier.ONE
        return DryRun(
            ok=not (problem or unread), text="\n".join(lines), targets={text_of(self.matchers): covered}, least_tier=tier
        )

    async def run(self, ctx: ActionContext) -> Outcome:
        """The one call: create or expire. A silence that does the same already is left alone, and none is created."""
        if not self.expire and (nothing_to_do := await self._nothing_to_do(ctx)):
            return nothing_to_do
        try:
            answer = await (self._expire(ctx) if self.expire else self._create(ctx))
        except ActionFailed as error:
            return Outcome(state=OutcomeState.FAILED, text=str(error))
        except OutcomeUnknown as error:
            return Outcome(state=OutcomeState.UNKNOWN, text=str(error))
        if answer.status == 200:
            silence = answer.json.get("silenceID", "") if isinstance(answer.json, Mapping) else ""
            done = f"Silence {self.expire} expired." if self.expire else f"Silence {one_line(str(silence), 64)} created."
            return Outcome(state=OutcomeState.DONE, text=done, remote_id=self.expire or str(silence))
        text = f"Alertmanager answered {answer.status}: {one_line(answer.text, 120)}"
        return Outcome(state=OutcomeState.UNKNOWN if answer.status >= 500 else OutcomeState.FAILED, text=text)

    async def _nothing_to_do(self, ctx: ActionContext) -> Outcome | None:
        """Why nothing is to be created; None if a silence is missing."""
        existing, unread = await self._existing(ctx)
        if unread:
            text = f"Could not check the silences that exist: {unread}; none was created."
            return Outcome(state=OutcomeState.FAILED, text=text)
        if not (enough := [silence for silence in existing if self._lasts(silence, ctx)]):
            return None
        first = enough[0]
        text = f"Nothing was created: {existing_silence_text(first)}."
        return Outcome(state=OutcomeState.DONE, text=text, remote_id=EXISTING + str(first["id"]))

    async def _existing(self, ctx: ActionContext) -> tuple[list[Mapping[str, object]], str]:
        """Silences in force that cover everything these matchers cover, the longest first; and why they are not known."""
        silences, problem = await self._get(ctx, "/api/v2/silences", [])
        if problem:
            # Too many to read at once: ask for those with exactly these labels.
            filters = [("filter", condition) for condition in conditions(self.matchers)]
            silences, problem = await self._get(ctx, "/api/v2/silences", filters)
        if problem or not isinstance(silences, list):
            return [], problem or "the answer is no list"
        covering = [silence for silence in silences if isinstance(silence, Mapping) and self._covers(silence)]
        return sorted(covering, key=ends_at, reverse=True), ""

    def _covers(self, silence: Mapping[str, object]) -> bool:
        """Whether it is active and asks for nothing but some of these labels with these values."""
        matchers = silence.get("matchers")
        return (
            state_of(silence) == "active"
            and isinstance(matchers, list)
            and bool(matchers)
            and all(isinstance(matcher, Mapping) and self._fits(matcher) for matcher in matchers)
        )

    def _fits(self, matcher: Mapping[str, object]) -> bool:
        plain = matcher.get("isRegex") is False and matcher.get("isEqual", True) is True
        return plain and self.matchers.get(str(matcher.get("name"))) == matcher.get("value")

    def _lasts(self, silence: Mapping[str, object], ctx: ActionContext) -> bool:
        """Whether it ends no earlier than the new one would, give or take the minutes of an approval."""
        return ends_at(silence) >= ctx.now + parse_duration(self.duration) - TOLERANCE

    async def _create(self, ctx: ActionContext) -> HttpAnswer:
        matchers = [{"name": n, "value": v, "isRegex": False, "isEqual": True} for n, v in sorted(self.matchers.items())]
        body = {
            "matchers": matchers,
            "startsAt": iso_utc(ctx.now, "milliseconds"),
            "endsAt": iso_utc(ctx.now + parse_duration(self.duration), "milliseconds"),
            "createdBy": "tocsin",
            # After a crash `probe` finds the silence by the key in its comment.
            "comment": f"{self.comment or 'silenced from Slack'} [{ctx.idempotency_key}]",
        }
        url = _address(ctx, "/api/v2/silences")
        return await ctx.http.send("POST", url, json=body, key=ctx.idempotency_key, allow_private=True)

    async def _expire(self, ctx: ActionContext) -> HttpAnswer:
        url = _address(ctx, f"/api/v2/silence/{self.expire}")
        return await ctx.http.send("DELETE", url, json=None, key=ctx.idempotency_key, allow_private=True)

    async def probe(self, ctx: ActionContext) -> Outcome | None:
        """Search the silences for the key of this call."""
        if self.expire:
            return await self._probe_expired(ctx)
        filters = [("filter", condition) for condition in conditions(self.matchers)]
        silences, problem = await self._get(ctx, "/api/v2/silences", filters)
        if problem or not isinstance(silences, list):
            return None
        for silence in silences:
            if isinstance(silence, Mapping) and f"[{ctx.idempotency_key}]" in str(silence.get("comment", "")):
                return Outcome(
                    state=OutcomeState.DONE, text="Alertmanager holds the silence.", remote_id=str(silence.get("id", ""))
                )
        return Outcome(state=OutcomeState.FAILED, text="Alertmanager holds no such silence.")

    async def _probe_expired(self, ctx: ActionContext) -> Outcome | None:
        silence, problem = await self._get(ctx, f"/api/v2/silence/{self.expire}", [])
        if problem or not isinstance(silence, Mapping):
            return None
        if state_of(silence) != "expired":
            return Outcome(state=OutcomeState.FAILED, text="The silence is still there: it was not expired.")
        return Outcome(state=OutcomeState.DONE, text="The silence is expired.", remote_id=self.expire)

    async def verify(self, ctx: ActionContext) -> Verification:
        """Whether the silence is active (or, after `expire`, no longer is)."""
        states = ("expired",) if self.expire else ("active", "pending")
        silence, problem = await self._get(ctx, f"/api/v2/silence/{ctx.remote_id.removeprefix(EXISTING)}", [])
        if problem or not isinstance(silence, Mapping):
            return Verification(
                state=VerificationState.COULD_NOT_VERIFY, text=problem or "Alertmanager did not show the silence"
            )
        state = state_of(silence)
        verdict = VerificationState.RECOVERED if state in states else VerificationState.NOT_RECOVERED
        return Verification(state=verdict, text=f"the silence is {one_line(state, 20)}")

    async def _get(self, ctx: ActionContext, path: str, query: list[tuple[str, str]]) -> tuple[object, str]:
        """The JSON of one answer, and why there is none."""
        try:
            answer = await ctx.http.send("GET", _address(ctx, path, query), json=None, key="", allow_private=True)
        except (ActionFailed, OutcomeUnknown) as error:
            return None, one_line(str(error), 200)
        if answer.status != 200 or answer.json is None:
            return None, f"Alertmanager answered {answer.status}"
        return answer.json, ""


def _address(ctx: ActionContext, path: str, query: list[tuple[str, str]] | None = None) -> str:
    if not ctx.alertmanager_url:
        raise ActionFailed("No Alertmanager is configured (alertmanager.url); nothing was sent.")
    tail = "&".join(f"{name}={quote(value, safe='')}" for name, value in query or ())
    return ctx.alertmanager_url.rstrip("/") + path + (f"?{tail}" if tail else "")


def _length(duration: str) -> timedelta:
    try:
        return parse_duration(duration)
    except ValueError as error:
        raise ValueError(f"duration: {error}") from None

"""Create or expire a silence in Alertmanager (API v2)."""

import hashlib
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import quote

from pydantic import Field, field_validator, model_validator

from bot.actions._silences import alert_names, conditions, ends_at, state_of, text_of, told
from bot.core.action import DryRun, Outcome, Tier, Verification
from bot.core.config import ActionConfig, parse_duration
from bot.core.errors import ActionFailed, OutcomeUnknown
from bot.core.metrics.promql import is_label_name
from bot.core.text.moments import iso_utc
from bot.core.text.untrusted import one_line
from bot.plugins import Action, ActionContext, HttpAnswer, action

SHORTEST, LONGEST = timedelta(minutes=1), timedelta(hours=12)
MAX_MATCHERS = 20
SLACK = timedelta(minutes=10)
"""A silence that ends so little earlier than the wanted one is enough: dry run, approval and run are minutes apart."""
KEPT = "kept:"
"""Before the id of a silence that stood already: the way back must not expire what somebody else made."""
_SILENCE_ID = re.compile(r"[0-9a-fA-F-]{8,64}")


@action
class SilenceAlert(Action):
    """Silence alerts by exact label matchers for a limited time, or expire such a silence.

    Helps when a known alert only makes noise while people work. Does not
    help the service: nothing is repaired, and the silence ends by itself.
    """

    version: ClassVar[str] = "1"
    floor: ClassVar[Tier] = Tier.ONE
    service: str
    matchers: dict[str, str] = Field(default_factory=dict)
    """Label -> value; all must be equal. Patterns are not offered."""
    duration: str = ""
    """`30m`, `2h`, ...: 1 minute to 12 hours."""
    comment: str = ""
    expire: str = ""
    """The id of a silence to end; then nothing else is read."""

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

    def way_back(self, remote_id: str) -> "Action | None":
        """Expiring the silence that was made."""
        if self.expire or not _SILENCE_ID.fullmatch(remote_id):
            return None
        return SilenceAlert(service=self.service, expire=remote_id)

    def undone_by(self) -> str:
        """A silence can always be expired."""
        return "" if self.expire else "expiring the silence"

    def targets(self, ctx: ActionContext) -> tuple[str, ...]:
        """The matchers as one text: however many alerts they cover, one silence is made."""
        return (f"silence {self.expire}",) if self.expire else (text_of(self.matchers),)

    def steps(self, ctx: ActionContext) -> list[str]:
        """The call and the way back."""
        if self.expire:
            return [f"expire silence {self.expire}"]
        return [f"silence {text_of(self.matchers)} for {self.duration}", "the way back: expire the silence"]

    async def dry_run(self, ctx: ActionContext) -> DryRun:
        """Which firing alerts the matchers cover now: more than one makes it a wide silence."""
        if self.expire:
            return DryRun(ok=True, text=f"expire silence {self.expire}", targets=dict.fromkeys(self.targets(ctx), ""))
        filters = conditions(self.matchers)
        answer, problem = await self._get(ctx, "/api/v2/alerts", [("filter", text) for text in filters])
        found = alert_names(answer)
        lines = [f"silence {text_of(self.matchers)} for {self.duration}"]
        lines += [f"could not look: {problem}"] if problem else [f"alerts that match now: {len(found)}", *found[:20]]
        standing, unread = await self._standing(ctx)
        lines += [f"could not look for silences: {unread}"] if unread else [told(silence) for silence in standing[:5]]
        covered = f"{len(found)} alerts {hashlib.sha256(chr(10).join(found).encode()).hexdigest()[:8]}"
        floor = Tier.TWO if len(found) > 1 else Tier.ONE
        return DryRun(ok=not (problem or unread), text="\n".join(lines), targets={text_of(self.matchers): covered}, floor=floor)

    async def run(self, ctx: ActionContext) -> Outcome:
        """The one call: create or expire. A silence that does the same already is left alone, and none is created."""
        if not self.expire and (kept := await self._kept(ctx)):
            return kept
        try:
            answer = await (self._expire(ctx) if self.expire else self._create(ctx))
        except ActionFailed as error:
            return Outcome(state="failed", text=str(error))
        except OutcomeUnknown as error:
            return Outcome(state="unknown", text=str(error))
        if answer.status == 200:
            silence = answer.json.get("silenceID", "") if isinstance(answer.json, Mapping) else ""
            done = f"Silence {self.expire} expired." if self.expire else f"Silence {one_line(str(silence), 64)} created."
            return Outcome(state="done", text=done, remote_id=self.expire or str(silence))
        text = f"Alertmanager answered {answer.status}: {one_line(answer.text, 120)}"
        return Outcome(state="unknown" if answer.status >= 500 else "failed", text=text)

    async def _kept(self, ctx: ActionContext) -> Outcome | None:
        """Why nothing is to be created; None if a silence is missing."""
        standing, unread = await self._standing(ctx)
        if unread:
            return Outcome(state="failed", text=f"Could not look for silences that stand already: {unread}; none was created.")
        if not (enough := [silence for silence in standing if self._lasts(silence, ctx)]):
            return None
        first = enough[0]
        return Outcome(state="done", text=f"Nothing was created: {told(first)}.", remote_id=KEPT + str(first["id"]))

    async def _standing(self, ctx: ActionContext) -> tuple[list[Mapping[str, Any]], str]:
        """Silences in force that cover everything these matchers cover, the longest first; and why nobody could look."""
        silences, problem = await self._get(ctx, "/api/v2/silences", [])
        if problem:
            # Too many to read at once: those with exactly these labels are asked for.
            filters = [("filter", condition) for condition in conditions(self.matchers)]
            silences, problem = await self._get(ctx, "/api/v2/silences", filters)
        if problem or not isinstance(silences, list):
            return [], problem or "the answer is no list"
        found = [silence for silence in silences if isinstance(silence, Mapping) and self._covers(silence)]
        return sorted(found, key=ends_at, reverse=True), ""

    def _covers(self, silence: Mapping[str, Any]) -> bool:
        """Whether it is active and asks for nothing but some of these labels with these values."""
        wanted = silence.get("matchers")
        return (
            state_of(silence) == "active"
            and isinstance(wanted, list)
            and bool(wanted)
            and all(isinstance(matcher, Mapping) and self._fits(matcher) for matcher in wanted)
        )

    def _fits(self, matcher: Mapping[str, Any]) -> bool:
        plain = matcher.get("isRegex") is False and matcher.get("isEqual", True) is True
        return plain and self.matchers.get(str(matcher.get("name"))) == matcher.get("value")

    def _lasts(self, silence: Mapping[str, Any], ctx: ActionContext) -> bool:
        """Whether it ends no earlier than the new one would, give or take the minutes of an approval."""
        return ends_at(silence) >= ctx.now + parse_duration(self.duration) - SLACK

    async def _create(self, ctx: ActionContext) -> HttpAnswer:
        matchers = [{"name": n, "value": v, "isRegex": False, "isEqual": True} for n, v in sorted(self.matchers.items())]
        body = {
            "matchers": matchers,
            "startsAt": iso_utc(ctx.now, "milliseconds"),
            "endsAt": iso_utc(ctx.now + parse_duration(self.duration), "milliseconds"),
            "createdBy": "tocsin",
            # The key in the comment is how a silence is found again after a crash.
            "comment": f"{self.comment or 'silenced from Slack'} [{ctx.idempotency_key}]",
        }
        url = _address(ctx, "/api/v2/silences")
        return await ctx.http.send("POST", url, json=body, key=ctx.idempotency_key, allow_private=True)

    async def _expire(self, ctx: ActionContext) -> HttpAnswer:
        url = _address(ctx, f"/api/v2/silence/{self.expire}")
        return await ctx.http.send("DELETE", url, json=None, key=ctx.idempotency_key, allow_private=True)

    async def probe(self, ctx: ActionContext) -> Outcome | None:
        """Look among the silences for the key of this call."""
        if self.expire:
            return await self._probe_expired(ctx)
        filters = [("filter", condition) for condition in conditions(self.matchers)]
        silences, problem = await self._get(ctx, "/api/v2/silences", filters)
        if problem or not isinstance(silences, list):
            return None
        for silence in silences:
            if isinstance(silence, Mapping) and f"[{ctx.idempotency_key}]" in str(silence.get("comment", "")):
                return Outcome(state="done", text="Alertmanager holds the silence.", remote_id=str(silence.get("id", "")))
        return Outcome(state="failed", text="Alertmanager holds no such silence.")

    async def _probe_expired(self, ctx: ActionContext) -> Outcome | None:
        silence, problem = await self._get(ctx, f"/api/v2/silence/{self.expire}", [])
        if problem or not isinstance(silence, Mapping):
            return None
        if state_of(silence) != "expired":
            return Outcome(state="failed", text="The silence is still there: it was not expired.")
        return Outcome(state="done", text="The silence is expired.", remote_id=self.expire)

    async def verify(self, ctx: ActionContext) -> Verification:
        """Whether the silence is active (or, after `expire`, no longer is)."""
        wanted = ("expired",) if self.expire else ("active", "pending")
        silence, problem = await self._get(ctx, f"/api/v2/silence/{ctx.remote_id.removeprefix(KEPT)}", [])
        if problem or not isinstance(silence, Mapping):
            return Verification(state="could not verify", text=problem or "Alertmanager did not show the silence")
        state = state_of(silence)
        right = state in wanted
        return Verification(state="recovered" if right else "not recovered", text=f"the silence is {one_line(state, 20)}")

    async def _get(self, ctx: ActionContext, path: str, query: list[tuple[str, str]]) -> tuple[Any, str]:
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

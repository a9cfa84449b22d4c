"""The shop's pipeline, which tells of its changes: before anything breaks, or only when the causes have been ranked."""

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

import httpx

from tests.real.bot import Bot
from tests.real.processes import until
from tests.real.slack import Json, Slack


class Pipeline:
    """What the world tells of changes, and of alerts."""

    def __init__(self, slack: Slack, bot: Bot, failures: Sequence[str] = ()) -> None:
        """`failures`: why the bot will not come back; then nothing is waited for any more."""
        self.slack, self.bot, self._failures = slack, bot, failures
        self._secrets: dict[str, str] = slack.addresses["environment"]
        self._door = {"to": f"{bot.url}/changes/pipeline", "token": self._secrets["TOCSIN_TOKEN_PIPELINE"]}

    def tell_in_time(self, seconds: float) -> str:
        """Changes first, then alerts: what is looked at is dying, not a triage that ran before its deploy was known."""
        self._changes(seconds)
        self._alerts()
        return ""

    def tell_late(self, seconds: float) -> str:
        """Alerts first; changes when a ranking without them stands. The id of the change that broke the shop."""
        self._alerts()
        until(lambda: self._failures or self._ranked(), seconds, "causes ranked without the change")
        self._changes(seconds)
        return f"pipeline:{self.slack.world('truth')['change_id']}"

    def _changes(self, seconds: float) -> None:
        self.slack.world("changes/send", self._door)
        until(lambda: self._failures or self.slack.world("sent?kind=changes&state=delivered"), seconds, "the changes delivered")

    def _alerts(self) -> None:
        token = self._secrets["TOCSIN_TOKEN_SHOP"]
        self.slack.world("start", {"alerts_to": f"{self.bot.url}/alerts/shop", "alerts_token": token})

    def _ranked(self) -> bool:
        try:
            return any(attempt["state"] == "done" and attempt["findings"] for attempt in attempts(self.bot))
        except httpx.HTTPError:
            return False  # a bot that is away answers nothing for a while


def attempts(bot: Bot) -> list[Json]:
    """The triages of all groups, each with its `group`, the changes `weighed`, and `lines`: those about it in the timeline."""
    found: list[Json] = []
    for group in bot.get("groups"):
        whole: dict[str, Any] = bot.get(f"groups/{group['ref']}")
        lines = [entry["text"] for entry in whole["timeline"]]
        seen = [(entry["at"], change["id"]) for entry in whole["evidence"] for change in _changes_of(entry)]
        ordered = sorted(whole["triages"], key=lambda attempt: int(attempt["attempt"]))
        for attempt, after in zip_longest(ordered, ordered[1:]):
            end = after["started_at"] if after else "9999"
            about = sum(line.startswith(f"Attempt {attempt['attempt']}: ") for line in lines)
            weighed = [id for at, id in seen if attempt["started_at"] <= at < end]
            found.append({**attempt, "group": group["ref"], "lines": about, "weighed": weighed})
    return found


def _changes_of(entry: Json) -> list[Json]:
    return list(entry["evidence"]["facts"].get("changes", ())) if entry["tool"] == "recent_changes" else []

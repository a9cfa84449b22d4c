"""What the world saw of one scenario, gathered outside the bot, and what the bot itself remembers at the end."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.crash.people import People, Press
from tests.crash.pipeline import attempts
from tests.crash.supervisor import ProcessHistory
from tests.real import PATIENCE
from tests.real.bot import Bot
from tests.real.slack import Json, Slack, key_of

SORTED_SECONDS = 3 * PATIENCE
"""How long the inbox may take to read what is committed before it counts as lost."""


@dataclass
class History:
    """Sent, acknowledged, shown, pressed, executed; died and restarted; and the bot's own records."""

    alerts: list[Json] = field(default_factory=list)
    """Alerts whose webhook was answered with 2xx: fingerprint, starts_at, status."""
    changes: list[str] = field(default_factory=list)
    """Ids of changes whose webhook was answered with 2xx."""
    messages: list[Json] = field(default_factory=list)
    presses: list[Press] = field(default_factory=list)
    executions: list[Json] = field(default_factory=list)
    """Jobs that ran: `key` (the idempotency key) and `at` (ISO 8601)."""
    process: ProcessHistory = field(default_factory=ProcessHistory)
    struck: list[str] = field(default_factory=list)
    """The points at which the bot died."""
    left_undone: str = ""
    late_change: str = ""
    """What broke the shop, if that was told only after the causes had been ranked."""

    stored: list[Json] = field(default_factory=list)
    """Episodes."""
    known_changes: list[str] = field(default_factory=list)
    groups: list[Json] = field(default_factory=list)
    attempts: list[Json] = field(default_factory=list)
    """Triages, each with its `group`, the changes `weighed`, and `lines`: those about it in the timeline."""
    proposals: list[Json] = field(default_factory=list)
    """With their `decisions`."""
    audit: list[Json] = field(default_factory=list)

    def keys(self) -> list[str]:
        """The key of each message of the bot in Slack."""
        return [key for message in self.messages if (key := key_of(message))]


def gather(slack: Slack, bot: Bot, people: People, process: ProcessHistory, struck: Path, late_change: str) -> History:
    """Everything, when the scenario is over."""
    delivered = slack.world("sent?state=delivered")
    alerts = [alert for one in delivered if one["kind"] == "alert" for alert in one["alerts"]]
    return History(
        alerts=alerts,
        changes=[id for one in delivered if one["kind"] == "changes" for id in one["changes"]],
        messages=slack.messages(),
        presses=people.presses,
        executions=slack.world("executions"),
        process=process,
        struck=struck.read_text().splitlines() if struck.exists() else [],
        late_change=late_change,
        left_undone=people.left_undone,
        stored=_sorted_in(bot, alerts),
        known_changes=[change["id"] for change in bot.get("changes")],
        groups=bot.get("groups"),
        attempts=attempts(bot),
        proposals=_proposals(bot),
        audit=_audit(bot),
    )


def _sorted_in(bot: Bot, sent: list[Json]) -> list[Json]:
    """The episodes, once the inbox has read what was committed: a 2xx promises the row; its episode follows."""
    ended = {(alert["fingerprint"], alert["name"]) for alert in sent if alert["status"] == "resolved"}
    deadline = time.monotonic() + SORTED_SECONDS
    while True:
        stored: list[Json] = bot.get("alerts")
        behind = [e for e in stored if (e["fingerprint"], e["name"]) in ended and e["status"] != "resolved"]
        if not behind or time.monotonic() > deadline:
            return stored
        time.sleep(0.1)


def _proposals(bot: Bot) -> list[Json]:
    refs = {one["proposal"]["ref"] for group in bot.get("groups") for one in bot.get(f"groups/{group['ref']}")["proposals"]}
    return [bot.proposal(ref) for ref in sorted(refs, key=lambda ref: int(ref.removeprefix("AP-")))]


def _audit(bot: Bot) -> list[Json]:
    rows: list[Any] = []
    while more := bot.get(f"audit?after={rows[-1]['seq'] if rows else 0}"):
        rows += more
    return rows

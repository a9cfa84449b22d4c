"""Storms: 10,000 alerts of one cause, and 10,000 over 200 services. When the first card stands, and what Slack is asked."""

import tempfile
import time
from pathlib import Path
from typing import Any

from tests.bench import bodies, load
from tests.bench.place import TOKEN, RunningBot, running_bot
from tests.bench.report import reached, table
from tests.bench.usage import cpu_seconds, memory_mb

ALERTS = 10_000
MINUTE = 60.0
POSTING = ("chat.postMessage", "chat.update")


def report(*, alerts: int = ALERTS) -> None:
    """Both storms on a fresh bot each, printed."""
    rows = [_storm("one cause", alerts, 1, 4.0, 6), _storm("200 services", alerts, 200, 8.0, 30)]
    head = (
        "storm", "acks s", "ack p99 ms", "first card s", "goal", "all sorted s", "goal", "stored", "groups",
        "Slack calls, first minute", "goal", "refused (429)", "CPU s", "MB", "not 2xx",
    )  # fmt: skip
    table(f"Storm of {alerts} distinct alerts, 100 a body, 4 connections", head, rows)


def _storm(name: str, alerts: int, services: int, sorted_within: float, most_calls: int) -> list[object]:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, running_bot(Path(folder) / "bot", {}) as bot:
        news = [bodies.alert(number, services=services, severity="critical") for number in range(alerts)]
        posts = bodies.requests(bot.url, bodies.to_tocsin, 100, news, TOKEN)
        began, cpu = time.time(), cpu_seconds(bot.pid)
        result = load.run(load.each_once(bot.url, posts, 4))
        bot.caught_up(300)
        sorted_after = time.time() - began
        stored, groups = bot.count("alerts"), bot.count("groups")
        time.sleep(max(0.0, began + MINUTE - time.time()))
        calls = _calls(bot, began)
        first = min((call["at"] for call in calls if call["status"] == 200), default=float("nan")) - began
        asked, refused = len(calls), sum(call["status"] == 429 for call in calls)
        return [
            name, result.seconds, result.at(0.99), first, f"<= 0.3 {reached(first, 0.3)}",
            sorted_after, f"<= {sorted_within:g} {reached(sorted_after, sorted_within)}", stored, groups,
            asked, f"<= {most_calls} {reached(asked, most_calls)}", refused, cpu_seconds(bot.pid) - cpu, memory_mb(bot.pid),
            result.bad,
        ]  # fmt: skip


def _calls(bot: RunningBot, began: float) -> list[dict[str, Any]]:
    """Posts and edits within the first minute."""
    calls = bot.slack.get("calls", since=began)["calls"]
    return [call for call in calls if call["method"] in POSTING and call["at"] <= began + MINUTE]

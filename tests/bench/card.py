"""From webhook to card while the worst goes on: each try in a channel of its own, a storm elsewhere, a model that hangs."""

import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.bench import bodies
from tests.bench.load import quantile
from tests.bench.place import TOKEN, RunningBot, running_bot
from tests.bench.report import reached, table
from tests.bench.usage import idle

TRIES = 200
STORM = 200
PACE = 0.2
"""Seconds between two tries."""
LIMIT_MS = 1000.0
CARD_LIMIT_MS = 500.0


@dataclass(frozen=True)
class Cards:
    """Milliseconds of each try: until the 202, and until Slack's stand-in held the card; `missing` never came."""

    acknowledged: Sequence[float]
    posted: Sequence[float]
    missing: int
    slack_ack: Sequence[float]
    """Milliseconds until a slash command was acknowledged, meanwhile."""

    @property
    def line(self) -> str:
        """The figure for a report."""
        at = [f"{quantile(self.posted, share):.0f}" for share in (0.5, 0.99)]
        return f"webhook to card: p50 {at[0]} ms, p99 {at[1]} ms over {len(self.posted)} tries, {self.missing} missing"


def measure_cards(folder: Path, *, tries: int = TRIES, storm: int = STORM, pace: float = PACE) -> Cards:
    """Start the bot with a hanging model in `folder` and measure. The moments are those of one machine's clock."""
    channels = {f"CT{number}": f"team-{number:03d}" for number in range(tries)}
    services = {f"try-{number:03d}": {"channel": channel} for number, channel in enumerate(channels)}
    with running_bot(folder / "card", {"services": services}, hanging_model=True, channels=channels) as bot:
        idle(bot.pid)
        with ThreadPoolExecutor(3) as pool:
            blowing = pool.submit(_blow, bot, storm, tries * pace / 2)
            pressing = pool.submit(_commands, bot, tries * pace)
            sent = _tries(bot, tries, pace)
            blowing.result()
            acks = pressing.result()
        return _read(bot, sent, acks)


def _tries(bot: RunningBot, tries: int, pace: float) -> dict[str, tuple[float, float]]:
    """Per channel: when the webhook was sent, and after how many milliseconds it was taken."""
    sent, began = {}, time.monotonic()
    with httpx.Client(trust_env=False, timeout=30) as client:
        for number in range(tries):
            time.sleep(max(0.0, began + number * pace - time.monotonic()))
            moment = time.time()
            _post(client, bot, [_critical(number, f"try-{number:03d}")])
            sent[f"CT{number}"] = (moment, (time.time() - moment) * 1000)
    return sent


def _blow(bot: RunningBot, storm: int, seconds: float) -> None:
    """The storm: critical alerts of services that nobody knows, ten a body, in the default channel."""
    bodies_of_ten = range(0, storm, 10)
    with httpx.Client(trust_env=False, timeout=30) as client:
        for start in bodies_of_ten:
            _post(client, bot, [_critical(10_000 + n, f"storm-{n:03d}") for n in range(start, start + 10)])
            time.sleep(seconds / len(bodies_of_ten))


def _commands(bot: RunningBot, seconds: float) -> list[float]:
    """A person asks for help now and then: how long Slack waits for the acknowledgement, in milliseconds."""
    waited, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        waited.append(float(bot.slack.command("U1", "C0", "help")["acked_ms"]))
        time.sleep(0.1)
    return waited


def _critical(number: int, service: str) -> dict[str, Any]:
    alert = bodies.alert(number, severity="critical")
    alert["labels"] |= {"service": service}
    return alert


def _post(client: httpx.Client, bot: RunningBot, alerts: Sequence[dict[str, Any]]) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    client.post(bot.url, content=bodies.to_tocsin(alerts), headers=headers).raise_for_status()


def _read(bot: RunningBot, sent: dict[str, tuple[float, float]], acks: list[float]) -> Cards:
    """Look when each channel's card was posted; up to ten seconds more for the last."""
    end = time.monotonic() + 10
    posted: dict[str, float] = {}
    while len(posted) < len(sent) and time.monotonic() < end:
        cards = [m for m in bot.slack.of("card:AL-") if m["channel"] in sent]
        posted = {m["channel"]: float(m["ts"]) for m in cards}
        time.sleep(0.2)
    took = [(at - sent[channel][0]) * 1000 for channel, at in posted.items()]
    return Cards([ms for _, ms in sent.values()], took, len(sent) - len(posted), acks)


def report() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        cards = measure_cards(Path(name))
    rows = []
    for what, values, limit in (
        ("webhook acknowledged", cards.acknowledged, 0.0),
        ("card posted", cards.posted, CARD_LIMIT_MS),
        ("slash command acknowledged", cards.slack_ack, LIMIT_MS),
    ):
        p99 = quantile(values, 0.99)
        goal = f"p99 <= {limit:.0f} {reached(p99, limit)}" if limit else ""
        rows.append([what, len(values), quantile(values, 0.5), p99, max(values), goal])
    title = f"Card under a {STORM}-alert storm elsewhere and a hanging model; {cards.missing} cards missing"
    table(title, ("what", "tries", "p50 ms", "p99 ms", "worst ms", "goal"), rows)

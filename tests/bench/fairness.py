"""Fair admission: one source that never stops, and how long another's critical alert takes to its card meanwhile."""

import asyncio
import tempfile
import time
from pathlib import Path

import httpx

from tests.bench import bodies, load
from tests.bench.load import quantile
from tests.bench.place import SOURCE, TOKEN, RunningBot, running_bot
from tests.bench.report import reached, table
from tests.bench.usage import idle

OTHER = "other"
FLOOD, MINUTE = 30_000, 60.0
TRIES, BATCH, SERVICES = 10, 100, 200
GOAL = 2.0


def report(*, flood: int = FLOOD, tries: int = TRIES) -> None:
    """Measure and print."""
    channels = {f"CT{number}": f"team-{number:03d}" for number in range(tries)}
    services = {f"try-{number:03d}": {"channel": channel} for number, channel in enumerate(channels)}
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as name,
        running_bot(Path(name) / "bot", {"services": services}, channels=channels, sources=(SOURCE, OTHER)) as bot,
    ):
        idle(bot.pid)
        sent, bad = asyncio.run(_both(bot, flood, tries))
        waits = _waits(bot, sent)
        missing, behind = tries - len(waits), bot.unsorted()
    worst = max(waits, default=float("nan"))
    goal = f"<= {GOAL:g} s: {reached(worst, GOAL) if not missing else 'no'}"
    rows = [[f"{flood:,} of {SERVICES} services", tries, quantile(waits, 0.5), worst, goal, missing, behind, bad]]
    head = ("flood of one source in a minute", "tries", "p50 s", "worst s", "goal", "missing", "unsorted at the end", "not 2xx")
    table("From the webhook of another source to its critical card", head, rows)


async def _both(bot: RunningBot, flood: int, tries: int) -> tuple[dict[str, float], int]:
    """Per channel when its alert was sent, and how many bodies of the flood were not taken."""
    news = [bodies.alert(number, services=SERVICES) for number in range(flood)]
    posts = bodies.requests(bot.url, bodies.to_tocsin, BATCH, news, TOKEN)
    flooding = asyncio.create_task(load.open_loop(bot.url, posts, 4, len(posts) / MINUTE, MINUTE))
    sent = await _tries(bot, tries)
    return sent, (await flooding).bad


async def _tries(bot: RunningBot, tries: int) -> dict[str, float]:
    sent = {}
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    async with httpx.AsyncClient(trust_env=False, timeout=30, headers=headers) as client:
        for number in range(tries):
            await asyncio.sleep(MINUTE / (tries + 1))
            alert = bodies.alert(1_000_000 + number, severity="critical")
            alert["labels"] |= {"service": f"try-{number:03d}"}
            sent[f"CT{number}"] = time.time()
            (await client.post(bot.url_of(OTHER), content=bodies.to_tocsin([alert]))).raise_for_status()
    return sent


def _waits(bot: RunningBot, sent: dict[str, float]) -> list[float]:
    """Seconds until each card stood; up to a minute more for the last."""
    end = time.monotonic() + MINUTE
    posted: dict[str, float] = {}
    while len(posted) < len(sent) and time.monotonic() < end:
        posted = {m["channel"]: float(m["ts"]) for m in bot.slack.of("card:AL-") if m["channel"] in sent}
        time.sleep(0.2)
    return [at - sent[channel] for channel, at in posted.items()]

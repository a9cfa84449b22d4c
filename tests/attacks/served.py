"""A bot that is really served, as a process of its own beside Slack's stand-in, and what can be seen of it from outside."""

import asyncio
import json
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.real.bot import Bot
from tests.real.slack import Slack

TOKENS = {
    "prod": "t-prod-0123456789",
    "hub": "t-hub-0123456789",
    "deploys": "t-deploys-0123456789",
    "duty": "t-duty-0123456789",
}
SOURCES: dict[str, dict[str, Any]] = {
    "prod": {"kind": "alertmanager"},
    "second": {"kind": "alertmanager"},
    "hub": {"kind": "github"},
    "duty": {"kind": "pagerduty"},
    "deploys": {"kind": "generic"},
}
TOKENS = {name: f"t-{name}-0123456789" for name in SOURCES}
MEET_SECONDS = 2.0
"""An attack that is over in a moment says little about those who come meanwhile."""
SETTLED_SECONDS = 3.0
"""Memory that has not grown for so long counts as what the bot takes at rest."""


def bearer(source: str) -> dict[str, str]:
    """What shows that a request comes from this source."""
    return {"authorization": f"Bearer {TOKENS[source]}"}


@asynccontextmanager
async def served(
    config: Mapping[str, Any],
    environment: Mapping[str, str] | None = None,
    furnish: Callable[[Slack], None] = lambda _slack: None,
) -> AsyncIterator[Bot]:
    """The bot in HTTP mode with these keys of tocsin.yaml; stopped at the end. `furnish`: the workspace, before it starts."""
    with tempfile.TemporaryDirectory(prefix="tocsin-served-") as name:
        folder = Path(name)
        slack = await asyncio.to_thread(Slack(folder, "--no-world", "--port", "0").start)
        await asyncio.to_thread(furnish, slack)
        path = folder / "tocsin.yaml"
        path.write_text(yaml.safe_dump(dict(config)), encoding="utf-8")
        tokens = {f"TOCSIN_TOKEN_{source.upper()}": token for source, token in TOKENS.items()}
        bot = Bot(folder, slack, path, mode="http", environment={**tokens, **(environment or {})})
        try:
            await asyncio.to_thread(bot.start)
            yield bot
        finally:
            await asyncio.to_thread(bot.stop)
            await asyncio.to_thread(slack.stop)


def resident(pid: int) -> int:
    """Bytes of memory that a process holds now."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return 1024 * int(next(line for line in status.splitlines() if line.startswith("VmRSS:")).split()[1])


async def settled(pid: int, seconds: float = 60.0) -> int:
    """What a process takes once it has stopped growing: libraries are read in after the start."""
    least, since, deadline = resident(pid), time.monotonic(), time.monotonic() + seconds
    while time.monotonic() - since < SETTLED_SECONDS and time.monotonic() < deadline:
        await asyncio.sleep(0.2)
        if resident(pid) > least + (1 << 20):
            least, since = resident(pid), time.monotonic()
    return resident(pid)


@dataclass
class Watch:
    """What became of the bot during an attack: the most memory it held, and what a legitimate sender met."""

    peak: int = 0
    seconds: list[float] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    @property
    def p99(self) -> float:
        """Seconds within which 99 of 100 valid alerts were acknowledged."""
        return sorted(self.seconds)[int(0.99 * (len(self.seconds) - 1))] if self.seconds else 0.0


@asynccontextmanager
async def watched(bot: Bot, service: str, source: str = "prod") -> AsyncIterator[Watch]:
    """Meanwhile valid alerts come, some twenty a second, and the memory is measured; for MEET_SECONDS at least."""
    watch = Watch()
    measuring, sender = asyncio.create_task(_measure(bot.process.pid, watch)), await _met(bot, service, source)
    until = time.monotonic() + MEET_SECONDS
    try:
        yield watch
        await asyncio.sleep(max(0.0, until - time.monotonic()))
    finally:
        measuring.cancel()
        met = json.loads((await sender.communicate(b""))[0] or b"{}")
        watch.seconds, watch.refused = met.get("seconds", []), met.get("refused", [])
        await asyncio.gather(measuring, return_exceptions=True)


async def _measure(pid: int, watch: Watch) -> None:
    with suppress(OSError, StopIteration):
        while True:
            watch.peak = max(watch.peak, resident(pid))
            await asyncio.sleep(0.02)


async def _met(bot: Bot, service: str, source: str) -> Process:
    """Start a legitimate sender, and wait until it is under way."""
    url = f"{bot.url}/alerts/{source}"
    command = [sys.executable, "-m", "tests.attacks.sender", url, TOKENS[source], service]
    sender = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
    assert sender.stdout is not None
    await sender.stdout.readline()
    return sender

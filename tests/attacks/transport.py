"""Whoever reaches the port and has no token: floods of bodies, headers and connections, and requests that are none.

Each item is played against a bot that is really served; its twin is a legitimate request of the same form.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import math
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from tests.attacks.attempts import attempted
from tests.attacks.items import Item
from tests.attacks.scene import Outcome, Played
from tests.attacks.sender import alert
from tests.attacks.served import SOURCES, TOKENS, Watch, bearer, served, settled, watched
from tests.real.bot import Bot

MOST_GROWTH = 64 << 20
MOST_SECONDS = 1.0
"""Within which 99 of 100 valid alerts are acknowledged, whatever else comes."""
MOST_LINES = 2_000
"""In the log, whatever comes."""
CONFIG: dict[str, Any] = {"default_channel": "C1", "sources": SOURCES, "services": {"checkout": {}}}
CLOSED = 0
"""Stands for a connection that was closed without an answer."""


@dataclass
class Attempt:
    """What came back of an attack, and for how long the longest connection stayed open."""

    statuses: Counter[int] = field(default_factory=Counter)
    longest: float = 0.0
    problems: list[str] = field(default_factory=list)


def play(items: Sequence[Item]) -> Played:
    """Play them all against one bot."""
    return asyncio.run(_play(items))


async def _play(items: Sequence[Item]) -> Played:
    began = time.monotonic()
    outcomes: list[Outcome] = []
    async with served(CONFIG) as bot:
        bot.slack.post("channels", [{"id": "C1", "name": "attacked", "members": ["U1"], "bot": True}])
        for item in items:
            outcomes.append(await attempted(item, _attacked(bot, item)))
            outcomes.append(await attempted(item, _twin(bot, item), twin=True))
    return Played({"transport": outcomes}, time.monotonic() - began)


async def _attacked(bot: Bot, item: Item) -> list[str]:
    log_before = bot.process.log.stat().st_size
    attack = ATTACKS[item.rule["rule"]]
    if attack is request:
        # One alone neither fills the memory nor keeps anybody waiting.
        attempt, watch, growth = await attack(bot, item), Watch(), 0
    else:
        before = await settled(bot.process.pid)
        async with watched(bot, "checkout") as watch:
            attempt = await attack(bot, item)
        growth = watch.peak - before
    met = f"{len(watch.seconds)} valid alerts, p99 {watch.p99:.2f} s, {len(watch.refused)} refused"
    measured = f"memory +{growth / (1 << 20):.0f} MiB, longest {attempt.longest:.1f} s, {met}"
    print(f"{item.id} {item.technique}: {dict(attempt.statuses)}, {measured}", file=sys.stderr, flush=True)
    return [*attempt.problems, *_judged(bot, item, attempt, watch, growth), *_logged(bot, log_before)]


def _judged(bot: Bot, item: Item, attempt: Attempt, watch: Watch, growth: int) -> list[str]:
    problems = [] if bot.process.alive else ["NO_CRASH: the bot has ended"]
    odd = [status for status in attempt.statuses if status != CLOSED and not 400 <= status < 500 and status != 503]
    problems += [f"NO_CRASH: answered {status}" for status in odd]
    if growth > MOST_GROWTH:
        problems.append(f"BOUNDED: memory grew by {growth / (1 << 20):.0f} MiB")
    if watch.refused:
        problems.append(f"valid alerts were refused: {len(watch.refused)} of {len(watch.seconds)}, {watch.refused[0]}")
    if watch.p99 > MOST_SECONDS:
        problems.append(f"99 of 100 valid alerts took {watch.p99:.2f} s")
    if attempt.longest > item.rule.get("within", math.inf):
        problems.append(f"BOUNDED: a connection stayed open for {attempt.longest:.1f} s")
    return problems


def _logged(bot: Bot, since: int) -> list[str]:
    """No error and no traceback stands in the log, and no flood of lines."""
    with bot.process.log.open("rb") as log:
        log.seek(since)
        lines = log.read().decode("utf-8", "replace").splitlines()
    bad = [line for line in lines if "Traceback" in line or '"level": "error"' in line]
    problems = [f"NO_CRASH: logged {bad[0][:300]}"] if bad else []
    return problems + ([f"BOUNDED: {len(lines)} lines in the log"] if len(lines) > MOST_LINES else [])


# ---------------------------------------------------------------- raw requests


def _target(item: Item, source: str = "hub") -> str:
    return str(item.rule.get("path", f"/changes/{source}"))


def _head(path: str, headers: dict[str, str], method: str = "POST") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "host: bot", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n"


async def _open(bot: Bot) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", bot.port)


async def _status(reader: asyncio.StreamReader, patience: float = 45.0) -> int:
    """The status of the answer; CLOSED if there is none before the connection ends."""
    with suppress(OSError, asyncio.IncompleteReadError, ValueError):
        async with asyncio.timeout(patience):
            line = await reader.readline()
            return int(line.split()[1]) if line.startswith(b"HTTP/") else CLOSED
    return CLOSED


async def _sent(bot: Bot, parts: AsyncIterator[bytes], attempt: Attempt) -> None:
    """Send until the answer comes or the connection is closed; count what came."""
    began = time.monotonic()
    writer = None
    try:
        reader, writer = await _open(bot)
        answer = asyncio.create_task(_status(reader))
        with suppress(OSError):
            async for part in parts:
                if answer.done():
                    break
                writer.write(part)
                await writer.drain()
        attempt.statuses[await answer] += 1
    except OSError:
        attempt.statuses[CLOSED] += 1
    finally:
        if writer is not None:
            writer.close()
    attempt.longest = max(attempt.longest, time.monotonic() - began)


async def _many(bot: Bot, item: Item, parts: Any, attempt: Attempt) -> Attempt:
    """So many of these as the item says, so many at once."""
    gate = asyncio.Semaphore(int(item.rule.get("at_once", 50)))

    async def one() -> None:
        async with gate:
            await _sent(bot, parts(), attempt)

    await asyncio.gather(*(one() for _ in range(int(item.rule.get("count", 1)))))
    return attempt


# ---------------------------------------------------------------- attacks


async def bodies(bot: Bot, item: Item) -> Attempt:
    """Bodies that nobody signed, with the header that announces a signature."""
    rule = item.rule
    size, chunked = int(rule["bytes"]), bool(rule.get("chunked"))
    frame = {"transfer-encoding": "chunked"} if chunked else {"content-length": str(size)}
    headers = {"content-type": "application/json", **item.headers, **frame}

    async def parts() -> AsyncIterator[bytes]:
        yield _head(_target(item), headers) + b"\r\n"
        piece = b"x" * min(size, int(rule.get("piece", 65_536)))
        for _ in range(size // len(piece)):
            yield b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece
            if rule.get("pause"):
                await asyncio.sleep(float(rule["pause"]))
        if chunked:
            yield b"0\r\n\r\n"

    return await _many(bot, item, parts, Attempt())


async def headers(bot: Bot, item: Item) -> Attempt:
    """Headers without end: many, or one that is long; before the body, or as trailers behind it."""
    unit, total = str(item.rule["unit"]), int(item.rule["bytes"])

    async def parts() -> AsyncIterator[bytes]:
        if item.rule.get("trailers"):
            yield _head(_target(item), {"transfer-encoding": "chunked", **item.headers}) + b"\r\n2\r\n{}\r\n0\r\n"
        else:
            yield _head(_target(item), dict(item.headers)) + str(item.rule.get("begin", "")).encode()
        piece = (unit * (65_536 // len(unit))).encode()
        for _ in range(total // len(piece)):
            yield piece

    return await _many(bot, item, parts, Attempt())


async def half_open(bot: Bot, item: Item) -> Attempt:
    """Connections that send a beginning, if anything, and then wait."""
    begin = str(item.rule.get("begin", "")).encode("latin-1")

    async def parts() -> AsyncIterator[bytes]:
        yield begin or b""
        every = float(item.rule.get("every", 0))
        while every:
            await asyncio.sleep(every)
            yield str(item.rule["drip"]).encode()

    return await _many(bot, item, parts, Attempt())


async def pipelined(bot: Bot, item: Item) -> Attempt:
    """Very many requests on one connection, none of whose answers is read."""

    async def parts() -> AsyncIterator[bytes]:
        for _ in range(int(item.rule["requests"]) // 100):
            yield (_head(_target(item), dict(item.headers), str(item.rule.get("method", "GET"))) + b"\r\n") * 100

    return await _many(bot, item, parts, Attempt())


async def request(bot: Bot, item: Item) -> Attempt:
    """One request as it stands: odd bytes, odd signatures, odd moments."""
    rule, body = item.rule, base64.b64decode(item.rule.get("body", ""))
    found = {"content-length": str(len(body)), **_proof(rule, bot, body), **item.headers}
    method = str(rule.get("method", "POST"))
    raw = base64.b64decode(rule["raw"]) if "raw" in rule else _head(_target(item), found, method) + b"\r\n" + body

    async def parts() -> AsyncIterator[bytes]:
        yield raw

    attempt = await _many(bot, item, parts, Attempt())
    if attempt.statuses[CLOSED]:
        attempt.problems.append("NO_CRASH: closed without an answer")
    return attempt


ATTACKS = {f.__name__: f for f in (bodies, headers, half_open, pipelined, request)}

# ---------------------------------------------------------------- twins


def _proof(rule: dict[str, Any], bot: Bot, body: bytes) -> dict[str, str]:
    """What a genuine sender would prove itself by, where the rule says `signed`."""
    return _signed(str(rule.get("path", "")), bot, body) if rule.get("signed") else {}


def _signed(path: str, bot: Bot, body: bytes) -> dict[str, str]:
    if path == "/slack/events":
        stamp = str(int(time.time()))
        secret = bot.slack.addresses["signing_secret"].encode()
        digest = hmac.new(secret, b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
        return {"x-slack-request-timestamp": stamp, "x-slack-signature": f"v0={digest}", "content-type": "application/json"}
    source = path.rpartition("/")[2]
    if source == "hub":
        digest = hmac.new(TOKENS["hub"].encode(), body, hashlib.sha256).hexdigest()
        return {"x-hub-signature-256": f"sha256={digest}", "x-github-event": "ping"}
    return bearer(source if source in TOKENS else "prod")


async def _twin(bot: Bot, item: Item) -> list[str]:
    """The same as a genuine sender does it: as large, as slow and with as many headers as is allowed."""
    body, path = _genuine(item)
    found = {**_signed(path, bot, body), "content-length": str(len(body))}
    rule = item.rule["rule"]
    if rule == "headers":
        found |= {f"x-trace-{number}": "v" * 500 for number in range(80)}
    head = _head(path, found, "POST") + b"\r\n"
    wire = head + body

    async def parts() -> AsyncIterator[bytes]:
        cut = len(head) // 2 if rule in ("half_open", "headers") else len(wire) // 2
        yield wire[:cut]
        await asyncio.sleep(1.0 if rule in ("half_open", "bodies") else 0.01)
        yield wire[cut:]

    attempt = Attempt()
    await _sent(bot, parts(), attempt)
    answer = max(attempt.statuses)
    return [] if answer in (200, 202) else [f"a genuine request to {path} is answered {answer or 'by closing'}"]


def _genuine(item: Item) -> tuple[bytes, str]:
    path = _target(item, "prod")
    if path == "/slack/events":
        return json.dumps({"type": "url_verification", "challenge": "x"}).encode(), path
    if path.startswith("/changes/hub"):
        padding = "p" * (900_000 if item.rule["rule"] == "bodies" else 10)
        return json.dumps({"zen": padding, "hook_id": 1}).encode(), path
    return alert("checkout", 0), "/alerts/prod"

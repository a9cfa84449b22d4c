"""Scripts in which the bot's process dies: the bot is a process of its own, killed with SIGKILL and started again."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import yaml
from sqlmodel import select

from bot.store.db.database import Database
from bot.store.tables import DecisionRow, MessageRow, ProposalRow
from tests.attacks.cast import member
from tests.attacks.catalogue import channel_of, configuration, entry_of
from tests.attacks.hook import Hook
from tests.attacks.phrases import Kind
from tests.attacks.script import Script
from tests.attacks.stage import RESTING, Json, Sandbox, until
from tests.real import free_port

SERVICE = "crash-01"


class CrashStage:
    """Sandbox, hook and a bot that can be killed; one incident and one proposal, both made by people."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.hook, self.sandbox = Hook().start(), Sandbox()
        self.db = Database(f"sqlite+aiosqlite:///{folder / 'app.db'}")
        self.bot: subprocess.Popen[bytes] | None = None
        self.channel = channel_of(SERVICE)

    async def open(self, entry: str) -> None:
        """Everything up to a proposal whose card stands."""
        await self.sandbox.furnish([SERVICE])
        (self.folder / "tocsin.yaml").write_text(yaml.safe_dump(configuration([SERVICE], self.hook.url)), encoding="utf-8")
        await self.start()
        await self._slash("on_call", f'declare "Errors" sev=2 service={SERVICE}')
        await self._slash("commander", "lead INC-1")
        await self._slash("owner", f"propose {entry} {SERVICE} INC-1")
        await until(self.card)

    async def start(self) -> None:
        """Start the bot and wait until it is ready and connected."""
        found = self.sandbox.addresses
        environment = {
            **os.environ,
            "TOCSIN_CONFIG": str(self.folder / "tocsin.yaml"),
            "TOCSIN_DATA_DIR": str(self.folder),
            "TOCSIN_SLACK_BOT_TOKEN": found["bot_token"],
            "TOCSIN_SLACK_APP_TOKEN": found["app_token"],
            "TOCSIN_SLACK_SIGNING_SECRET": found["signing_secret"],
            "TOCSIN_SLACK_API_URL": found["slack"],
            "TOCSIN_AUDIT_KEY": "fake-audit-key",
        }
        command = [sys.executable, "-c", "from bot.cli import main; main()", "serve", "--port", str(self.port)]
        quiet = subprocess.DEVNULL
        self.bot = await asyncio.to_thread(subprocess.Popen, command, env=environment, stdout=quiet, stderr=quiet)
        await until(self._ready)
        await until(self._connected)

    async def _ready(self) -> bool:
        try:
            async with httpx.AsyncClient() as client:
                return (await client.get(f"http://127.0.0.1:{self.port}/readyz")).status_code == 200
        except httpx.HTTPError:
            return False

    async def _connected(self) -> bool:
        return bool((await self.sandbox.get("state"))["connections"])

    def kill(self) -> None:
        """SIGKILL, no goodbye."""
        assert self.bot is not None
        self.bot.send_signal(signal.SIGKILL)
        self.bot.wait(10)

    async def _slash(self, role: str, text: str) -> None:
        await self.sandbox.act(role, command={"command": "/incident", "text": text, "channel": self.channel})
        await asyncio.sleep(0.7)

    async def press(self, role: str, verdict: str = "approve") -> Json:
        card = await self.card()
        button = {"action_id": verdict, "ts": card.ts, "channel": card.channel, "value": "AP-1:1", "force": True}
        answer = await self.sandbox.act(role, press=button)
        for _ in range(40):
            if [view for view in await self.sandbox.views(role) if "submit" in view]:
                await self.sandbox.act(role, submit={"values": {"reason": "as the script says", "target": SERVICE}})
                break
            if (await self.proposal()).state != "pending":
                break
            await asyncio.sleep(0.05)
        return answer

    async def card(self) -> Any:
        rows = [row for row in await self.rows(MessageRow) if row.key == "proposal:AP-1" and row.ts]
        return rows[0] if rows else None

    async def proposal(self) -> ProposalRow:
        found: ProposalRow = (await self.rows(ProposalRow))[0]
        return found

    async def rows(self, table: Any) -> list[Any]:
        async with self.db.read() as session:
            return list((await session.exec(select(table))).all())

    async def rest(self) -> None:
        async def rests() -> bool:
            return (await self.proposal()).state in RESTING

        await until(rests)

    async def close(self) -> None:
        if self.bot is not None and self.bot.poll() is None:
            self.bot.terminate()
            self.bot.wait(25)
        await self.db.close()
        await self.sandbox.close()
        self.hook.stop()


async def play_crash(script: Script, folder: Path, *, attacked: bool = True) -> list[str]:
    """Why the script fails; empty if it passes. Without the attack: the same people, and nobody kills the bot."""
    stage = CrashStage(folder)
    try:
        await stage.open(entry_of(next(step for step in script.steps if step.kind is Kind.PROPOSE)))
        if not attacked:
            await stage.press("commander")
            await stage.rest()
            await asyncio.sleep(0.5)
            await stage.rest()
            return [] if len(stage.hook.calls) == 1 else [f"{len(stage.hook.calls)} calls instead of 1"]
        await _attack(script, stage)
        return await _judge(script, stage)
    finally:
        stage.hook.hold_answers.clear()
        await stage.close()


async def _attack(script: Script, stage: CrashStage) -> None:
    told = " ".join(map(str, [*script.raw.get("steps", ()), script.must]))
    in_call = script.has(Kind.WORKER) or re.search(r"remote call|execut|unknown|mid-run|running", told) is not None
    if in_call:
        stage.hook.hold_answers.set()
    pressing = asyncio.create_task(stage.press("commander"))
    if in_call:
        await until(lambda: stage.hook.calls)
    else:
        # The press is on its way or just counted; its answer is not out.
        await asyncio.sleep(0.02)
    stage.kill()
    stage.hook.hold_answers.clear()
    answer = (await asyncio.gather(pressing, return_exceptions=True))[0]
    await stage.start()
    delivered = answer.get("delivery") if isinstance(answer, dict) else None
    if delivered and script.has(Kind.REPLAY, Kind.START):
        await stage.sandbox.act("commander", raw={"replay": delivered})
    await asyncio.sleep(1)
    if not in_call and (await stage.proposal()).state == "pending":
        await stage.press("commander")
    await stage.rest()
    await asyncio.sleep(0.5)
    await stage.rest()


async def _judge(script: Script, stage: CrashStage) -> list[str]:
    calls, row = len(stage.hook.calls), await stage.proposal()
    approvals = [
        d for d in await stage.rows(DecisionRow) if d.verdict == "approve" and d.slack_user == member("commander").user
    ]
    why = []
    if "NO_DOUBLE" in script.must_not and calls > 1:
        why.append(f"NO_DOUBLE: {calls} calls")
    if len(approvals) != 1:
        why.append(f"{len(approvals)} approvals instead of 1")
    if "unknown" in script.must.lower():
        lines = [m.subject for m in await stage.rows(MessageRow) if m.kind == "line"]
        if row.state != "unknown":
            why.append(f"state {row.state} instead of unknown")
        elif not any("not known whether it ran" in line for line in lines):
            why.append("nobody was asked")
    elif calls != 1:
        why.append(f"{calls} calls instead of 1, state {row.state}")
    return why

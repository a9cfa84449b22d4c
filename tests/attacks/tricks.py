"""What an attacker does behind the doors: the database, the world, the policy, and forged deliveries."""

import asyncio
import hashlib
import hmac
import json
import re
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import httpx
from sqlalchemy import update
from sqlmodel import col

from bot.core.approvals.record import plan_fingerprint
from bot.core.config.actions import Freeze
from bot.core.errors import ConfigurationError
from bot.plugins import Tool, discover
from bot.settings import load_config
from bot.store.tables import DecisionRow, ProposalRow
from tests.attacks.cast import TEAM, member
from tests.attacks.catalogue import channel_of
from tests.attacks.script import Step
from tests.attacks.stage import Json

if TYPE_CHECKING:
    from tests.attacks.play import Play

ACTS_MODEL = re.compile(r"approv|execut|run_|propos|decid|deny|silence|restart|rollback")
"""Names that no tool of the model may have."""


class Tricks:
    """The steps of one play that no door offers."""

    def __init__(self, play: "Play") -> None:
        self.play = play
        self._recorded = ""

    # ------------------------------------------------------------ behind the doors

    async def _do_tamper(self, step: Step) -> None:
        row = await self.play.stage.proposal(self.play.out.refs[-1])
        record = json.loads(json.dumps(row.record))
        record[_part(step.text)] = _other(_part(step.text), record[_part(step.text)])
        values: Json = {"record": record}
        if re.search(r"digest|hash", step.text, re.I) and re.search(r"recomput|too|also|match|fit|updat|new", step.text, re.I):
            values["plan_fingerprint"] = plan_fingerprint(record)
        await self._write(row, values)

    async def _write(self, row: ProposalRow, values: Json) -> None:
        async with self.play.stage.app.db.write() as session:
            await session.exec(update(ProposalRow).where(col(ProposalRow.id) == row.id).values(**values))

    async def _do_forge_row(self, step: Step) -> None:
        row, now = await self.play.stage.proposal(self.play.out.refs[-1]), self.play.stage.app.db.clock()
        async with self.play.stage.app.db.write() as session:
            forged = DecisionRow(
                proposal_id=row.id or 0,
                revision=row.revision,
                person="commander",
                team=TEAM,
                slack_user=member("commander").user,
                verdict="approve",
                plan_fingerprint=row.plan_fingerprint,
                at=now,
            )
            session.add(forged)
        await self._write(row, {"state": "approved", "approved_at": now})
        await self.play.stage.app.approvals.resume()
        await asyncio.sleep(0.5)

    async def _do_moved(self, step: Step) -> None:
        numbers = re.findall(r"\d+", step.text)
        self.play.stage.hook.pods[self.play.service] = int(numbers[-1]) if numbers else 40

    async def _do_freeze(self, step: Step) -> None:
        now = self.play.stage.app.db.clock()
        window = Freeze(
            starts=now - timedelta(seconds=1),
            ends=now + timedelta(hours=4),
            reason="as the script says",
            services=(self.play.service,),
        )
        self.play.stage.reconfigure(freezes=(window,))

    async def _do_rule_error(self, step: Step) -> None:
        broken = Freeze.model_construct(starts=None, ends=None, reason="no hours", services=(self.play.service,))  # type: ignore[arg-type]
        self.play.stage.reconfigure(freezes=(broken,))
        await self.play.press("commander", self.play.out.refs[-1])

    async def _do_blind(self, step: Step) -> None:
        self.play.stage.hook.blind.add(self.play.service)

    async def _do_rota_down(self, step: Step) -> None:
        await self.play.stage.app.rotas.forget()
        error = {"method": "usergroups.users.list", "code": "internal_error", "times": 500}
        await self.play.stage.sandbox.post("faults", {"error": error})

    async def _do_broken_policy(self, step: Step) -> None:
        path = self.play.stage.folder / "broken.yaml"
        path.write_text("approvers: {deputies: [mole]\nservices: [", encoding="utf-8")
        try:
            load_config(path)
        except ConfigurationError as error:
            self.play.out.notes.append(f"the broken file is refused: {error}")
        else:
            self.play.out.problems.append("a broken policy file was loaded")
        await self.play.press("outsider", self.play.out.refs[-1])

    async def _do_model(self, step: Step) -> None:
        tools = discover(["tools", *self.play.stage.app.config.plugins], Tool)
        if acting := [name for name in tools if ACTS_MODEL.search(name)]:
            self.play.out.problems.append(f"tools that act: {', '.join(acting)}")

    async def _do_break_glass(self, step: Step) -> None:
        await self.play.slash("commander", f"break-glass {self.play.out.refs[-1]}")
        await asyncio.sleep(0.5)

    # ------------------------------------------------------------ forged deliveries

    async def _do_record(self, step: Step) -> None:
        answer = await self.play.press("commander", self.play.out.refs[-1])
        self._recorded = str(answer.get("delivery", ""))

    async def _do_replay(self, step: Step) -> None:
        if not self._recorded:
            await self._do_record(step)
        for _ in range(2):
            raw = {"replay": self._recorded, "timestamp_offset_s": -min(step.seconds, 290)}
            await self.play.stage.sandbox.act("commander", raw=raw)
        await asyncio.sleep(0.5)

    async def _do_old_timestamp(self, step: Step) -> None:
        offset = (step.seconds or 301) * (1 if re.search(r"future|ahead", step.text) else -1)
        await self.play.press("commander", self.play.out.refs[-1], timestamp_offset_s=offset)

    async def _do_no_signature(self, step: Step) -> None:
        await self.play.press("commander", self.play.out.refs[-1], signature="missing")

    async def _do_bad_signature(self, step: Step) -> None:
        await self.play.press("commander", self.play.out.refs[-1], secret="another-secret")
        card = await self.play.stage.card(self.play.out.refs[-1])
        body = bytearray(
            urlencode({"payload": json.dumps(_press_payload(card.channel, card.ts, self.play.out.refs[-1]))}).encode()
        )
        headers = _signed(self.play.stage.sandbox.addresses["signing_secret"], bytes(body))
        body[-2] ^= 1
        async with httpx.AsyncClient() as client:
            answer = await client.post(f"{self.play.stage.url}/slack/events", content=bytes(body), headers=headers)
        self.play.out.statuses.append(answer.status_code)

    async def _do_other_team(self, step: Step) -> None:
        patch = {"team": {"id": "T0ELSEWHERE"}, "user": {"team_id": "T0ELSEWHERE"}}
        await self.play.press("commander", self.play.out.refs[-1], patch=patch)
        await self.play.press("commander", self.play.out.refs[-1], patch={"team": {"id": "T0ELSEWHERE"}})

    async def _do_other_place(self, step: Step) -> None:
        posted = await self.play.stage.sandbox.act("bot", type={"channel": channel_of("elsewhere"), "text": "Approve here"})
        ref = self.play.out.refs[-1]
        value = f"{ref}:{(await self.play.stage.proposal(ref)).revision}"
        button = {"action_id": "approve", "ts": posted["ts"], "channel": channel_of("elsewhere"), "value": value, "force": True}
        await self.play.stage.sandbox.act("commander", press=button)
        await asyncio.sleep(0.7)

    async def _do_forged_value(self, step: Step) -> None:
        ref = self.play.out.refs[-1]
        card = await self.play.stage.card(ref)
        for value in ("AP-999999:1", "act-999", f"{ref}:999", f"{ref}", "AP-0:0", "AP-1 OR 1=1:1", ""):
            button = {
                "action_id": "approve",
                "ts": card.ts,
                "channel": card.channel,
                "value": value,
                "block_id": "forged",
                "force": True,
            }
            await self.play.stage.sandbox.act(self.play.one(step, "commander") if step.who else "commander", press=button)
        await asyncio.sleep(0.7)


def _part(text: str) -> str:
    """Which part of the record a script changes; the arguments if it does not say."""
    for word, part in (
        ("tier", "tier"),
        ("requester", "requester"),
        ("target", "targets"),
        ("service", "service"),
        ("expir", "expires_at"),
        ("dry", "dry_run_digest"),
        ("revision", "revision"),
    ):
        if word in text.lower():
            return part
    return "arguments"


def _other(part: str, value: Any) -> Any:
    if isinstance(value, int):
        return 1 if value != 1 else 2
    if isinstance(value, dict):
        return {**value, "parameters": {"replicas": "0"}} if part == "arguments" else {**value, "another": ""}
    return "2099-01-01T00:00:00.000000Z" if part == "expires_at" else f"{value}x"


def _press_payload(channel: str, ts: str, ref: str) -> Json:
    user = {"id": member("commander").user, "team_id": TEAM}
    action = {"action_id": "approve", "block_id": "b", "type": "button", "value": f"{ref}:1", "action_ts": f"{time.time():.6f}"}
    container = {"type": "message", "message_ts": ts, "channel_id": channel}
    return {
        "type": "block_actions",
        "team": {"id": TEAM},
        "user": user,
        "channel": {"id": channel},
        "container": container,
        "actions": [action],
    }


def _signed(secret: str, body: bytes) -> dict[str, str]:
    stamp = str(int(time.time()))
    signature = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    kind = "application/x-www-form-urlencoded"
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={signature}", "Content-Type": kind}

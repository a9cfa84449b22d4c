"""Plays one script on the stage: every step through the doors that people have, except what an attacker does behind them."""

import asyncio
import hashlib
import hmac
import json
import re
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
from sqlalchemy import update
from sqlmodel import col

from bot.core.config import Freeze
from bot.core.errors import ConfigurationError, TocsinError
from bot.core.record import digest_of
from bot.plugins import Tool, discover
from bot.settings import load_config
from bot.store.switches import Switches
from bot.store.tables import DecisionRow, ProposalRow
from tests.attacks.cast import CAST, ON_CALL_GROUP, TEAM, member
from tests.attacks.catalogue import channel_of, entry_of
from tests.attacks.script import Kind, Script, Step
from tests.attacks.stage import Json, Stage, until

SIGNED = (Kind.RECORD, Kind.REPLAY, Kind.OLD_TIMESTAMP, Kind.NO_SIGNATURE, Kind.BAD_SIGNATURE, Kind.OTHER_TEAM)
WORLD = (
    Kind.TAMPER,
    Kind.FORGE_ROW,
    Kind.MOVED,
    Kind.FREEZE,
    Kind.PAUSE,
    Kind.STOP,
    Kind.HANDOVER,
    Kind.DEACTIVATE,
    Kind.WAIT,
    Kind.RULE_ERROR,
)
EXPIRY = 61 * 60
ACTS_MODEL = re.compile(r"approv|execut|run_|propos|decid|deny|silence|restart|rollback")


@dataclass
class Played:
    """What a play left behind, for the judge."""

    refs: list[str] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    private: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


class Play:
    """One run of one script on one service."""

    def __init__(self, stage: Stage, script: Script, service: str) -> None:
        self.stage, self.script, self.service = stage, script, service
        self.channel, self.incident = channel_of(service), ""
        self.out = Played()
        self.requester, self.last, self.lead, self.on_call = "", "commander", "commander", "on_call"
        self.recorded = ""
        self._dwell = 0
        self._known: dict[str, int] = {}

    async def run(self) -> Played:
        """All steps, then until nothing moves; what was changed on the stage is put back."""
        self.incident = await self.stage.incident(self.service)
        self._known = {role: len(await self.stage.sandbox.private(role)) for role in CAST}
        signed = self.script.has(*SIGNED) or self.script.raw.get("signed")
        await self.stage.delivery("http" if signed else "socket")
        try:
            for number, step in enumerate(self.script.steps):
                if step.kind is Kind.PRESS and any(later.kind in WORLD for later in self.script.steps[number + 1 :]):
                    self.stage.gate.opened.clear()
                await self._step(step)
            await self._finish()
        finally:
            await self._put_back()
        return self.out

    async def _finish(self) -> None:
        self.stage.gate.opened.set()
        try:
            await self.stage.settle(self.service)
        except TimeoutError:
            states = [f"AP-{row.id} {row.state}" for row in await self.stage.proposals(self.service)]
            self.out.problems.append(f"still moving: {', '.join(states)}")
        for role in (
            "commander",
            "deputy",
            "on_call",
            "owner",
            "outsider",
            "guest",
            "bot",
            "new_commander",
            "stranger",
            "secondary",
        ):
            said = await self.stage.sandbox.private(role)
            self.out.private += said[self._known[role] :]

    async def _put_back(self) -> None:
        self.stage.gate.opened.set()
        paused = self.script.has(Kind.PAUSE)
        self.stage.original()
        sandbox = self.stage.sandbox
        for step in self.script.steps:
            if step.kind is Kind.DEACTIVATE:
                await sandbox.post("people", {"id": member(self._one(step)).user, "deleted": False})
        await sandbox.post("usergroups", {"id": ON_CALL_GROUP, "handle": "oncall", "users": [member("on_call").user]})
        await self.stage.delivery("socket")
        await sandbox.post("faults", {"clear": True})
        for role in CAST:
            if await sandbox.views(role):
                await sandbox.act(role, close={"all": True})
        if paused:
            for role in ("admin", "owner"):
                await self._slash(role, "admin resume")

    # ------------------------------------------------------------ one step

    async def _step(self, step: Step) -> None:
        if step.kind is Kind.PRESS:
            await self._presses(step)
        else:
            await getattr(self, f"_do_{step.kind.value}", self._do_nothing)(step)
        if step.who and step.kind in (Kind.PRESS, Kind.DEACTIVATE, Kind.PROPOSE):
            self.last = step.who[0]

    async def _do_nothing(self, step: Step) -> None:
        self.out.notes.append(f"nothing to do: {step.text}")

    def _one(self, step: Step, default: str = "") -> str:
        return self._role(step.who[0]) if step.who else default or self._role(self.last)

    def _role(self, role: str) -> str:
        if role == "requester":
            return self.requester or "on_call"
        # After a handover the word names whoever held the role when the script began.
        return {"old_commander": "commander", "old_on_call": "on_call"}.get(role, role)

    async def _slash(self, role: str, text: str) -> Json:
        return await self.stage.sandbox.act(role, command={"command": "/incident", "text": text, "channel": self.channel})

    # ------------------------------------------------------------ proposing and pressing

    async def _do_propose(self, step: Step) -> None:
        for number in range(1, step.count + 1):
            entry = entry_of(step, number)
            if not step.who:
                await self._by_the_bot(entry, step)
            else:
                self.requester = self._role(step.who[0])
                await self._by_a_person(entry, step)

    async def _by_the_bot(self, entry: str, step: Step) -> None:
        arguments = {"parameters": {"replicas": step.arguments[1]}} if len(step.arguments) > 1 else {}
        try:
            proposal = await self.stage.app.approvals.propose(
                entry,
                self.service,
                arguments,
                group_ref=self.incident,
                requester="",
                because="E1: errors rose",
                key=f"{self.service}:{len(self.out.refs)}",
            )
        except TocsinError as error:
            self.out.notes.append(f"not proposed: {error}")
        else:
            await self._stands(proposal.ref)

    async def _by_a_person(self, entry: str, step: Step) -> None:
        before = {row.id for row in await self.stage.proposals(self.service)}
        await self._slash(self.requester, f"propose {entry} {self.service} {self.incident}")

        async def new() -> Any:
            return [row for row in await self.stage.proposals(self.service) if row.id not in before]

        try:
            found = await until(new, 4)
        except TimeoutError:
            self.out.notes.append("not proposed")
        else:
            await self._stands(f"AP-{found[0].id}")

    async def _stands(self, ref: str) -> None:
        self.out.refs.append(ref)
        await self.stage.card(ref)

    async def _presses(self, step: Step) -> None:
        roles = [self._role(role) for role in step.who] or [self._role(self.last)]
        refs = self.out.refs if step.every else self.out.refs[-1:]
        in_dialog = "submit" in step.text
        self.stage.offset += timedelta(seconds=0 if in_dialog else step.seconds)
        self._dwell = step.seconds if in_dialog else 0
        presses = [self.press(role, ref, step.verdict) for ref in refs for role in roles for _ in range(step.times)]
        if step.together or step.times > 1:
            await asyncio.gather(*presses)
        else:
            for press in presses:
                await press

    async def press(self, role: str, ref: str, verdict: str = "approve", **raw: Any) -> Json:
        """Press a button of the card and, if a dialog opens, submit it; the answer of the press."""
        sandbox = self.stage.sandbox
        card, row = await self.stage.card(ref), await self.stage.proposal(ref)
        said, opened = len(await sandbox.private(role)), {view["id"] for view in await sandbox.views(role)}
        button = {"action_id": verdict, "ts": card.ts, "channel": card.posted_channel or card.channel, "force": True}
        answer = await sandbox.act(role, press={**button, "value": f"{ref}:{row.revision}"}, raw=raw)
        if answer.get("status"):
            self.out.statuses.append(int(answer["status"]))
        if answer.get("acked"):
            await self._answered(role, ref, row, said, opened)
        return answer

    async def _answered(self, role: str, ref: str, row: ProposalRow, said: int, opened: set[str]) -> None:
        """Wait for whatever a press leads to: a private word, a dialog (which is submitted), or a change."""
        sandbox = self.stage.sandbox

        async def came() -> Any:
            views = await sandbox.views(role)
            if views and views[-1]["id"] not in opened and "submit" in views[-1]:
                return "view"
            if len(await sandbox.private(role)) > said:
                return "word"
            return "change" if (await self.stage.proposal(ref)).rev != row.rev else None

        try:
            came_first = await until(came, 5)
        except TimeoutError:
            return
        if came_first == "view":
            self.stage.offset += timedelta(seconds=self._dwell)
            target = next(iter(row.record["targets"])) if len(row.record["targets"]) == 1 else row.service
            done = await sandbox.act(role, submit={"values": {"reason": "as the script says", "target": target}})
            self.out.notes.append(f"submitted by {role}: {done.get('errors') or done.get('error') or 'taken'}")

    # ------------------------------------------------------------ people

    async def _do_text(self, step: Step) -> None:
        role = self._one(step, "commander")
        words = [w.strip("'\"“”`") for w in re.findall(r"'[^']*'|\"[^\"]*\"|“[^”]*”|`[^`]*`", step.text)] or ["approved"]
        card = await self.stage.card(self.out.refs[-1])
        for text in (re.sub(r"\bact-?\w+", self.out.refs[-1], word) for word in words):
            if text.startswith("/"):
                await self._slash(role, text.partition(" ")[2])
            else:
                place = {"channel": card.channel, "thread": card.ts}
                await self.stage.sandbox.act(role, type={"text": text, **place})
                await self.stage.sandbox.act(role, mention={"text": f"approve {self.out.refs[-1]} {text}", **place})
        await asyncio.sleep(0.5)

    async def _do_emoji(self, step: Step) -> None:
        card = await self.stage.card(self.out.refs[-1])
        names = re.findall(r":([a-z_0-9+-]+):", step.text) or ["white_check_mark"]
        for name in names:
            await self.stage.sandbox.act(
                self._one(step, "commander"), react={"channel": card.channel, "ts": card.ts, "name": name}
            )
        await asyncio.sleep(0.3)

    async def _do_pause(self, step: Step) -> None:
        await self._slash("on_call", "admin pause the script says so")
        await until(self._paused)

    async def _paused(self) -> bool:
        return bool(await Switches(self.stage.app.db).paused())

    async def _do_resume(self, step: Step) -> None:
        for role in ("admin", "owner"):
            await self._slash(role, "admin resume")
        await self._slash("on_call", f"resume {self.incident}")
        await asyncio.sleep(0.4)

    async def _do_stop(self, step: Step) -> None:
        await self._slash(self._one(step, "outsider") if step.who else "outsider", f"stop {self.incident}")
        await asyncio.sleep(0.5)

    async def _do_handover(self, step: Step) -> None:
        role = self._one(step, "commander")
        config, service = self.stage.app.config, self.service
        if role == "deputy":
            self.stage.reconfigure(approvers=config.approvers.model_copy(update={"deputies": ()}))
        elif role in ("on_call", "secondary"):
            users = [member("secondary").user]
            await self.stage.sandbox.post("usergroups", {"id": ON_CALL_GROUP, "handle": "oncall", "users": users})
            self.on_call = "secondary"
        elif role == "owner":
            changed = config.services[service].model_copy(update={"owners": ("secondary",)})
            self.stage.reconfigure(services={**config.services, service: changed})
        else:
            await self._slash("commander", f"lead <@{member('new_commander').user}> {self.incident}")
            self.lead = "new_commander"
        await asyncio.sleep(0.5)

    async def _do_deactivate(self, step: Step) -> None:
        await self.stage.sandbox.post("people", {"id": member(self._one(step, "commander")).user, "deleted": True})

    async def _do_wait(self, step: Step) -> None:
        self.stage.offset += timedelta(seconds=step.seconds or EXPIRY)

    # ------------------------------------------------------------ behind the doors

    async def _do_tamper(self, step: Step) -> None:
        row = await self.stage.proposal(self.out.refs[-1])
        record = json.loads(json.dumps(row.record))
        record[_part(step.text)] = _other(_part(step.text), record[_part(step.text)])
        values: Json = {"record": record}
        if re.search(r"digest|hash", step.text, re.I) and re.search(r"recomput|too|also|match|fit|updat|new", step.text, re.I):
            values["digest"] = digest_of(record)
        await self._write(row, values)

    async def _write(self, row: ProposalRow, values: Json) -> None:
        async with self.stage.app.db.write() as session:
            await session.exec(update(ProposalRow).where(col(ProposalRow.id) == row.id).values(**values))

    async def _do_forge_row(self, step: Step) -> None:
        row, now = await self.stage.proposal(self.out.refs[-1]), self.stage.app.db.clock()
        async with self.stage.app.db.write() as session:
            person = {"person": "commander", "team": TEAM, "slack_user": member("commander").user}
            session.add(
                DecisionRow(
                    proposal_id=row.id or 0, revision=row.revision, verdict="approve", digest=row.digest, at=now, **person
                )
            )
        await self._write(row, {"state": "approved", "approved_at": now})
        await self.stage.app.approvals.resume()
        await asyncio.sleep(0.5)

    async def _do_moved(self, step: Step) -> None:
        numbers = re.findall(r"\d+", step.text)
        self.stage.hook.pods[self.service] = int(numbers[-1]) if numbers else 40

    async def _do_freeze(self, step: Step) -> None:
        now = self.stage.app.db.clock()
        window = Freeze(
            starts=now - timedelta(seconds=1),
            ends=now + timedelta(hours=4),
            reason="as the script says",
            services=(self.service,),
        )
        self.stage.reconfigure(freezes=(window,))

    async def _do_rule_error(self, step: Step) -> None:
        broken = Freeze.model_construct(starts=None, ends=None, reason="no hours", services=(self.service,))  # type: ignore[arg-type]
        self.stage.reconfigure(freezes=(broken,))
        await self.press("commander", self.out.refs[-1])

    async def _do_blind(self, step: Step) -> None:
        self.stage.hook.blind.add(self.service)

    async def _do_rota_down(self, step: Step) -> None:
        self.stage.app.rotas.forget()
        error = {"method": "usergroups.users.list", "code": "internal_error", "times": 500}
        await self.stage.sandbox.post("faults", {"error": error})

    async def _do_broken_policy(self, step: Step) -> None:
        path = self.stage.folder / "broken.yaml"
        path.write_text("approvers: {deputies: [mole]\nservices: [", encoding="utf-8")
        try:
            load_config(path)
        except ConfigurationError as error:
            self.out.notes.append(f"the broken file is refused: {error}")
        else:
            self.out.problems.append("a broken policy file was loaded")
        await self.press("outsider", self.out.refs[-1])

    async def _do_model(self, step: Step) -> None:
        tools = discover(["tools", *self.stage.app.config.plugins], Tool)
        if acting := [name for name in tools if ACTS_MODEL.search(name)]:
            self.out.problems.append(f"tools that act: {', '.join(acting)}")

    async def _do_break_glass(self, step: Step) -> None:
        await self._slash("commander", f"break-glass {self.out.refs[-1]}")
        await asyncio.sleep(0.5)

    # ------------------------------------------------------------ forged deliveries

    async def _do_record(self, step: Step) -> None:
        answer = await self.press("commander", self.out.refs[-1])
        self.recorded = str(answer.get("delivery", ""))

    async def _do_replay(self, step: Step) -> None:
        if not self.recorded:
            await self._do_record(step)
        for _ in range(2):
            raw = {"replay": self.recorded, "timestamp_offset_s": -min(step.seconds, 290)}
            await self.stage.sandbox.act("commander", raw=raw)
        await asyncio.sleep(0.5)

    async def _do_old_timestamp(self, step: Step) -> None:
        offset = (step.seconds or 301) * (1 if re.search(r"future|ahead", step.text) else -1)
        await self.press("commander", self.out.refs[-1], timestamp_offset_s=offset)

    async def _do_no_signature(self, step: Step) -> None:
        await self.press("commander", self.out.refs[-1], signature="missing")

    async def _do_bad_signature(self, step: Step) -> None:
        await self.press("commander", self.out.refs[-1], secret="another-secret")
        card = await self.stage.card(self.out.refs[-1])
        body = bytearray(urlencode({"payload": json.dumps(_press_payload(card.channel, card.ts, self.out.refs[-1]))}).encode())
        headers = _signed(self.stage.sandbox.addresses["signing_secret"], bytes(body))
        body[-2] ^= 1
        async with httpx.AsyncClient() as client:
            answer = await client.post(f"{self.stage.url}/slack/events", content=bytes(body), headers=headers)
        self.out.statuses.append(answer.status_code)

    async def _do_other_team(self, step: Step) -> None:
        patch = {"team": {"id": "T0ELSEWHERE"}, "user": {"team_id": "T0ELSEWHERE"}}
        await self.press("commander", self.out.refs[-1], patch=patch)
        await self.press("commander", self.out.refs[-1], patch={"team": {"id": "T0ELSEWHERE"}})

    async def _do_other_place(self, step: Step) -> None:
        posted = await self.stage.sandbox.act("bot", type={"channel": channel_of("elsewhere"), "text": "Approve here"})
        ref = self.out.refs[-1]
        value = f"{ref}:{(await self.stage.proposal(ref)).revision}"
        button = {"action_id": "approve", "ts": posted["ts"], "channel": channel_of("elsewhere"), "value": value, "force": True}
        await self.stage.sandbox.act("commander", press=button)
        await asyncio.sleep(0.7)

    async def _do_forged_value(self, step: Step) -> None:
        ref = self.out.refs[-1]
        card = await self.stage.card(ref)
        for value in ("AP-999999:1", "act-999", f"{ref}:999", f"{ref}", "AP-0:0", "AP-1 OR 1=1:1", ""):
            button = {
                "action_id": "approve",
                "ts": card.ts,
                "channel": card.channel,
                "value": value,
                "block_id": "forged",
                "force": True,
            }
            await self.stage.sandbox.act(self._one(step, "commander") if step.who else "commander", press=button)
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

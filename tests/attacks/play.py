"""Plays one script on the stage: every step through the doors that people have, except what an attacker does behind them."""

import asyncio
import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from bot.core.errors import TocsinError
from bot.store.approvals.switches import Switches
from bot.store.tables import ProposalRow
from tests.attacks.cast import CAST, ON_CALL_GROUP, member
from tests.attacks.catalogue import channel_of, entry_of
from tests.attacks.phrases import Kind
from tests.attacks.script import Script, Step
from tests.attacks.stage import Json, Stage, until
from tests.attacks.tricks import Tricks

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
        self.out, self.tricks = Played(), Tricks(self)
        self.requester, self.last, self.lead, self.on_call = "", "commander", "commander", "on_call"
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
                await sandbox.post("people", {"id": member(self.one(step)).user, "deleted": False})
        await sandbox.post("usergroups", {"id": ON_CALL_GROUP, "handle": "oncall", "users": [member("on_call").user]})
        await self.stage.delivery("socket")
        await sandbox.post("faults", {"clear": True})
        for role in CAST:
            if await sandbox.views(role):
                await sandbox.act(role, close={"all": True})
        if paused:
            for role in ("admin", "owner"):
                await self.slash(role, "admin resume")

    # ------------------------------------------------------------ one step

    async def _step(self, step: Step) -> None:
        if step.kind is Kind.PRESS:
            await self._presses(step)
        else:
            doer = self if hasattr(self, f"_do_{step.kind.value}") else self.tricks
            await getattr(doer, f"_do_{step.kind.value}", self._do_nothing)(step)
        if step.who and step.kind in (Kind.PRESS, Kind.DEACTIVATE, Kind.PROPOSE):
            self.last = step.who[0]

    async def _do_nothing(self, step: Step) -> None:
        self.out.notes.append(f"nothing to do: {step.text}")

    def one(self, step: Step, default: str = "") -> str:
        return self._role(step.who[0]) if step.who else default or self._role(self.last)

    def _role(self, role: str) -> str:
        if role == "requester":
            return self.requester or "on_call"
        # After a handover the word names whoever held the role when the script began.
        return {"old_commander": "commander", "old_on_call": "on_call"}.get(role, role)

    async def slash(self, role: str, text: str) -> Json:
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
        said = len(await self.stage.sandbox.private(self.requester))
        await self.slash(self.requester, f"propose {entry} {self.service} {self.incident}")

        async def answered() -> bool:
            return len(await self.stage.sandbox.private(self.requester)) > said

        # Whoever proposes is told in private that it stands, or why not.
        await until(answered)
        new = [row for row in await self.stage.proposals(self.service) if row.id not in before]
        if new:
            await self._stands(f"AP-{new[0].id}")
        else:
            self.out.notes.append("not proposed")

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
            came_first = await until(came, 30)
        except TimeoutError:
            return
        if came_first == "view":
            self.stage.offset += timedelta(seconds=self._dwell)
            target = next(iter(row.record["targets"])) if len(row.record["targets"]) == 1 else row.service
            done = await sandbox.act(role, submit={"values": {"reason": "as the script says", "target": target}})
            self.out.notes.append(f"submitted by {role}: {done.get('errors') or done.get('error') or 'taken'}")

    # ------------------------------------------------------------ people

    async def _do_text(self, step: Step) -> None:
        role = self.one(step, "commander")
        words = [w.strip("'\"“”`") for w in re.findall(r"'[^']*'|\"[^\"]*\"|“[^”]*”|`[^`]*`", step.text)] or ["approved"]
        card = await self.stage.card(self.out.refs[-1])
        for text in (re.sub(r"\bact-?\w+", self.out.refs[-1], word) for word in words):
            if text.startswith("/"):
                await self.slash(role, text.partition(" ")[2])
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
                self.one(step, "commander"), react={"channel": card.channel, "ts": card.ts, "name": name}
            )
        await asyncio.sleep(0.3)

    async def _do_pause(self, step: Step) -> None:
        await self.slash("on_call", "admin pause the script says so")
        await until(self._paused)

    async def _paused(self) -> bool:
        return bool(await Switches(self.stage.app.db).paused())

    async def _do_resume(self, step: Step) -> None:
        for role in ("admin", "owner"):
            await self.slash(role, "admin resume")
        await self.slash("on_call", f"resume {self.incident}")
        await asyncio.sleep(0.4)

    async def _do_stop(self, step: Step) -> None:
        await self.slash(self.one(step, "outsider") if step.who else "outsider", f"stop {self.incident}")
        await asyncio.sleep(0.5)

    async def _do_handover(self, step: Step) -> None:
        role = self.one(step, "commander")
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
            await self.slash("commander", f"lead <@{member('new_commander').user}> {self.incident}")
            self.lead = "new_commander"
        await asyncio.sleep(0.5)

    async def _do_deactivate(self, step: Step) -> None:
        await self.stage.sandbox.post("people", {"id": member(self.one(step, "commander")).user, "deleted": True})

    async def _do_wait(self, step: Step) -> None:
        self.stage.offset += timedelta(seconds=step.seconds or EXPIRY)

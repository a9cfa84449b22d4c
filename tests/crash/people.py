"""The people of a scenario, who do what people do while a bot comes and goes: look again, press again."""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.real.bot import Bot
from tests.real.slack import COMMANDER, DEVELOPER, Json, NothingThere, Slack, key_of

OPENS_SECONDS, AT_MOST_SECONDS = 3.0, 12.0
"""How long somebody waits for a dialog: from a bot that died meanwhile, and from one that lives and is slow."""
READING = 0.7
"""Seconds somebody looks at a card before pressing: by then a workflow that was interrupted waits for the press again."""
OVER = ("succeeded", "not recovered", "could not verify", "failed", "unknown", "expired", "stale", "stopped", "superseded")


@dataclass
class Press:
    """One press as the person saw it: whose, on what, which revision the card showed."""

    at: float
    user: str
    ref: str
    card: str
    acked: bool


@dataclass
class People:
    """The developer, who may not approve, and the commander, who may."""

    slack: Slack
    bot: Bot
    failures: list[str] = field(default_factory=list)
    """Why the bot will not come back; empty while it may."""
    presses: list[Press] = field(default_factory=list)
    left_undone: str = ""
    """Where the scenario stopped, if it did."""

    def play(self, seconds: float) -> None:
        """From the first card to the draft, or to an action of which nobody knows whether it ran."""
        deadline = time.monotonic() + seconds
        proposal = self._until(lambda: next(iter(self.slack.of("proposal:")), None), deadline, "a proposal")
        if proposal is None:
            return
        self._press(DEVELOPER, proposal, "approve")
        if not self._until(lambda: self._approved(proposal), deadline, "an approval", every=0.3):
            return
        if not (state := self._until(lambda: self._over(_ref(proposal)), deadline, "the end of the action")):
            return
        if state != "succeeded":
            return
        if not self._until(lambda: self._group("MONITORING", "RESOLVED"), deadline, "cleared alerts"):
            return
        if self._until(lambda: self._resolved(), deadline, "the resolution", every=0.3):
            self._until(lambda: self.slack.of("postmortem:"), deadline, "the draft")

    def settle(self, seconds: float) -> None:
        """Until Slack shows the last state: a bot that was killed late may still have edits to make."""
        self._until(self._shown, time.monotonic() + seconds, "the last states in Slack")

    def _shown(self) -> bool:
        if not (found := self._of_the_card()):
            return False
        wanted = [(f"card:{found['group']['ref']}", f"*{found['group']['state']}*")]
        for ref in map(_ref, self.slack.of("proposal:")[:1]):
            state = self.bot.proposal(ref)["state"]
            wanted.append((f"proposal:{ref}", f"*{state.upper()}*"))
            if state == "unknown":
                wanted.append((f"line:outcome:{ref}", "not known whether it ran"))
        return all(any(word in m["words"] for m in self.slack.of(key)) for key, word in wanted)

    # ------------------------------------------------------------ what they do

    def _approved(self, proposal: Json) -> bool:
        """Press and confirm, until somebody's approval is known."""
        found = self.bot.proposal(_ref(proposal))
        if found and found["state"] not in ("pending", "partly approved"):
            return True
        if found:
            time.sleep(READING)
            self._press(COMMANDER, proposal, "approve")
            self._submit(reason="fits the evidence")
        return False

    def _resolved(self) -> bool:
        if self._group("RESOLVED"):
            return True
        card = self.slack.of("card:")[0]
        self.slack.command(COMMANDER, card["channel"], f"resolve {_ref(card)}")
        self._submit(cause="the change named first by the triage")
        return False

    def _press(self, user: str, message: Json, action: str) -> None:
        words, at = next(m["words"] for m in self.slack.of(key_of(message))), time.time()
        try:
            said = self.slack.press(user, message, action)
        except NothingThere:
            # The bot took an earlier press while this person was still looking at the card.
            return
        self.presses.append(Press(at, user, key_of(message).removeprefix("proposal:"), words, bool(said["acked"])))

    def _submit(self, **values: str) -> None:
        """Send the dialog, if one opens; a bot that died in between opened none, and the person starts again."""
        # A press that the bot took late opens its dialog over this one: then too.
        with contextlib.suppress(NothingThere):
            self._send_dialog(values)

    def _send_dialog(self, values: dict[str, str]) -> None:
        began, life = time.monotonic(), self.bot.process.starts
        while (waited := time.monotonic() - began) < AT_MOST_SECONDS:
            if waited > OPENS_SECONDS and (self.bot.process.starts != life or not self.bot.process.alive):
                return
            views = self.slack.get("views", user=COMMANDER)["views"]
            if views and views[-1].get("submit"):
                known = {block["block_id"] for block in views[-1]["blocks"] if block.get("type") == "input"}
                chosen = {name: text for name, text in values.items() if name in known}
                said = self.slack.act(COMMANDER, submit={"view": views[-1]["id"], "values": chosen})
                if not said["acked"]:
                    self.slack.act(COMMANDER, close={"view": views[-1]["id"]})
                return
            if views:
                # "Loading..." of a bot that has died since stands there for ever.
                self._close_when_old(views[-1])
            time.sleep(0.05)

    def _close_when_old(self, view: Json) -> None:
        if not self.bot.process.alive:
            self.slack.act(COMMANDER, close={"view": view["id"]})

    # ------------------------------------------------------------ what they see

    def _over(self, ref: str) -> str:
        state = str(self.bot.proposal(ref).get("state", ""))
        return state if state in OVER else ""

    def _group(self, *states: str) -> bool:
        found = self._of_the_card()
        return bool(found) and found["group"]["state"] in states

    def _of_the_card(self) -> Json:
        """The group whose card stands first; empty while there is none."""
        refs = map(_ref, self.slack.of("card:"))
        return next((dict(self.bot.get(f"groups/{ref}", missing={})) for ref in refs), {})

    def _until(self, look: Callable[[], Any], deadline: float, what: str, *, every: float = 0.2) -> Any:
        """The first true answer; None when the time is up or the bot is lost. One that is away answers nothing for a while."""
        while time.monotonic() < deadline and not self.failures:
            try:
                if found := look():
                    return found
            except (httpx.HTTPError, IndexError):
                pass
            time.sleep(every)
        self.left_undone = what
        return None


def _ref(message: Json) -> str:
    """What a message is about. Never guessed: a sequence skips the number of a transaction that died."""
    return key_of(message).partition(":")[2]

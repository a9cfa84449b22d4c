"""What a click is good for: a trigger id for one modal within three seconds, a response URL for five answers."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from bot.sandbox.workspace.errors import Refused
from bot.sandbox.workspace.limits import LIMIT


@dataclass
class Trigger:
    """One trigger id; `view_id` is the modal the click happened in, if any."""

    user: str
    made_at: float
    view_id: str = ""
    used: bool = False


class Triggers:
    """Trigger ids by their text."""

    def __init__(self) -> None:
        self._triggers: dict[str, Trigger] = {}
        self.lifetime_s = float(LIMIT["trigger.seconds"])

    def make(self, user: str, at: float, view_id: str = "") -> str:
        """A fresh trigger id for `user` at monotonic second `at`."""
        trigger_id = f"{secrets.randbelow(10**12)}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"
        self._triggers[trigger_id] = Trigger(user, at, view_id)
        return trigger_id

    def spend(self, trigger_id: str, at: float) -> Trigger:
        """Use a trigger id up; refused when unknown, used or older than three seconds."""
        trigger = self._triggers.get(trigger_id)
        if trigger is None:
            raise Refused("invalid_trigger_id")
        if trigger.used:
            raise Refused("exchanged_trigger_id")
        if at - trigger.made_at > self.lifetime_s:
            raise Refused("expired_trigger_id")
        trigger.used = True
        return trigger


@dataclass
class ResponseUrl:
    """Where a command or click may be answered without a token."""

    user: str
    channel: str
    made_at: float
    message_ts: str = ""
    is_ephemeral: bool = False
    thread_ts: str = ""
    uses: int = 0

    def use(self, at: float) -> None:
        """Count one use; refused after five uses or 30 minutes."""
        if at - self.made_at > LIMIT["response_url.seconds"]:
            raise Refused("expired_url")
        if self.uses >= LIMIT["response_url.uses"]:
            raise Refused("used_url")
        self.uses += 1

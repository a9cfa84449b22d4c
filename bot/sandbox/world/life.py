"""The world's heartbeat: evaluates rules, sends alerts and changes while it is started."""

import asyncio
from typing import Any

from bot.sandbox.world.delivery import Delivery
from bot.sandbox.world.model import World
from bot.sandbox.world.notifier import Notifier
from bot.sandbox.world.silences import Silences

TICK_SECONDS = 0.5
EVALUATION_SECONDS = 2.0


class Life:
    """Runs a world in the current event loop."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.silences = Silences()
        self.notifier = Notifier(self.silences, world.base_url)
        self.delivery = Delivery(world.now)
        self.alerts_to = self.alerts_token = ""
        self.changes_to = self.changes_token = ""
        self._sent_changes: set[str] = set()
        self._task: asyncio.Task[None] | None = None
        self._evaluate_at = 0.0

    def start(self, *, alerts_to: str = "", alerts_token: str = "", changes_to: str = "", changes_token: str = "") -> None:
        """Begin to send; a second call changes the addresses."""
        self.alerts_to, self.alerts_token = alerts_to or self.alerts_to, alerts_token or self.alerts_token
        self.changes_to, self.changes_token = changes_to or self.changes_to, changes_token or self.changes_token
        self.notifier.base_url = self.world.base_url
        if self.changes_to:
            self.send_changes()
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="world")

    async def stop(self) -> None:
        """End the heartbeat and give up what waits to be delivered."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        await self.delivery.stop()

    def tick(self) -> None:
        """Evaluate the rules when due, then send what is due (needs a running loop)."""
        now = self.world.now()
        if now >= self._evaluate_at:
            self._evaluate_at = now + EVALUATION_SECONDS
            self.notifier.update(self.world.rules.evaluate(now), now)
        for body in self.notifier.due(now):
            if self.alerts_to:
                self.delivery.send("alert", body["groupKey"], self.alerts_to, self.alerts_token, body, _about(body))
        if self.changes_to:
            self.send_changes()

    def send_changes(self, *, again: bool = False) -> int:
        """Send the changes that were not sent yet (`again`: all of them) in one list; answers how many."""
        if again:
            self._sent_changes.clear()
        new = [change for change in self.world.changes() if change.id not in self._sent_changes]
        if new:
            self._sent_changes |= {change.id for change in new}
            payload = [change.as_json(self.world.base_url) for change in new]
            about = {"changes": [change.id for change in new]}
            self.delivery.send("changes", "changes", self.changes_to, self.changes_token, payload, about)
        return len(new)

    async def _run(self) -> None:
        while True:
            self.tick()
            await asyncio.sleep(TICK_SECONDS)


def _about(body: dict[str, Any]) -> dict[str, Any]:
    return {
        "group_key": body["groupKey"],
        "status": body["status"],
        "alerts": [
            {
                "name": alert["labels"]["alertname"],
                "status": alert["status"],
                "fingerprint": alert["fingerprint"],
                "starts_at": alert["startsAt"],
                "severity": alert["labels"].get("severity", ""),
                "service": alert["labels"].get("service", ""),
            }
            for alert in body["alerts"]
        ],
    }

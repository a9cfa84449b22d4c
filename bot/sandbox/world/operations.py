"""What the job runner does to the shop: roll back, roll forward, restart, switch a flag."""

from collections.abc import Callable, Mapping
from typing import Any

from bot.sandbox.world.change import WorldChange
from bot.sandbox.world.pods import Fleet
from bot.sandbox.world.shop import Shop
from bot.sandbox.world.stage import Stage

OnOperation = Callable[[str, str, float, WorldChange | None], None]
"""Called with action, service, moment and the change that was taken back, if any."""
RUNNER = "job-runner"


class ShopOperations:
    """Each operation returns a sentence; raises ValueError with the reason if it is impossible."""

    def __init__(self, shop: Shop, fleet: Fleet, stage: Stage, clock: Callable[[], float], on_operation: OnOperation) -> None:
        self.shop, self.fleet, self.stage, self._clock, self._on_operation = shop, fleet, stage, clock, on_operation
        self._reverted: list[WorldChange] = []

    def now(self) -> float:
        """Unix seconds, with the history brought up to it: nothing may change the past."""
        return self._clock()

    def rollback(self, service: str, body: Mapping[str, Any]) -> str:
        """Take back the named change, else the newest deploy or config edit of the service."""
        at = self._ready(service)
        change = self._change_to_revert(service, body, ("deploy", "config"), at)
        self._reverted.append(change)
        if change.kind == "deploy":
            self.fleet.return_to(service, change.previous_version, at)
            self._note(
                service, at, "deploy", f"Roll back to {change.previous_version}", change.previous_version, change.version
            )
        else:
            self._note(service, at, "config", f"Revert: {change.title}")
        self._on_operation("rollback", service, at, change)
        return f"{service}: took back {change.id} ({change.title})"

    def rollforward(self, service: str, body: Mapping[str, Any]) -> str:
        """Bring back what was rolled back last."""
        at = self._ready(service)
        change = next((c for c in reversed(self._reverted) if c.service == service), None)
        if change is None:
            raise ValueError(f"nothing was rolled back on {service}")
        self._reverted.remove(change)
        if change.kind == "deploy":
            self.fleet.return_to(service, change.version, at)
            self._note(service, at, "deploy", f"Roll forward to {change.version}", change.version, change.previous_version)
        else:
            self._note(service, at, "config", f"Again: {change.title}")
        self._on_operation("rollforward", service, at, change)
        return f"{service}: brought back {change.id}"

    def restart(self, service: str) -> str:
        """Replace all pods, one after the other."""
        at = self._ready(service)
        self.fleet.restart(service, at)
        self._on_operation("restart", service, at, None)
        return f"{service}: all pods are being replaced"

    def flag(self, service: str, body: Mapping[str, Any]) -> str:
        """Switch the named or the newest flag of the service off or on again."""
        at = self._ready(service)
        state = str(body.get("state", "off"))
        if state not in ("on", "off"):
            raise ValueError('"state" must be "on" or "off"')
        if state == "on":
            change = next((c for c in reversed(self._reverted) if c.service == service and c.kind == "flag"), None)
            if change is None:
                raise ValueError(f"no flag of {service} was switched off here")
            self._reverted.remove(change)
        else:
            change = self._change_to_revert(service, body, ("flag",), at)
            self._reverted.append(change)
        self._note(service, at, "flag", f"Switch {state} {change.flag} for everyone")
        self._on_operation(f"flag_{state}", service, at, change)
        return f"{service}: flag {change.flag} is {state}"

    def _ready(self, service: str) -> float:
        if service not in self.shop.services:
            raise ValueError(f"no such service: {service}")
        return self.now()

    def _change_to_revert(self, service: str, body: Mapping[str, Any], kinds: tuple[str, ...], at: float) -> WorldChange:
        # Whoever keeps changes of several sources may write `pipeline:chg-1`.
        named = str(body.get("change") or body.get("change_id") or "").rpartition(":")[2]
        own_changes = [
            c
            for c in self.stage.changes
            if c.service == service and c.kind in kinds and c.at <= at and c.author != RUNNER and c not in self._reverted
        ]
        chosen = next((c for c in own_changes if c.id == named), None) or (own_changes[-1] if own_changes else None)
        if chosen is None:
            raise ValueError(f"{service} has no {' or '.join(kinds)} change to take back")
        return chosen

    def _note(self, service: str, at: float, kind: str, title: str, version: str = "", previous: str = "") -> None:
        assert kind in ("deploy", "config", "flag")
        self.stage.record(
            WorldChange(self.stage.new_id(service, at), at, service, kind, title, RUNNER, version, previous)  # type: ignore[arg-type]
        )

"""Prepares a fault: draws older changes, the fault with its cause, and a newer deploy that is innocent."""

import random

from bot.sandbox.scenarios.base import Fault
from bot.sandbox.scenarios.catalogue import FAULTS, fault_of_seed
from bot.sandbox.world.change import Kind, WorldChange
from bot.sandbox.world.noise import stable_hash
from bot.sandbox.world.pods import Fleet
from bot.sandbox.world.shop import USER_FACING, Shop
from bot.sandbox.world.wording import AUTHORS, draw_title, next_version

OLDER_CHANGES = 8


class Stage:
    """Makes changes happen in the fleet and remembers them; times in Unix seconds, oldest first per service."""

    def __init__(self, shop: Shop, fleet: Fleet, seed: int) -> None:
        self.shop, self.fleet = shop, fleet
        self.random = random.Random(f"{seed}:stage")
        self.changes: list[WorldChange] = []
        self._newest = {name: spec.version for name, spec in shop.services.items()}

    def deploy(self, service: str, at: float) -> WorldChange:
        """Roll the next version out."""
        previous = self.current_version(service, at)
        self._newest[service] = version = next_version(self._newest[service])
        self.fleet.deploy(service, version, at)
        return self._add(service, at, "deploy", version, previous)

    def change(self, service: str, at: float, kind: Kind) -> WorldChange:
        """A change that replaces no pod."""
        return self._add(service, at, kind, "", "")

    def record(self, change: WorldChange) -> WorldChange:
        """Remember a change that was made elsewhere."""
        self.changes.append(change)
        self.changes.sort(key=lambda c: c.at)
        return change

    def current_version(self, service: str, at: float) -> str:
        """The version that is replaced when something is deployed now."""
        return self.fleet.versions(service, at)[-1]

    def new_id(self, service: str, at: float) -> str:
        """An id like those of a pipeline."""
        return f"chg-{stable_hash(service, round(at, 3), len(self.changes)):08x}"

    def older_changes(self, before: float, spared: str) -> None:
        """Everyday changes over six hours; `spared` gets no deploy, so that its own one is the newest."""
        moments = sorted(before - 1800 - self.random.random() * 18000 for _ in range(OLDER_CHANGES))
        kinds: list[Kind] = ["deploy", "deploy", "deploy", "deploy", "config", "config", "flag", "model"]
        self.random.shuffle(kinds)
        deployed = {spared}
        for at, kind in zip(moments, kinds, strict=True):
            free = [s for s in self.shop.services if kind != "deploy" or s not in deployed]
            service = "recommendations" if kind == "model" else self.random.choice(free)
            if kind == "deploy":
                deployed.add(service)
                self.deploy(service, at)
            else:
                self.change(service, at, kind)

    def draw_fault(self, seed: int, onset: float, kind: type[Fault] | None = None, service: str = "") -> Fault:
        """The seed's fault, or one of this kind and place."""
        fault_kind = kind or fault_of_seed(seed)
        # Seeds in a row visit all kinds, and then all places of each kind.
        struck = (
            self.random.choice(fault_kind.roots)
            if kind
            else fault_kind.roots[(seed - 1) // len(FAULTS) % len(fault_kind.roots)]
        )
        return fault_kind(service or struck, onset, self.random.uniform(0.85, 1.15))

    def innocent_deploy(self, fault: Fault, at: float) -> WorldChange:
        """A newer deploy elsewhere, half of the time on a service that alerts itself."""
        alerting = [s for s in USER_FACING if s != fault.service]
        others = [s for s in self.shop.services if s != fault.service and s != "orders-db"]
        return self.deploy(self.random.choice(alerting if self.random.random() < 0.5 else others), at)

    def _add(self, service: str, at: float, kind: Kind, version: str, previous: str) -> WorldChange:
        wording = draw_title(kind, self.random)
        author = self.random.choice(AUTHORS)
        change = WorldChange(
            self.new_id(service, at), at, service, kind, wording.title, author, version, previous, wording.flag
        )
        return self.record(change)

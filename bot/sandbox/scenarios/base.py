"""What every kind of fault has in common."""

import random
from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import inf
from typing import ClassVar, Literal, Protocol

from bot.sandbox.world.change import Kind, WorldChange, iso
from bot.sandbox.world.effects import Effects
from bot.sandbox.world.pods import Pod
from bot.sandbox.world.shop import Shop

Cause = Literal["change", "resource", "external", "traffic"]
Action = Literal["rollback", "restart", "flag_off"]
TAKEOVER_SECONDS = 6.0
"""Until the last pod took an action up."""


class Stage(Protocol):
    """How a fault makes its cause happen."""

    shop: Shop
    random: random.Random

    def deploy(self, service: str, at: float) -> WorldChange:
        """Roll a new version out."""
        ...

    def change(self, service: str, at: float, kind: Kind) -> WorldChange:
        """A change that replaces no pod: config, flag or model."""
        ...


@dataclass
class Fault(ABC):
    """One fault at work on one service, from `onset` until `until` (Unix seconds)."""

    name: ClassVar[str]
    title: ClassVar[str]
    cause: ClassVar[Cause]
    fixed_by: ClassVar[Action | None] = None
    """What people can do in this shop; None: no action of the catalogue fits or helps."""
    tempting: ClassVar[Action | None] = None
    """An action that seems right and does not help."""
    roots: ClassVar[tuple[str, ...]]
    """Services it can strike so that the storefront feels it."""
    lines: ClassVar[tuple[str, ...]] = ()
    """Error lines of the struck service."""
    lead_seconds: ClassVar[tuple[float, float]] = (15.0, 50.0)
    """How long before the onset its change happened."""
    soonest_seconds: ClassVar[float] = 15.0
    """From its change to its onset when it is started by hand, with a past that is written: slow faults need a while."""

    service: str
    onset: float
    strength: float
    """0.8 to 1.2, drawn by the seed."""
    change: WorldChange | None = None
    until: float = inf

    def prepare(self, stage: Stage, cause_at: float) -> None:  # noqa: B027 - a hook, most faults need none
        """Make the cause happen at `cause_at`; sets `change` if a change is the cause."""

    @abstractmethod
    def shape(self, effects: Effects) -> None:
        """Add what the fault does over the stretch."""

    def acted(self, action: str, service: str, at: float, reverted: WorldChange | None) -> None:
        """Somebody ran an action; the fault ends if it was the right one on the right thing."""
        if action != self.fixed_by or service != self.service or self.until != inf:
            return
        if reverted is not None and self.change is not None and reverted.id != self.change.id:
            return
        self.until = at + TAKEOVER_SECONDS

    def is_active(self, at: float) -> bool:
        """True while it does harm."""
        return self.onset <= at < self.until

    def in_new_version(self, pod: Pod) -> bool:
        """Picks pods of the version that the change brought."""
        return self.change is not None and pod.version == self.change.version

    def not_yet_fixed(self, pod: Pod) -> bool:
        """Picks pods that no restart has replaced."""
        return pod.born < self.until - TAKEOVER_SECONDS

    def truth(self) -> dict[str, object]:
        """What really happened, for scoring only."""
        return {
            "fault": self.name,
            "title": self.title,
            "root": self.service,
            "cause": self.cause,
            "change_kind": self.change.kind if self.change else None,
            "change_id": self.change.id if self.change else None,
            "change_at": iso(self.change.at) if self.change else None,
            "onset_at": iso(self.onset),
            "fixed_by": self.fixed_by,
            "tempting": self.tempting,
            "fix_works": self.fixed_by is not None,
        }

"""Pods and versions: which pod of which version lives when. Nothing else changes when a deploy happens."""

import random
from dataclasses import dataclass
from math import inf

from bot.sandbox.world.noise import stable_hash
from bot.sandbox.world.shop import Shop

ROLL_SECONDS = 6.0
"""Between two pods of a rollout."""
BAKE_SECONDS = 1500.0
"""How long the last old pod stays beside the new version."""
REPLACE_SECONDS = 2.0
"""Between two pods of a rollback or restart, which nobody wants to be slow."""


@dataclass(eq=False)
class Pod:
    """One pod; it serves from `born` until just before `died` (Unix seconds)."""

    service: str
    name: str
    version: str
    born: float
    died: float = inf

    def alive(self, at: float) -> bool:
        """True if it serves at this moment."""
        return self.born <= at < self.died


class Fleet:
    """All pods that ever lived, with births and deaths, some of them planned."""

    def __init__(self, shop: Shop, seed: int, since: float) -> None:
        self._random = random.Random(f"{seed}:pods")
        self.pods: list[Pod] = []
        for spec in shop.services.values():
            for _ in range(spec.replicas):
                self._add(spec.name, spec.version, since)

    def alive(self, service: str, at: float) -> list[Pod]:
        """The pods of a service at a moment, oldest first."""
        return [pod for pod in self.pods if pod.service == service and pod.alive(at)]

    def versions(self, service: str, at: float) -> list[str]:
        """Versions that serve at a moment, the longest serving first."""
        return list(dict.fromkeys(pod.version for pod in self.alive(service, at)))

    def between(self, start: float, end: float) -> list[Pod]:
        """Pods that serve at some moment of [start, end]."""
        return [pod for pod in self.pods if pod.born <= end and pod.died > start]

    def deploy(self, service: str, version: str, at: float) -> None:
        """Roll a new version out: pod after pod, and the last old pod only after the bake time."""
        old = self._alive_without_plans(service, at)
        for number, pod in enumerate(old):
            moment = at + ROLL_SECONDS * number if number < len(old) - 1 else at + BAKE_SECONDS
            self._replace(pod, version, moment)

    def return_to(self, service: str, version: str, at: float) -> None:
        """Replace every pod of another version within a few seconds."""
        others = [pod for pod in self._alive_without_plans(service, at) if pod.version != version]
        for number, pod in enumerate(others):
            self._replace(pod, version, at + 1 + REPLACE_SECONDS * number)

    def restart(self, service: str, at: float) -> None:
        """Replace every pod by a fresh one of its version within a few seconds."""
        for number, pod in enumerate(self._alive_without_plans(service, at)):
            self._replace(pod, pod.version, at + 1 + REPLACE_SECONDS * number)

    def _alive_without_plans(self, service: str, at: float) -> list[Pod]:
        """The pods alive at `at`, with everything that was planned for later called off."""
        self.pods = [pod for pod in self.pods if not (pod.service == service and pod.born > at)]
        alive = self.alive(service, at)
        for pod in alive:
            pod.died = inf
        return alive

    def _replace(self, pod: Pod, version: str, at: float) -> None:
        pod.died = at
        self._add(pod.service, version, at)

    def _add(self, service: str, version: str, at: float) -> None:
        replica_set = f"{stable_hash(service, version):08x}"
        letters = "bcdfghjklmnpqrstvwxz2456789"
        suffix = "".join(self._random.choice(letters) for _ in range(5))
        self.pods.append(Pod(service, f"{service}-{replica_set}-{suffix}", version, at))

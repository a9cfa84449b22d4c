"""The world: a shop of a dozen services that breaks, drawn by a seed, and knows nothing of who watches it."""

import time
from collections.abc import Callable, Mapping
from math import inf
from pathlib import Path
from typing import Any

from bot.sandbox.scenarios.base import Fault
from bot.sandbox.scenarios.catalogue import FAULTS
from bot.sandbox.world.change import WorldChange, iso
from bot.sandbox.world.configuration import Configuration
from bot.sandbox.world.effects import Effects
from bot.sandbox.world.families import Families
from bot.sandbox.world.history import Grid, History
from bot.sandbox.world.jobs import Jobs
from bot.sandbox.world.logs import Logs
from bot.sandbox.world.metrics import Metrics
from bot.sandbox.world.operations import ShopOperations
from bot.sandbox.world.physics import Physics
from bot.sandbox.world.pods import Fleet
from bot.sandbox.world.rules import RuleEngine
from bot.sandbox.world.shop import Shop
from bot.sandbox.world.stage import Stage

STEP_SECONDS = 2.0
HISTORY_HOURS = 7.0
OLDEST_POD_SECONDS = 86400.0
WEBHOOK_SECRET = "shop-webhook-secret"
ALERTS_TOKEN = "shop-alerts-token"
CHANGES_TOKEN = "shop-changes-token"


class World:
    """One shop. All moments are Unix seconds of `clock`; the grid reaches back `history_hours`.

    `fault`: a name of `FAULTS`, "none", or empty for the seed's own; `service`
    overrides the place. The onset lies `onset_ago` seconds before the start.
    """

    def __init__(
        self,
        seed: int,
        *,
        fault: str = "",
        service: str = "",
        onset_ago: float = 100.0,
        clock: Callable[[], float] = time.time,
        base_url: str = "http://127.0.0.1:8088",
        secret: str = WEBHOOK_SECRET,
        history_hours: float = HISTORY_HOURS,
    ) -> None:
        self.seed, self.base_url, self.secret = seed, base_url, secret
        self._clock = clock
        self.started_at = clock()
        first = (self.started_at - history_hours * 3600.0) // STEP_SECONDS * STEP_SECONDS
        self.shop = Shop()
        self.fleet = Fleet(self.shop, seed, first - OLDEST_POD_SECONDS)
        self.history = History(Grid(first, STEP_SECONDS))
        self.physics = Physics(self.shop, self.fleet, seed, self.history)
        self.stage = Stage(self.shop, self.fleet, seed)
        self.faults: list[Fault] = []
        self.innocent: list[WorldChange] = []
        families = Families(self.shop, self.fleet, self.history, lambda: self.stage.changes).all()
        self.metrics = Metrics(self.history, families)
        self.logs = Logs(self.shop, self.fleet, self.history, seed, lambda: self.faults)
        self.rules = RuleEngine(self.metrics)
        self.jobs = Jobs(ShopOperations(self.shop, self.fleet, self.stage, self.now, self._acted), secret)
        self._set_fault(fault, service, self.started_at - onset_ago)

    def now(self) -> float:
        """The clock, with the history brought up to it."""
        now = self._clock()
        end = self.history.grid.index(now) + 1
        if end > self.history.length:
            effects = Effects(self.history.grid.times(self.history.length, end - self.history.length))
            for fault in self.faults:
                fault.shape(effects)
            self.physics.advance(effects)
        return now

    @property
    def fault(self) -> Fault | None:
        """The fault that was started last and not yet healed or fixed."""
        return next((f for f in reversed(self.faults) if f.until == inf), None)

    def changes(self) -> list[WorldChange]:
        """Everything that has been changed by now, oldest first."""
        now = self.now()
        return [change for change in self.stage.changes if change.at <= now]

    def break_now(self, name: str, service: str = "", *, beside: bool = False) -> Fault:
        """Start another fault: its change now, its onset as soon as such a fault can show.

        What stands is healed first, unless it shall go on `beside`.

        Raises KeyError for an unknown name, ValueError for a place it cannot strike.
        """
        kind = FAULTS[name]
        if service and service not in kind.roots:
            raise ValueError(f"{name} can strike {', '.join(kind.roots)}")
        if not beside:
            self.heal()
        now = self.now()
        # The past is written: whatever the fault needs happens from now on.
        onset = now + kind.soonest_seconds
        fault = self.stage.draw_fault(self.seed, onset, kind, service)
        fault.prepare(self.stage, now + 1.0)
        self.innocent = [self.stage.innocent_deploy(fault, onset - 5.0)]
        self.faults.append(fault)
        return fault

    def heal(self) -> None:
        """End every fault at once, as if it had never had a reason to stand."""
        now = self.now()
        for fault in self.faults:
            fault.until = min(fault.until, now)

    def state(self) -> dict[str, Any]:
        """Whether the shop is well, and since when."""
        now = self.now()
        active = [fault for fault in self.faults if fault.is_active(now)]
        ended = [fault.until for fault in self.faults if fault.until <= now]
        since = active[-1].onset if active else max(ended, default=self.started_at)
        return {
            "healthy": not active,
            "fault": active[-1].name if active else None,
            "since": iso(since),
            "seed": self.seed,
            "now": iso(now),
        }

    def truth(self) -> dict[str, Any]:
        """What really happened, for scoring only: never to be shown to whoever is scored."""
        if not self.faults:
            return {"fault": None}
        fault = self.faults[-1]
        return fault.truth() | {
            "seed": self.seed,
            "innocent_change_ids": [change.id for change in self.innocent],
            "affected": list(self.shop.upstream(fault.service)),
            "ended_at": iso(fault.until) if fault.until != inf else None,
        }

    def rule_groups(self) -> list[dict[str, Any]]:
        """Alerting rules in the form of Prometheus' /api/v1/rules."""
        groups = []
        for number, rule in enumerate(self.rules.rules):
            alerts = self.active_alerts(number)
            state = max((a["state"] for a in alerts), default="inactive", key=("inactive", "pending", "firing").index)
            groups.append(
                {
                    "state": state,
                    "name": rule.name,
                    "query": rule.expr,
                    "duration": rule.hold_seconds,
                    "keepFiringFor": 0,
                    "labels": {"severity": rule.severity},
                    "annotations": rule.annotations_as_written(self.base_url),
                    "alerts": alerts,
                    "health": "ok",
                    "evaluationTime": 0.002,
                    "lastEvaluation": iso(self.rules.evaluated_at),
                    "type": "alerting",
                }
            )
        return [{"name": "shop", "file": "shop.rules.yml", "interval": 2, "limit": 0, "rules": groups}]

    def active_alerts(self, rule_number: int | None = None) -> list[dict[str, Any]]:
        """Pending and firing alerts in the form of Prometheus' /api/v1/alerts."""
        return [
            {
                "labels": active.labels,
                "annotations": active.annotations(self.base_url),
                "state": active.state,
                "activeAt": iso(active.since),
                "value": f"{active.value:.16e}",
            }
            for (number, _), active in self.rules.active.items()
            if rule_number in (None, number)
        ]

    def write_configuration(
        self,
        directory: Path,
        base_url: str,
        *,
        default_channel: str = "C0",
        channels: Mapping[str, str] | None = None,
        people: Mapping[str, str] | None = None,
    ) -> dict[str, str]:
        """Write what a team that runs this shop would have: `tocsin.yaml` and `runbooks/*.md`.

        `channels`: service to Slack channel id; `people`: key (alice, bob, carol, guest, dave) to
        Slack user id. Answers the environment variables that go with it. The same for every seed.
        """
        self.base_url = base_url
        configuration = Configuration(self.shop, base_url, default_channel, channels or {}, people or {})
        configuration.write(directory, self.started_at)
        return {
            "TOCSIN_TOKEN_SHOP": ALERTS_TOKEN,
            "TOCSIN_TOKEN_PIPELINE": CHANGES_TOKEN,
            "TOCSIN_WEBHOOK_SECRET": self.secret,
        }

    def _set_fault(self, name: str, service: str, onset: float) -> None:
        if name and name != "none" and name not in FAULTS:
            raise KeyError(name)
        fault = self.stage.draw_fault(self.seed, onset, FAULTS.get(name), service)
        if service and service not in fault.roots:
            raise ValueError(f"{fault.name} can strike {', '.join(fault.roots)}")
        self.stage.older_changes(onset, fault.service)
        if name == "none":
            return
        fault.prepare(self.stage, onset - self.stage.random.uniform(*fault.lead_seconds))
        # Later than the guilty change, and before the onset or just after it.
        recent = fault.change is not None and onset - fault.change.at < 600
        earliest = fault.change.at + 4 if recent and fault.change else onset - 45
        self.innocent = [self.stage.innocent_deploy(fault, self.stage.random.uniform(earliest, onset + 5))]
        self.faults.append(fault)

    def _acted(self, action: str, service: str, at: float, reverted: WorldChange | None) -> None:
        for fault in self.faults:
            fault.acted(action, service, at, reverted)

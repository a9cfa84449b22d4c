"""Plays one run: the demo's processes, three outages one after the other or at once, and people who act meanwhile."""

import contextlib
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from math import inf
from pathlib import Path
from typing import Any

from bot.console.demo_processes import DemoProcesses
from bot.console.player import Player
from bot.core.action import DecisionChoice
from bot.core.errors import TocsinError
from tests.trial.outage import DeliveredAlert, Outage, Run
from tests.trial.plan import Follows, PlannedOutage, draw
from tests.trial.recorder import Recorder, Version

ON_CALL, COMMANDER = "U1", "U2"
QUIET = 12.0
"""Seconds of peace before the first outage and after the last one."""
CHANGED = 1.5
"""Seconds until the change of a fault that was started by hand is made and can be read."""
STANDS = 40.0
"""Seconds that an outage stands after its onset unless people end it."""
CLEARS = 25.0
"""Seconds until an ended outage's alerts are over."""


class Trial:
    """One run with its processes."""

    def __init__(self, stage: DemoProcesses, recorder: Recorder) -> None:
        self.stage, self.recorder = stage, recorder
        self.player = Player(stage.client, stage.access["control"])
        self.outages: list[Outage] = []
        self.acknowledged: list[tuple[str, float]] = []

    def run(self, seed: int) -> Run:
        """Play it and give what happened."""
        began = time.time()
        faults = {str(f["name"]): [str(s) for s in f["services"]] for f in self._world("faults")}
        planned = draw(seed, faults)
        time.sleep(QUIET)
        for number, (outage, following) in enumerate(zip(planned, [*planned[1:], None], strict=True), 1):
            self._begin(number, outage)
            self._stand(outage)
            if following is None or following.follows is Follows.BACK_TO_BACK:
                self._end_all()
        time.sleep(CLEARS + QUIET)
        sent = self._world("sent?kind=alert&state=delivered")
        return Run(seed, began, time.time(), tuple(self.outages), delivered(sent), tuple(self.acknowledged))

    def _begin(self, number: int, planned: PlannedOutage) -> None:
        if planned.follows is Follows.FIRST:
            self.stage.break_something()
            onset = caused = time.time()
        else:
            time.sleep(planned.pause)
            caused = time.time()
            wanted = {"name": planned.fault, "service": planned.service, "beside": planned.follows is Follows.OVERLAPPING}
            self.stage.client.post(f"{self.stage.page}_world/fault", json=wanted).raise_for_status()
            onset = 0.0
            time.sleep(CHANGED)
        truth = self._world("truth")
        onset = onset or seconds(truth["onset_at"])
        place = str(truth["root"]), frozenset(map(str, truth["affected"]))
        change = self._words_of_change(truth["change_id"])
        self.outages.append(Outage(number, str(truth["fault"]), *place, planned.follows, caused, onset, inf, change))

    def _words_of_change(self, id: str | None) -> tuple[str, ...]:
        if not id:
            return ()
        change = self.stage.client.get(f"{self.stage.page}world/changes/{id}").json()
        return (str(change["service"]), str(change["version"])) if change.get("version") else (str(change["title"]),)

    def _stand(self, planned: PlannedOutage) -> None:
        """Until its time is up; somebody acknowledges and approves meanwhile, if so planned."""
        end = self.outages[-1].began_at + STANDS
        self._until(lambda: bool(self._cards()), end)
        time.sleep(6)
        if planned.acknowledged:
            self._acknowledge()
        if planned.approved:
            self._approve(end)
        time.sleep(max(end - time.time(), 0))

    def _cards(self) -> list[Version]:
        """The newest version of each card that still fires, of this outage."""
        newest = {v.key: v for v in self.recorder.versions if v.key.startswith("card:")}
        return [v for v in newest.values() if v.text.startswith("Firing") and v.at >= self.outages[-1].began_at - 3]

    def _acknowledge(self) -> None:
        for card in self._cards():
            message = next(m for m in self.player.by_key(card.key) if m["ts"] == card.ts)
            # Edited meanwhile, so that the button is gone: then somebody else was faster.
            with contextlib.suppress(TocsinError):
                self.player.press(ON_CALL, message, "ack")
                self.acknowledged.append((card.thread, time.time()))

    def _approve(self, end: float) -> None:
        """The commander approves what waits, if anything does before the time is up."""
        self._until(lambda: bool(self._waiting()), end - 10)
        for message in self._waiting():
            with contextlib.suppress(TocsinError):
                self.player.press(COMMANDER, message, DecisionChoice.APPROVE)
                self.player.submit(COMMANDER, {"reason": "fits the evidence"}, seconds=2)

    def _waiting(self) -> list[Any]:
        return [m for m in self.player.by_key("proposal:") if DecisionChoice.APPROVE in str(m.get("blocks"))]

    def _end_all(self) -> None:
        """Every outage that stands ends now."""
        self.stage.client.post(f"{self.stage.page}_world/heal").raise_for_status()
        now = time.time()
        self.outages = [o if o.ended_at <= now else replace(o, ended_at=now) for o in self.outages]

    def _until(self, reached: Callable[[], bool], end: float) -> None:
        while not reached() and time.time() < end:
            time.sleep(0.2)

    def _world(self, path: str) -> Any:  # Any: the JSON of an answer
        return self.stage.client.get(f"{self.stage.page}_world/{path}").raise_for_status().json()


def play(seed: int, kept: Path | None = None) -> tuple[Run, list[Version]]:
    """One run from start to end; `kept`: a folder for what was shown and logged."""
    with DemoProcesses(seed=seed, model=False) as stage, Recorder(stage.access["control"]) as recorder:
        run = Trial(stage, recorder).run(seed)
        if kept:
            keep(kept, run, recorder.versions)
            (kept / f"{seed}.log").write_text(stage.tail("bot.log", 2_000_000), encoding="utf-8")
        return run, list(recorder.versions)


def keep(folder: Path, run: Run, versions: list[Version]) -> None:
    """Write what happened and what was shown, in seconds after the run began."""
    folder.mkdir(parents=True, exist_ok=True)
    happened = [f"{o.began_at - run.began_at:6.1f} to {o.ended_at - run.began_at:.1f} {o}" for o in run.outages]
    happened += [
        f"{a.delivered_at - run.began_at:6.1f} to {a.ended_at - run.began_at:.1f} {a.service} {a.name}"
        for a in sorted(run.alerts, key=lambda alert: alert.delivered_at)
    ]
    shown = [f"{v.at - run.began_at:6.1f} {v.key} {v.pings} {'' if v.posted else 'edited'}\n{v.words}" for v in versions]
    (folder / f"{run.seed}.txt").write_text("\n".join([*happened, "", "\n\n".join(shown)]), encoding="utf-8")


def delivered(sent: list[dict[str, Any]]) -> tuple[DeliveredAlert, ...]:
    """Each alert once a start, with when its firing and its end were acknowledged."""
    alerts: dict[tuple[str, str], DeliveredAlert] = {}
    for webhook in sorted(sent, key=lambda one: str(one["done_at"])):
        at = seconds(webhook["done_at"])
        for alert in webhook["alerts"]:
            key = alert["fingerprint"], alert["starts_at"]
            named = alert["name"], alert["service"], alert["fingerprint"]
            first = alerts.get(key) or DeliveredAlert(*named, seconds(alert["starts_at"]), at, severity=alert["severity"])
            ended = at if alert["status"] == "resolved" else inf
            alerts[key] = replace(first, ended_at=min(first.ended_at, ended))
    return tuple(alerts.values())


def seconds(text: str) -> float:
    """ISO 8601 as Unix seconds."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()

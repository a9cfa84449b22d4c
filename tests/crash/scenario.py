"""One scenario against the sandbox's world, with a bot that dies: played to its end, and checked."""

import json
import random
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.crash.bot import forked
from tests.crash.checker import check
from tests.crash.history import History, gather
from tests.crash.people import People
from tests.crash.pipeline import Pipeline
from tests.crash.plan import certain
from tests.crash.strikes import OUTSIDE, OUTSIDE_LATE, OUTSIDE_PLAN, step_of, workflow_of
from tests.crash.supervisor import READY_SECONDS, Supervisor
from tests.real import PATIENCE
from tests.real.bot import Bot, until_answered
from tests.real.slack import Slack
from tests.real.stack import Model

LIMIT, KILL_SECONDS = 10 * PATIENCE, PATIENCE
"""Seconds a scenario may take, and so many more for each kill: on an idle machine they are 40 and 3."""
SEED, FAULT, SERVICE = 3, "bad-deploy", "checkout"
TOOLS = {"call": [["service_health", {"service": SERVICE}], ["recent_changes", {"service": SERVICE}]]}


PLAN = "back-restart-refresh"


def add_plan(config: dict[str, Any]) -> None:
    """A plan of three steps that fits what breaks in the shop better than the rollback alone."""
    config["actions"]["refresh"] = config["actions"]["restart"] | {"title": "Refresh {service}", "helps": []}
    config["plans"] = {
        PLAN: {
            "title": "Roll back, restart and refresh {service}",
            "helps": ["change"],
            "change_kinds": ["deploy"],
            "services": [SERVICE],
            "steps": [{"action": action} for action in ("rollback", "restart", "refresh")],
        }
    }


@dataclass
class Scenario:
    """What is to be played: `agent` with a model, `late` with changes that are told after the causes were ranked.

    `plan`: what is offered, approved and run is a plan of several steps.
    """

    name: str
    points: Sequence[str] = ()
    kills: int = 0
    seed: int = 0
    agent: bool = True
    late: bool = False
    plan: bool = False


@dataclass
class Result:
    """How it ended. `violations` is empty when all invariants held."""

    name: str
    seconds: float
    history: History
    violations: list[str]
    missed: list[str] = field(default_factory=list)
    """Points that this scenario never came to, and should have."""
    journal: list[str] = field(default_factory=list)

    @property
    def kills(self) -> int:
        return len(self.history.process.died_at)


def play(folder: Path, scenario: Scenario, database_url: str = "") -> Result:
    """Play once; the bot dies at each of the points, and so many times at random. No address: on SQLite."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "points").write_text("\n".join(scenario.points))
    began = time.monotonic()
    slack = Slack(folder, "--seed", str(SEED), "--fault", FAULT, "--service", SERVICE).start()
    try:
        with Model(folder, [TOOLS, _answer(slack)], by_history=True) as model:
            history = _with_bot(folder, slack, model.url if scenario.agent else "", scenario, database_url)
    finally:
        slack.stop()
    (folder / "history.json").write_text(json.dumps(asdict(history), indent=1))
    missed = [point for point in scenario.points if point not in history.struck and certain(point)]
    journal = list_points(folder, late=scenario.late, plan=scenario.plan) if not database_url else []
    return Result(scenario.name, time.monotonic() - began, history, check(history), missed, journal)


def _with_bot(folder: Path, slack: Slack, model_url: str, scenario: Scenario, database_url: str) -> History:
    bot = Bot(
        folder,
        slack,
        _as_played(folder / "shop" / "tocsin.yaml", scenario),
        database_url=database_url,
        model_url=model_url,
        environment=slack.addresses["environment"],
        forked=forked,
    )
    limit = LIMIT + KILL_SECONDS * (len(scenario.points) + scenario.kills)
    try:
        with Supervisor(bot, kills=scenario.kills, rng=random.Random(scenario.seed)) as supervisor:
            failures = supervisor.history.failures
            people, pipeline = People(slack, bot, failures), Pipeline(slack, bot, failures)
            late_change = pipeline.tell_late(limit) if scenario.late else pipeline.tell_in_time(limit)
            people.play(limit)
            # Kills that are left strike while the last messages are sent.
            supervisor.kills = min(supervisor.kills, 1)
            people.settle(limit)
            supervisor.calm()
            assert not failures, "\n".join(failures)
            # A point may still be struck, by a tick: then the bot is away for a while, and all is read once more.
            struck = folder / "struck"
            return until_answered(
                lambda: gather(slack, bot, people, supervisor.history, struck, late_change), READY_SECONDS, "the end of it all"
            )
    finally:
        bot.stop()


def _as_played(path: Path, scenario: Scenario) -> Path:
    """The shop's configuration with a verification that asks every 2 s instead of every 6, and with the plan."""
    config = yaml.safe_load(path.read_text())
    if scenario.plan:
        add_plan(config)
    for action in config["actions"].values():
        if "verify" in action:
            action["verify"]["within"] = "40s"
    path.write_text(yaml.safe_dump(config, sort_keys=False))
    return path


def _answer(slack: Slack) -> dict[str, object]:
    """The scripted model names what the world knows to be true: here it is about dying, not about judging."""
    truth = slack.world("truth")
    claims = [
        {"text": "its errors left their normal range", "evidence": ["E:service_health"]},
        {"text": "a deploy came before it", "evidence": ["E:recent_changes"]},
    ]
    hypothesis = {
        "cause": f"a deploy of {SERVICE} broke it",
        "service": SERVICE,
        "kind": "change",
        "change_id": f"pipeline:{truth['change_id']}",
        "confidence": "likely",
        "score": 0.9,
        "claims": claims,
    }
    return {"answer": {"hypotheses": [hypothesis]}}


# ---------------------------------------------------------------- the points


def list_points(folder: Path, *, late: bool, plan: bool = False) -> list[str]:
    """Every point of a scenario that has ended: of each recorded step in the journal, before and after; and those outside."""
    steps: dict[str, None] = {}
    with sqlite3.connect(f"file:{folder / 'data' / 'durable.db'}?mode=ro", uri=True) as journal:
        rows = journal.execute(
            "SELECT workflow_uuid, function_name FROM operation_outputs ORDER BY workflow_uuid, function_id"
        ).fetchall()
    for workflow in dict.fromkeys(id for id, _ in rows):
        names = [name for id, name in rows if id == workflow]
        steps.update(dict.fromkeys(_steps(workflow_of(workflow, late=late, plan=plan), names)))
    outside = OUTSIDE_PLAN if plan else (*OUTSIDE, *OUTSIDE_LATE)
    return [f"{step}:{side}" for step in steps for side in ("before", "after")] + list(outside)


def _steps(workflow: str, names: list[str]) -> Iterator[str]:
    seen: Counter[str] = Counter()
    for name in names:
        if name == "DBOS.sleep":
            continue
        step = "wait_for" if name == "DBOS.recv" else step_of(name)
        seen[step] += 1
        yield f"{workflow}/{step}#{seen[step]}"

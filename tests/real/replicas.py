"""Two bots on one PostgreSQL and one Slack, with nothing else in common: each has a data folder of its own.

with Replicas(folder, url, fault="bad-deploy", service="checkout") as pair:
    pair.leader.process.kill()
"""

import json
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.real import PATIENCE
from tests.real.bot import Bot
from tests.real.processes import answers, until
from tests.real.slack import Json, Slack

STARTED_SECONDS = 5 * PATIENCE
LEADS = b"this process leads"


class Replicas:
    """Inside `with`, Slack's stand-in with its shop runs, and both bots are ready; `bots[0]` came first and leads."""

    def __init__(self, folder: Path, url: str, *, fault: str, service: str) -> None:
        self.folder, self.url = folder, url
        self.slack = Slack(folder, "--seed", "3", "--fault", fault, "--service", service)
        self.bots: list[Bot] = []
        self._began: dict[str, int] = {}

    def __enter__(self) -> "Replicas":
        self.slack.start()
        config = _hasty(self.folder / "shop" / "tocsin.yaml")
        secrets = self.slack.addresses["environment"]
        self.bots = [
            Bot(self.folder / name, self.slack, config, database_url=self.url, environment=secrets, name=f"bot-{name}")
            for name in ("one", "two")
        ]
        try:
            until(lambda: self._up(self.bots[0]) and self.leads(self.bots[0]), STARTED_SECONDS, "the first bot leads")
            self.whole()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda bot: bot.stop(), self.bots))
        self.slack.stop()

    def whole(self) -> None:
        """Start whoever is dead, as a service manager does, and wait until Slack reaches both."""
        until(lambda: all(self._up(bot) for bot in self.bots), STARTED_SECONDS, "both bots ready")
        until(lambda: self.slack.get("state")["connections"] >= len(self.bots), PATIENCE, "the sockets of both bots")

    def _up(self, bot: Bot) -> bool:
        """Whether it is ready; started if it does not run.

        On a busy machine one that stood still for seconds is taken for dead by the other, and ends: it comes back.
        """
        if not bot.process.alive:
            log = bot.process.log
            self._began[bot.process.name] = log.stat().st_size if log.exists() else 0
            bot.prepare()
            bot.process.start()
        return answers(f"{bot.url}/readyz")

    # ------------------------------------------------------------ who is who

    def leads(self, bot: Bot) -> bool:
        """Whether the running process of this bot has said that it leads; leadership ends with the process."""
        if not bot.process.alive:
            return False
        with bot.process.log.open("rb") as log:
            log.seek(self._began[bot.process.name])
            return LEADS in log.read()

    @property
    def leader(self) -> Bot:
        return until(lambda: next((bot for bot in self.bots if self.leads(bot)), None), PATIENCE, "one bot leads")  # type: ignore[no-any-return]

    @property
    def follower(self) -> Bot:
        leader = self.leader
        return next(bot for bot in self.bots if bot is not leader)

    # ------------------------------------------------------------ what happens to them

    def break_the_shop(self, bot: Bot) -> None:
        """Let the shop tell its changes and alerts at one bot's endpoint; again with the other bot: from now on there."""
        secrets = self.slack.addresses["environment"]
        endpoints = {
            "alerts_to": f"{bot.url}/alerts/shop",
            "alerts_token": secrets["TOCSIN_TOKEN_SHOP"],
            "changes_to": f"{bot.url}/changes/pipeline",
            "changes_token": secrets["TOCSIN_TOKEN_PIPELINE"],
        }
        self.slack.world("start", endpoints)

    def post(self, bot: Bot, *alerts: Json) -> int:
        """One webhook of Alertmanager; the status of the answer, 0 if nobody took the connection."""
        body = {"version": "4", "groupKey": alerts[0]["labels"]["alertname"], "status": "firing", "alerts": list(alerts)}
        body |= {"receiver": "tocsin", "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {}, "externalURL": ""}
        try:
            return bot.post("/alerts/shop", body, self.slack.addresses["environment"]["TOCSIN_TOKEN_SHOP"]).status_code
        except httpx.HTTPError:
            return 0

    def command(self, bot: Bot, *words: str) -> "subprocess.CompletedProcess[str]":
        """`tocsin <words>` with the settings of one bot."""
        arguments = [sys.executable, "-m", "bot.cli", *words]
        return subprocess.run(arguments, env=bot.environment, capture_output=True, text=True, timeout=PATIENCE)

    def executions(self, service: str) -> list[Json]:
        """What the shop's job runner has done to one service."""
        return [job for job in self.slack.world("executions") if job["service"] == service]


def alert(name: str, service: str, *, starts_at: datetime, ends_at: datetime | None = None, severity: str = "critical") -> Json:
    """One alert as Alertmanager sends it."""
    labels = {"alertname": name, "service": service, "severity": severity}
    ends = {"endsAt": _iso(ends_at)} if ends_at else {"endsAt": "0001-01-01T00:00:00Z"}
    status = "resolved" if ends_at else "firing"
    about = {"labels": labels, "annotations": {"summary": f"{name} on {service}"}, "generatorURL": ""}
    return {"status": status, "startsAt": _iso(starts_at), **ends, **about}


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Make these calls at the same time; their answers in order."""
    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def log_lines(bot: Bot, event: str) -> list[Json]:
    """The log lines of one bot with this event."""
    lines = bot.process.log.read_text(errors="replace").splitlines()
    return [json.loads(line) for line in lines if line.startswith("{") and f'"{event}"' in line]


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _hasty(path: Path) -> Path:
    """The shop's configuration with verifications that look each second."""
    config = yaml.safe_load(path.read_text())
    for action in config["actions"].values():
        if "verify" in action:
            action["verify"]["within"] = "30s"
    path.write_text(yaml.safe_dump(config, sort_keys=False))
    return path

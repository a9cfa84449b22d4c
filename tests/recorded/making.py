"""Makes the data folder of a bot that was killed in the middle of its work, and keeps it as text.

Run it in a checkout of the version that is to be kept, with that version's own environment:

    cd <checkout> && PYTHONPATH=. .venv/bin/python <this file> <scratch folder> <output folder>

It plays incidents against the sandbox: one from its alerts to the postmortem, questions among it, then others that stop at
chosen steps (HOLDS). When all stand still the bot is killed with SIGKILL; both databases are written as SQL.
"""

import asyncio
import gzip
import json
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from bot.serving import run
from bot.settings import load_secrets
from tests.crash.people import People
from tests.crash.pipeline import Pipeline
from tests.real import PATIENCE
from tests.real.bot import Bot
from tests.real.processes import until
from tests.real.replicas import alert
from tests.real.slack import COMMANDER, OWNER, Slack, key_of
from tests.real.stack import Model

SEED, FAULT, SERVICE = "3", "bad-deploy", "checkout"
WORLD_PORT = 8088
"""Of the sandbox. It stands in the addresses of the actions, and so in the fingerprints of the proposals."""
ONSET_AGO = 100.0
AUDIT_KEY = "audit-key-of-tests"
HOLDS = {
    "agent": ("triage:", "model#2", 1),
    "analyst": ("triage:", "tool:recent_changes", 1),
    "watch": ("remediation:", "look at the signal", 2),
    "claim": ("remediation:", "claim", 1),
    "postmortem": ("postmortem:", "write the draft", 1),
    "question": ("question:", "reader#1", 1),
}
"""Where a workflow is made to stand still: its id begins so, the step has this name, and is called for the n-th time."""

TOOLS = {"call": [["service_health", {"service": SERVICE}], ["recent_changes", {"service": SERVICE}]]}


# ---------------------------------------------------------------- the bot: its workflows stand still where they are told to


class HoldingRun:
    """A Run that never comes back from a step whose name is in the file `hold`; the file `held` says which did not."""

    def __init__(self, run: Any, folder: Path) -> None:
        self._run, self._folder = run, folder
        self._counts: Counter[str] = Counter()

    @property
    def id(self) -> str:
        return str(self._run.id)

    async def step(self, name: str, fn: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        step = name.rpartition(":")[0] if name.startswith("tool:") else name
        self._counts[step] += 1
        count = self._counts[step]

        async def held(*values: Any) -> Any:
            if self._holds(step, count):
                await asyncio.get_running_loop().create_future()
            return await fn(*values)

        return await self._run.step(name, held, *args)

    def _holds(self, step: str, count: int) -> bool:
        wanted = json.loads((self._folder / "hold").read_text()) if (self._folder / "hold").exists() else None
        if wanted is None or not self.id.startswith(wanted[0]) or [step, count] != wanted[1:]:
            return False
        with (self._folder / "held").open("a") as file:
            file.write(f"{self.id} {step}\n")
        # Once: the next workflow of this kind goes on.
        (self._folder / "hold").unlink()
        return True

    async def wait_for(self, topic: str, *, until: str) -> bool:
        return bool(await self._run.wait_for(topic, until=until))

    async def now(self) -> datetime:
        moment: datetime = await self._run.now()
        return moment


def serve(folder: Path) -> None:
    """The bot of this version, held."""
    run(load_secrets(), wrap_run=lambda inner: HoldingRun(inner, folder))


# ---------------------------------------------------------------- what happens to it


class Making:
    """One bot beside one sandbox, and the people who work with both."""

    def __init__(self, folder: Path, slack: Slack, model: Model) -> None:
        self.folder, self.slack, self.model = folder, slack, model
        config = self._hasty(folder / "shop" / "tocsin.yaml")
        self.bot = Bot(
            folder,
            slack,
            config,
            model_url=model.url,
            environment={**slack.addresses["environment"], "TOCSIN_AUDIT_KEY": AUDIT_KEY},
            command=[sys.executable, __file__, "--serve", str(folder)],
        )
        self.workflows: dict[str, str] = {}

    def _hasty(self, path: Path) -> Path:
        """The shop's configuration with verifications that look every two seconds."""
        config = yaml.safe_load(path.read_text())
        for action in config["actions"].values():
            if "verify" in action:
                action["verify"]["within"] = "40s"
        path.write_text(yaml.safe_dump(config, sort_keys=False))
        return path

    def play(self) -> None:
        self._one_whole_incident()
        self._questions()
        self._wait_for("frozen_cases", "a frozen case")
        # The shop is well now; what follows is not to be disturbed by its own alerts.
        self.workflows["approve"] = self._propose("search")
        self.workflows["deny"] = self._propose("shipping")
        self._hold("watch", lambda: self._approve(self._propose("inventory")))
        self._hold("postmortem", lambda: self._command("postmortem regenerate INC-1"))
        self.model.script(TOOLS, {"hang": True})
        self._hold("agent", lambda: self._alert("HighErrorRate", "recommendations"))
        self._hold("analyst", lambda: self._alert("QueueBacklog", "notifications"))
        self._hold("question", lambda: self._command("ask was it a deploy? AL-1"))
        self._hold("claim", lambda: self._approve(self._propose("auth")))

    def _one_whole_incident(self) -> None:
        people = People(self.slack, self.bot)
        Pipeline(self.slack, self.bot).tell_in_time()
        people.play(3 * PATIENCE)
        people.settle(PATIENCE)
        assert not people.left_undone, people.left_undone
        self._command("note INC-1 customers were told")
        self._wait_for("timeline WHERE text LIKE '%customers were told%'", "the note")

    def _questions(self) -> None:
        claims = [{"text": "a deploy of checkout came before it", "evidence": ["E1"]}]
        self.model.script({"call": [["Reply", {"claims": claims}]]})
        for text in ("what was deployed on checkout?", "is the database at fault?"):
            self._command(f"ask {text} INC-1")
        self._wait_for("questions WHERE state = 'answered' AND id = 2", "two answers")

    # ------------------------------------------------------------ strings

    def _hold(self, name: str, act: Callable[[], object]) -> None:
        """Act, and wait until the workflow that follows from it stands still."""
        (self.folder / "hold").write_text(json.dumps(HOLDS[name]))
        act()
        until(lambda: not (self.folder / "hold").exists(), PATIENCE, f"a workflow held for {name}")
        self.workflows[name] = (self.folder / "held").read_text().splitlines()[-1].partition(" ")[0]

    def _command(self, text: str) -> None:
        done = self.slack.command(OWNER, "C0", text)
        assert done["acked"], done

    def _propose(self, service: str) -> str:
        """A restart put to people; its reference."""
        before = {key_of(message) for message in self.slack.of("proposal:")}
        self._command(f"propose restart {service}")

        def card() -> str:
            keys = {key_of(message) for message in self.slack.of("proposal:")} - before
            return min(keys, default="").removeprefix("proposal:")

        return str(until(card, PATIENCE, f"a proposal for {service}"))

    def _approve(self, ref: str) -> None:
        proposal = self.slack.of(f"proposal:{ref}")[0]
        self.slack.press(COMMANDER, proposal, "approve")
        self.slack.submit(COMMANDER, reason="go")

    def _alert(self, name: str, service: str) -> None:
        one = alert(name, service, starts_at=datetime.now(UTC) - timedelta(seconds=30))
        body = {"version": "4", "groupKey": f"{name}:{service}", "status": "firing", "alerts": [one], "receiver": "tocsin"}
        body |= {"groupLabels": {}, "commonLabels": {}, "commonAnnotations": {}, "externalURL": ""}
        answer = self.bot.post("/alerts/shop", body, self.slack.addresses["environment"]["TOCSIN_TOKEN_SHOP"])
        assert answer.status_code == 202, answer.text

    def _wait_for(self, rows: str, what: str) -> None:
        until(lambda: self._count(rows), PATIENCE, what)

    def _count(self, rows: str) -> int:
        with sqlite3.connect(f"file:{self.folder / 'data' / 'app.db'}?mode=ro", uri=True) as connection:
            return int(connection.execute(f"SELECT count(*) FROM {rows}").fetchone()[0])


def _answer(slack: Slack) -> dict[str, Any]:
    """What the scripted model finds in the first incident."""
    claims = [
        {"text": "its errors left their normal range", "evidence": ["E:service_health"]},
        {"text": "a deploy came before it", "evidence": ["E:recent_changes"]},
    ]
    change = f"pipeline:{slack.world('truth')['change_id']}"
    cause = {"cause": f"a deploy of {SERVICE} broke it", "service": SERVICE, "kind": "change", "change_id": change}
    return {"answer": {"hypotheses": [{**cause, "confidence": "likely", "score": 0.9, "claims": claims}]}}


# ---------------------------------------------------------------- what is kept


def dump(path: Path) -> str:
    """A database as SQL. What SQLite had in its write-ahead log is in it."""
    with sqlite3.connect(path) as connection:
        return "\n".join(connection.iterdump()) + "\n"


def keep(making: Making, began_at: float, killed_at: float, output: Path) -> None:
    """Write app.sql.gz, durable.sql.gz, tocsin.yaml and facts.json."""
    output.mkdir(parents=True, exist_ok=True)
    for name in ("app", "durable"):
        (output / f"{name}.sql.gz").write_bytes(gzip.compress(dump(making.folder / "data" / f"{name}.db").encode(), mtime=0))
    (output / "tocsin.yaml").write_text((making.folder / "shop" / "tocsin.yaml").read_text())
    jobs = [{key: job[key] for key in ("at", "action", "service", "key", "body")} for job in making.slack.world("executions")]
    facts = {
        "world": {"seed": int(SEED), "fault": FAULT, "service": SERVICE, "onset_ago": ONSET_AGO, "began_at": began_at},
        "jobs": jobs,
        "killed_at": killed_at,
        "audit_key": AUDIT_KEY,
        "workflows": making.workflows,
    }
    (output / "facts.json").write_text(json.dumps(facts, indent=1) + "\n")


def main(folder: Path, output: Path) -> None:
    folder.mkdir(parents=True)
    world = ("--seed", SEED, "--fault", FAULT, "--service", SERVICE, "--onset-ago", str(ONSET_AGO))
    slack = Slack(folder, *world, "--port", str(WORLD_PORT), "--signing-secret", "s" * 32).start()
    try:
        began_at = datetime.fromisoformat(slack.world("state")["since"]).timestamp() + ONSET_AGO
        with Model(folder, [TOOLS, _answer(slack)], by_history=True) as model:
            making = Making(folder, slack, model)
            making.bot.start()
            try:
                making.play()
                making.bot.process.kill()
                keep(making, began_at, time.time(), output)
            finally:
                making.bot.stop()
    finally:
        slack.stop()


if __name__ == "__main__":
    if sys.argv[1] == "--serve":
        serve(Path(sys.argv[2]))
    else:
        main(Path(sys.argv[1]), Path(sys.argv[2]))

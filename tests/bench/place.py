"""Who is measured: our bot beside Slack's stand-in, and Alertmanager. Each a process of its own on loopback."""

import json
import shutil
import sqlite3
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.real import free_port
from tests.real.bot import SERVE, Bot
from tests.real.processes import Process
from tests.real.slack import Slack
from tests.real.stack import Model

SOURCE, TOKEN = "am", "token-of-the-bench"


@dataclass
class RunningBot:
    """The running bot; `sorted_to` and `count` look into its SQLite file."""

    bot: Bot
    slack: Slack
    folder: Path
    ready_after: float
    model: Model | None = None

    @property
    def url(self) -> str:
        return self.url_of(SOURCE)

    def url_of(self, source: str) -> str:
        """Where a source posts its alerts."""
        return f"{self.bot.url}/alerts/{source}"

    @property
    def pid(self) -> int:
        return self.bot.process.pid

    def ask(self, query: str) -> Any:
        """The first value of a read-only query."""
        connection = sqlite3.connect(f"file:{self.folder / 'data' / 'app.db'}?mode=ro", uri=True, timeout=5)
        try:
            found = connection.execute(query).fetchone()
        finally:
            connection.close()
        return found[0] if found else 0

    def count(self, table: str) -> int:
        return int(self.ask(f"SELECT count(*) FROM {table}"))

    def unsorted(self) -> int:
        """Alerts that were acknowledged and that the inbox has not read yet, and commits whose repeats it has not counted."""
        newest, repeats = "(SELECT coalesce(max(seq), 0) FROM alerts)", "(SELECT count(*) FROM repeats)"
        return int(self.ask(f"SELECT {newest} - coalesce((SELECT seq FROM cursors WHERE name = 'inbox'), 0) + {repeats}"))

    def caught_up(self, seconds: float = 120) -> float:
        """Wait until the inbox has read all; the seconds it took. Raises AssertionError when it does not."""
        began = time.monotonic()
        while self.unsorted() > 0:
            if time.monotonic() - began > seconds:
                raise AssertionError(f"{self.unsorted()} alerts are not sorted after {seconds} s")
            time.sleep(0.02)
        return time.monotonic() - began


@contextmanager
def running_bot(
    folder: Path,
    config: Mapping[str, Any],
    *,
    hanging_model: bool = False,
    channels: Mapping[str, str] = {},
    sources: Sequence[str] = (SOURCE,),
    command: Sequence[str] = SERVE,
) -> Iterator[RunningBot]:
    """The bot on SQLite with the endpoints of `sources` open. `channels`: id -> name, made in the sandbox before."""
    folder.mkdir(parents=True)
    path = folder / "tocsin.yaml"
    whole = {"sources": {name: {"kind": "alertmanager"} for name in sources}, "default_channel": "C0", **config}
    path.write_text(yaml.safe_dump(whole), encoding="utf-8")
    with ExitStack() as ending:
        slack = Slack(folder, "--no-world").start()
        ending.callback(slack.stop)
        if channels:
            slack.post("channels", [{"id": id, "name": name} for id, name in channels.items()])
        model = ending.enter_context(Model(folder, [{"hang": True}])) if hanging_model else None
        tokens = {f"TOCSIN_TOKEN_{name.upper()}": TOKEN for name in sources}
        bot = Bot(folder, slack, path, model_url=model.url if model else "", environment=tokens, command=command)
        ending.callback(bot.stop)
        yield RunningBot(bot, slack, folder, bot.start(), model)


@dataclass
class RunningAlertmanager:
    """The running Alertmanager."""

    url: str
    pid: int


@contextmanager
def alertmanager(folder: Path) -> Iterator[RunningAlertmanager | None]:
    """Alertmanager with one silent receiver; None if this machine has none."""
    binary = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    if binary is None:
        yield None
        return
    folder.mkdir(parents=True)
    config, port = folder / "alertmanager.yml", free_port()
    config.write_text(json.dumps({"route": {"receiver": "none", "group_wait": "30s"}, "receivers": [{"name": "none"}]}))
    listen = [f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=", "--log.level=error"]
    process = Process("alertmanager", [binary, f"--config.file={config}", f"--storage.path={folder / 'am'}", *listen], folder)
    process.start()
    try:
        process.ready(f"http://127.0.0.1:{port}/-/ready")
        yield RunningAlertmanager(f"http://127.0.0.1:{port}/api/v2/alerts", process.pid)
    finally:
        process.stop(5)


def python(*arguments: str) -> list[str]:
    """A command of this interpreter."""
    return [sys.executable, *arguments]

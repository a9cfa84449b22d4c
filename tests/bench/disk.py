"""Bytes that one incident takes: the demo's, from its alerts to the postmortem draft, in the tables and in the journal."""

import shutil
import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path

from bot.console.demo import COMMANDER, FIRST_CAUSE
from bot.console.demo_processes import DemoProcesses
from bot.console.player import Player
from tests.bench.report import reached, table

GOAL_MB = 0.3
_PAYLOAD = """
    SELECT coalesce(tbl_name, name), sum(payload) FROM dbstat LEFT JOIN sqlite_master USING (name)
    WHERE name != 'sqlite_schema' GROUP BY 1
"""
"""Bytes of rows and index entries; pages that are half empty fill up with the next incident."""


def report(*, seed: int = 1) -> None:
    """One incident, played and measured."""
    with tempfile.TemporaryDirectory(prefix="disk-") as folder:
        _play(seed, Path(folder))
        parts = {**_payload(Path(folder) / "app.db"), "journal": sum(_payload(Path(folder) / "durable.db").values())}
    whole = sum(parts.values()) / 1e6
    kept = whole - parts.get("alerts", 0) / 1e6
    kept_title = f"without deliveries, which are kept 2 days: goal {GOAL_MB * 1000:g} {reached(kept, GOAL_MB)}"
    largest = sorted(parts.items(), key=lambda part: -part[1])[:8]
    rows = [[name, size / 1000] for name, size in largest]
    rows += [["all", whole * 1000], [kept_title, kept * 1000]]
    table("Disk of one incident of the demo", ("what", "KB"), rows)


def _play(seed: int, folder: Path) -> None:
    """The incident, resolved by the approved action; its databases are copied into `folder`."""
    with DemoProcesses(seed=seed, model=False) as stage:
        player = Player(stage.client, stage.access["control"])
        stage.break_something()
        proposal = player.wait("proposal:", seconds=120)
        assert proposal is not None, "no proposal came"
        player.press(COMMANDER, proposal, "approve")
        player.submit(COMMANDER, {"reason": "fits the evidence"})
        card = player.wait("card:", holds="monitoring", seconds=300)
        assert card is not None, "the alerts did not clear"
        player.command(COMMANDER, card["channel"], "resolve INC-1")
        player.submit(COMMANDER, {"which": FIRST_CAUSE})
        assert player.wait("postmortem:", seconds=60) is not None, "no draft came"
        time.sleep(2)  # the journal of what just ended
        for name in ("app.db", "durable.db"):
            for part in stage.folder.glob(f"data/{name}*"):
                shutil.copy(part, folder)


def _payload(path: Path) -> dict[str, int]:
    with closing(sqlite3.connect(path)) as connection:
        return {name: size for name, size in connection.execute(_PAYLOAD) if size}

"""What the command line shows while Slack is down is read in a narrow terminal."""

import asyncio
import io
from datetime import timedelta
from pathlib import Path

from rich.console import Console

from bot.console.reading import print_incidents
from bot.settings import Secrets
from bot.store.database import Database, async_url
from bot.store.migrate import upgrade
from bot.store.tables import IncidentRow
from tests.unit.builders import NOW

TITLE = "HighErrorRate of the checkout that customers see"


async def declared(folder: Path) -> None:
    upgrade(f"sqlite:///{folder / 'app.db'}")
    db = Database(async_url("", folder))
    async with db.write() as session:
        fields = {"severity": "SEV2", "service": "checkout", "state": "MONITORING", "channel": "C1"}
        session.add(IncidentRow(title=TITLE, declared_at=NOW - timedelta(hours=1), **fields))
    await db.close()


def test_incidents_are_told_whole_in_two_lines_each(tmp_path: Path) -> None:
    asyncio.run(declared(tmp_path))
    console = Console(width=80, file=io.StringIO(), record=True)

    print_incidents(Secrets(data_dir=tmp_path), everything=False, console=console)

    first, second = console.export_text().splitlines()
    assert first == "INC-1  MONITORING  SEV2  checkout  declared 2026-03-01 02:00 UTC  nobody leads"
    assert second.strip() == TITLE

"""What the command line shows while Slack is down is read in a narrow terminal."""

import asyncio
import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from bot.console.incident_listing import print_incident, print_incidents
from bot.core.errors import NotFound
from bot.settings import Secrets
from bot.store.db.database import Database, async_url
from bot.store.migrate import upgrade
from bot.store.tables import EpisodeRow, GroupRow, IncidentRow, TimelineRow, TriageRow
from tests.unit.builders import NOW

TITLE = "HighErrorRate of the checkout that customers see"


async def declared(folder: Path, *, private: bool = False) -> None:
    upgrade(f"sqlite:///{folder / 'app.db'}")
    db = Database(async_url("", folder))
    async with db.write() as session:
        fields = {"severity": "SEV2", "service": "checkout", "state": "MONITORING", "channel": "C1"}
        session.add(IncidentRow(title=TITLE, declared_at=NOW - timedelta(hours=1), private=private, **fields))
    await db.close()


async def resolved(folder: Path, *, count: int) -> None:
    db = Database(async_url("", folder))
    fields = {"severity": "SEV3", "service": "auth", "state": "RESOLVED", "channel": "C1"}
    async with db.write() as session:
        session.add_all(IncidentRow(title="over", declared_at=NOW, **fields) for _ in range(count))
    await db.close()


def test_incidents_are_told_whole_in_two_lines_each(tmp_path: Path) -> None:
    asyncio.run(declared(tmp_path))
    console = Console(width=80, file=io.StringIO(), record=True)

    print_incidents(Secrets(data_dir=tmp_path), everything=False, console=console)

    first, second = console.export_text().splitlines()
    assert first == "INC-1  MONITORING  SEV2  checkout  declared 2026-03-01 02:00 UTC  nobody leads"
    assert second.strip() == TITLE


def test_an_open_incident_is_listed_however_many_were_resolved_since(tmp_path: Path) -> None:
    asyncio.run(declared(tmp_path))
    asyncio.run(resolved(tmp_path, count=500))
    console = Console(width=80, file=io.StringIO(), record=True)

    print_incidents(Secrets(data_dir=tmp_path), everything=False, console=console)

    assert console.export_text().startswith("INC-1  MONITORING")


def episode(fingerprint: str, **values: Any) -> EpisodeRow:
    fields = {"source": "prod", "name": "Errors", "service": "checkout", "severity": "SEV2", "status": "firing"}
    moments = {"starts_at": NOW, "first_seen_at": NOW, "last_seen_at": NOW}
    return EpisodeRow(fingerprint=fingerprint, labels={}, annotations={}, **{**fields, **moments, **values})


async def investigated(folder: Path) -> None:
    upgrade(f"sqlite:///{folder / 'app.db'}")
    db = Database(async_url("", folder))
    cause = {"cause": "v2 broke it", "confidence": "likely", "score": 0.9}
    found = {"hypotheses": [cause], "not_checked": ["Could not check (logs of checkout): no answer"]}
    fields = {"severity": "SEV2", "service": "checkout", "state": "FIRING", "channel": "C1"}
    async with db.write() as session:
        session.add(episode("a", group_id=1, grouping_reason="opened_group", grouping_text="it opened the group"))
        session.add(episode("b", group_id=1, grouping_reason="same_service", grouping_text="the same service, checkout"))
        session.add(episode("c", muted_by="inhibited by NodeDown"))
        session.add(GroupRow(id=1, key="k", title=TITLE, opened_at=NOW, last_alert_at=NOW, **fields))
        session.add(TriageRow(group_id=1, attempt=1, state="done", started_at=NOW, findings=found))
        session.add(TimelineRow(group_id=1, at=NOW, kind="group", who="tocsin", text="opened", key="t1"))
    await db.close()


def test_a_group_is_shown_with_its_causes_and_with_what_was_not_checked(tmp_path: Path) -> None:
    asyncio.run(investigated(tmp_path))
    console = Console(width=80, file=io.StringIO(), record=True)

    print_incident(Secrets(data_dir=tmp_path), "AL-1", console)

    lines = console.export_text().splitlines()
    assert lines[3:5] == ["Timeline in UTC, newest last:", "  2026-03-01 03:00:00  group     opened"]
    assert lines[6:9] == [
        "Why these alerts are one group:",
        "  1 alert: it opened the group",
        "  1 alert: the same service, checkout",
    ]
    assert lines[10:12] == ["Muted alerts of checkout since then:", "  1 alert: inhibited by NodeDown"]
    assert "  1. Likely: v2 broke it" in lines
    assert lines[-2:] == ["Not checked:", "  logs of checkout: no answer"]


def test_a_private_incident_is_counted_and_shown_only_if_it_is_wanted(tmp_path: Path) -> None:
    asyncio.run(declared(tmp_path, private=True))
    secrets = Secrets(data_dir=tmp_path)

    def printed(**wish: bool) -> str:
        console = Console(width=80, file=io.StringIO(), record=True)
        print_incidents(secrets, everything=False, console=console, **wish)
        return console.export_text()

    assert printed() == "and 1 private incident: --private shows them\n" and TITLE in printed(private=True)
    with pytest.raises(NotFound, match="--private shows too"):
        print_incident(secrets, "INC-1", Console(file=io.StringIO()))

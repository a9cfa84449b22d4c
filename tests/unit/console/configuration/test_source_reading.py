"""People see how a body would be read before they connect its sender, and what could not be read afterwards."""

import asyncio
import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from bot.console.configuration.source_reading import print_failed, try_body
from bot.core.config import Config
from bot.core.config.alerts import SourceConfig, SourceFields
from bot.core.errors import NotFound
from bot.settings import Secrets
from bot.store.alerts.intake import unreadable
from bot.store.db.database import Database, async_url
from bot.store.migrate import upgrade
from bot.store.tables import UnreadableRow
from tests.unit.builders import NOW
from tests.unit.sources.changes.bodies import github_workflow

BODY = {"check": {"name": "Front page"}, "state": "DOWN", "importance": "spicy", "host": "edge-3"}


def console() -> Console:
    return Console(width=300, file=io.StringIO(), record=True)


def tried(tmp_path: Path, body: Any, config: Config = Config(), **options: Any) -> tuple[bool, str]:  # noqa: B008 - frozen
    file, screen = tmp_path / "body.json", console()
    file.write_text(json.dumps(body))
    readable = try_body(config, file, **{"source": "", "kind": "generic", **options}, now=NOW, console=screen)
    return readable, screen.export_text()


def test_each_field_stands_with_its_path_and_why(tmp_path: Path) -> None:
    readable, text = tried(tmp_path, BODY)

    assert readable
    assert "name         Front page   (from check.name: " in text
    assert "status       firing   (from state: " in text


def test_the_service_is_the_one_that_an_alert_counts_for(tmp_path: Path) -> None:
    labels = {"alertname": "ProbeFailed", "job": "blackbox", "instance": "https://shop.example/cart"}
    _, text = tried(tmp_path, {"alerts": [{"status": "firing", "labels": labels}]}, kind="alertmanager")

    assert "service      shop.example\n" in text


def test_a_severity_that_nobody_maps_is_told(tmp_path: Path) -> None:
    _, text = tried(tmp_path, {"title": "x", "severity": "spicy", "more": 1})

    assert "spicy (SEV3; the word is not in `severities`, so it counts as SEV3)" in text


def test_the_corrections_of_a_source_are_used(tmp_path: Path) -> None:
    config = Config(sources={"shop": SourceConfig(kind="generic", fields=SourceFields(name="host", severity="=critical"))})
    _, text = tried(tmp_path, BODY, config, source="shop")

    assert "name         edge-3   (from host: named in tocsin.yaml)" in text
    assert "severity     critical (SEV2)   (fixed in tocsin.yaml)" in text


def test_what_cannot_be_read_names_the_field(tmp_path: Path) -> None:
    readable, text = tried(tmp_path, {"event": {}}, kind="pagerduty")

    assert not readable
    assert "pagerduty cannot read it: event.event_type" in text


DEPLOY = {"service": "cart", "title": "deploy 2", "version": "2"}


def test_a_source_of_changes_alone_reads_a_body_as_a_change(tmp_path: Path) -> None:
    config = Config(sources={"ci": SourceConfig(kind="generic", takes=("changes",))})

    assert tried(tmp_path, DEPLOY, config, source="ci")[1].startswith("Change of cart\n")


def test_a_kind_is_not_asked_for_what_its_address_refuses(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="alertmanager takes alerts only"):
        tried(tmp_path, DEPLOY, kind="alertmanager", changes=True)


def test_what_a_source_may_not_speak_of_is_set_aside_as_it_would_be(tmp_path: Path) -> None:
    source = SourceConfig(kind="generic", takes=("changes",), services=("checkout",))
    config = Config.model_validate({"sources": {"ci": source}, "services": {"cart": {}, "checkout": {}}})

    readable, text = tried(tmp_path, DEPLOY, config, source="ci")

    assert not readable and "Set aside: this source may not send 'cart'" in text and "Change of" not in text


def test_a_form_that_holds_json_is_read_as_at_the_endpoint_and_an_empty_file_is_told(tmp_path: Path) -> None:
    form, empty = tmp_path / "form", tmp_path / "empty"
    form.write_text("payload=%7B%22name%22%3A%22DiskFull%22%7D")
    empty.write_text("")
    options: dict[str, Any] = {"source": "", "kind": "generic", "now": NOW}
    (read, nothing) = console(), console()

    assert try_body(Config(), form, **options, console=read) and read.export_text().startswith("Alert DiskFull\n")
    assert not try_body(Config(), empty, **options, console=nothing)
    assert nothing.export_text() == "generic cannot read it: not readable as JSON: the body is empty\n"


@pytest.mark.parametrize("options", [{"source": "nobody"}, {"kind": "nothing"}])
def test_an_unknown_source_or_kind_lists_what_there_is(tmp_path: Path, options: dict[str, str]) -> None:
    with pytest.raises(NotFound, match=r"there are|has none"):
        tried(tmp_path, BODY, **options)


async def kept(folder: Path, count: int) -> None:
    upgrade(f"sqlite:///{folder / 'app.db'}")
    db = Database(async_url("", folder))
    async with db.write() as session:
        for number in range(count):
            await unreadable.keep(session, "prod" if number else "old", f"body {number}".encode(), "alerts: is missing", NOW)
    await db.close()


def test_the_newest_bodies_are_listed_with_why_and_one_is_shown_whole(tmp_path: Path) -> None:
    asyncio.run(kept(tmp_path, 3))
    everything, of_one, whole = console(), console(), console()
    secrets = Secrets(data_dir=tmp_path)
    print_failed(secrets, source="", number=None, console=everything)
    print_failed(secrets, source="old", number=None, console=of_one)
    print_failed(secrets, source="", number=2, console=whole)

    lines = everything.export_text().splitlines()
    assert lines[0] == "3  2026-03-01 03:00 UTC  prod  6 bytes  alerts: is missing"
    assert lines[1].strip() == "body 2" and len(lines) == 6
    assert of_one.export_text().startswith("1  ")
    assert whole.export_text() == "body 1\n"


async def count_and_oldest(folder: Path) -> tuple[int, int]:
    db = Database(async_url("", folder))
    async with db.read() as session:
        rows = await unreadable.newest(session, limit=5_000)
    await db.close()
    return len(rows), rows[-1].id or 0


def test_a_sender_that_is_set_up_wrongly_fills_no_disk_and_pushes_out_no_other(tmp_path: Path) -> None:
    asyncio.run(kept(tmp_path, unreadable.MAX_ROWS + 5))

    assert asyncio.run(count_and_oldest(tmp_path)) == (unreadable.MAX_ROWS + 1, 1)


async def test_a_long_body_is_cut(tmp_path: Path) -> None:
    upgrade(f"sqlite:///{tmp_path / 'app.db'}")
    db = Database(async_url("", tmp_path))
    async with db.write() as session:
        await unreadable.keep(session, "prod", b"x" * 1_000_000, "why", NOW)
    async with db.read() as session:
        row = await session.get(UnreadableRow, 1)
    await db.close()

    assert row is not None and len(row.body) == unreadable.LONGEST_BODY


def test_a_body_of_changes_shows_the_change_that_it_would_be(tmp_path: Path) -> None:
    config = Config(sources={"hub": SourceConfig(kind="github", options={"workflows": ["Deploy"]})})
    readable, text = tried(tmp_path, github_workflow(), config, source="hub")

    assert readable and "Change of checkout" in text and "abcdef012345" in text and "Raise the pool of payments" in text


def test_generic_shows_changes_where_they_are_meant(tmp_path: Path) -> None:
    body = {"service": "cart", "title": "deploy 1.5.0", "kind": "flag"}

    assert "Change of cart" in tried(tmp_path, body, changes=True)[1] and "Alert deploy 1.5.0" in tried(tmp_path, body)[1]


def test_a_body_without_anything_that_counts_says_so(tmp_path: Path) -> None:
    assert "no alert and no change that counts" in tried(tmp_path, github_workflow(conclusion="failure"), kind="github")[1]


def test_what_is_set_aside_names_its_field_once(tmp_path: Path) -> None:
    _, text = tried(tmp_path, [{"name": "Disk full"}, {"severity": "high"}])

    assert "Set aside: 1.name: nothing in it reads as a title" in text

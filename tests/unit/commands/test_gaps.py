"""The command that lists what could not be checked."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.commands.gaps import gaps
from bot.core.errors import NotFound
from bot.core.evidence import Evidence
from bot.plugins import Reply, Request
from bot.settings import catalogue_of
from bot.store.triage.triage import Triages
from bot.workflows.command_context import CommandContext
from tests.unit.approvals_fixture import ApprovalsFixture, actor, open_approvals
from tests.unit.readers import everything_public
from tests.unit.tools.tool_fixture import INFOS


@pytest.fixture
async def fixture(tmp_path: Path) -> AsyncIterator[ApprovalsFixture]:
    """AL-1 was investigated: logs could not be read, metrics could."""
    fixture = await open_approvals(tmp_path)
    triages = Triages(fixture.db)
    await triages.open("AL-1", 1, "", "")
    why = "Could not check (search_logs: service=checkout): no log store is configured (logs.loki or logs.files)"
    await triages.ledger.record("AL-1", "search_logs", {"service": "checkout"}, "a", Evidence(summary=why, query="", ok=False))
    await triages.ledger.record("AL-1", "service_health", {"service": "checkout"}, "b", Evidence(summary="fine", query=""))
    yield fixture
    await fixture.close()


async def ask(fixture: ApprovalsFixture, **options: str) -> str:
    ctx = CommandContext(
        db=fixture.db, config=fixture.config, catalogue=catalogue_of(fixture.config), engine=fixture.engine,
        clock=lambda: fixture.now, verbs={}, approvals=fixture.approvals, usergroup=fixture.usergroup, tools=INFOS,
        read_access=everything_public(fixture.db),
    )  # fmt: skip
    said: Any = await gaps.fn(ctx, Request(verb="gaps", actor=actor("alice"), channel="C1", options=options))
    assert isinstance(said, Reply)
    return said.text


async def test_what_failed_is_listed_with_how_often_it_was_missed(fixture: ApprovalsFixture) -> None:
    lines = (await ask(fixture)).splitlines()

    assert len(lines) == 2
    assert lines[1].startswith(
        "1. logs of checkout: no log store is configured (logs.loki or logs.files); missed in 1 group of 1 investigated"
    )


async def test_what_is_older_is_left_out(fixture: ApprovalsFixture) -> None:
    fixture.pass_time(days=31)

    assert await ask(fixture) == "Nothing was investigated since 2026-03-02, so nothing was missed."
    assert "logs of checkout" in await ask(fixture, since="60d")


async def test_a_service_that_was_not_checked_is_told_as_that(fixture: ApprovalsFixture) -> None:
    assert await ask(fixture, service="search") == "Nothing of search was checked since 2026-01-30, so nothing was missed."


async def test_a_service_whose_checks_succeeded_has_no_gap(fixture: ApprovalsFixture) -> None:
    fine = Evidence(summary="fine", query="")
    await Triages(fixture.db).ledger.record("AL-1", "service_health", {"service": "search"}, "c", fine)

    assert await ask(fixture, service="search") == "No check of search failed since 2026-01-30 (checked in 1 group)."


@pytest.mark.parametrize("since", ["many", "999999999d"])
async def test_a_span_that_is_none_is_refused(fixture: ApprovalsFixture, since: str) -> None:
    with pytest.raises(NotFound, match="since: "):
        await ask(fixture, since=since)


async def test_a_service_that_nobody_knows_is_told_so(fixture: ApprovalsFixture) -> None:
    with pytest.raises(NotFound, match="nope is no service of the catalogue"):
        await ask(fixture, service="nope")

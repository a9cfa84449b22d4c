"""Pressing Investigate while a triage runs: what was made again by itself is no answer to a person."""

from pathlib import Path
from typing import Any

import pytest

from bot.commands.investigate import investigate
from bot.core.investigation.triage_state import TriageState
from bot.plugins import Reply, Request
from bot.ports import Run
from bot.settings import catalogue_of
from bot.store.tables import TimelineRow
from bot.store.triage.triage import Triages
from bot.workflows.command_context import CommandContext
from tests.unit.approvals_fixture import actor, open_approvals
from tests.unit.readers import everything_public


@pytest.mark.parametrize(("running", "started"), [(1, []), (2, [3])])
async def test_a_press_starts_another_attempt_beside_one_that_nobody_asked_for(
    tmp_path: Path, running: int, started: list[int]
) -> None:
    fixture, begun = await open_approvals(tmp_path), list[int]()

    async def triage(_run: Run, _ref: str, attempt: int, *_: Any) -> None:
        begun.append(attempt)

    fixture.engine.register("triage", triage)
    for attempt in range(1, running + 1):
        await Triages(fixture.db).open("AL-1", attempt, "", "")
        findings = {"hypotheses": [{"cause": "no memory", "service": "checkout"}]}
        state = TriageState.DONE if attempt < running else TriageState.INVESTIGATING
        await Triages(fixture.db).update("AL-1", attempt, findings=findings, state=state)
    ctx = CommandContext(
        db=fixture.db, config=fixture.config, catalogue=catalogue_of(fixture.config), engine=fixture.engine,
        clock=lambda: fixture.now, verbs={}, approvals=fixture.approvals, usergroup=fixture.usergroup,
        read_access=everything_public(fixture.db),
    )  # fmt: skip
    fields = {"verb": "investigate", "channel": "C1", "entry_point": "button", "ref": "AL-1", "key": "k"}
    reply = await investigate.fn(ctx, Request(actor=actor("alice"), **fields))
    for attempt in started:
        await fixture.engine.result(f"triage:AL-1:{attempt}")

    assert isinstance(reply, Reply) and begun == started
    assert not any("hint:" in row.key for row in await fixture.rows(TimelineRow))
    await fixture.close()

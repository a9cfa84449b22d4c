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
from tests.unit.approving import actor, office
from tests.unit.readers import everything_public


@pytest.mark.parametrize(("running", "started"), [(1, []), (2, [3])])
async def test_a_press_starts_another_attempt_beside_one_that_nobody_asked_for(
    tmp_path: Path, running: int, started: list[int]
) -> None:
    house, begun = await office(tmp_path), list[int]()

    async def triage(_run: Run, _ref: str, attempt: int, *_: Any) -> None:
        begun.append(attempt)

    house.engine.register("triage", triage)
    for attempt in range(1, running + 1):
        await Triages(house.db).open("AL-1", attempt, "", "")
        findings = {"hypotheses": [{"cause": "no memory", "service": "checkout"}]}
        state = TriageState.DONE if attempt < running else TriageState.INVESTIGATING
        await Triages(house.db).update("AL-1", attempt, findings=findings, state=state)
    ctx = CommandContext(
        db=house.db, config=house.config, catalogue=catalogue_of(house.config), engine=house.engine, clock=lambda: house.now,
        verbs={}, approvals=house.approvals, usergroup=house.usergroup, reading=everything_public(house.db),
    )  # fmt: skip
    fields = {"verb": "investigate", "channel": "C1", "entry_point": "button", "ref": "AL-1", "key": "k"}
    reply = await investigate.fn(ctx, Request(actor=actor("alice"), **fields))
    for attempt in started:
        await house.engine.result(f"triage:AL-1:{attempt}")

    assert isinstance(reply, Reply) and begun == started
    assert not any("hint:" in row.key for row in await house.rows(TimelineRow))
    await house.close()

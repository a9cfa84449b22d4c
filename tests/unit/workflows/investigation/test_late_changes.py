"""A change that is told after the causes were ranked: one more attempt, in the same message, and no more than that."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.core.approvals.policy_types import PROPOSAL_LIFE
from bot.core.change import Change
from bot.core.changes.late_reports import MAX_ATTEMPTS, QUIET_PERIOD
from bot.core.errors import QueryFailed
from bot.core.evidence import Case
from bot.core.incident import GroupState
from bot.core.messages.investigation import TriageContent
from bot.plugins import ToolContext
from bot.ports import Investigator
from bot.store.answers.postmortems import Postmortems
from bot.store.approvals.switches import Switches
from bot.store.slack.message_contents import triage_content
from bot.store.tables import ChangeRow, EpisodeRow, GroupRow, MessageRow, TriageRow
from bot.store.triage.changes import Changes
from bot.store.triage.late_changes import LateChanges
from bot.store.triage.renewals import Renewals
from bot.store.triage.triage import Triages
from bot.workflows.investigation.analyst import Analyst
from bot.workflows.investigation.fact_collection import FactCollector
from bot.workflows.investigation.tool_running import ToolRunner
from bot.workflows.investigation.triage import TriageSteps, triage
from bot.workflows.ticks import HousekeepingTick
from tests.unit.approving import Office
from tests.unit.builders import NOW
from tests.unit.tools.looking import CATALOGUE, ERRORS, INFOS, NO_KUBERNETES, ONSET, TOOLS, Step, context


class Duty(Office):
    """An office in which checkout's errors rose at ONSET, and the analyst ranks."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.triages = Triages(self.db)
        self.late = LateChanges(self.db, CATALOGUE, INFOS)
        self.changes = Changes(self.db)
        looker = ToolRunner(self.triages, TOOLS, self._sees)
        facts = FactCollector(looker, self.triages, CATALOGUE, None, lambda _graph: b"")
        desk = TriageSteps(self.triages, facts, self.approvals, self.config)
        self.engine.register("triage", triage(desk, Analyst(looker.for_case, looker.infos), _no_model))

    def _sees(self, case: Case) -> ToolContext:
        return context({ERRORS: Step(0.001, 0.3), **NO_KUBERNETES}, changes=self.changes)

    async def fires(self, service: str = "checkout") -> None:
        began = ONSET + timedelta(minutes=1)
        async with self.db.write() as session:
            session.add(
                EpisodeRow(
                    source="am", fingerprint=service, starts_at=began, status="firing", name="HighErrorRate", service=service,
                    severity="SEV2", labels={"service": service}, annotations={}, expression=ERRORS, group_id=1,
                    first_seen_at=began, last_seen_at=began,
                )
            )  # fmt: skip
            group = await session.get(GroupRow, 1)
            assert group is not None
            group.alerts += 1

    async def rank(self) -> None:
        await self.engine.start("triage", "triage:AL-1:1", "AL-1", 1)
        await self.engine.result("triage:AL-1:1")

    async def told(self, name: str = "v2", service: str = "checkout", at: datetime = ONSET - timedelta(minutes=1)) -> None:
        """The pipeline reports now what happened then."""
        async with self.db.write() as session:
            row = ChangeRow(
                id=f"ci:{name}", at=at, service=service, kind="deploy", title=f"deploy {name}", version="2",
                previous_version="1", received_at=self.now,
            )  # fmt: skip
            await session.merge(row)

    async def tick(self, *, settle: bool = True) -> list[str]:
        """What a tick starts, and everything that came of it."""
        if settle:
            self.now += QUIET_PERIOD
        due = await self.late.due()
        await HousekeepingTick(self.config, Postmortems(self.db), self.late, Renewals(self.db), self.engine)()
        for again in due:
            await self.engine.result(f"triage:{again.group}:{again.attempt}")
        return [again.group for again in due]

    async def shown(self) -> TriageContent:
        """What the triage message is rendered from."""
        async with self.db.read() as session:
            content = await triage_content(session, "AL-1")
        assert content is not None
        return content

    async def attempts(self) -> list[tuple[int, list[str]]]:
        return [(row.attempt, row.late_changes) for row in await self.rows(TriageRow)]

    async def change(self, **values: Any) -> None:
        async with self.db.write() as session:
            group = await session.get(GroupRow, 1)
            for name, value in values.items():
                setattr(group, name, value)


class UnreadableChanges(Changes):
    """The stored changes while the database does not answer in time."""

    async def since(self, service: str, since: datetime) -> list[Change]:
        raise QueryFailed("the changes could not be read")


async def _no_model() -> Investigator | None:
    return None


@pytest.fixture
async def duty(tmp_path: Path) -> AsyncIterator[Duty]:
    duty = Duty(f"sqlite+aiosqlite:///{tmp_path / 'app.db'}")
    await duty.open()
    await duty.fires()
    await duty.rank()
    yield duty
    await duty.close()


async def test_the_change_is_ranked_first_and_its_rollback_put_to_people_in_the_same_message(duty: Duty) -> None:
    before = await duty.shown()
    await duty.told()
    started = await duty.tick()

    after = await duty.shown()
    assert before.no_proposal.startswith("No action of the catalogue fits") and before.proposals == []
    assert started == ["AL-1"] and (after.attempt, after.for_late_change, after.no_proposal) == (2, True, "")
    assert after.hypotheses[0].change_id == "ci:v2"
    assert [proposal.ref for proposal in after.proposals] == ["AP-1"]
    assert [row.key for row in await duty.rows(MessageRow) if row.kind == "triage"] == ["triage:AL-1"]


async def test_one_change_brings_about_one_attempt_also_after_a_restart(duty: Duty) -> None:
    await duty.told("v2")
    await duty.tick()
    duty.late = LateChanges(duty.db, CATALOGUE, INFOS)

    assert await duty.tick() == []
    assert await duty.attempts() == [(1, []), (2, ["ci:v2"])]


async def test_an_attempt_that_could_not_read_the_changes_is_made_again(duty: Duty) -> None:
    duty.changes = UnreadableChanges(duty.db)
    await duty.told("v2")
    await duty.tick()
    unread = await duty.shown()
    duty.changes = Changes(duty.db)
    await duty.tick()

    assert "ci:v2" not in {cause.change_id for cause in unread.hypotheses}
    assert await duty.attempts() == [(1, []), (2, ["ci:v2"]), (3, ["ci:v2"])]
    assert (await duty.shown()).hypotheses[0].change_id == "ci:v2"
    assert await duty.tick() == []


async def test_changes_that_can_never_be_read_bring_about_no_endless_attempts(duty: Duty) -> None:
    duty.changes = UnreadableChanges(duty.db)
    await duty.told("v2")
    for _ in range(MAX_ATTEMPTS + 2):
        await duty.tick()

    assert len(await duty.attempts()) == 1 + MAX_ATTEMPTS


async def test_what_a_dead_process_did_not_start_the_next_one_finds(duty: Duty) -> None:
    await duty.told()
    duty.now += QUIET_PERIOD
    lost = await duty.late.due()

    assert await LateChanges(duty.db, CATALOGUE, INFOS).due() == lost != []


async def test_a_roll_out_of_several_services_is_one_attempt(duty: Duty) -> None:
    await duty.told("v2", "payments")
    assert await duty.tick(settle=False) == []
    duty.now += QUIET_PERIOD / 2
    await duty.told("v3")
    duty.now += QUIET_PERIOD / 2
    assert await duty.tick(settle=False) == []

    await duty.tick()

    assert await duty.attempts() == [(1, []), (2, ["ci:v2", "ci:v3"])]


async def test_while_a_proposal_stands_nothing_is_attempted_and_once_it_lapsed_something_is(duty: Duty) -> None:
    await duty.told("v2")
    await duty.tick()
    await duty.told("v3")
    assert await duty.tick() == []

    await duty.ended("AP-1", seconds=5)
    assert duty.now - NOW >= PROPOSAL_LIFE and await duty.state("AP-1") == "expired"

    assert await duty.tick() == ["AL-1"]


async def test_attempts_for_late_changes_are_counted_and_end(duty: Duty) -> None:
    duty.config.actions.clear()
    for number in range(MAX_ATTEMPTS + 2):
        await duty.told(f"v{number}")
        await duty.tick()

    assert len(await duty.attempts()) == 1 + MAX_ATTEMPTS


async def test_a_change_of_a_strange_service_or_after_the_onset_brings_about_nothing(duty: Duty) -> None:
    await duty.told("a", service="web")
    await duty.told("b", at=NOW)

    assert await duty.tick() == []


async def test_a_change_of_a_strange_service_counts_once_that_service_alerts_in_the_same_group(duty: Duty) -> None:
    await duty.told(service="web")
    assert await duty.tick() == []
    await duty.fires("web")

    assert await duty.tick() == ["AL-1"]


async def test_a_group_that_cleared_or_was_stopped_is_left_alone(duty: Duty) -> None:
    await duty.told()
    await duty.change(state=GroupState.MONITORING)
    assert await duty.tick() == []

    await duty.change(state=GroupState.FIRING)
    await Switches(duty.db).stop("AL-1", "mallory")
    assert await duty.tick() == []


async def test_the_further_attempt_answers_the_same_question_of_the_same_person(duty: Duty) -> None:
    await duty.engine.start("triage", "triage:AL-1:2", "AL-1", 2, "is it the cache?", "alice")
    await duty.engine.result("triage:AL-1:2")
    await duty.told()
    await duty.tick()

    row = await duty.triages.row("AL-1")
    assert row is not None
    assert (row.attempt, row.question, row.requester) == (3, "is it the cache?", "alice")

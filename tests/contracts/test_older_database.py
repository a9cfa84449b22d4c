"""A database of commit 713a39c goes on: journals, audit rows and stored JSON of then are read by the bot of now.

tests/recorded/at_713a39c was made by that commit's own code, which `tests/recorded/making.py` drove against the sandbox and
killed with SIGKILL:

    git worktree add <checkout> 713a39c && cd <checkout> && make install .venv/tests-installed
    PYTHONPATH=. .venv/bin/python <here>/tests/recorded/making.py <scratch folder> <here>/tests/recorded/at_713a39c

It holds one incident from its alerts to the postmortem (INC-1 on AL-1, an agent's triage, a rollback AP-1, two answered
questions, a frozen case), two proposals that wait for people (AP-2, AP-3), and six workflows that were cut off: a restart
that is verified (AP-4), one that is approved and not claimed (AP-5), a second draft, a third question, a triage in the middle
of the agent's tool calls (AL-2) and one in the middle of the analyst's (AL-3).

Here all five workflows that had ended lose their last step too, so that every recorded step of them is replayed. The analyst
of now makes tool calls that the one of then did not, so the journals of AL-1 and AL-2 fit no longer: AL-2 is ranked anew by a
second attempt, as after every upgrade that falls into a triage, and AL-1, which is over, is left as it stands.
"""

import asyncio
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from bot.console.incident_listing import print_incident
from bot.console.replaying import ReplayOptions, replay
from bot.settings import Secrets
from bot.store import audit
from tests.real import PATIENCE, wait_until
from tests.real.slack import COMMANDER
from tests.recorded.replaying import Recording, count, endings, into_a_new_workspace, revived, take_the_last_steps_back

pytestmark = pytest.mark.timeout(1800)

WAITING = {"remediation:AP-2", "remediation:AP-3"}
"""AL-2 and AL-3 began after AP-1 had taken the deploy of checkout back: their rankings put nothing to people."""
Json = dict[str, Any]


@dataclass
class Outcome:
    """What a user of the present bot finds in the old data."""

    secrets: Secrets
    taken_back: list[str]
    evidence_before: int
    """Of the incident that was over."""
    endings: dict[str, str]
    messages: dict[str, Json]
    groups: dict[str, Json]
    incident: Json
    proposals: dict[str, Json]
    jobs: list[tuple[str, str]]
    bad_audit_row: int | None

    def shown(self, key: str) -> str:
        return str(self.messages[key]["words"])

    def printed(self, command: Callable[[Console], None]) -> str:
        text = io.StringIO()
        command(Console(file=text, width=200))
        return text.getvalue()


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return asyncio.run(_play(Recording("713a39c"), tmp_path_factory.mktemp("older")))


async def _play(recording: Recording, folder: Path) -> Outcome:
    """Start the bot on the old data, let it go on, decide what waits for a decision, and look at all of it."""
    recording.restore(folder)
    into_a_new_workspace(folder)
    evidence = count(folder, "evidence WHERE group_id = 1")
    taken_back = take_the_last_steps_back(folder)
    async with revived(recording, folder) as bot:

        async def only(waiting: set[str]) -> bool:
            return await bot.unfinished() == waiting

        await wait_until(lambda: only(WAITING), 4 * PATIENCE)
        await bot.press(COMMANDER, "proposal:AP-2", "approve", reason="go")
        await bot.press(COMMANDER, "proposal:AP-3", "deny", reason="not now")
        await wait_until(lambda: only(set()), 4 * PATIENCE)
        for ref, state in {
            "AP-1": "SUCCEEDED",
            "AP-2": "SUCCEEDED",
            "AP-3": "DENIED",
            "AP-5": "SUCCEEDED",
        }.items():
            await bot.message(f"proposal:{ref}", state)
        for key in ("triage:AL-1", "triage:AL-2", "triage:AL-3"):
            await bot.message(key, "TRIAGED")
        await bot.message("postmortem:INC-1", "DRAFT 2")
        groups = {ref: await bot.get(f"groups/{ref}") for ref in ("AL-1", "AL-2", "AL-3")}
        found = {
            "messages": await bot.messages(),
            "groups": groups,
            "incident": await bot.get("incidents/INC-1"),
            "proposals": {f"AP-{n}": (await bot.get(f"proposals/AP-{n}"))["proposal"] for n in range(1, 6)},
            "jobs": [(job.action, job.service) for job in bot.world.jobs.executed],
            "bad_audit_row": await audit.verify(bot.app.db),
            "secrets": bot.app.secrets,
        }
    return Outcome(taken_back=taken_back, evidence_before=evidence, endings=endings(folder), **found)


# ---------------------------------------------------------------- journals


def test_every_workflow_that_was_cut_off_ends_as_its_journal_allows(outcome: Outcome) -> None:
    # What named nothing likely may be ranked once more by itself meanwhile.
    endings = {id: end for id, end in outcome.endings.items() if id not in ("triage:AL-2:3", "triage:AL-3:2", "triage:AL-3:3")}
    assert len(outcome.taken_back) == 5 and len(endings) == 14
    failed = {id: end for id, end in endings.items() if end != "SUCCESS"}

    assert set(failed) == {"triage:AL-1:1", "triage:AL-2:1"}
    assert all("JournalMismatch" in end for end in failed.values())


def test_only_the_open_triage_whose_journal_does_not_fit_is_begun_anew(outcome: Outcome) -> None:
    states = {(ref, t["attempt"]): t["state"] for ref, group in outcome.groups.items() for t in group["triages"]}

    assert [states[one] for one in (("AL-1", 1), ("AL-2", 2), ("AL-3", 1))] == ["done"] * 3
    assert ("AL-1", 2) not in states


def test_no_tool_call_and_no_job_that_was_recorded_is_repeated(outcome: Outcome) -> None:
    restarts = [("restart", service) for service in ("auth", "inventory", "search")]

    assert sorted(outcome.jobs) == [*restarts, ("rollback", "checkout")]
    assert len(outcome.groups["AL-1"]["evidence"]) == outcome.evidence_before


# ---------------------------------------------------------------- audit


def test_the_audit_chain_is_whole_after_rows_of_both_versions(outcome: Outcome) -> None:
    assert outcome.bad_audit_row is None


# ---------------------------------------------------------------- remediations


def test_a_remediation_that_was_watched_or_about_to_run_ends_well(outcome: Outcome) -> None:
    assert [outcome.proposals[ref]["state"] for ref in ("AP-1", "AP-4", "AP-5")] == ["succeeded"] * 3


def test_a_pending_proposal_can_be_approved_and_runs(outcome: Outcome) -> None:
    assert outcome.proposals["AP-2"]["state"] == "succeeded"
    assert "SUCCEEDED: Restart all pods of search" in outcome.shown("proposal:AP-2")


def test_a_pending_proposal_can_be_denied(outcome: Outcome) -> None:
    assert outcome.proposals["AP-3"]["state"] == "denied"
    assert "DENIED: Restart all pods of shipping" in outcome.shown("proposal:AP-3")


# ---------------------------------------------------------------- what stands in Slack


def test_the_cards_show_the_incidents_of_then(outcome: Outcome) -> None:
    assert "checkout · HighErrorRate" in outcome.shown("card:AL-1") and "*RESOLVED* by bob" in outcome.shown("card:AL-1")
    assert "recommendations · HighErrorRate" in outcome.shown("card:AL-2")
    assert "notifications · QueueBacklog" in outcome.shown("card:AL-3")


def test_a_triage_of_then_shows_its_cause_with_its_claims_and_graph(outcome: Outcome) -> None:
    shown = outcome.shown("triage:AL-1")

    assert "a deploy of checkout broke it" in shown and "a deploy came before it" in shown
    assert [block["type"] for block in outcome.messages["triage:AL-1"]["blocks"]].count("image") == 1


def test_the_agents_interrupted_triage_shows_what_it_found(outcome: Outcome) -> None:
    last = next(triage for triage in outcome.groups["AL-2"]["triages"] if triage["attempt"] == 2)

    assert last["findings"]["hypotheses"]
    assert "TRIAGED" in outcome.shown("triage:AL-2")


def test_both_drafts_of_the_postmortem_are_whole(outcome: Outcome) -> None:
    assert "DRAFT 2" in outcome.shown("postmortem:INC-1")
    assert "Roll back checkout: approved by bob" in outcome.shown("postmortem:INC-1")


def test_answers_of_then_stand_and_the_open_question_is_answered(outcome: Outcome) -> None:
    assert "a deploy of checkout came before it" in outcome.shown("answer:1")
    assert "yes, a deploy of checkout" in outcome.shown("answer:3")


# ---------------------------------------------------------------- the command line


def test_show_prints_timeline_causes_and_draft_of_then(outcome: Outcome) -> None:
    printed = outcome.printed(lambda console: print_incident(outcome.secrets, "INC-1", console))

    assert "INC-1  RESOLVED  SEV2  checkout" in printed and "customers were told" in printed
    assert "a deploy of checkout broke it" in printed and "## Impact" in printed


def test_show_prints_a_triage_that_was_cut_off(outcome: Outcome) -> None:
    printed = outcome.printed(lambda console: print_incident(outcome.secrets, "AL-3", console))

    assert "AL-3  FIRING" in printed and "Ranked causes:" in printed


def test_a_frozen_case_of_then_is_investigated_again_with_the_same_answer(outcome: Outcome) -> None:
    printed = outcome.printed(lambda console: replay(outcome.secrets, ReplayOptions("INC-1"), console))

    assert re.search(r"likely, a deploy of checkout broke it *│ not marked: likely, deploy 2.8.0 of checkout", printed)

"""The triage: facts in seconds, then ranked causes, then proposals.

The investigator runs in the story's body, so that each model call and each
tool call is a step of its own; everything else is a step here.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any, Protocol

from bot.core.alert import Severity
from bot.core.alerts.escalation import deserves_investigation
from bot.core.approvals.remedies import Fitted
from bot.core.config import Config
from bot.core.evidence import Case, Findings, nothing_wrong
from bot.core.investigation.triage_state import TriageState
from bot.core.verdict.merging import merge
from bot.core.verdict.reuse import FRESH, agrees, reused
from bot.core.verdict.verdict import judge
from bot.ports import Investigator, Run, Workflow
from bot.store.triage.triage import Triages
from bot.workflows.investigation.fact_collection import FactCollector

AT_ONCE = 2
"""Triages that gather and rank at the same time: a storm of groups must not keep the loop from showing the next card."""


class Proposer(Protocol):
    """Turns judged findings into a proposal, or says why not."""

    async def propose_fitting(self, group: str, findings: Findings, requester: str) -> Fitted: ...


class TriageSteps:
    """The steps of the triage, with their collaborators."""

    def __init__(self, triages: Triages, facts: FactCollector, proposer: Proposer, config: Config) -> None:
        self.triages = triages
        self.facts = facts
        self.proposer = proposer
        self.config = config

    async def open(self, ref: str, attempt: int, question: str, requester: str, late: Sequence[str]) -> Any:
        """The case as JSON, and whether it deserves ranked causes or facts alone."""
        case = await self.triages.open(ref, attempt, question, requester, late)
        asked = bool(requester or question)
        deep = asked or deserves_investigation(Severity(case.severity), self.config)
        return {"case": case.model_dump(mode="json"), "deep": deep}

    async def gather(self, case: dict[str, Any]) -> Any:
        """Find the facts and show them."""
        asked = Case.model_validate(case)
        facts = await self.facts.gather(asked)
        stored = facts.model_dump(mode="json")
        if await self.triages.update(asked.group, asked.attempt, facts=stored, state=TriageState.INVESTIGATING):
            await self.triages.say(asked.group, facts.onset_text, key=f"facts:{asked.group}:{asked.attempt}")
        return None

    async def skip(self, case: dict[str, Any]) -> Any:
        """Facts only: a person may press Investigate."""
        asked = Case.model_validate(case)
        await self.triages.update(asked.group, asked.attempt, state=TriageState.DONE, finished_at=self.triages.db.clock())
        return None

    async def within_budget(self, case: dict[str, Any]) -> Any:
        """Whether today's money allows a model; what this run may cost is set aside."""
        asked, budget, day = Case.model_validate(case), self.config.budget, timedelta(days=1)
        since = self.triages.db.clock() - day
        usd, limit = budget.most_of_a_run, budget.per_day_usd
        return await self.triages.reserve(asked.group, asked.attempt, usd, since=since, limit=limit)

    async def fresh(self, case: dict[str, Any], by_analyst: dict[str, Any]) -> Any:
        """The analyst's findings with a note, where a model lately answered the same alert alike; else None.

        A person who asks is always answered anew.
        """
        asked, ranked, now = Case.model_validate(case), Findings.model_validate(by_analyst), self.triages.db.clock()
        if asked.question or asked.requester:
            return None
        for ref, answered_at, findings in await self.triages.same_alert_since(asked.group, now - FRESH):
            answer = Findings.model_validate(findings or {})
            if answer.by == "agent" and agrees(answer, ranked):
                return reused(ranked, ref, answered_at, now).model_dump(mode="json")
        return None

    async def weigh(self, case: dict[str, Any], by_agent: dict[str, Any], by_analyst: dict[str, Any]) -> Any:
        """The agent's findings if the evidence carries any of them; else the analyst's stand and say why (`merge`)."""
        asked = Case.model_validate(case)
        ledger = await self.triages.entries(asked.group)
        answers = Findings.model_validate(by_agent), Findings.model_validate(by_analyst)
        return merge(*answers, asked, ledger, now=self.triages.db.clock()).model_dump(mode="json")

    async def show(self, case: dict[str, Any], findings: dict[str, Any], final: bool) -> Any:
        """Keep what the evidence carries and show it; the judged findings as JSON."""
        asked = Case.model_validate(case)
        ledger = await self.triages.entries(asked.group)
        judged = judge(Findings.model_validate(findings), ledger)
        values: dict[str, Any] = {"findings": judged.model_dump(mode="json")}
        if final:
            values |= {"usd": judged.usd, "state": TriageState.DONE, "finished_at": self.triages.db.clock()}
        if not await self.triages.update(asked.group, asked.attempt, **values):
            return Findings(note="A person stopped the investigation.").model_dump(mode="json")
        if final:
            first = judged.hypotheses[0] if judged.hypotheses else None
            text = f"First cause ({first.confidence}): {first.cause}" if first else "No cause was found"
            text = nothing_wrong(values["findings"]) or text
            cited = sorted({e for c in first.claims for e in c.evidence}) if first else []
            await self.triages.say(asked.group, text, key=f"findings:{asked.group}:{asked.attempt}", evidence=cited)
        return judged.model_dump(mode="json")

    async def propose(self, case: dict[str, Any], findings: dict[str, Any]) -> Any:
        """Put the remediation that fits to people; where there is none the message says why. The references."""
        asked = Case.model_validate(case)
        if await self.triages.stopped(asked.group, asked.attempt):
            return []
        fitted = await self.proposer.propose_fitting(asked.group, Findings.model_validate(findings), "")
        if fitted.why:
            await self.triages.update(asked.group, asked.attempt, no_proposal=fitted.why)
        return [fitted.ref] if fitted.ref else []


def triage(desk: TriageSteps, analyst: Investigator, agent: Callable[[], Awaitable[Investigator | None]]) -> Workflow:
    """The story `triage(ref, attempt, question, requester, late)`; `agent()` is None when no model is set."""
    # Held while we work, never while a model thinks. Timing only: a replay takes the same steps.
    # Apart, so that the facts of a new group do not wait for the rankings of old ones.
    gathering, ranking = asyncio.Semaphore(AT_ONCE), asyncio.Semaphore(AT_ONCE)

    async def story(run: Run, ref: str, attempt: int, question: str = "", requester: str = "", late: Sequence[str] = ()) -> Any:
        async with gathering:
            opened = await run.step("open the case", desk.open, ref, attempt, question, requester, list(late))
            case = opened["case"]
            await run.step("gather the facts", desk.gather, case)
        if not opened["deep"]:
            return await run.step("leave it at the facts", desk.skip, case)
        asked = Case.model_validate(case)
        async with ranking:
            ranked = await analyst.investigate(run, asked)
        model = await agent()
        if model is None:
            ranked = ranked.noted("No model is set up.")
        elif known := await run.step("look for a fresh answer", desk.fresh, case, ranked.model_dump(mode="json")):
            ranked = Findings.model_validate(known)
        elif await run.step("ask the budget", desk.within_budget, case):
            await run.step("show the first ranking", desk.show, case, ranked.model_dump(mode="json"), False)
            answer = await model.investigate(run, asked)
            both = answer.model_dump(mode="json"), ranked.model_dump(mode="json")
            ranked = Findings.model_validate(await run.step("weigh the answers", desk.weigh, case, *both))
        else:
            ranked = ranked.noted("Today's model budget is spent or set aside.")
        judged = await run.step("judge and show", desk.show, case, ranked.model_dump(mode="json"), True)
        return await run.step("propose what fits", desk.propose, case, judged)

    return story

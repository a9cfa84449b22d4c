"""The triage: facts in seconds, then ranked causes, then proposals.

The investigator runs in the workflow's body, so that each model call and each
tool call is a step of its own; everything else is a step here.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any, Protocol

from pydantic import BaseModel

from bot.core.alert import Severity
from bot.core.alerts.escalation import deserves_investigation
from bot.core.approvals.hints import Hint
from bot.core.approvals.remedies import OVER, Fitted
from bot.core.config import Config
from bot.core.evidence import Case, Claim, Findings, LedgerEntry, nothing_wrong, stored_findings, without_repeated
from bot.core.investigation.early_ranking import could_query_nothing
from bot.core.investigation.reuse import FRESH, agrees, answered_before, of_model, reused
from bot.core.investigation.triage_state import TriageState
from bot.core.questions.parsing.forms import wants_yes_or_no
from bot.core.questions.parsing.spelling import spelled_out
from bot.core.questions.yes_no.short_answers import short_answer
from bot.core.tool_calls import ToolRole, tool_for
from bot.core.verdict.merging import merge
from bot.core.verdict.verdict import judge
from bot.ports import Investigator, Run, Workflow
from bot.store.triage.attempts import is_over, shown_triage_of
from bot.store.triage.triage import Triages
from bot.workflows.investigation.analyst import call_name, ranked_again
from bot.workflows.investigation.fact_collection import FactCollector
from bot.workflows.investigation.learning import LeadRecord
from bot.workflows.investigation.question_checks import QuestionChecks
from bot.workflows.investigation.triage_order import TriageOrder


class Proposer(Protocol):
    """Turns judged findings into a proposal, or says why not."""

    async def propose_fitting(
        self, group: str, findings: Findings, hints: Sequence[Hint], ranked: Findings | None = None
    ) -> Fitted: ...


class OpenedCase(BaseModel):
    """The case of one attempt, and whether it deserves ranked causes or facts alone."""

    case: Case
    deep: bool
    has_facts: bool = False
    """The facts of an attempt before stand in the message: nobody waits for these."""


class TriageSteps:
    """The steps of the triage, with their collaborators."""

    def __init__(
        self,
        triages: Triages,
        facts: FactCollector,
        proposer: Proposer,
        config: Config,
        checks: QuestionChecks | None = None,
        leads: LeadRecord | None = None,
    ) -> None:
        """`checks`: what a person's question needs beside the investigation; `leads`: what became of earlier leads."""
        self.triages = triages
        self.facts = facts
        self.proposer = proposer
        self.config = config
        self.checks = checks
        self.leads = leads

    async def open(self, ref: str, attempt: int, question: str, requester: str, late: Sequence[str]) -> OpenedCase:
        """Record that the attempt began; its case."""
        case = await self.triages.open(ref, attempt, question, requester, late)
        if self.leads:
            case = case.model_copy(update={"graded_leads": await self.leads.newest()})
        requested = bool(requester or question)
        deep = requested or deserves_investigation(Severity(case.severity), self.config)
        shown = await shown_triage_of(self.triages.db, ref)
        return OpenedCase(case=case, deep=deep, has_facts=shown is not None and shown.attempt != attempt)

    async def gather(self, case: Case) -> None:
        """Find the facts and show them."""
        facts = await self.facts.gather(case)
        stored = facts.model_dump(mode="json")
        if await self.triages.update(case.group, case.attempt, facts=stored, state=TriageState.INVESTIGATING):
            await self.triages.add_entry(case.group, facts.onset_text, key=f"facts:{case.group}:{case.attempt}")

    async def skip(self, case: Case) -> None:
        """Facts only: a person may press Investigate."""
        await self.triages.update(case.group, case.attempt, state=TriageState.DONE, finished_at=self.triages.db.clock())

    async def reserve_budget(self, case: Case) -> bool:
        """Whether today's money allows a model; what this run may cost is set aside."""
        budget, since = self.config.budget, self.triages.db.clock() - timedelta(days=1)
        usd, limit = budget.most_of_a_run, budget.per_day_usd
        return await self.triages.reserve(case.group, case.attempt, usd, since=since, limit=limit)

    async def find_reusable_answer(self, case: Case, ranked: Findings, late: bool = False) -> Findings | None:
        """What makes it needless to ask a model now, else None: a person who asks is always answered anew.

        The analyst's findings with a note, where a model lately answered the same alert alike; with what it named besides
        where it answered earlier in this outage, and the same cause is first still. `late`: a change was reported that it did
        not hear of.
        """
        now = self.triages.db.clock()
        if case.question or case.requester:
            return None
        for ref, answered_at, findings in await self.triages.same_alert_since(case.group, now - FRESH):
            answer = stored_findings(findings) or Findings()
            if ref == case.group:
                if not late and answered_before(answer, ranked):
                    return await self._with_earlier_answer(case, answer, ranked)
                continue
            if answer.by == "agent" and agrees(answer, ranked):
                return reused(ranked, ref, answered_at, now)
        return None

    async def _with_earlier_answer(self, case: Case, earlier: Findings, ranked: Findings) -> Findings:
        """The ranking of now, merged with what a model named in an earlier attempt at the same outage."""
        named = of_model(earlier)
        findings = await self.weigh(case, named, ranked) if named.hypotheses else ranked
        return findings.noted("The model was asked in an attempt before, and the same cause is first still.")

    async def finish_with_earlier_answer(self, case: Case) -> bool:
        """End the attempt with what an earlier one of the outage has, if this one could query no metric; whether it did."""
        health = tool_for(self.facts.tools.infos, ToolRole.HEALTH)
        own, _ = await self.triages.ledger.attempt_entries(case.group, case.attempt, partial(call_name, case))
        blind = could_query_nothing(entry for entry in own if entry.tool == health)
        shown = await shown_triage_of(self.triages.db, case.group)
        if not blind or case.question or case.requester or shown is None or shown.attempt == case.attempt:
            return False
        findings = (stored_findings(shown.findings) or Findings()).model_copy(update={"usd": 0.0})
        note = "When they were ranked again the metrics did not answer."
        findings = findings if note in findings.note else findings.noted(note)
        values = {"findings": findings.model_dump(mode="json"), "facts": shown.facts, "no_proposal": shown.no_proposal}
        ended = {"state": TriageState.DONE, "finished_at": self.triages.db.clock()}
        await self.triages.update(case.group, case.attempt, **values, **ended)
        return True

    async def weigh(self, case: Case, by_agent: Findings, by_analyst: Findings) -> Findings:
        """Both answers merged. The analyst's covers what the agent recorded too: a run that fails loses none of it."""
        ledger = await self._ledger(case, by_agent.cited | by_analyst.cited)
        own, more = await self.triages.ledger.attempt_entries(case.group, case.attempt, partial(call_name, case))
        ranked = ranked_again(by_analyst, case, own, more)
        services = tuple(self.config.services)
        return merge(by_agent, ranked, case, ledger, now=self.triages.db.clock(), services=services)

    async def _ledger(self, case: Case, cited: Collection[str]) -> list[LedgerEntry]:
        """The evidence on what the case is about, without what this attempt looked at anew."""
        row, ledger = await self.triages.row(case.group, case.attempt), await self.triages.ledger.entries(case.group)
        return without_repeated(ledger, cited, since=row.started_at) if row else ledger

    async def show(self, case: Case, findings: Findings, final: bool) -> Findings:
        """Keep what the evidence carries and show it; the judged findings."""
        ledger = await self._ledger(case, findings.cited)
        # In a thread: long evidence must not keep the loop from acknowledging what comes meanwhile.
        judged = await asyncio.to_thread(judge, findings, ledger, case=case)
        if final and case.question:
            judged = await self._answered(case, judged)
        values: dict[str, Any] = {"findings": judged.model_dump(mode="json")}
        if final:
            values |= {"usd": judged.usd, "state": TriageState.DONE, "finished_at": self.triages.db.clock()}
        if not await self.triages.update(case.group, case.attempt, **values):
            return Findings(note="A person stopped the investigation.")
        if final:
            first = judged.first_cause
            text = f"First cause ({first.confidence_text}): {first.cause}" if first else "No cause was found"
            text = nothing_wrong(judged) or text
            cited = sorted({e for c in first.claims for e in c.evidence}) if first else []
            await self.triages.add_entry(case.group, text, key=f"findings:{case.group}:{case.attempt}", evidence=cited)
        return judged

    async def _answered(self, case: Case, findings: Findings) -> Findings:
        """The findings with yes, no or unknown to the question that the investigation was asked, if it is such a one."""
        if self.checks is None or not wants_yes_or_no(spelled_out(case.question)):
            return findings
        await self.checks.complete(case)
        facts = replace(await self.checks.questions.facts_of_group(case.group), findings=findings)
        short = await asyncio.to_thread(short_answer, case.question, facts)
        if short is None:
            return findings
        answer = Claim(text=f"{short.opening or f'{short.verdict.capitalize()}:'} {short.text}", evidence=short.evidence[:8])
        return findings.model_copy(update={"answer": answer, "answer_untrusted": short.untrusted})

    async def propose(self, case: Case, findings: Findings, ranked: Findings | None = None) -> list[str]:
        """Put the remediation that fits to people; where there is none, or all is over, the message says why. The references.

        `ranked`: what was found without a model.
        """
        newest = await self.triages.row(case.group)
        if await self.triages.stopped(case.group, case.attempt) or (newest and newest.attempt > case.attempt):
            return []
        if await is_over(self.triages.db, case.group):
            await self.triages.update(case.group, case.attempt, no_proposal=OVER.stored)
            return []
        hints = await self.triages.hints_of(case.group)
        fitted = await self.proposer.propose_fitting(case.group, findings, hints, ranked)
        if fitted.none:
            await self.triages.update(case.group, case.attempt, no_proposal=fitted.none.stored)
        return [fitted.ref] if fitted.ref else []


def triage(steps: TriageSteps, analyst: Investigator, agent: Callable[[], Awaitable[Investigator | None]]) -> Workflow:
    """The workflow `triage(ref, attempt, question, requester, late)`; `agent()` is None when no model is set."""
    # Held while we work, never while a model thinks.
    order = TriageOrder()

    async def workflow(
        run: Run, ref: str, attempt: int, question: str = "", requester: str = "", late: Sequence[str] = ()
    ) -> list[str]:
        async with AsyncExitStack() as turn:
            if attempt == 1:
                await turn.enter_async_context(order.gathering())
            opened = await run.step("open the case", steps.open, ref, attempt, question, requester, late)
            case = opened.case
            if attempt > 1:
                await turn.enter_async_context(order.ranking() if opened.has_facts else order.gathering())
            await run.step("gather the facts", steps.gather, case)
        if not opened.deep:
            await run.step("leave it at the facts", steps.skip, case)
            return []
        async with order.ranking():
            by_rules = ranked = await analyst.investigate(run, case)
        if opened.has_facts and await run.step("keep what was measured", steps.finish_with_earlier_answer, case):
            return []
        model = await agent()
        if model is None:
            ranked = ranked.noted("No model is set up.")
        elif (
            reusable := await run.step("look for a fresh answer", steps.find_reusable_answer, case, ranked, bool(late))
        ) is not None:
            ranked = reusable
        elif await run.step("ask the budget", steps.reserve_budget, case):
            await run.step("show the first ranking", steps.show, case, ranked, False)
            answer = await model.investigate(run, case)
            ranked = await run.step("weigh the answers", steps.weigh, case, answer, ranked)
        else:
            ranked = ranked.noted("Today's model budget is spent or set aside.")
        judged = await run.step("judge and show", steps.show, case, ranked, True)
        return await run.step("propose what fits", steps.propose, case, judged, by_rules)

    return workflow

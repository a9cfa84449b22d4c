"""Answers about all that is open: how each is now, who is on call for them, what they reach, and what changed lately."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from bot.core.approvals.roster import OnCallNow
from bot.core.evidence import LedgerEntry
from bot.core.questions import open_states
from bot.core.questions.answering import QuestionAnswer, answer
from bot.core.questions.broad_questions import BroadQuestion, broad_question
from bot.core.questions.open_states import IS_IT_OVER, MAX_NAMED, OpenState
from bot.core.questions.yes_no.verdicts import ShortAnswer, by_record, unknown
from bot.core.text.untrusted import counted
from bot.store.answers.questions import Questions
from bot.workflows.investigation.question_checks import QuestionChecks

OnCallOf = Callable[[str], Awaitable[OnCallNow]]
MAX_READ = 12
"""Groups whose current values are read for one question; those beyond are not confirmed."""
HOURS = 24
"""How far back changes are listed."""
WHAT_IS_AFFECTED = "what is affected?"


class BroadAnswers:
    """Answers by code alone: a model reads the record of one."""

    def __init__(self, questions: Questions, checks: QuestionChecks | None = None, on_call: OnCallOf | None = None) -> None:
        """`checks`: None where no tool may be called. `on_call`: who is on call for a service, None where no rota is read."""
        self.questions, self.checks, self.on_call = questions, checks, on_call

    async def answer(self, number: int, question: str, refs: Sequence[str]) -> QuestionAnswer:
        """The answer to question `number` about these, the worst first."""
        return (await self._answer(number, question, refs)).model_copy(update={"is_about_several": True})

    async def _answer(self, number: int, question: str, refs: Sequence[str]) -> QuestionAnswer:
        states = await self.questions.open_states(refs)
        match broad_question(question, ()):
            case BroadQuestion.OVER:
                return await self._whether_over(number, states)
            case BroadQuestion.FIRING:
                return QuestionAnswer(short=open_states.whether_firing(states))
            case BroadQuestion.ASSIGNED:
                return QuestionAnswer(short=open_states.whether_assigned(states))
            case BroadQuestion.ON_CALL:
                return QuestionAnswer(short=await self._on_call(states))
            case BroadQuestion.EXTENT:
                return QuestionAnswer(short=open_states.overview(states), notes=await self._reach(refs))
            case BroadQuestion.CHANGES:
                return await self._changes(number, question, refs)
            case _:
                return QuestionAnswer(short=open_states.overview(states))

    async def _whether_over(self, number: int, states: Sequence[OpenState]) -> QuestionAnswer:
        """Current values are read only where no alert fires: what fires is not over, whatever they say."""
        if any(state.fires for state in states):
            return QuestionAnswer(short=open_states.whether_over(states, ()))
        refs = [state.ref for state in states[:MAX_READ]]
        readings = await asyncio.gather(*(self._read(number, ref) for ref in refs))
        shorts = [(ref, short) for ref, (short, _) in zip(refs, readings, strict=True)]
        reread = [f"{ref} {id}" for ref, (_, ids) in zip(refs, readings, strict=True) for id in ids]
        notes = {ref: f"{short.lead} {short.text}" for ref, short in shorts if short}
        return QuestionAnswer(short=open_states.whether_over(states, shorts), notes=notes, reread=reread)

    async def _read(self, number: int, ref: str) -> tuple[ShortAnswer | None, list[str]]:
        """Whether one is over by its current values, and the evidence that was read for it."""
        ids = await self.checks.read_of(ref, IS_IT_OVER, number) if self.checks else []
        facts = await self.questions.facts_of(ref)
        return (await asyncio.to_thread(answer, IS_IT_OVER, facts)).short, ids

    async def _on_call(self, states: Sequence[OpenState]) -> ShortAnswer:
        if self.on_call is None:
            return by_record(unknown("no rota is read here"))
        services = list(dict.fromkeys(state.service for state in states))
        short = open_states.on_call([(service, await self.on_call(service)) for service in services[:MAX_NAMED]])
        if len(services) <= MAX_NAMED:
            return short
        others = counted(len(services) - MAX_NAMED, "more service")
        return short.model_copy(update={"text": f"{short.text}; not looked up for {others}"})

    async def _reach(self, refs: Sequence[str]) -> dict[str, str]:
        """What each of the worst reaches, as it was measured."""
        notes = {}
        for ref in refs[:MAX_NAMED]:
            short = (await asyncio.to_thread(answer, WHAT_IS_AFFECTED, await self.questions.facts_of(ref))).short
            if short:
                notes[ref] = f"{short.lead} {short.text}"
        return notes

    async def _changes(self, number: int, question: str, refs: Sequence[str]) -> QuestionAnswer:
        """The changes of the last hours on any service, which are the same whichever group they are asked of."""
        listing = await self._list_changes(number, refs)
        if listing is None:
            return QuestionAnswer(short=by_record(unknown("the changes were not checked")))
        ref, entry = listing
        facts = await self.questions.facts_of(ref)
        of_list = replace(facts, ledger=[entry], findings=None, timeline=(), onset="", proposals=(), proposal_records=())
        by_list = await asyncio.to_thread(answer, question, of_list)
        return by_list.model_copy(update={"evidence_of": ref, "reread": [f"{ref} {entry.id}"]})

    async def _list_changes(self, number: int, refs: Sequence[str]) -> tuple[str, LedgerEntry] | None:
        """The list, and the group in whose evidence it is kept; None where no tool lists changes."""
        if self.checks is None:
            return None
        for ref in refs:
            if entry := await self.checks.changes_of(ref, number, HOURS):
                return ref, entry
        return None

"""A question about an incident: answered at once from what was recorded, then, where a model is set up, by its reading of it.

Tools are called only for a question about now, which gets the current values; `investigate` calls all others. Nothing is
done: remediations are put to people.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

from bot.core.approvals import in_force
from bot.core.config import Config
from bot.core.questions.answering import ModelAnswer, QuestionAnswer, answer, with_model_answer
from bot.core.questions.parsing.forms import wants_on_call
from bot.core.questions.parsing.spelling import spelled_out
from bot.core.questions.yes_no.people_answers import on_call_service
from bot.core.text.moments import date_to_the_minute
from bot.ports import Engine, Reader, Run, Workflow
from bot.store.answers.questions import Questions
from bot.store.triage.triage import Triages
from bot.workflows.investigation.broad_answers import BroadAnswers, OnCallOf
from bot.workflows.investigation.question_checks import QuestionChecks


class QuestionSteps:
    """The steps of an answer, with their collaborators."""

    def __init__(
        self,
        questions: Questions,
        triages: Triages,
        config: Config,
        checks: QuestionChecks | None = None,
        on_call: OnCallOf | None = None,
    ) -> None:
        """`checks`: None where no tool may be called. `on_call`: who is on call for a service, None where no rota is read."""
        self.on_call = on_call
        self.broad = BroadAnswers(questions, checks, on_call)
        self.questions = questions
        self.triages = triages
        self.config = config
        self.checks = checks

    async def answer_by_code(self, number: int, note: str, final: bool) -> QuestionAnswer:
        """Answer by code alone, from the record and from the current values where it asks for now; show the answer."""
        row = await self.questions.row(number)
        if row.refs:
            about_all = await self.broad.answer(number, row.text, row.refs)
            await self.questions.answer(number, about_all, final=True)
            return about_all
        reread = await self.checks.read_anew(number, row.text) if self.checks else []
        facts = await self.questions.answer_facts(number)
        facts = replace(facts, holds=[*(facts.holds or ()), *self._freezes(facts.own_service)])
        if self.on_call and wants_on_call(spelled_out(row.text)):
            facts = replace(facts, on_call=await self.on_call(on_call_service(row.text, facts)))
        # In a thread: a long ledger takes tens of milliseconds.
        by_code = (await asyncio.to_thread(answer, row.text, facts)).model_copy(update={"note": note, "reread": reread})
        await self.questions.answer(number, by_code, final=final)
        return by_code

    def _freezes(self, service: str) -> list[str]:
        """The freezes that cover a service now, in words."""
        now = self.triages.db.clock()
        return [
            f"changes are frozen until {date_to_the_minute(freeze.ends)} ({freeze.reason}), but for a rollback in a SEV1/2"
            for freeze in in_force.freezes(self.config)
            if freeze.starts <= now < freeze.ends and (not freeze.services or service in freeze.services)
        ]

    async def reserve_budget(self, number: int) -> bool:
        """Whether today's money allows a model; what the answer may cost is set aside: ten may ask at once."""
        budget, since = self.config.budget, self.triages.db.clock() - timedelta(days=1)
        return await self.questions.reserve(number, budget.most_of_a_run, since=since, limit=budget.per_day_usd)

    async def judge(self, number: int, by_code: QuestionAnswer, by_model: ModelAnswer) -> QuestionAnswer:
        """Show what of the model's answer the evidence carries; if nothing is, the answer of the code stands and says so."""
        facts = await self.questions.answer_facts(number)
        row = await self.questions.row(number)
        best = await asyncio.to_thread(with_model_answer, by_code, by_model, facts, row.text)
        await self.questions.answer(number, best, final=True)
        return best


def question(steps: QuestionSteps, reader: Callable[[], Awaitable[Reader | None]]) -> Workflow:
    """The workflow `question(number)`; `reader()` is None when no model is set up."""

    async def workflow(run: Run, number: int) -> QuestionAnswer:
        model = await reader()
        if model is None:
            return await run.step("answer from the record", steps.answer_by_code, number, "No model is set up.", True)
        if not await run.step("ask the budget", steps.reserve_budget, number):
            spent = "Today's model budget is spent or set aside."
            return await run.step("answer from the record", steps.answer_by_code, number, spent, True)
        waiting = "A model reads the evidence; what it adds will stand here."
        by_code = await run.step("answer from the record", steps.answer_by_code, number, waiting, False)
        if by_code.is_about_several:
            return by_code
        by_model = await model.read(run, number)
        return await run.step("judge and show", steps.judge, number, by_code, by_model)

    return workflow


async def start_unanswered(questions: Questions, engine: Engine) -> None:
    """Start the workflow of each question that has no answer; harmless for those that run already."""
    for number in await questions.unanswered():
        await start(engine, number)


async def start(engine: Engine, number: int, attempt: int = 1) -> None:
    """Start the workflow of one question; a second start attaches to the first."""
    await engine.start("question", f"question:{number}:{attempt}", number)

"""A model's answer to one question from the recorded evidence. It looks at nothing new; code judges what it says."""

import asyncio
import json
from collections.abc import Iterable, Sequence

from langchain.agents import create_agent
from langchain.agents.structured_output import ToolStrategy
from langchain_core.language_models import BaseChatModel
from langgraph.errors import GraphRecursionError
from pydantic import BaseModel, ConfigDict, Field

from bot.core.config import Budget
from bot.core.evidence import Claim
from bot.core.questions.answer_facts import AnswerFacts
from bot.core.questions.answering import ModelAnswer, most_relevant_first
from bot.core.redaction.inventory import names_in
from bot.core.redaction.prompt_leak import PromptLeak
from bot.core.redaction.pseudonyms import Name, Pseudonyms
from bot.llm.calling import Caller, ModelDown
from bot.llm.langchain_adjustments import describe_schema_errors
from bot.llm.middleware.durable import Durable, no_look
from bot.llm.middleware.limits import Limits
from bot.llm.middleware.names import Names
from bot.llm.middleware.secrets import Secrets
from bot.llm.results import as_data
from bot.llm.spending import Spending
from bot.ports import Run
from bot.store.answers.questions import Questions
from bot.store.triage.triage import Heard
from prompts import prompt

MAX_EVIDENCE = 48_000
"""Characters of evidence in the one request."""
ASKED = 2
"""Calls for one answer: a second only if the first had not the wanted form."""


class Reply(BaseModel):
    """The claims that answer the question; empty if the evidence does not speak about it."""

    model_config = ConfigDict(extra="forbid")

    claims: list[Claim] = Field(max_length=4)


class EvidenceReader:
    """One model call per question, through the same layers as an investigation's."""

    def __init__(
        self,
        model: BaseChatModel,
        caller: Caller,
        budget: Budget,
        questions: Questions,
        inventory: Sequence[Name] | None = None,
    ) -> None:
        """`inventory`: names that are not to leave, besides those of the incident; None if names are not masked."""
        self.model = model
        self.inventory = inventory
        self.caller = caller
        self.budget = budget.model_copy(update={"per_run_steps": min(ASKED, budget.per_run_steps)})
        self.questions = questions
        self.echo = PromptLeak([prompt("question").render()])

    async def read(self, run: Run, question: int, name: str) -> ModelAnswer:
        """What the model says; `name` is the model's, for when it never answers."""
        spending = Spending(self.budget, model=name)
        opening = await run.step("brief the reader", self._brief, question)
        durable = Durable(run, no_look, self.caller, spending, _nobody_heard, name="reader")
        graph = create_agent(
            self.model,
            [],
            system_prompt=prompt("question").render(),
            middleware=[Secrets(), Limits(spending), durable, *self._names(question)],
            response_format=ToolStrategy(Reply, handle_errors=describe_schema_errors),
        )
        try:
            result = await graph.ainvoke({"messages": [{"role": "user", "content": opening}]}, {"recursion_limit": 10})
        except (ModelDown, GraphRecursionError) as down:
            return _told([], spending, str(down) if isinstance(down, ModelDown) else "the model went round in circles")
        said = result.get("structured_response")
        if not isinstance(said, Reply):
            return _told([], spending, "the model gave no structured answer")
        claims = [claim.model_copy(update={"text": self.echo.without(claim.text)}) for claim in said.claims]
        return _told(claims, spending, "answered")

    def _names(self, question: int) -> list[Names]:
        """The middleware that stands next to the model, if names are masked."""
        inventory = self.inventory
        if inventory is None:
            return []

        async def known() -> Pseudonyms:
            row, material = await self.questions.row(question), await self.questions.material(question)
            asked = [Name("person", row.asked_by)]
            told = [Name("person", entry.who) for entry in material.timeline if entry.who]
            case = names_in(material.case, material.ledger) if material.case else []
            return Pseudonyms([*inventory, *asked, *told, *case])

        return [Names(known)]

    async def _brief(self, question: int) -> str:
        row = await self.questions.row(question)
        material = await self.questions.material(question)
        # In a thread: a long ledger would hold up all else that runs.
        lines = await asyncio.to_thread(_evidence, row.text, material)
        return prompt("question_case").render(question=json.dumps(row.text, ensure_ascii=False), evidence=lines or "none")


def _evidence(asked: str, material: AnswerFacts) -> str:
    """As much as there is room for, what speaks about the question first."""
    return _within(as_data(entry.id, entry.evidence) for entry in most_relevant_first(asked, material))


def _within(lines: Iterable[str]) -> str:
    """Whole lines for as long as there is room."""
    kept, left = [], MAX_EVIDENCE
    for line in lines:
        if len(line) < left:
            kept.append(line)
            left -= len(line) + 1
    return "\n".join(kept)


def _told(claims: Sequence[Claim], spending: Spending, reason: str) -> ModelAnswer:
    return ModelAnswer(
        claims=list(claims),
        model=spending.model,
        stop_reason=reason,
        tokens=spending.tokens,
        usd=round(spending.usd, 4),
        seconds=round(spending.seconds, 2),
    )


async def _nobody_heard() -> Heard:
    """A question is one short call that a person asked for, also after a stop of the investigation."""
    return Heard(stopped=False, hints=())

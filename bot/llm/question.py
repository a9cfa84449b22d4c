"""A model's answer to one question from the recorded evidence. It runs no queries; code checks what it claims."""

import asyncio
import json
from collections.abc import Iterable, Sequence

from langchain.agents import create_agent
from langchain.agents.structured_output import ToolStrategy
from langchain_core.language_models import BaseChatModel
from langgraph.errors import GraphRecursionError
from pydantic import BaseModel, ConfigDict, Field

from bot.core.config.budget import Budget
from bot.core.evidence import Claim
from bot.core.questions.answer_facts import AnswerFacts
from bot.core.questions.answering import ModelAnswer, most_relevant_first
from bot.core.questions.yes_no.verdicts import Verdict
from bot.core.redaction.inventory import names_in
from bot.core.redaction.prompt_leak import PromptLeak
from bot.core.redaction.pseudonyms import Name, Pseudonyms
from bot.llm.calling import Caller, ModelDown
from bot.llm.langchain_adjustments import describe_schema_errors
from bot.llm.middleware.durable import Durable, unknown_tool
from bot.llm.middleware.limits import Limits
from bot.llm.middleware.names import Names
from bot.llm.middleware.nudge import Nudge
from bot.llm.middleware.secrets import Secrets
from bot.llm.request_size import MAX_EVIDENCE
from bot.llm.results import as_data, sent_bytes
from bot.llm.spending import Spending
from bot.ports import Run
from bot.store.answers.questions import Questions
from bot.store.triage.triage import InputSinceStart
from prompts import prompt

MAX_CALLS = 2
"""Calls for one answer: a second only if the first had not the wanted form."""


class Reply(BaseModel):
    """The claims that answer the question; empty if the evidence does not speak about it."""

    model_config = ConfigDict(extra="forbid")

    verdict: Verdict = Field(
        default=Verdict.UNKNOWN, description="Yes or no, if the question wants one and the evidence decides it; else unknown"
    )
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
        max_evidence: int = MAX_EVIDENCE,
    ) -> None:
        """`inventory`: names that are masked, besides those of the incident; None if names are not masked. `max_evidence`:
        bytes of it, as sent.
        """
        self.model = model
        self.inventory = inventory
        self.caller = caller
        self.budget = budget.model_copy(update={"per_run_steps": min(MAX_CALLS, budget.per_run_steps)})
        self.questions = questions
        self.max_evidence = max_evidence
        self.prompt_leak = PromptLeak([prompt("question").render()])

    async def read(self, run: Run, question: int, name: str) -> ModelAnswer:
        """What the model answers; `name` is the model's, for when it never answers."""
        spending = Spending(self.budget, model=name)
        opening = await run.step("brief the reader", self._brief, question)
        durable = Durable(run, unknown_tool, self.caller, spending, _no_input, name="reader")
        graph = create_agent(
            self.model,
            [],
            system_prompt=prompt("question").render(),
            middleware=[Nudge(spending, Reply.__name__), Secrets(), Limits(spending), durable, *self._names(question)],
            response_format=ToolStrategy(Reply, handle_errors=describe_schema_errors),
        )
        try:
            result = await graph.ainvoke({"messages": [{"role": "user", "content": opening}]}, {"recursion_limit": 10})
        except (ModelDown, GraphRecursionError) as down:
            return _result(
                [], spending, str(down) if isinstance(down, ModelDown) else "the model repeated itself without an answer"
            )
        answer = result.get("structured_response")
        if not isinstance(answer, Reply):
            return _result([], spending, "the model gave no structured answer")
        claims = [claim.model_copy(update={"text": self.prompt_leak.without(claim.text)}) for claim in answer.claims]
        return _result(claims, spending, "answered").model_copy(update={"verdict": answer.verdict})

    def _names(self, question: int) -> list[Names]:
        """The middleware that stands next to the model, if names are masked."""
        inventory = self.inventory
        if inventory is None:
            return []

        async def pseudonyms() -> Pseudonyms:
            row, facts = await self.questions.row(question), await self.questions.answer_facts(question)
            requester = [Name("person", row.requester)]
            people = [Name("person", entry.who) for entry in facts.timeline if entry.who]
            case = names_in(facts.case, facts.ledger) if facts.case else []
            return Pseudonyms([*inventory, *requester, *people, *case])

        return [Names(pseudonyms)]

    async def _brief(self, question: int) -> str:
        row = await self.questions.row(question)
        facts = await self.questions.answer_facts(question)
        # In a thread: a long ledger would hold up all else that runs.
        lines = await asyncio.to_thread(_evidence, row.text, facts, self.max_evidence)
        return prompt("question_case").render(question=json.dumps(row.text, ensure_ascii=False), evidence=lines or "none")


def _evidence(question: str, facts: AnswerFacts, most: int) -> str:
    """As much as there is room for, what is about the question first."""
    return _within((as_data(entry.id, entry.evidence) for entry in most_relevant_first(question, facts)), most)


def _within(lines: Iterable[str], most: int) -> str:
    """Whole lines for as long as there is room."""
    chosen, left = [], most
    for line in lines:
        if (size := sent_bytes(line)) < left:
            chosen.append(line)
            left -= size + 1
    return "\n".join(chosen)


def _result(claims: Sequence[Claim], spending: Spending, reason: str) -> ModelAnswer:
    return ModelAnswer(
        claims=list(claims),
        model=spending.model,
        stop_reason=reason,
        tokens=spending.tokens,
        usd=round(spending.usd, 4),
        seconds=round(spending.seconds, 2),
    )


async def _no_input() -> InputSinceStart:
    """A question is one short call that a person asked for, also after a stop of the investigation."""
    return InputSinceStart(stopped=False, hints=())

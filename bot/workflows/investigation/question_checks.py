"""Tool calls that a person's question needs beyond what was recorded, made and recorded like all others."""

import asyncio
from collections.abc import Sequence

from bot.core.evidence import Case, LedgerEntry
from bot.core.questions.answer_facts import AnswerFacts
from bot.core.questions.checks import ToolCall, current_calls, missing_calls
from bot.core.tool_calls import ToolRole, tool_for
from bot.store.answers.questions import Questions
from bot.workflows.investigation.tool_running import ToolRunner

SECONDS = 5.0
"""Limit of each call: the person waits for the answer."""


class QuestionChecks:
    """Makes them all at once, within some seconds."""

    def __init__(self, questions: Questions, tool_runner: ToolRunner) -> None:
        self.questions = questions
        self.tool_runner = tool_runner

    async def read_anew(self, number: int, text: str) -> list[str]:
        """Read the current values where a question asks how things are now; the ids of what was read."""
        return await self._read(await self.questions.answer_facts(number), number, text)

    async def read_of(self, ref: str, text: str, number: int) -> list[str]:
        """The same of one of those that question `number` is about."""
        return await self._read(await self.questions.facts_of(ref), number, text)

    async def changes_of(self, ref: str, number: int, hours: int) -> LedgerEntry | None:
        """List the changes of all services in the last hours for question `number`; None without a group or a tool for it."""
        facts = await self.questions.facts_of(ref)
        tool = tool_for(facts.tools, ToolRole.CHANGES)
        if facts.case is None or tool not in facts.tools:
            return None
        (entry,) = await self._make(facts.case, [(tool, {"service": "", "hours": hours})], f"question:{number}")
        return entry

    async def _read(self, facts: AnswerFacts, number: int, text: str) -> list[str]:
        if facts.case is None:
            return []
        return [entry.id for entry in await self._make(facts.case, current_calls(text, facts), f"question:{number}")]

    async def complete(self, case: Case) -> None:
        """Check what tells something of the subject of an investigation's question and was not checked yet."""
        facts = await self.questions.facts_of_group(case.group)
        calls = [*missing_calls(case.question, facts, case), *current_calls(case.question, facts)]
        await self._make(case, calls, f"asked:{case.attempt}")

    async def _make(self, case: Case, calls: Sequence[ToolCall], key: str) -> list[LedgerEntry]:
        return list(
            await asyncio.gather(*(self.tool_runner.call(case, tool, arguments, key, SECONDS) for tool, arguments in calls))
        )

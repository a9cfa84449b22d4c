"""The same incidents asked of a model: the live agent after the analyst, with the same tools in the same recorded world."""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from bot.adapters import agent_of
from bot.core.config import Config
from bot.core.evidence import Case, Findings
from bot.core.history.frozen_cases import FrozenCase
from bot.core.history.past_incidents import ConfirmedCause
from bot.core.verdict.merging import merge
from bot.core.verdict.verdict import judge
from bot.engine.direct import DirectRun
from bot.llm.settings import ModelSettings
from bot.store.answers.questions import Questions
from bot.store.triage.replays import ReplayDatabase
from bot.workflows.investigation.analyst import Analyst, call_name, ranked_again
from bot.workflows.investigation.tool_running import ToolRunner
from tests.evaluation import world as worlds
from tests.evaluation.world import Investigation, World


@dataclass
class ModelComparison:
    """Answers in the analyst's place, and counts what that cost.

    The agent's answer stands alone, also where it is empty; `merged` holds what the product shows of both, in the same order.
    """

    model: ModelSettings
    config: Config = field(default_factory=Config)
    found: list[Findings] = field(default_factory=list)
    merged: list[Investigation] = field(default_factory=list)

    async def ask(self, world: World, first: Investigation) -> Investigation:
        """What the model says of an incident that the analyst has ranked."""
        with tempfile.TemporaryDirectory() as folder:
            async with ReplayDatabase(Path(folder)) as stage:
                triages, asked = await stage.set(_frozen(first))
                tool_runner = ToolRunner(triages, worlds.TOOLS, lambda case: worlds.context(world, case, first.now))
                run = DirectRun(asked.group, clock=lambda: first.now)
                # As in a live triage: the model is told the analyst's ranking and finds its evidence recorded.
                ranked = await Analyst(
                    tool_runner.for_case,
                    tool_runner.infos,
                    has_traces=world.traces is not None,
                    has_code=world.code is not None,
                ).investigate(run, asked)
                await triages.update(asked.group, asked.attempt, findings=ranked.model_dump(mode="json"))
                services = list(world.catalogue.services)
                questions = Questions(triages.db, services, tool_runner.infos)
                agent: Any = agent_of(self.model, self.config, tool_runner, triages, questions, services)
                answer = await agent.investigate(run, asked)
                ledger = await triages.ledger.entries(asked.group)
                self.found.append(judge(answer, ledger, group=asked.group))
                # As a live triage merges and judges them.
                own, more = await triages.ledger.attempt_entries(asked.group, asked.attempt, partial(call_name, asked))
                again = ranked_again(ranked, asked, own, more)
                both = judge(
                    merge(answer, again, asked, ledger, now=first.now, services=services), ledger, group=asked.group, case=asked
                )
                self.merged.append(Investigation(first.case, first.now, ledger, both))
                return Investigation(first.case, first.now, ledger, self.found[-1])

    def in_words(self) -> str:
        """How many were asked, how they ended, and what it took."""
        if not self.found:
            return "no incident of this set is investigated: there was nothing to ask a model"
        ends = ", ".join(f"{n} x {why}" for why, n in Counter(one.stop_reason for one in self.found).most_common())
        tokens, usd = sum(one.tokens for one in self.found), sum(one.usd for one in self.found)
        seconds = sum(one.seconds for one in self.found) / len(self.found)
        return f"{len(self.found)} asked: {ends}; {tokens} tokens, ${usd:.2f}, {seconds:.1f} s each"


@contextmanager
def answering_merged(second: ModelComparison) -> Iterator[None]:
    """Within it the investigations of a set that was asked before end with both answers merged; no model is asked again."""
    recorded = iter(second.merged)

    def answer(_world: World, first: Investigation) -> Investigation:
        investigation = next(recorded)
        assert investigation.case == first.case, "a set investigates its incidents in the same order each time"
        return investigation

    token = worlds.SECOND_ANSWER.set(answer)
    try:
        yield
    finally:
        worlds.SECOND_ANSWER.reset(token)


@contextmanager
def answering(second: ModelComparison) -> Iterator[None]:
    """Within it every investigation of a set ends with the model's answer. One loop for all: the client keeps connections."""
    with asyncio.Runner() as runner:
        token = worlds.SECOND_ANSWER.set(lambda world, first: runner.run(second.ask(world, first)))
        try:
            yield
        finally:
            worlds.SECOND_ANSWER.reset(token)


def _frozen(first: Investigation) -> FrozenCase:
    """The shape that a stage is set with; nobody has said what it was."""
    nobody = ConfirmedCause(text="", confirmed_by="", at=first.now)
    asked: Case = first.case
    entries = tuple(entry.model_copy(update={"at": first.now}) for entry in first.ledger)
    return FrozenCase(ref=asked.group, case=asked, entries=entries, findings=first.findings, confirmed=nobody, at=first.now)

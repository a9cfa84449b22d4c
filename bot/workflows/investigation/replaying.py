"""Replay: a frozen case investigated again, by the live analyst and agent; only what the tools see is the recording."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from functools import wraps
from inspect import Parameter, signature
from typing import NoReturn

from bot.core.errors import QueryFailed
from bot.core.evidence import Case, Evidence, Findings
from bot.core.history.frozen_cases import FrozenCase
from bot.core.service import Catalogue
from bot.core.text.untrusted import one_line
from bot.core.tool_calls import ToolRole, failure_reason, tool_for
from bot.core.verdict.verdict import judge
from bot.plugins import Tool, ToolContext
from bot.ports import Investigator, Run
from bot.store.answers.questions import Questions
from bot.store.triage.replays import ReplayDatabase
from bot.store.triage.triage import Triages
from bot.workflows.investigation.analyst import Analyst
from bot.workflows.investigation.tool_running import ToolRunner

NewRun = Callable[[str, datetime], Run]
"""A run without a journal whose clock stands at the given moment."""
MakeAgent = Callable[[ToolRunner, Triages, Questions, list[str]], Investigator]
MAX_HINTS = 6


class Replay:
    """Investigates frozen cases offline. `stage` is a database of its own: nothing is written to the real one."""

    def __init__(self, stage: ReplayDatabase, tools: Mapping[str, Tool], new_run: NewRun) -> None:
        self.stage = stage
        self.tools = tools
        self.new_run = new_run

    async def analyst(self, case: FrozenCase) -> Findings:
        """The built-in analyst's answer, judged as the live one is."""
        triages, new_case = await self.stage.set(case)
        findings = await self._ranked(case, new_case, self._runner(case, triages))
        return judge(findings, await triages.ledger.entries(new_case.group), case=new_case)

    async def agent(self, case: FrozenCase, make: MakeAgent) -> Findings:
        """A model's answer; it gets the analyst's ranking first, as in a live triage."""
        triages, new_case = await self.stage.set(case)
        runner = self._runner(case, triages)
        ranked = await self._ranked(case, new_case, runner)
        await triages.update(new_case.group, new_case.attempt, findings=ranked.model_dump(mode="json"))
        services = services_of(case)
        model = make(runner, triages, Questions(triages.db, services, runner.infos), services)
        answer = await model.investigate(self._run(case, "agent"), new_case)
        return judge(answer, await triages.ledger.entries(new_case.group), case=new_case)

    def _runner(self, case: FrozenCase, triages: Triages) -> ToolRunner:
        return ToolRunner(triages, recorded_tools(self.tools, case), _context(case))

    async def _ranked(self, case: FrozenCase, new_case: Case, runner: ToolRunner) -> Findings:
        has_traces = bool(case.recorded_arguments(tool_for(runner.infos, ToolRole.CALL_WAITS)))
        has_code = bool(case.recorded_arguments(tool_for(runner.infos, ToolRole.CODE)))
        has_cluster = bool(case.recorded_arguments(tool_for(runner.infos, ToolRole.WORKLOAD)))
        analyst = Analyst(runner.for_case, runner.infos, has_traces=has_traces, has_code=has_code, has_cluster=has_cluster)
        return await analyst.investigate(self._run(case, "analyst"), new_case)

    def _run(self, case: FrozenCase, who: str) -> Run:
        return self.new_run(f"replay:{case.ref}:{who}", case.moment)


def recorded_tools(tools: Mapping[str, Tool], case: FrozenCase) -> dict[str, Tool]:
    """The same tools to whoever calls them; each answers from the case what it saw then, or that this was not recorded."""
    return {name: Tool(name, _recorded(tool.fn, name, case), info=tool.info) for name, tool in tools.items()}


def _recorded(fn: Callable[..., Awaitable[Evidence]], name: str, case: FrozenCase) -> Callable[..., Awaitable[Evidence]]:
    shape = signature(fn)
    defaults = {n: p.default for n, p in shape.parameters.items() if p.default is not Parameter.empty}

    @wraps(fn)
    async def answer(ctx: ToolContext, **arguments: object) -> Evidence:
        shape.bind(ctx, **arguments)
        if (recorded := case.answer(name, arguments, defaults)) is not None:
            if not recorded.ok:
                raise QueryFailed(failure_reason(recorded.summary))
            return recorded
        hints = "; ".join(case.recorded_arguments(name)[:MAX_HINTS]) or "nothing"
        raise QueryFailed(f"not recorded in {case.ref}; recorded of {name}: {one_line(hints, 400)}")

    return answer


def services_of(case: FrozenCase) -> list[str]:
    """The services that the recording names: what a tool may be called for."""
    services = {str(entry.arguments.get("service") or "") for entry in case.entries}
    return sorted((services | {case.case.service}) - {""})


def _context(case: FrozenCase) -> Callable[[Case], ToolContext]:
    """Recorded tools read nothing of it but the moment and the case."""
    return lambda new_case: ToolContext(
        now=case.moment, case=new_case, catalogue=Catalogue([]), changes=_Nothing(), alerts=_Nothing()
    )


class _Nothing:
    """A reader that must not be used: all answers come from the recording."""

    async def since(self, service: str, since: datetime) -> NoReturn:
        raise QueryFailed("not part of the recording")

    async def active(self, service: str = "") -> NoReturn:
        raise QueryFailed("not part of the recording")

    async def earlier(self, before: datetime) -> NoReturn:
        raise QueryFailed("not part of the recording")

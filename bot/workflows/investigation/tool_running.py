"""One tool call: the boundary where a failing tool becomes "could not check" and evidence gets its id."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache, partial
from inspect import Signature, signature

import structlog

from bot.core.errors import InvalidQuery, NothingMeasured, QueryFailed
from bot.core.evidence import Case, Evidence, LedgerEntry
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.investigation.gaps import BY_PEOPLE
from bot.core.redaction.redaction import redact_all
from bot.core.redaction.screening import redact_each, redact_json
from bot.core.text.untrusted import cut, one_line
from bot.core.tool_calls import ToolRole, Tools, could_not_check, describe_call
from bot.plugins import Tool, ToolContext
from bot.plugins.tools import Function
from bot.store.triage.attempts import measured_onset
from bot.store.triage.triage import Triages

log = structlog.get_logger(__name__)
TOOL_SECONDS = 10.0
"""Limit of one tool call."""
MAX_DETAILS, MAX_STORED = 1_000, 128_000
"""Lines and characters kept of one finding's details; a model is shown head and tail and reads on from there."""
MAX_LINE = 4_000
"""Characters of one line: a longer one becomes several, so that each can be read by its number."""

REUSE_WITHIN = timedelta(minutes=5)
"""So long an answer of a tool is new enough for a model: the analyst asked shortly before it."""
READ_ANEW = frozenset({ToolRole.CURRENT, ToolRole.ALERTS})

FLOOD = 10_000
"""Characters of details from which on they would hold up the event loop for more than some milliseconds."""


class ToolRunner:
    """Runs tools and records their evidence."""

    def __init__(self, triages: Triages, tools: Mapping[str, Tool], context: Callable[[Case], ToolContext]) -> None:
        self.triages = triages
        self.own = tools
        self.tools = tools
        self._context = context

    def add(self, tools: Mapping[str, Tool]) -> None:
        """Tools that other systems offer now, beside our own; none of them takes the place of one of those."""
        self.tools = {**tools, **self.own}

    @property
    def infos(self) -> Tools:
        """The metadata of the tools."""
        return {name: tool.info for name, tool in self.tools.items()}

    async def call(
        self,
        case: Case,
        tool: str,
        arguments: Mapping[str, object],
        call: str,
        seconds: float = TOOL_SECONDS,
        *,
        shown: bool = False,
        reuse: bool = False,
    ) -> LedgerEntry:
        """Call a tool and record its evidence. Never raises for a failing tool: `ok=False` says what could not be checked.

        `shown`: the call counts in the progress that the triage's message shows. `reuse`: what the same call found within
        the last minutes is the answer, under its id.
        """
        label = describe_call(self.infos, tool, arguments)
        if reuse and (recorded := await self._recorded(case, tool, arguments)):
            return recorded
        if await self.triages.stopped(case.group, case.attempt):
            evidence = _failed(tool, arguments, label, BY_PEOPLE)
        else:
            evidence = await self._evidence(case, tool, arguments, label, seconds)
        clean = await self._clean(evidence.model_copy(update={"label": label}))
        attempt = case.attempt if shown else 0
        return await self.triages.ledger.record(case.group, tool, redact_all(arguments), call, clean, attempt=attempt)

    async def _recorded(self, case: Case, name: str, arguments: Mapping[str, object]) -> LedgerEntry | None:
        """The newest finding of the same call, if it succeeded lately; what is read to see the present is read anew."""
        tool = self.tools.get(name)
        if tool is None or tool.info.role in READ_ANEW or _unfit_arguments(tool, arguments):
            return None
        complete = _complete(tool, case, redact_all(arguments))
        since = self.triages.db.clock() - REUSE_WITHIN
        if case.attempt > 1 and (row := await self.triages.row(case.group, case.attempt)):
            # What an attempt before saw is why there is another one.
            since = max(since, row.started_at)
        lately = await self.triages.ledger.calls_of(case.group, name, since=since)
        same = (number for number, recorded in reversed(lately) if _complete(tool, case, recorded) == complete)
        if (number := next(same, None)) is None:
            return None
        newest = await self.triages.ledger.entry(case.group, number)
        return newest if newest.evidence.ok else None

    async def _clean(self, evidence: Evidence) -> Evidence:
        if sum(map(len, evidence.details)) < FLOOD:
            return _without_secrets(evidence)  # sooner done than a thread has begun
        return await asyncio.to_thread(_without_secrets, evidence)

    async def _evidence(self, case: Case, name: str, arguments: Mapping[str, object], label: str, seconds: float) -> Evidence:
        tool = self.tools.get(name)
        failed = partial(_failed, name, arguments, label)
        if tool is None:
            return failed(f"there is no tool {one_line(name, 60)}", invalid_query=True)
        if problem := _unfit_arguments(tool, arguments):
            return failed(f"arguments do not fit: {problem}", invalid_query=True)
        try:
            async with asyncio.timeout(seconds):
                return await tool(replace(self._context(await self._with_onset(case)), seconds=seconds), **arguments)
        except TimeoutError:
            return failed(f"no answer within {seconds:g} s")
        except QueryFailed as error:
            about = {"invalid_query": isinstance(error, InvalidQuery), "nothing_measured": isinstance(error, NothingMeasured)}
            return failed(str(error), **about)
        except Exception as error:
            error_id = secrets.token_hex(4)
            log.exception("tool failed", tool=name, group=case.group, error_id=error_id)
            return failed(f"{type(error).__name__} (the log has it under {error_id}): {error}")

    async def _with_onset(self, case: Case) -> Case:
        """The case with the onset that its own attempt measured, where a tool needs it: beside outages elsewhere that ended."""
        if not any(interval.service for interval in case.firing_before):
            return case
        row = await self.triages.row(case.group, case.attempt)
        onsets = [onset for onset in (case.onset, measured_onset(row) if row else None) if onset]
        return case.model_copy(update={"onset": min(onsets, key=lambda onset: onset.at, default=None)})

    def for_case(self, case: Case) -> Callable[[str, Mapping[str, object], str], Awaitable[LedgerEntry]]:
        """`call_tool(tool, arguments, call)` for one case."""

        async def call_tool(tool: str, arguments: Mapping[str, object], call: str) -> LedgerEntry:
            return await self.call(case, tool, arguments, call)

        return call_tool


@lru_cache(512)
def _signature(function: Function) -> Signature:
    return signature(function)


def _unfit_arguments(tool: Tool, arguments: Mapping[str, object]) -> str:
    """Why the tool cannot be called so; "" if it can. Asked before: the same error from within a tool is a bug of it."""
    try:
        _signature(tool.fn).bind(None, **arguments)
    except TypeError as error:
        return str(error)
    return ""


def _complete(tool: Tool, case: Case, arguments: Mapping[str, object]) -> dict[str, object]:
    """The arguments, redacted as they are recorded, with those that were left out.

    An empty service is the case's own where a tool needs one.
    """
    parameters = list(_signature(tool.fn).parameters.values())[1:]
    defaults = {parameter.name: parameter.default for parameter in parameters if parameter.default is not parameter.empty}
    complete: dict[str, object] = {**defaults, **arguments}
    if not complete.get("service", "x") and "service" not in defaults:
        complete["service"] = case.service
    return complete


def _failed(tool: str, arguments: Mapping[str, object], label: str, why: str, **facts: bool) -> Evidence:
    """Evidence that could not be had; `facts`: what is known of why."""
    request = ", ".join(f"{k}={v}" for k, v in arguments.items())
    summary = could_not_check(label, one_line(why, 240))
    stated = EvidenceFacts.model_validate({name: value for name, value in facts.items() if value})
    return Evidence(summary=summary, query=f"{tool}({one_line(request, 200)})", source=tool, ok=False, facts=stated)


def _limited(lines: Sequence[str]) -> list[str]:
    """The lines up to the limits, the last one perhaps cut; if that is not all, one more line says so."""
    limited, left = [], MAX_STORED
    for line in lines[:MAX_DETAILS]:
        if left <= 0:
            break
        limited.append(cut(line, left))
        left -= len(line) + 1
    missing = len(lines) - len(limited)
    return [*limited, f"({missing} more lines were not kept)"] if missing else limited


def _without_secrets(evidence: Evidence) -> Evidence:
    """Lines are read together: a private key spans several of them."""
    lines = _limited(evidence.details)
    texts = ("\n".join(lines), evidence.summary, evidence.label, evidence.query, evidence.link, *evidence.unseen)
    together, summary, label, query, link, *unseen = redact_each(texts)
    # Cut after that: a secret may lie across two pieces.
    pieces = [line[at : at + MAX_LINE] for line in together.split("\n") for at in range(0, max(1, len(line)), MAX_LINE)]
    return evidence.model_copy(
        update={
            "summary": summary,
            "label": label,
            "query": query,
            "details": tuple(pieces) if lines else (),
            "facts": _facts_without_secrets(evidence.facts),
            "link": link,
            "unseen": tuple(unseen),
        }
    )


def _facts_without_secrets(facts: EvidenceFacts) -> EvidenceFacts:
    """The same object where nothing was redacted: most facts hold no text but names, and to read them anew takes longer."""
    written = facts.model_dump(mode="json", exclude_defaults=True)
    redacted = redact_json(written)
    return facts if redacted is written else EvidenceFacts.model_validate(redacted)

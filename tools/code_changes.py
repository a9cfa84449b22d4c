"""The tool `code_changes`: what lies between two versions of a service, with the diff of each commit."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Annotated

from bot.core.diffs.effect_text import effect_text
from bot.core.diffs.summary import summarize_diff
from bot.core.errors import QueryFailed
from bot.core.evidence import Evidence, TimeWindow
from bot.core.facts.code import DiffFact
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.systems import Commit, CommitFiles, Comparison, FileChange
from bot.core.text.durations import minutes_text
from bot.core.text.moments import clock, date_and_clock, iso_utc
from bot.core.text.untrusted import counted, one_line
from bot.core.tool_calls import CHANGES, Basis, ToolRole, could_not_check
from bot.parallel import answers_or_failures
from bot.plugins import ToolContext, tool
from bot.plugins.arguments import Described, ServiceName
from bot.ports import CodeHost
from tools._arguments import service_of

MAX_COMMITS, MAX_FILES = 30, 40
MAX_DIFFS = 20
"""Commits whose diffs are read, the newest: each is a request of its own."""
MAX_DIFF_LINES, MAX_LINE = 160, 200
"""Lines of all diffs together that are quoted, and characters of one."""
LOOKBACK = timedelta(days=14)
"""How far back the two newest deploys are searched for when no versions are named."""
_AT_ONCE = 6
_Diffs = Sequence[tuple[Commit, CommitFiles]]


@tool(needs="code", label="code changes of {service}", role=ToolRole.CODE, topic=CHANGES, basis=Basis.REPORTED)
async def code_changes(
    ctx: ToolContext,
    service: ServiceName,
    base: Annotated[str, Described("Older version, with `head`")] = "",
    head: Annotated[str, Described("Newer version; empty: both of the newest deploy")] = "",
    hours: Annotated[int, Described("Window without two versions, at most 336")] = 24,
) -> Evidence:
    """List the commits between two versions of a service with their diffs.

    Call it when a deploy is a suspect: it is guilty by what it carries, not by when it came.
    """
    name = service_of(ctx, service)
    if ctx.code is None:
        raise QueryFailed("no host of repositories is configured (systems.github)")
    base, head = base.strip()[:120], head.strip()[:120]
    if not head:
        base, head = await _newest_deploy(ctx, name)
    if not (base and head):
        return await _before(ctx, ctx.code, name, head, hours)
    comparison = await ctx.code.compare(name, base, head)
    diffs, unread = await _diffs(ctx.code, name, comparison.commits)
    if (unlisted := comparison.total - len(comparison.commits)) > 0:
        unread = (*unread, could_not_check(f"{counted(unlisted, 'more commit')} of {name}", "not listed"))
    if not comparison.files_whole:
        unread = (*unread, could_not_check(f"the files of {name} beyond {len(comparison.files)}", "not listed"))
    facts = await asyncio.to_thread(_summaries, diffs)
    return Evidence(
        summary=_summary(name, comparison),
        query=f"GET /repos/.../compare/{one_line(base, 60)}...{one_line(head, 60)}",
        details=(*map(_line, comparison.commits[:MAX_COMMITS]), *_files(comparison), *_quoted(facts, diffs)),
        link=comparison.link,
        source="github",
        user_controllable=True,
        unseen=unread,
        facts=_facts(comparison.commits, comparison.files, facts, head),
    )


async def _newest_deploy(ctx: ToolContext, service: str) -> tuple[str, str]:
    changes = await ctx.changes.since(service, ctx.now - LOOKBACK)
    newest = next((c for c in changes if c.kind == "deploy" and c.version and c.previous_version), None)
    return (newest.previous_version, newest.version) if newest else ("", "")


async def _before(ctx: ToolContext, code: CodeHost, service: str, head: str, hours: int) -> Evidence:
    """The commits that a version holds (or the default branch) of so many hours."""
    hours = min(max(int(hours), 1), 14 * 24)
    since = ctx.now - timedelta(hours=hours)
    commits = await code.commits(service, since, head=head)
    diffs, unread = await _diffs(code, service, commits)
    facts = await asyncio.to_thread(_summaries, diffs)
    count = "1 commit" if len(commits) == 1 else f"{len(commits)} commits"
    newest = f"; newest at {clock(commits[0].at)}: {one_line(commits[0].title, 80)}" if commits else ""
    where = f"in {one_line(head, 40)}" if head else "on the default branch"
    return Evidence(
        summary=f"{service}: {count} {where} in the last {minutes_text(60 * hours)}{newest}",
        query=f"GET /repos/.../commits?since={iso_utc(since)}" + (f"&sha={one_line(head, 60)}" if head else ""),
        window=TimeWindow(start=since, end=ctx.now),
        details=(*map(_line, commits[:MAX_COMMITS]), *_quoted(facts, diffs)),
        source="github",
        user_controllable=True,
        unseen=unread,
        facts=_facts(commits, [file for _, diff in diffs for file in diff.files], facts, head),
    )


async def _diffs(code: CodeHost, service: str, commits: Sequence[Commit]) -> tuple[_Diffs, tuple[str, ...]]:
    """The files of the newest commits with their patches, and what could not be read of them."""
    newest = commits[:MAX_DIFFS]
    answers = await answers_or_failures(lambda commit: code.diff(service, commit.sha), newest, at_once=_AT_ONCE)
    pairs = zip(newest, answers, strict=True)
    failures = [answer for answer in answers if isinstance(answer, QueryFailed)]
    unread = [could_not_check(f"{counted(len(failures), 'diff')} of {service}", str(failures[0]))] if failures else []
    if len(commits) > MAX_DIFFS:
        unread.append(could_not_check(f"the diffs of {len(commits) - MAX_DIFFS} older commits of {service}", "too many"))
    return [(commit, files) for commit, files in pairs if not isinstance(files, QueryFailed)], tuple(unread)


def _summaries(diffs: _Diffs) -> list[DiffFact]:
    return [summarize_diff(commit, diff.files, whole=diff.whole) for commit, diff in diffs]


def _facts(commits: Sequence[Commit], files: Sequence[FileChange], diffs: Sequence[DiffFact], version: str) -> EvidenceFacts:
    return EvidenceFacts(
        commits=tuple(commit.sha for commit in commits),
        files=tuple(file.path for file in files[:MAX_FILES]),
        diffs=tuple(diffs),
        version=version,
    )


def _summary(service: str, comparison: Comparison) -> str:
    base, head = one_line(comparison.base, 40), one_line(comparison.head, 40)
    at_least = "" if comparison.files_whole else "at least "
    files = f"{at_least}{counted(len(comparison.files), 'file')} changed"
    if comparison.behind and not comparison.total:
        return f"{service} {base} back to {head}: {counted(comparison.behind, 'commit')} taken back, {files}"
    missing = f"; without {counted(comparison.behind, 'commit')} of {base}" if comparison.behind else ""
    return f"{service} {base} to {head}: {counted(comparison.total, 'commit')}, {files}{missing}"


def _line(commit: Commit) -> str:
    by = f" by {one_line(commit.author, 40)}" if commit.author else ""
    return f"{date_and_clock(commit.at)}Z {commit.sha[:12]} {one_line(commit.title, 120)}{by}"


def _files(comparison: Comparison) -> list[str]:
    largest = sorted(comparison.files, key=lambda file: -(file.added + file.removed))
    shown = [f"{one_line(file.path, 160)} {file.status} +{file.added} -{file.removed}" for file in largest[:MAX_FILES]]
    more = len(comparison.files) - len(shown)
    at_least = "" if comparison.files_whole else "at least "
    return [*shown, f"{at_least}{more} more files"] if more > 0 else shown


def _quoted(summaries: Sequence[DiffFact], diffs: _Diffs) -> list[str]:
    """What each commit does as far as code recognises it, then its diff: those that may change behaviour first."""
    pairs = [(summary, diff.files) for summary, (_, diff) in zip(summaries, diffs, strict=True)]
    ordered = sorted(pairs, key=lambda pair: pair[0].inert)
    lines = [line for summary, files in ordered for line in _diff_lines(summary, files)]
    left = len(lines) - MAX_DIFF_LINES
    return [*lines[:MAX_DIFF_LINES], f"{left} more lines of diffs"] if left > 0 else lines


def _diff_lines(summary: DiffFact, files: Iterable[FileChange]) -> Iterator[str]:
    what = "; ".join(map(effect_text, summary.effects[:6])) or (
        "nothing that runs" if summary.inert else "no known kind of effect"
    )
    yield f"diff of {summary.commit[:12]}: {one_line(what, 300)}"
    for file in files:
        yield f"| {one_line(file.path, 160)}"
        changed = (line for line in file.patch.splitlines() if line.startswith(("+", "-", "@@")))
        yield from (f"| {one_line(line, MAX_LINE)}" for line in changed)

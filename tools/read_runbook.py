"""The tool `read_runbook`: what the team wrote down for this alert."""

from typing import Annotated
from urllib.parse import unquote, urlsplit

from bot.core.errors import QueryFailed
from bot.core.evidence import Evidence
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.facts.recorded import RunbookFact
from bot.core.systems import RunbookHit
from bot.core.text.untrusted import one_line
from bot.core.tool_calls import Basis, ToolRole, Topic
from bot.plugins import ToolContext, tool
from bot.plugins.arguments import Described
from bot.ports import RunbookReader

FITS = 0.2
"""Share of an alert's words from which a runbook is taken to fit: unrelated texts reach 0.06, the right ones 0.3 and more."""
NEARLY_EQUAL = 0.95
MAX_LINES = 1_000


@tool(label="runbook", role=ToolRole.RUNBOOK, topic=Topic("runbook runbooks playbook"), basis=Basis.BACKGROUND)
async def read_runbook(
    ctx: ToolContext,
    alert: Annotated[str, Described("Text of another alert; empty: the one at hand")] = "",
    id: Annotated[str, Described("Of a runbook, in place of `alert`")] = "",
) -> Evidence:
    """Find the runbook for an alert, or read one by its id.

    Call it without arguments for the alert at hand. What helped before is no evidence.
    """
    if ctx.runbooks is None:
        raise QueryFailed("no runbooks are configured (runbooks)")
    if id.strip():
        return await _by_id(ctx.runbooks, id.strip())
    hits = await _matching(ctx, ctx.runbooks, alert)
    query = f"search the runbooks for {one_line(alert or ctx.case.alert_name, 120)!r}"
    if not hits:
        return _no_runbook("No runbook fits this alert", query)
    text = await ctx.runbooks.read(hits[0].id) or ""
    return Evidence(
        summary=_summary(hits),
        query=query,
        details=(hits[0].passage, *_lines(text)),
        link=hits[0].link,
        source="runbooks",
        facts=EvidenceFacts(runbooks=tuple(RunbookFact(id=hit.id, title=hit.title, similarity=hit.similarity) for hit in hits)),
    )


async def _by_id(runbooks: RunbookReader, id: str) -> Evidence:
    query = f"read the runbook {one_line(id, 120)!r}"
    text = await runbooks.read(id)
    if text is None:
        return _no_runbook(f"There is no runbook {one_line(id, 80)!r}", query)
    facts = EvidenceFacts(runbooks=(RunbookFact(id=id, title=id, similarity=1.0),))
    return Evidence(summary=f"Runbook {id}", query=query, details=_lines(text), source="runbooks", facts=facts)


def _no_runbook(summary: str, query: str) -> Evidence:
    return Evidence(summary=summary, query=query, source="runbooks", facts=EvidenceFacts(runbooks=()))


async def _matching(ctx: ToolContext, runbooks: RunbookReader, alert: str) -> list[RunbookHit]:
    """By exact name, then by the name that the alert's address ends in, then by words. The address itself is never opened."""
    case = ctx.case
    own = not alert.strip() or alert.strip() == case.alert_name
    text = f"{case.alert_name}\n{case.summary}" if own else alert.strip()
    hits = await runbooks.search(text, limit=3)
    if own and case.runbook_url and not (hits and hits[0].similarity >= 1):
        named = [hit for hit in await runbooks.search(page_name(case.runbook_url), limit=1) if hit.similarity >= 1]
        hits = [*named, *(hit for hit in hits if hit.id not in {book.id for book in named})][:3]
    return [hit for hit in hits if hit.similarity >= FITS]


def page_name(address: str) -> str:
    """The last segment of a runbook's address, without its ending; "" if there is none."""
    try:
        path = urlsplit(address).path
    except ValueError:
        return ""
    name = unquote(path.rstrip("/").rsplit("/", 1)[-1])
    return name.removesuffix(".md").removesuffix(".html")


def _summary(hits: list[RunbookHit]) -> str:
    titles = [one_line(hit.title, 80) for hit in hits]
    if len(hits) > 1 and hits[0].similarity < 1 and hits[1].similarity >= NEARLY_EQUAL * hits[0].similarity:
        return f"Runbook {titles[0]!r} or {titles[1]!r}: both fit about equally well"
    others = f"; others: {', '.join(titles[1:])}" if len(titles) > 1 else ""
    return f"Runbook {titles[0]!r} {'is written for this alert' if hits[0].similarity >= 1 else 'fits best'}{others}"


def _lines(text: str) -> tuple[str, ...]:
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    return tuple(one_line(line, 400) for line in lines[:MAX_LINES])

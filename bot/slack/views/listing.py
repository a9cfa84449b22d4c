"""The list of alert groups and incidents: ten rows, and how many more there are."""

from collections.abc import Mapping
from typing import Any

from bot.slack.blocks import Block, Rendered, context, header, named, section, spoken, when

ROWS = 10


def render(state: Mapping[str, Any]) -> Rendered:
    """`state`: rows ({ref, incident, state, severity, service, title, who, at, firing}), title, page (from 1),

    and more: whether there are rows beyond these.
    """
    rows = state["rows"]
    count = f"{len(rows)}{' or more' if state['more'] else ''}"
    start = (state["page"] - 1) * ROWS
    shown = rows[start : start + ROWS]
    if not rows:
        return f"{state['title']}: none", [section(f"*{spoken(state['title'])}:* none")]
    if not shown:
        told = _no_such_page(state["page"], len(rows), count)
        return f"{spoken(state['title'])}: {told}", [section(f"*{spoken(state['title'])}:* {told}")]
    blocks: list[Block] = [header(f"{spoken(state['title'])}: {count}"), section("\n".join(map(_row, shown)))]
    if len(rows) > start + len(shown):
        blocks.append(context(f"{len(rows) - start - len(shown)} more: add `page={state['page'] + 1}`"))
    return f"{spoken(state['title'])}: {count}", blocks


def _no_such_page(page: int, rows: int, count: str) -> str:
    last = -(-rows // ROWS)
    there = "there is 1 page" if last == 1 else f"the last is `page={last}`"
    return f"there is no page {page}; {there} ({count} in all)"


def _row(row: Mapping[str, Any]) -> str:
    ref = f"{row['incident']} {row['ref']}".strip()
    who = f", taken by {spoken(row['who'], 40)}" if row["who"] else ""
    service = named(row["service"], 40) if row["service"] else "no service"
    return f"*{row['state']}* {row['severity']} {ref} · {service} · {named(row['title'], 80)} · opened {when(row['at'])}{who}"

"""The list of alert groups and incidents: ten rows, and how many more there are."""

from bot.core.messages.replies import ListReply, ListRow
from bot.slack.blocks import Block, Rendered, context, header, section, when
from bot.slack.untrusted_text import name_text, plain_text
from bot.slack.view_context import ViewContext

ROWS = 10


def render(listing: ListReply, view: ViewContext) -> Rendered:
    """One page of the rows."""
    rows, title = listing.rows, plain_text(listing.title)
    count = f"{len(rows)}{' or more' if listing.more else ''}"
    start = (listing.page - 1) * ROWS
    shown = rows[start : start + ROWS]
    if not rows:
        return f"{listing.title}: none", [section(f"*{title}:* none")]
    if not shown:
        missing = _no_such_page(listing.page, len(rows), count)
        return f"{title}: {missing}", [section(f"*{title}:* {missing}")]
    blocks: list[Block] = [header(f"{title}: {count}"), section("\n".join(map(_row, shown)))]
    if len(rows) > start + len(shown):
        blocks.append(context(f"{len(rows) - start - len(shown)} more: add `page={listing.page + 1}`"))
    return f"{title}: {count}", blocks


def _no_such_page(page: int, rows: int, count: str) -> str:
    last = -(-rows // ROWS)
    there = "there is 1 page" if last == 1 else f"the last is `page={last}`"
    return f"there is no page {page}; {there} ({count} in all)"


def _row(row: ListRow) -> str:
    ref = f"{row.incident} {row.ref}".strip()
    lead = f", taken by {plain_text(row.assignee, 40)}" if row.assignee else ""
    service = name_text(row.service, 40) if row.service else "no service"
    opened = f"opened {when(row.opened_at)}"
    return f"*{row.state}* {row.severity} {ref} · {service} · {name_text(row.title, 80)} · {opened}{lead}"

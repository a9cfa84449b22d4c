"""The evidence that a model begins with: every finding's summary, and of those that most runs need the first details."""

import json
from collections.abc import Iterable, Iterator

from bot.core.change import Change
from bot.core.evidence import LedgerEntry
from bot.core.text.moments import iso_utc
from bot.core.text.untrusted import one_line
from bot.core.tool_calls import UNKNOWN_TOOL, ToolRole, Tools

DETAILS = 3_000
"""Characters of all details together: the opening stays within some 6,000 tokens."""
MAX_LINE = 240
_LINES = {ToolRole.HEALTH: 4, ToolRole.ALERTS: 5, ToolRole.LOGS: 4, ToolRole.BREAKDOWN: 3}
MAX_CHANGES = 8


def evidence_lines(entries: Iterable[LedgerEntry], tools: Tools) -> str:
    """One line for each finding, and below it its first details while there is room; "none" without any."""
    lines, left = [], DETAILS
    for entry in entries:
        lines.append(f"{entry.id} {json.dumps(entry.evidence.summary, ensure_ascii=False)}")
        for text in _details(entry, tools.get(entry.tool, UNKNOWN_TOOL).role):
            line = "  " + json.dumps(one_line(text, MAX_LINE), ensure_ascii=False)
            if len(line) > left:
                break
            lines.append(line)
            left -= len(line)
    return "\n".join(lines) or "none"


def _details(entry: LedgerEntry, role: ToolRole | None) -> Iterator[str]:
    if not entry.evidence.ok:
        return
    if role is ToolRole.CHANGES:
        yield from map(_change, (entry.evidence.facts.changes or ())[:MAX_CHANGES])
    elif role in _LINES:
        # A signal that stayed normal is counted in the summary.
        yield from [text for text in entry.evidence.details if "stayed normal" not in text][: _LINES[role]]


def _change(change: Change) -> str:
    """With the id that an answer has to name."""
    version = f" {change.version}" if change.version else ""
    title = f": {change.title}" if change.title else ""
    return f"change_id {change.id}, {iso_utc(change.at)} {change.kind} of {change.service}{version}{title}"

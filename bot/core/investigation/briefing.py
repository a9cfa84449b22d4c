"""The evidence that a model begins with: every finding's summary, and of those that most runs need the first details."""

import json
import re
from collections.abc import Iterable, Iterator

from bot.core.change import Change
from bot.core.evidence import LedgerEntry
from bot.core.text.moments import iso_utc
from bot.core.text.untrusted import one_line
from bot.core.tool_calls import UNKNOWN_TOOL, ToolRole, Tools

MAX_EVIDENCE, MAX_DETAILS, MIN_DETAILS = 4_600, 1_800, 350
"""Characters of all evidence; of all details together, and what is left for them beside many summaries: the first request stays
within 6,000 tokens, also with a catalogue of fifty services."""
MAX_LINE = 240
_LINES = {ToolRole.HEALTH: 4, ToolRole.ALERTS: 5, ToolRole.LOGS: 4, ToolRole.BREAKDOWN: 3}
MAX_CHANGES = 8
_STAYED = re.compile(r" stayed (normal|within)")
"""In the line of a signal that did not leave its normal range (bot/core/metrics/wording.py)."""


def evidence_lines(entries: Iterable[LedgerEntry], tools: Tools) -> str:
    """One line for each finding, and below it its first details while there is room; "none" without any."""
    listed = list(entries)
    summaries = [f"{entry.id} {json.dumps(entry.evidence.summary, ensure_ascii=False)}" for entry in listed]
    left = max(MIN_DETAILS, min(MAX_DETAILS, MAX_EVIDENCE - sum(map(len, summaries))))
    details: dict[str, list[str]] = {}
    # The ids of changes first: an answer has to name one.
    for entry in sorted(listed, key=lambda entry: _role(entry, tools) is not ToolRole.CHANGES):
        for text in _details(entry, _role(entry, tools)):
            line = "  " + json.dumps(one_line(text, MAX_LINE), ensure_ascii=False)
            if len(line) > left:
                break
            details.setdefault(entry.id, []).append(line)
            left -= len(line)
    blocks = [[summary, *details.get(entry.id, ())] for entry, summary in zip(listed, summaries, strict=True)]
    return "\n".join(line for block in blocks for line in block) or "none"


def _role(entry: LedgerEntry, tools: Tools) -> ToolRole | None:
    return tools.get(entry.tool, UNKNOWN_TOOL).role


def _details(entry: LedgerEntry, role: ToolRole | None) -> Iterator[str]:
    if not entry.evidence.ok:
        return
    if role is ToolRole.CHANGES:
        yield from map(_change, (entry.evidence.facts.changes or ())[:MAX_CHANGES])
    elif role in _LINES:
        # A signal that stayed normal is counted in the summary, and the first one that did not stands there.
        new = (text for text in dict.fromkeys(entry.evidence.details) if text.partition(" [")[0] not in entry.evidence.summary)
        yield from [text for text in new if not _STAYED.search(text)][: _LINES[role]]


def _change(change: Change) -> str:
    """With the id that an answer has to name."""
    version = f" {change.version}" if change.version else ""
    title = f": {change.title}" if change.title else ""
    return f"change_id {change.id}, {iso_utc(change.at)} {change.kind} of {change.service}{version}{title}"

"""What no message may say: a change that is none, two starts, a failing service called normal, a past outage's cause."""

import re
from collections.abc import Iterator, Sequence

from tests.trial.causes import cause_lines
from tests.trial.outage import Outage, Run, firing
from tests.trial.recorder import Version

SETTLED = 75.0
"""Seconds after an outage's first alert in which the cause of the one before may still stand on a card."""
APART = 90.0
"""Seconds between two starts in one message that contradict each other."""
_UNCHANGED = re.compile(r"\bfrom ([\d.,]+ ?[^\s,.;:()]*) to \1(?![\w.])")
_START = re.compile(r"(?i)\b(?:since|onset|began|started)\b[^<\n]{0,20}<!date\^(\d+)\^")
_NORMAL = re.compile(r"(?i)\b(?:is|are|looks?|stayed|signals?) normal\b")
_UNREAD = "nothing was readable"


def contradictions(run: Run, versions: Sequence[Version]) -> list[str]:
    """Each one once, with the message's key and the line."""
    lines = [line for version in versions for line in _in_message(run, version)]
    lines += [line for outage in run.outages for line in _earlier_causes(outage, run, versions)]
    return list(dict.fromkeys(lines))


def _in_message(run: Run, version: Version) -> Iterator[str]:
    rows = [row for row in version.words.splitlines() if row.strip()]
    for row in rows:
        if _UNCHANGED.search(row):
            yield f"a change that is none: {version.key}: {row[:160]}"
        if "hxxp" in row:
            yield f"a dead link: {version.key}: {row[:160]}"
        if _NORMAL.search(row) and (failing := _called_normal(row, run, version)):
            yield f"{failing} alerts and is called normal: {version.key}: {row[:160]}"
    if _UNREAD in version.words and not version.key.startswith("postmortem"):
        yield f"nothing readable: {version.key}"
    starts = sorted(int(moment) for row in rows if "earlier" not in row.lower() for moment in _START.findall(row))
    if starts and starts[-1] - starts[0] > APART and not version.key.startswith(("postmortem", "incident", "show", "answer")):
        yield f"two starts, {starts[-1] - starts[0]} s apart: {version.key}"


def _called_normal(row: str, run: Run, version: Version) -> str:
    subject = row[: _NORMAL.search(row).start()]  # type: ignore[union-attr]
    services = sorted({alert.service for alert in firing(run.alerts, version.at)}, key=len, reverse=True)
    return next((s for s in services if re.search(rf"(?<![\w-]){re.escape(s)}(?![\w-])[^,.;]{{0,30}}$", subject)), "")


def _earlier_causes(outage: Outage, run: Run, versions: Sequence[Version]) -> Iterator[str]:
    """Cards that still name an ended outage's change as the cause of a later one that stands since a while."""
    later = [o for o in run.outages if o.number > outage.number and o.began_at >= outage.ended_at]
    if not outage.change or not later:
        return
    window = later[0].began_at + SETTLED, later[0].ended_at
    for version in versions:
        if window[0] <= version.at <= window[1] and version.key.startswith("card:"):
            for _, cause in cause_lines(version):
                if "Firing" in version.text and all(word in cause for word in outage.change):
                    yield f"the cause of a past outage: {version.key}: {cause[:160]}"

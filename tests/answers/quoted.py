"""Sentences that quote figures, each true or false of its evidence: a line of `quoted_sentences.txt` each.

A line says what role of a figure the sentence is about, whether it is true, which investigation it is about, what it cites
there, and the sentence itself. A false one takes a figure of its evidence for something that it does not stand for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from bot.core.change import Change
from bot.core.evidence import Claim, Evidence, Findings, Hypothesis, LedgerEntry, TimeWindow
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.facts.measured import DeviationFact
from bot.core.facts.recorded import TemplateFact
from bot.core.verdict.verdict import judge
from tests.answers.recorded import investigated

PATH = Path(__file__).with_name("quoted_sentences.txt")
_TOOLS = {
    "alerts": "active_alerts",
    "changes": "recent_changes",
    "health": "service_health",
    "logs": "search_logs",
    "split": "metric_breakdown",
}
_ONSET, _SEEN = datetime(2026, 3, 1, 11, 58, tzinfo=UTC), datetime(2026, 3, 1, 12, 5, tzinfo=UTC)


@dataclass(frozen=True)
class Quoted:
    """One sentence with what it cites."""

    role: str
    is_true: bool
    scene: str
    cited: tuple[str, ...]
    text: str

    @property
    def judged(self) -> str:
        """The sentence as the verdict leaves it."""
        ledger = _ledger(self.scene)
        ids = [_entry(ledger, *cited.split()).id for cited in self.cited]
        cause = Hypothesis(cause="it fails", claims=[Claim(text=self.text, evidence=ids)])
        return judge(Findings(by="agent", hypotheses=[cause]), ledger).hypotheses[0].claims[0].text


@cache
def quoted_sentences() -> Sequence[Quoted]:
    """All of them, in the order of the file."""
    lines = PATH.read_text(encoding="utf-8").splitlines()
    rows = [[column.strip() for column in line.split(" | ", 4)] for line in lines]
    return [Quoted(role, label == "true", scene, tuple(cited.split(", ")), text) for role, label, scene, cited, text in rows]


def _entry(ledger: Sequence[LedgerEntry], what: str, service: str = "", signal: str = "") -> LedgerEntry:
    """What a line calls `health inventory`, `changes` or `split inventory errors`: by version."""
    wanted = {"service": service} | ({"signal": signal, "by": "version"} if signal else {})
    return next(
        entry
        for entry in ledger
        if entry.tool == _TOOLS[what] and all(entry.arguments.get(name, "") == value for name, value in wanted.items())
    )


def _ledger(scene: str) -> Sequence[LedgerEntry]:
    return _orders() if scene == "orders" else investigated()[scene].ledger


# ------------------------------------------------------------ a service with signals, units and a window of its own


@cache
def _orders() -> Sequence[LedgerEntry]:
    """A consumer that lags since its store lends fewer connections."""
    return [_health(), _logs(), _changes()]


def _health() -> LedgerEntry:
    disk_full, replica_behind = _ONSET - timedelta(seconds=30), _ONSET + timedelta(seconds=10)
    rows = (
        _deviation("consumer_lag", 120, 48_000, "messages", _ONSET),
        _deviation("replica_lag", 0.2, 14, "s", replica_behind),
        _deviation("disk_free", 0.4, 0.03, "ratio", disk_full),
        _deviation("memory", 500 * 2**20, 506 * 2**20, "bytes", None),
    )
    lag = "orders consumer_lag rose from 120 messages to 48000 messages at 11:58:00 UTC (64 times its usual range)"
    details = (
        f"{lag} [bad above 10000 messages]",
        "orders replica_lag rose from 0.2 s to 14 s at 11:58:10 UTC (40 times its usual range) [bad above 5 s]",
        "orders disk_free fell from 40 % to 3 % at 11:57:30 UTC (20 times its usual range) [bad below 10 %]",
        "orders memory stayed normal: 506 MiB, before 500 MiB [bad above 900 MiB]",
    )
    facts = EvidenceFacts(beyond=(), deviations=rows)
    return _recorded(1, "service_health", f"{lag}; 3 of 4 signals deviate", details, facts, hours=1, service="orders")


def _deviation(signal: str, before: float, after: float, unit: str, onset: datetime | None) -> DeviationFact:
    return DeviationFact(
        service="orders",
        signal=signal,
        family="saturation",
        doublings=5.0 if onset else -1.0,
        before=before,
        after=after,
        unit=unit,
        onset=onset,
        direction="up" if after >= before else "down",
    )


def _logs() -> LedgerEntry:
    rows = (
        TemplateFact(template="too many connections for role <*>", count=210, before=0, trend="new"),
        TemplateFact(template="deadlock detected", count=88, before=0, trend="new"),
        TemplateFact(template="GET <*> 200", count=22, before=12),
    )
    summary = (
        "orders: 320 log lines in 30 min, 12 expected from the time before the onset; kinds: 2 new; "
        "most: 210 times (new) 'too many connections for role <*>'"
    )
    details = (
        "new: 210 now, 0 expected, first 11:57:40 UTC: too many connections for role <*>",
        "new: 88 now, 0 expected, first 11:58:20 UTC: deadlock detected",
        "steady: 22 now, 12 expected: GET <*> 200",
    )
    return _recorded(
        2,
        "search_logs",
        summary,
        details,
        EvidenceFacts(templates=rows),
        hours=0.5,
        arguments={"minutes": 30},
        service="orders",
    )


def _changes() -> LedgerEntry:
    rows = (
        _change("c3", "orders", "config", "Lower max_connections from 200 to 50", hours=0.05),
        _change("c2", "orders", "deploy", "Batch writes", hours=2, versions=("1.8.2", "1.9.0")),
        _change("c1", "billing", "deploy", "Round half even", hours=7, versions=("4.1.7", "4.2.0")),
    )
    summary = (
        "3 changes on any service in the last 12 h; "
        "newest: config of orders at 11:55:00 UTC: Lower max_connections from 200 to 50"
    )
    details = (
        "2026-03-01 11:55:00Z config orders: Lower max_connections from 200 to 50 by erin [ci:c3]",
        "2026-03-01 09:58:00Z deploy orders: Batch writes (1.8.2 -> 1.9.0) by erin [ci:c2]",
        "2026-03-01 04:58:00Z deploy billing: Round half even (4.1.7 -> 4.2.0) by erin [ci:c1]",
    )
    return _recorded(3, "recent_changes", summary, details, EvidenceFacts(changes=rows), hours=12, arguments={"hours": 12})


def _change(id: str, service: str, kind: str, title: str, *, hours: float, versions: tuple[str, str] = ("", "")) -> Change:
    fields = {"id": f"ci:{id}", "at": _ONSET - timedelta(hours=hours), "service": service, "kind": kind, "title": title}
    return Change.model_validate({**fields, "author": "erin", "previous_version": versions[0], "version": versions[1]})


def _recorded(
    number: int,
    tool: str,
    summary: str,
    details: tuple[str, ...],
    facts: EvidenceFacts,
    *,
    hours: float,
    service: str = "",
    arguments: dict[str, int] | None = None,
) -> LedgerEntry:
    window = TimeWindow(start=_SEEN - timedelta(hours=hours), end=_SEEN)
    evidence = Evidence(summary=summary, query=tool, source=tool, details=details, facts=facts, window=window)
    given = {"service": service, **(arguments or {})}
    return LedgerEntry(id=f"E{number}", group="AL-1", tool=tool, arguments=given, at=_SEEN, evidence=evidence)

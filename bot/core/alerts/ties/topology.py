"""Topology: who calls whom as declared, as traces and metrics show it, and what alerted together; and where these differ."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.core.alerts.ties.cascades import Cascade
from bot.core.service import Catalogue
from bot.core.text.durations import elapsed_text
from bot.core.text.moments import date_to_the_minute
from bot.core.text.untrusted import counted, one_line

CERTAIN_FROM = 2
"""Reads that must have shown a call before it groups alerts: one stray call is no dependency."""
REMEMBERED = timedelta(days=30)
"""A call that was not seen for so long is forgotten."""


class CallSource(StrEnum):
    """What shows who calls whom."""

    TRACES = "traces"
    METRICS = "metrics"


@dataclass(frozen=True)
class LearnedCall:
    """One service calls another, as traces or metrics showed it."""

    source: CallSource
    caller: str
    callee: str
    reads: int
    """How many reads showed it."""
    last_seen_at: datetime

    @property
    def reason(self) -> str:
        """For a grouping reason: it must read the same each time."""
        return f"{self.source} show that {self.caller} calls {self.callee}"


@dataclass(frozen=True)
class TopologyRead:
    """The last read of one source of calls; `problem`: why it failed, "" if it did not."""

    source: CallSource
    at: datetime
    calls: int
    problem: str = ""

    @property
    def text(self) -> str:
        if self.problem:
            return f"{self.source} could not be read at {date_to_the_minute(self.at)}: {one_line(self.problem, 160)}"
        return f"{self.source} read at {date_to_the_minute(self.at)}: {counted(self.calls, 'call')} between services"


def near_by_calls(calls: Iterable[LearnedCall]) -> dict[str, dict[str, str]]:
    """For each service those that it calls or is called by, with the reason; of calls that were seen often enough."""
    near: dict[str, dict[str, str]] = {}
    for call in calls:
        if call.reads >= CERTAIN_FROM:
            near.setdefault(call.caller, {})[call.callee] = call.reason
            near.setdefault(call.callee, {})[call.caller] = call.reason
    return near


@dataclass(frozen=True)
class Topology:
    """Everything that ties one service to others."""

    service: str
    catalogue: Catalogue
    calls: Sequence[LearnedCall]
    """Learned ones of this service, as caller or callee."""
    cascades: Sequence[Cascade]
    reads: Sequence[TopologyRead]

    @property
    def undeclared(self) -> list[str]:
        """Services that it calls, often enough, and that its `depends_on` does not name."""
        declared = self.catalogue.dependencies(self.service)
        called = {call.callee for call in self.calls if call.caller == self.service and call.reads >= CERTAIN_FROM}
        return sorted(called - set(declared))

    @property
    def unseen(self) -> list[str]:
        """Declared dependencies that no read showed, where other calls of the service were seen."""
        callees = {call.callee for call in self.calls if call.caller == self.service}
        return [name for name in self.catalogue.dependencies(self.service) if callees and name not in callees]

    def proposal(self) -> str:
        """The lines for tocsin.yaml that declare what was learned; "" where nothing differs."""
        if not self.undeclared:
            return ""
        names = [_yaml(name) for name in (*self.catalogue.dependencies(self.service), *self.undeclared)]
        return f"services:\n  {_yaml(self.service)}:\n    depends_on: [{', '.join(names)}]"

    def lines(self, now: datetime) -> list[str]:
        """For people: what is declared, what was learned and why, where both differ."""
        return [
            *(f"Declared: {text}." for text in self._declared()),
            *(f"Learned: {_call_text(call, now)}." for call in self.calls),
            *(f"Learned: {one.text}, of {counted(one.times, 'time')} that it alerted{_weight(one)}." for one in self.cascades),
            *([f"Declared, and not seen so far: {', '.join(self.unseen)}."] if self.unseen else []),
            *(f"Read: {read.text}." for read in self.reads),
            *([] if self.reads else ["Neither traces nor metrics were read so far: what they would show is not known."]),
        ]

    def _declared(self) -> Iterable[str]:
        if callees := self.catalogue.dependencies(self.service):
            yield f"{self.service} depends on {', '.join(callees)}"
        if callers := self.catalogue.dependents(self.service):
            yield f"{', '.join(callers)} depend{'s' if len(callers) == 1 else ''} on {self.service}"


def _yaml(name: str) -> str:
    """A name as YAML reads it back; tracers name services as they like."""
    return name if re.fullmatch(r"[A-Za-z_][\w.-]*", name, re.ASCII) else json.dumps(name)


def _call_text(call: LearnedCall, now: datetime) -> str:
    once = "" if call.reads >= CERTAIN_FROM else "; seen once, so it groups nothing yet"
    ago = elapsed_text(now - call.last_seen_at)
    return f"{call.caller} calls {call.callee} ({call.source}, {counted(call.reads, 'read')}, last {ago} ago{once})"


def _weight(cascade: Cascade) -> str:
    return "" if cascade.tied else "; too seldom to group by it"


def resolved_calls(pairs: Iterable[tuple[str, str]], catalogue: Catalogue, most: int) -> list[tuple[str, str]]:
    """Calls between two services under the names of the catalogue; at most so many."""
    named: Mapping[tuple[str, str], None] = {
        (caller, callee): None
        for pair in pairs
        for caller, callee in [tuple(catalogue.of_labels({"service": name}) for name in pair)]
        if caller and callee and caller != callee
    }
    return sorted(named)[:most]

"""Blame: from the service that alerts, down through the dependencies that explain its symptoms."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from bot.core.metrics.deviation import FULL_SHARE, Deviation, Family

Signals = Mapping[Family, Deviation]
"""The deviation that speaks for one service in each family."""

SYMPTOMS: tuple[Family, ...] = ("errors", "latency")
NEARLY = -1.0
"""A symptom this far within its normal reach (half of it) still earns some credit, growing to full at the edge."""
_LATE = timedelta(minutes=2)
_MOST = 10.0
"""A callee can lose this many times what the caller shows (it has other callers); more says no more."""
_DEPTH = 8


@dataclass(frozen=True)
class Attribution:
    """How readily blame is handed down; one setting for all incidents (tried on sets left out: tests/evaluation)."""

    other_symptom: float = 0.7
    """A callee that is slow may explain errors of its caller (timeouts), one that fails its caller's waiting (retries)."""
    resource: float = 0.6
    """A callee without symptoms of its own that has run out of something explains less than one that fails."""
    late: float = 0.3
    """A callee that began clearly after its caller is more likely hurt by it than hurting it."""
    noticed_time: float = 0.05
    """Share of its time that a caller that looks normal would have to notice."""
    noticed_share: float = 0.005
    """The same as a share of its requests."""


WALK = Attribution()


@dataclass(frozen=True)
class CallGraph:
    """What the walk knows: signals by service, requests a second where measured, and who calls whom."""

    signals: Mapping[str, Signals]
    depends_on: Mapping[str, Sequence[str]] = field(default_factory=dict)
    rates: Mapping[str, Deviation] = field(default_factory=dict)
    walk: Attribution = WALK

    def of(self, service: str) -> Signals:
        """The signals of one service; empty if it was not looked at."""
        return self.signals.get(service, {})


def walk_blame(start: str, graph: CallGraph, asked: Family | None = None) -> dict[str, float]:
    """Share of the blame of each service, summing to 1: what of the start's symptoms it explains and hands to nobody.

    At each service the excess of its symptom is X = |shift| x requests (requests only where both sides' are known). A
    callee with the same symptom receives X_callee / X_caller; shares whose sum passes 1 are scaled down. What
    these leave goes, by the strength of the deviation, to callees whose symptom is of the other kind or that ran out
    of a resource; the rest stays. A start that shows nothing itself hands all of it to the callees that do. `asked` is
    the symptom that the alert speaks of. A cycle stops at the service already passed.
    """
    blame: dict[str, float] = {}
    _hand_down(start, 1.0, graph, asked, (), blame)
    return blame


def _hand_down(
    service: str, share: float, graph: CallGraph, asked: Family | None, passed: tuple[str, ...], blame: dict[str, float]
) -> None:
    passed = (*passed, service)
    pulls: dict[str, float] = {}
    symptom = symptom_of(graph.of(service), asked)
    if len(passed) <= _DEPTH:
        callees = [c for c in dict.fromkeys(graph.depends_on.get(service, ())) if c not in passed]
        pulls = handed(service, callees, graph, symptom)
    blame[service] = blame.get(service, 0.0) + share * max(0.0, 1 - sum(pulls.values()))
    for callee, pull in pulls.items():
        _hand_down(callee, share * pull, graph, symptom.family if symptom else asked, passed, blame)


def handed(caller: str, callees: Iterable[str], graph: CallGraph, symptom: Deviation | None) -> dict[str, float]:
    """How much of the caller's symptom each callee explains; together at most 1."""
    callees = list(callees)
    found = {c: _same_symptom(symptom, caller, c, graph) for c in callees}
    same = _scaled({c: pull for c, pull in found.items() if pull > 0}, 1.0)
    left = 1 - sum(same.values())
    other = {c: _other_reason(symptom, caller, c, graph) for c in callees if c not in same}
    other = _scaled({c: pull for c, pull in other.items() if pull > 0}, 1.0)
    return same | {c: pull * left for c, pull in other.items() if pull * left > 1e-6}


def _scaled(pulls: dict[str, float], most: float) -> dict[str, float]:
    total = sum(pulls.values())
    return {c: pull * most / total for c, pull in pulls.items()} if total > most else pulls


def _same_symptom(symptom: Deviation | None, caller: str, callee: str, graph: CallGraph) -> float:
    deviation = graph.of(callee).get(symptom.family) if symptom else None
    if symptom is None or deviation is None or deviation.doublings <= NEARLY:
        return 0.0
    credit = _credit(deviation) * _late(symptom, deviation, graph.walk)
    if symptom.unit != deviation.unit or symptom.shift == 0:
        return _strength(deviation) * credit
    mine, theirs = excess(symptom, caller, callee, graph), excess(deviation, callee, caller, graph)
    if symptom.doublings <= 0:
        credit *= min(1.0, theirs / max(_noticed(symptom, caller, callee, graph), 1e-12)) ** 2
    return min(_MOST, theirs / max(mine, 1e-12)) * credit


def _noticed(symptom: Deviation, caller: str, callee: str, graph: CallGraph) -> float:
    """What of a callee's excess a caller that looks normal would have to notice: 5 % of its time, 0.5 % of its requests."""
    share = (
        abs(symptom.before) * graph.walk.noticed_time
        if symptom.family == "latency"
        else FULL_SHARE.get(symptom.unit, 0.0) * graph.walk.noticed_share
    )
    return excess(replace(symptom, after=symptom.before + share), caller, callee, graph)


def _other_reason(symptom: Deviation | None, caller: str, callee: str, graph: CallGraph) -> float:
    mine, theirs = graph.of(caller), graph.of(callee)
    if symptom is None:
        # A resource that runs out here is not explained by a callee. A caller that shows nothing at all (or could not
        # be looked at) is explained by the strength of its callee's symptoms.
        own = _moved(mine, "saturation") or _moved(mine, "external")
        felt = [
            _strength(d) * _noticing(_felt(d, caller, callee, graph), graph.walk) for f, d in theirs.items() if f in SYMPTOMS
        ]
        return 0.0 if own else max(felt, default=0.0)
    walk = graph.walk
    weights = {**dict.fromkeys(SYMPTOMS, walk.other_symptom), "saturation": walk.resource, "external": walk.resource}
    fitting = [(weights[f], d) for f, d in theirs.items() if f in weights and f != symptom.family and _harms(d)]
    return max(
        (weight * _strength(d) * _late(symptom, d, walk) * _felt(d, caller, callee, graph) for weight, d in fitting),
        default=0.0,
    )


def _noticing(felt: float, walk: Attribution) -> float:
    return min(1.0, felt / walk.noticed_time) ** 2


def _felt(deviation: Deviation, caller: str, callee: str, graph: CallGraph) -> float:
    """How much of the time that the caller usually takes a slow callee adds to it, at most 1: 2 ms of 200 break nothing."""
    own = graph.of(caller).get("latency")
    if deviation.family != "latency" or own is None or own.unit != deviation.unit or not own.before > 0:
        return 1.0
    mine, theirs = graph.rates.get(caller), graph.rates.get(callee)
    calls = theirs.after / mine.after if mine and theirs and mine.unit == theirs.unit and mine.after > 0 else 1.0
    return min(1.0, abs(deviation.shift) * max(0.0, calls) / own.before)


def symptom_of(signals: Signals, asked: Family | None = None) -> Deviation | None:
    """The symptom that is followed down from a service: the asked one if it (nearly) shows, else the stronger."""
    if asked in SYMPTOMS and asked in signals and signals[asked].doublings > NEARLY:
        return signals[asked]
    return main_symptom(signals)


def main_symptom(signals: Signals) -> Deviation | None:
    """The stronger of the symptoms that people feel, errors before latency; None if neither deviates."""
    felt = [signals[f] for f in SYMPTOMS if _moved(signals, f)]
    return max(felt, key=lambda d: (min(d.doublings, 3.0), d.family == "errors"), default=None)


def _moved(signals: Signals, family: Family) -> bool:
    return family in signals and signals[family].doublings > 0


def _harms(deviation: Deviation) -> bool:
    """Errors and latency are measured on their harmful side; a resource that fell is somebody's relief."""
    return deviation.doublings > 0 and (deviation.family in SYMPTOMS or deviation.direction == "up")


def excess(deviation: Deviation, own: str, other: str, graph: CallGraph) -> float:
    """Excess of a symptom in lost requests or lost seconds; per request where requests are not known on both sides."""
    mine, theirs = graph.rates.get(own), graph.rates.get(other)
    weight = mine.after if mine and theirs and mine.after == mine.after and mine.unit == theirs.unit else 1.0
    return abs(deviation.shift) * max(0.0, weight)


def _strength(deviation: Deviation) -> float:
    return max(0.0, min(1.0, deviation.doublings / 2))


def _credit(deviation: Deviation) -> float:
    return min(1.0, max(0.0, 1 - deviation.doublings / NEARLY)) if deviation.doublings < 0 else 1.0


def _late(symptom: Deviation | None, deviation: Deviation, walk: Attribution) -> float:
    if symptom is None or symptom.onset is None or deviation.onset is None:
        return 1.0
    apart = _LATE + timedelta(seconds=symptom.step + deviation.step)
    return walk.late if deviation.onset > symptom.onset + apart else 1.0

"""Blame: from the service that alerts, down through the dependencies that explain its symptoms."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from bot.core.deviation import Deviation, Family

Signals = Mapping[Family, Deviation]
"""The deviation that speaks for one service in each family."""

SYMPTOMS: tuple[Family, ...] = ("errors", "latency")
_OTHER_SYMPTOM = 0.7
"""A callee that is slow may explain errors of its caller (timeouts), one that fails its caller's waiting (retries)."""
_RESOURCE = 0.6
"""A callee without symptoms of its own that has run out of something explains less than one that fails."""
_LATE = timedelta(minutes=2)
_LATE_FACTOR = 0.3
"""A callee that began clearly after its caller is more likely hurt by it than hurting it."""
_DEPTH = 8


def walk_blame(start: str, signals: Mapping[str, Signals], depends_on: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """Share of the blame of each service, summing to 1: what of the start's symptoms it explains and hands to nobody.

    At each service the excess of its main symptom is X = shift x requests (requests only where both sides' traffic is
    known). A callee with the same symptom receives min(1, X_callee / X_caller); shares whose sum passes 1 are scaled
    down. What these leave goes, by the strength of the deviation, to callees whose symptom is of the other kind or
    that ran out of a resource; the rest stays. Services that do not deviate receive nothing. A cycle stops at the
    service already passed.
    """
    blame: dict[str, float] = {}
    _hand_down(start, 1.0, signals, depends_on, (), blame)
    return blame


def _hand_down(
    service: str,
    share: float,
    signals: Mapping[str, Signals],
    depends_on: Mapping[str, Sequence[str]],
    passed: tuple[str, ...],
    blame: dict[str, float],
) -> None:
    passed = (*passed, service)
    pulls: dict[str, float] = {}
    if len(passed) <= _DEPTH:
        callees = [c for c in dict.fromkeys(depends_on.get(service, ())) if c not in passed]
        pulls = handed(signals.get(service, {}), {c: signals.get(c, {}) for c in callees})
    blame[service] = blame.get(service, 0.0) + share * max(0.0, 1 - sum(pulls.values()))
    for callee, pull in pulls.items():
        _hand_down(callee, share * pull, signals, depends_on, passed, blame)


def handed(caller: Signals, callees: Mapping[str, Signals]) -> dict[str, float]:
    """How much of the caller's symptoms each callee explains; together at most 1."""
    symptom = main_symptom(caller)
    same = _scaled({c: pull for c, s in callees.items() if (pull := _same_symptom(symptom, caller, s)) > 0}, 1.0)
    left = 1 - sum(same.values())
    other = _scaled(
        {c: pull for c, s in callees.items() if c not in same and (pull := _other_reason(symptom, caller, s)) > 0}, 1.0
    )
    return same | {c: pull * left for c, pull in other.items() if pull * left > 1e-6}


def _scaled(pulls: dict[str, float], most: float) -> dict[str, float]:
    total = sum(pulls.values())
    return {c: pull * most / total for c, pull in pulls.items()} if total > most else pulls


def _same_symptom(symptom: Deviation | None, caller: Signals, callee: Signals) -> float:
    deviation = callee.get(symptom.family) if symptom else None
    if symptom is None or deviation is None or deviation.score <= 0 or deviation.direction != "up":
        return 0.0
    if symptom.unit != deviation.unit or symptom.shift <= 0:
        return _strength(deviation) * _late(symptom, deviation)
    share = _excess(deviation, callee, caller) / max(_excess(symptom, caller, callee), 1e-12)
    return min(1.0, share) * _late(symptom, deviation)


def _other_reason(symptom: Deviation | None, caller: Signals, callee: Signals) -> float:
    if symptom is None:
        # A resource that runs out here is not explained by a callee. A caller that shows nothing at all (or could not
        # be looked at) is explained by the strength of its callee's symptoms.
        own = "saturation" in caller or "external" in caller
        return 0.0 if own else max((_strength(d) for f, d in callee.items() if f in SYMPTOMS), default=0.0)
    weights = {**dict.fromkeys(SYMPTOMS, _OTHER_SYMPTOM), "saturation": _RESOURCE, "external": _RESOURCE}
    fitting = [(weights[f], d) for f, d in callee.items() if f in weights and f != symptom.family and d.direction == "up"]
    return max((weight * _strength(d) * _late(symptom, d) for weight, d in fitting), default=0.0)


def main_symptom(signals: Signals) -> Deviation | None:
    """The stronger of the symptoms that people feel, errors before latency; None if neither deviates."""
    felt = [signals[f] for f in SYMPTOMS if f in signals and signals[f].score > 0 and signals[f].direction == "up"]
    return max(felt, key=lambda d: (min(d.score, 3.0), d.family == "errors"), default=None)


def _excess(deviation: Deviation, own: Signals, other: Signals) -> float:
    """Excess of a symptom in lost requests or lost seconds a second; per request where traffic is not known on both sides."""
    mine, theirs = own.get("traffic"), other.get("traffic")
    weight = mine.after if mine and theirs and mine.after > 0 and theirs.after > 0 and mine.unit == theirs.unit else 1.0
    return max(0.0, deviation.shift) * weight


def _strength(deviation: Deviation) -> float:
    return max(0.0, min(1.0, deviation.score / 2))


def _late(symptom: Deviation | None, deviation: Deviation) -> float:
    if symptom is None or symptom.onset is None or deviation.onset is None:
        return 1.0
    return _LATE_FACTOR if deviation.onset > symptom.onset + _LATE else 1.0

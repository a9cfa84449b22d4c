"""Delays laid into real spans: `--data` is the nezha set or a folder of one system; systems without spans are passed over.

Each stretch of minutes that has spans (and no delay of its own, where labels say so) is an incident once for each length
of delay: a service that others call is drawn, and the share of its calls that is hit. The delay goes into the spans
(laying.py) and into the latencies that the services report; all else stays as it was recorded, the stretch's own fault
included: where labels name it, the figures are also given with that service taken out of the answer, for it is right too.
"""

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bot.core.evidence import Case
from bot.core.metrics.series import Series
from bot.core.traces.calls import CallSummary
from tests.evaluation.figures import Answer, accuracy, read_truth, write_answers
from tests.evaluation.injected_delays import add_delay
from tests.evaluation.nezha import SEEN_AFTER, SIGNALS, System
from tests.evaluation.progress import shown
from tests.evaluation.world import Recording, investigate_and_answer, moment

SECONDS = (0.2, 0.5, 1.0, 2.0)
SHARES = (0.5, 1.0)
SEED = 1
MINUTES = 3
"""A stretch has at least so many with spans."""
FEWEST_CALLS = 5
"""A service that others call less often in a stretch is not drawn: hardly a call would be hit."""
ALERT_AFTER = 64
"""Seconds from a stretch's first minute to the alert, as in the set's own incidents; the delay begins in that minute."""
OF_DELAY = "network"
REPORTED = {
    signal: ("client" if signal.startswith("client") else "server", int(signal[-2:]) / 100)
    for signal, _ in SIGNALS.values()
    if "latency" in signal
}
"""Reported latency to the side and the quantile that it is of."""


@dataclass(frozen=True)
class Trial:
    """One delay to be found: `own` is the service at fault in the stretch as it was recorded ("" if none is known)."""

    id: str
    minutes: Sequence[int]
    target: str
    seconds: float
    share: float
    own: str
    alike: int = 1
    """Services that the same callers called as often in each minute, the target included: sums of spans show them alike."""

    @property
    def alert(self) -> int:
        """Unix seconds."""
        return self.minutes[0] + ALERT_AFTER


def evaluate(data: Path, out: Path) -> None:
    """Add each delay, investigate, print by length of delay."""
    began = time.monotonic()
    answers: dict[str, Answer] = {}
    trials: list[Trial] = []
    for folder in sorted(path.parent for path in data.rglob("incidents.json")):
        system = System(folder)
        own = list(_trials(system)) if system.calls else []
        print(f"{folder.name}: {len(own)} delays" if own else f"{folder.name}: no spans, passed over", flush=True)
        trials += own
        answers |= {trial.id: _answered(system, trial) for trial in shown(own, folder.name)}
    write_answers(answers, out)
    for seconds in SECONDS:
        _tell(f"{seconds:g} s", [t for t in trials if t.seconds == seconds], answers)
    for share in SHARES:
        some = [t for t in trials if t.share == share and t.seconds >= 0.5]
        _tell(f"0.5 s and more, on {share:.0%} of the calls", some, answers)
    _tell("0.5 s and more", [t for t in trials if t.seconds >= 0.5], answers)
    print(f"{len(trials)} delays in {time.monotonic() - began:.0f} s; seed {SEED}")


def _tell(name: str, trials: Sequence[Trial], answers: Mapping[str, Answer]) -> None:
    """One line: found as it is, found with the stretch's own fault taken out, and what "likely" was worth."""
    if not trials:
        return
    truth = {t.id: t.target for t in trials}
    most = [sum(1 / t.alike for t in trials) / len(trials), sum(min(1.0, 3 / t.alike) for t in trials) / len(trials)]
    alone = {t.id: _without(answers[t.id], t) for t in trials}
    likely = [t for t in trials if answers[t.id].likely]
    right = sum(answers[t.id].ranked[0] in (t.target, t.own) for t in likely)
    likely_text = f"of those {right / len(likely):.2f} right" if likely else "none"
    print(
        f"delay of {name} (n {len(trials)}): AC@1 {accuracy(alone, truth, 1):.2f}, AC@3 {accuracy(alone, truth, 3):.2f}; "
        f"sums of spans allow {most[0]:.2f}, {most[1]:.2f}; "
        f"beside the stretch's own fault {accuracy(answers, truth, 1):.2f}, {accuracy(answers, truth, 3):.2f}; "
        f"likely {len(likely) / len(trials):.2f}, {likely_text}",
        flush=True,
    )


def _without(answer: Answer, trial: Trial) -> Answer:
    return replace(answer, ranked=[name for name in answer.ranked if name == trial.target or name != trial.own])


def _trials(system: System) -> Iterator[Trial]:
    own = _own_faults(system)
    rng = np.random.default_rng(SEED)
    for minutes in _stretches(system.calls):
        faults = {fault for at, fault in own.items() if minutes[0] <= at < minutes[-1] + 60}
        services = _often_called(system.calls, minutes)
        if len(minutes) < MINUTES or not services or any(OF_DELAY in kind for kind, _ in faults):
            continue
        for seconds in SECONDS:
            target, share = services[int(rng.integers(len(services)))], SHARES[int(rng.integers(len(SHARES)))]
            id = f"{system.folder.name}-{minutes[0]}-{seconds:g}"
            fault = next((service for _, service in faults), "")
            yield Trial(id, minutes, target, seconds, share, fault, _alike(system.calls, minutes, target))


def _own_faults(system: System) -> dict[float, tuple[str, str]]:
    """Alert to the kind of fault and the service, where labels tell."""
    kinds, services = (read_truth(system.folder / "labels.json", field) for field in ("fault_type", "root_cause_service"))
    return {at: (kinds[id], services[id]) for id, at in system.alerts().items() if id in kinds}


def _stretches(calls: Sequence[CallSummary]) -> list[list[int]]:
    """Minutes with spans that follow each other."""
    run: list[list[int]] = []
    for minute in sorted({one.minute for one in calls}):
        if run and minute - run[-1][-1] == 60:
            run[-1].append(minute)
        else:
            run.append([minute])
    return run


def _often_called(calls: Sequence[CallSummary], minutes: Sequence[int]) -> list[str]:
    counts: dict[str, int] = defaultdict(int)
    for one in calls:
        if one.minute in minutes[1:] and one.side == "server" and one.caller not in ("", one.service):
            counts[one.service] += one.count
    return sorted(service for service, count in counts.items() if count >= FEWEST_CALLS)


def _alike(calls: Sequence[CallSummary], minutes: Sequence[int], target: str) -> int:
    """How many services are called by the same callers as often, minute by minute."""
    counts: dict[str, dict[tuple[int, str], int]] = defaultdict(lambda: defaultdict(int))
    for one in calls:
        if one.minute in minutes and one.side == "server" and one.caller not in ("", one.service):
            counts[one.service][one.minute, one.caller] += one.count
    return sum(run == counts[target] for run in counts.values())


def _answered(system: System, trial: Trial) -> Answer:
    """What the analyst says 240 s after the alert in the world with the delay."""
    rng = np.random.default_rng([SEED, trial.minutes[0], int(trial.seconds * 10)])
    began = trial.alert - 60 * rng.random()
    by_minute: dict[int, list[CallSummary]] = defaultdict(list)
    for one in system.calls:
        by_minute[one.minute].append(one)
    calls = [one for minute, run in by_minute.items() if minute not in trial.minutes for one in run]
    longer: dict[tuple[str, str, float], dict[int, float]] = defaultdict(dict)
    for minute in trial.minutes:
        chance = trial.share * min(1.0, max(0.0, (minute + 60 - began) / 60))
        quantiles = sorted({q for _, q in REPORTED.values()})
        laid = add_delay(by_minute[minute], trial.target, trial.seconds, chance=chance, rng=rng, quantiles=quantiles)
        calls += laid.calls
        for place, by in laid.longer.items():
            longer[place][minute] = by
    end = trial.alert + SEEN_AFTER
    recordings = [_reported(one, longer) for one in system.recordings]
    case = Case(group=trial.id, severity="SEV2", started_at=moment(trial.alert))
    return Answer.of(
        investigate_and_answer(
            system.world(end, recordings=recordings, calls=calls), case, now=moment(end), injected_at=moment(began)
        ).findings
    )


def _reported(one: Recording, longer: Mapping[tuple[str, str, float], Mapping[int, float]]) -> Recording:
    """The latency that a service reports, with what its spans grew by in the minute before each sample."""
    grown = longer.get((one.service, *REPORTED[one.signal])) if one.signal in REPORTED else None
    return replace(one, series=[_grown(series, grown) for series in one.series]) if grown else one


def _grown(series: Series, by: Mapping[int, float]) -> Series:
    # A sample tells of the minute before it: of the whole minute that this mostly is.
    minutes = ((series.times - 30) // 60).astype(int) * 60
    return Series(series.labels, series.times, series.values + np.array([by.get(int(minute), 0.0) for minute in minutes]))

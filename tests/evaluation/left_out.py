"""Settings chosen without a set, then tried on it: `--data` is the folder of all sets, or of some.

The sets are petshop, each system of nezha and each of rca_alerts. Left out is one at a time, and after that all that one
project published together, which leaves nothing that was made in the same way: every weight in use (`tuning`) is chosen
anew on the others, from the middle of what it can be on, one after the other and twice round, by the reciprocal rank of the
truth, the sets counting alike. Another value is taken if it gains more than one standard error: a difference that chance
may have made teaches nothing, and the others may know nothing of a weight at all. What a look finds does not depend on the
weights: each set is looked at once.
"""

import dataclasses
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.core.evidence import Findings
from bot.core.ranking.alert_burst import BurstWeights
from bot.core.ranking.attribution import Attribution
from bot.core.ranking.observations import Observations, observe
from bot.core.ranking.ranking import rank
from bot.core.ranking.tuning import TUNING, Tuning
from bot.core.ranking.weighing import Worth
from bot.core.verdict.verdict import by_confidence, judge
from tests.evaluation import nezha, petshop, rca_alerts
from tests.evaluation.figures import Answer, Truth, accuracy, read_truth, reciprocal_ranks, write_answers
from tests.evaluation.progress import shown
from tests.evaluation.world import Investigation

CHOICES: Mapping[str, Mapping[str, Sequence[float]]] = {
    "worth": {
        "anywhere": (0.5, 0.1, 0.2, 1.0),
        "network": (1.0, 0.5, 2.0, 4.0),
        "behaviour": (1.0, 0.5, 0.8, 2.0),
        "resource": (0.5, 0.12, 0.24, 1.0),
        "rest": (0.5, 0.0, 0.3, 1.0),
    },
    "walk": {
        "other_symptom": (0.5, 0.25, 0.7, 1.0),
        "resource": (0.5, 0.25, 0.6, 1.0),
        "late": (0.5, 0.1, 0.3, 1.0),
        "noticed_time": (0.05, 0.01, 0.02, 0.1),
        "noticed_share": (0.005, 0.001, 0.002, 0.02),
    },
    "burst": {
        "most_bits": (6.0, 4.5, 8.0),
        "pooled": (2.0, 1.0, 4.0, 8.0),
        "now": (1.0, 0.0, 3.0),
        "half_life": (300.0, 100.0, 200.0, 600.0, 1e9),
        "callee": (0.5, 0.25, 0.7, 1.0),
        "caller": (0.5, 0.25, 0.7, 1.0),
        "alike": (0.5, 0.0, 0.25, 1.0),
        "next_kind": (0.5, 0.0, 0.3, 1.0),
        "crowd": (0.5, 0.0, 0.3, 1.0),
        "echo": (0.5, 0.0, 0.8, 1.0),
        "explained": (0.5, 0.25, 0.4, 1.0),
    },
}
"""Each weight's values, first the middle of what it can be (a share is a half); another is taken if it is surely better."""
ROUNDS = 2
GOAL, GOAL_LIKELY = 0.50, 0.80


@dataclass(eq=False)
class Looked:
    """One set, looked at: what was found of each incident, what is right, and how its answers are named."""

    name: str
    project: str
    seen: Mapping[str, Investigation]
    truth: Truth
    answer: Callable[[Findings], Answer]
    _read: dict[str, Observations] = field(default_factory=dict)
    _quality: dict[Any, NDArray[np.float64]] = field(default_factory=dict)

    def quality(self, tuning: Tuning) -> NDArray[np.float64]:
        """The reciprocal rank of each incident's truth with these weights; each that makes a difference here is tried once."""
        matters = tuple(getattr(tuning, part) for part in CHOICES if part in self._parts)
        if matters not in self._quality:
            answers = {id: self.answer(by_confidence(self._ranked(id, tuning))) for id in self.seen}
            self._quality[matters] = np.array(reciprocal_ranks(answers, self.truth))
        return self._quality[matters]

    def answers(self, tuning: Tuning) -> dict[str, Answer]:
        """What is said with these weights, after the verdict."""
        return {
            id: self.answer(judge(self._ranked(id, tuning), one.ledger, group=one.case.group)) for id, one in self.seen.items()
        }

    def _ranked(self, id: str, tuning: Tuning) -> Findings:
        one = self.seen[id]
        if id not in self._read:
            self._read[id] = observe(one.ledger, alert=one.case.alert_name)
        return rank(one.case, one.ledger, now=one.now, tuning=tuning, seen=self._read[id])

    @cached_property
    def _parts(self) -> Sequence[str]:
        """Weights of bursts matter where alerts were heard, the others where something was measured."""
        facts = [entry.evidence.facts for one in self.seen.values() for entry in one.ledger]
        heard = any(fact["burst"]["firings"] for fact in facts if "burst" in fact)
        measured = any(fact.get("deviations") for fact in facts)
        return [*(["worth", "walk"] if measured else []), *(["burst"] if heard else [])]


def evaluate(data: Path, out: Path) -> None:
    """Print how each set, then each project's sets together, fare with weights that never saw them, and the worst of each."""
    began = time.monotonic()
    sets = [one for one in _sets(data) if one.truth]
    one_by_one = _left_out(sets, [[one] for one in sets], "set")
    answers = {id: answer for left in one_by_one for id, answer in left.answers().items()}
    write_answers(answers, out)
    truth = {id: right for left in one_by_one for id, right in left.truth().items()}
    print(f"of all {len(truth)} incidents likely, of it right: {_likely(answers, truth)} (goal {GOAL_LIKELY:.2f})")
    projects = [[one for one in sets if one.project == project] for project in dict.fromkeys(one.project for one in sets)]
    together = _left_out(sets, projects, "project")
    for left in [*one_by_one, *together]:
        print(f"without {left.name}: {_in_words(left.tuning)}")
    print(f"{time.monotonic() - began:.0f} s")


@dataclass(frozen=True)
class Left:
    """Sets that were left out together, and the weights that the others chose."""

    name: str
    sets: Sequence[Looked]
    tuning: Tuning

    def answers(self, tuning: Tuning | None = None) -> dict[str, Answer]:
        """What is said of all of them, by set and incident, with these weights or with others."""
        return {f"{one.name}/{id}": said for one in self.sets for id, said in one.answers(tuning or self.tuning).items()}

    def truth(self) -> dict[str, str]:
        return {f"{one.name}/{id}": right for one in self.sets for id, right in one.truth.items()}


def _left_out(sets: Sequence[Looked], parts: Sequence[Sequence[Looked]], what: str) -> list[Left]:
    """Each part is left out in turn and told in a line; the worst is named."""
    print(f"| left out: {what} (n) | AC@1 / AC@3 | likely, of it right | nothing chosen | in use, chosen on all |")
    print("|---|---|---|---|---|", flush=True)
    left, firsts = [], {}
    for part in shown(parts, f"left out by {what}", every=1):
        name = part[0].name if len(part) == 1 else part[0].project
        left.append(one := Left(name, part, _chosen([other for other in sets if other not in part])))
        own, truth = one.answers(), one.truth()
        firsts[name] = accuracy(own, truth, 1)
        print(f"| {name} ({len(truth)}) | {_told(own, truth)} | {_likely(own, truth)} | ", end="")
        print(f"{_told(one.answers(_untuned()), truth)} | {_told(one.answers(TUNING), truth)} |", flush=True)
    worst = min(firsts, key=lambda name: firsts[name], default="none")
    first = firsts.get(worst, 1.0)
    print(f"worst {what}: {worst}, AC@1 {first:.2f} (goal {GOAL:.2f}: {'reached' if first >= GOAL else 'missed'})")
    return left


def _sets(data: Path) -> Iterator[Looked]:
    petshops = sorted(path.parent for path in data.rglob("alerts.json") if (path.parent / "graph.csv").exists())
    if petshops:
        yield _petshop(petshops)
    for folder in sorted(path.parent for path in data.rglob("incidents.json")):
        if (folder / "pod_metrics.csv.gz").exists():
            yield _nezha(folder)
    for folder in sorted(path.parent for path in data.rglob("incidents.json.gz")):
        yield _rca_alerts(folder)


def _petshop(folders: Sequence[Path]) -> Looked:
    seen: dict[str, Investigation] = {}
    truth: dict[str, str] = {}
    for folder in folders:
        seen |= dict(petshop.investigated(folder))
        truth |= read_truth(folder / "labels.json", "root_cause_node")
    return Looked("petshop, pooled", "petshop", seen, truth, Answer.of)


def _nezha(folder: Path) -> Looked:
    system = nezha.System(folder)
    asked = shown(list(system.alerts().items()), folder.name)
    seen = {id: system.ask(id, at) for id, at in asked}
    return Looked(folder.name, "nezha", seen, read_truth(folder / "labels.json", "root_cause_service"), Answer.of)


def _rca_alerts(folder: Path) -> Looked:
    system = rca_alerts.System(folder)
    seen = {id: system.ask(id) for id in shown(list(system.incidents), folder.name)}
    return Looked(folder.name, "rca_alerts", seen, read_truth(folder / "labels.json", "root_cause"), system.answer_of)


def _chosen(others: Sequence[Looked]) -> Tuning:
    """The weights that serve the other sets best."""
    best = _untuned()
    for _ in range(ROUNDS):
        for part, weights in CHOICES.items():
            for name, values in weights.items():
                tried = [_with(best, part, name, value) for value in values]
                gains = {one: _surely_gained(others, best, one) for one in tried}
                best = max([best, *tried], key=lambda one: gains.get(one, 0.0) if one != best else 0.0)
    return best


def _untuned() -> Tuning:
    return Tuning(Worth(**_middle("worth")), Attribution(**_middle("walk")), BurstWeights(**_middle("burst")))


def _surely_gained(sets: Sequence[Looked], before: Tuning, after: Tuning) -> float:
    """What the mean over the sets of the mean reciprocal rank gains, beyond one standard error of the difference."""
    gained = [one.quality(after) - one.quality(before) for one in sets]
    error = sum(float(np.var(each)) / max(1, len(each)) for each in gained) ** 0.5
    return (sum(float(np.mean(each)) for each in gained) - error) / max(1, len(sets))


def _middle(part: str) -> dict[str, float]:
    return {name: values[0] for name, values in CHOICES[part].items()}


def _with(tuning: Tuning, part: str, name: str, value: float) -> Tuning:
    changed = dataclasses.replace(getattr(tuning, part), **{name: value})
    return dataclasses.replace(tuning, **{part: changed})


def _told(answers: Mapping[str, Answer], truth: Truth) -> str:
    return f"{accuracy(answers, truth, 1):.2f} / {accuracy(answers, truth, 3):.2f}"


def _likely(answers: Mapping[str, Answer], truth: Truth) -> str:
    said = {id: answer for id, answer in answers.items() if answer.likely and id in truth}
    right = f", {accuracy(said, {id: truth[id] for id in said}, 1):.2f}" if said else ""
    return f"{len(said) / max(1, len(truth)):.2f}{right}"


def _in_words(tuning: Tuning) -> str:
    return "; ".join(
        f"{part}: " + ", ".join(f"{name} {value:g}" for name, value in dataclasses.asdict(getattr(tuning, part)).items())
        for part in CHOICES
    )

"""Weights chosen without a set, then tried on it: `--data` is the folder of all sets, or of some.

The sets are petshop, each system of nezha and each of rca_alerts. One set at a time is left out, and after that all that
one project published together, which leaves nothing that was made in the same way. On the others every weight
(`weight_choices`) is chosen anew, from the middle of what it can be, one after the other, by the reciprocal rank of the
truth; the sets count alike. Another value is taken if it gains more than two standard errors: a difference that chance may
have made teaches nothing, and a single incident that comes out better lies just above one, however small its set. The first
pass tries all weights, the second only those that made any difference in the first. What an investigation observes does not
depend on the weights, so each set is investigated once. From where on a cause is likely is learned without it too: the
table (`leads`) is fitted with the chosen weights on the sets of other origins.
"""

import dataclasses
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.core.evidence import Findings
from bot.core.ranking.observations import Observations, observe
from bot.core.ranking.ranking import rank
from bot.core.tuning import TUNING, Tuning
from bot.core.verdict.verdict import by_confidence, judge
from tests.evaluation import nezha, petshop, rca_alerts
from tests.evaluation.figures import Answer, Truth, accuracy, read_truth, reciprocal_ranks, write_answers
from tests.evaluation.leads import (
    ORIGINS,
    IsRight,
    JudgedLead,
    called_likely,
    share_and_precision,
    table_of,
    uncalibrated,
)
from tests.evaluation.progress import shown
from tests.evaluation.weight_choices import CHOICES
from tests.evaluation.world import Investigation

PASSES = 2
SURE = 2.0
"""Standard errors that a gain has to exceed: of one set about five incidents that all gain alike."""
GOAL, GOAL_SHARE, GOAL_LIKELY = 0.50, 0.35, 0.90

Weight = tuple[str, str]
"""A part of the tuning and the name of a weight in it."""


@dataclass(eq=False)
class InvestigatedSet:
    """One set after its investigations: what was observed of each incident, what is right, and how its answers are named."""

    name: str
    project: str
    investigations: Mapping[str, Investigation]
    truth: Truth
    answer: Callable[[Findings], Answer]
    _observations: dict[str, Observations] = field(default_factory=dict)
    _quality: dict[Any, NDArray[np.float64]] = field(default_factory=dict)

    def quality(self, tuning: Tuning) -> NDArray[np.float64]:
        """The reciprocal rank of each incident's truth with these weights; what makes no difference here is computed once."""
        relevant = tuple(getattr(tuning, part) for part in CHOICES if part in self._relevant_parts)
        if relevant not in self._quality:
            answers = {id: self.answer(by_confidence(self._ranked(id, tuning))) for id in self.investigations}
            self._quality[relevant] = np.array(reciprocal_ranks(answers, self.truth))
        return self._quality[relevant]

    def answers(self, tuning: Tuning) -> dict[str, Answer]:
        """What is answered with these weights, after the verdict."""
        return {
            id: self.answer(judge(self._ranked(id, tuning), one.ledger, group=one.case.group))
            for id, one in self.investigations.items()
        }

    def leads(self, tuning: Tuning) -> list[JudgedLead]:
        """The lead of each incident of which the truth is known, with these weights."""
        origin, weights = ORIGINS.get(self.name, self.project), uncalibrated(tuning)
        leads = []
        for id in self.truth:
            one = self.investigations[id]
            findings = judge(self._ranked(id, weights), one.ledger, group=one.case.group, case=one.case)
            leads.append(JudgedLead.of(self.name, origin, findings, place=self._is_right(id), answer=self._is_right(id)))
        return leads

    def _is_right(self, id: str) -> IsRight:
        return lambda findings: bool(accuracy({id: self.answer(findings)}, {id: self.truth[id]}, 1))

    def _ranked(self, id: str, tuning: Tuning) -> Findings:
        one = self.investigations[id]
        if id not in self._observations:
            self._observations[id] = observe(one.ledger, alert=one.case.alert_name)
        return rank(one.case, one.ledger, now=one.now, tuning=tuning, observations=self._observations[id])

    @cached_property
    def _relevant_parts(self) -> Collection[str]:
        """The parts of the tuning that can make a difference: those of what the evidence of this set holds."""
        facts = [entry.evidence.facts for one in self.investigations.values() for entry in one.ledger]
        deviations = [row for fact in facts for row in fact.deviations]
        parts = {
            "signs attribution resources traffic other_causes": bool(deviations),
            "providers": any(row.family == "external" for row in deviations),
            "changes": any(fact.changes for fact in facts),
            "burst burst_causes": any(fact.burst.firings for fact in facts if fact.burst),
        }
        return {part for names, relevant in parts.items() if relevant for part in names.split()}


def evaluate(data: Path, out: Path) -> None:
    """Print how each set, then each project's sets together, fare with weights chosen without them, and the worst of each."""
    began = time.monotonic()
    sets = [one for one in investigated_sets(data) if one.truth]
    one_by_one = _leave_out(sets, [[one] for one in sets], "set")
    answers = {id: answer for left in one_by_one for id, answer in left.answers().items()}
    write_answers(answers, out)
    truth = {id: right for left in one_by_one for id, right in left.truth().items()}
    likely = share_and_precision(len(truth), [right for left in one_by_one for right in left.likely])
    print(f"of all {len(truth)} incidents likely, of it right: {likely} (goal {GOAL_SHARE:.2f}, {GOAL_LIKELY:.2f})")
    projects = [[one for one in sets if one.project == project] for project in dict.fromkeys(one.project for one in sets)]
    together = _leave_out(sets, projects, "project")
    for left in [*one_by_one, *together]:
        print(f"without {left.name}: {_choices_text(left.tuning)}")
    print(f"{time.monotonic() - began:.0f} s")


@dataclass(frozen=True)
class LeftOut:
    """Sets that were left out together, the weights that were chosen on the others, and what others' table calls likely."""

    name: str
    sets: Sequence[InvestigatedSet]
    tuning: Tuning
    likely: Sequence[bool]
    """For each of their causes that is called likely whether it is right."""

    def answers(self, tuning: Tuning | None = None) -> dict[str, Answer]:
        """What is answered of all of them, by set and incident, with these weights or with others."""
        return {f"{one.name}/{id}": answer for one in self.sets for id, answer in one.answers(tuning or self.tuning).items()}

    def truth(self) -> dict[str, str]:
        return {f"{one.name}/{id}": right for one in self.sets for id, right in one.truth.items()}


def _leave_out(sets: Sequence[InvestigatedSet], parts: Sequence[Sequence[InvestigatedSet]], what: str) -> list[LeftOut]:
    """Leave out each part in turn and print a line of it; name the worst."""
    print(f"| left out: {what} (n) | AC@1 / AC@3 | likely, of it right | nothing chosen | in use, chosen on all |")
    print("|---|---|---|---|---|", flush=True)
    left_out, firsts = [], {}
    for part in shown(parts, f"left out by {what}", every=1):
        name = part[0].name if len(part) == 1 else part[0].project
        tuning = _choose([other for other in sets if other not in part])
        left_out.append(one := LeftOut(name, part, tuning, _called_likely(part, sets, tuning)))
        own, truth = one.answers(), one.truth()
        firsts[name] = accuracy(own, truth, 1)
        print(f"| {name} ({len(truth)}) | {_accuracies(own, truth)} | {share_and_precision(len(truth), one.likely)} | ", end="")
        untuned, in_use = one.answers(untuned_tuning()), one.answers(TUNING)
        print(f"{_accuracies(untuned, truth)} | {_accuracies(in_use, truth)} |", flush=True)
    worst = min(firsts, key=lambda name: firsts[name], default="none")
    first = firsts.get(worst, 1.0)
    print(f"worst {what}: {worst}, AC@1 {first:.2f} (goal {GOAL:.2f}: {'reached' if first >= GOAL else 'missed'})")
    return left_out


def _called_likely(part: Sequence[InvestigatedSet], sets: Sequence[InvestigatedSet], tuning: Tuning) -> list[bool]:
    """Of what a table calls likely that neither these sets nor others of their origins taught."""
    own = [lead for one in part for lead in one.leads(tuning)]
    origins = {lead.origin for lead in own}
    others = [lead for one in sets if one not in part for lead in one.leads(tuning) if lead.origin not in origins]
    return called_likely(own, table_of(others))


def investigated_sets(data: Path) -> Iterator[InvestigatedSet]:
    petshops = sorted(path.parent for path in data.rglob("alerts.json") if (path.parent / "graph.csv").exists())
    if petshops:
        yield _petshop(petshops)
    for folder in sorted(path.parent for path in data.rglob("incidents.json")):
        if (folder / "pod_metrics.csv.gz").exists():
            yield _nezha(folder)
    for folder in sorted(path.parent for path in data.rglob("incidents.json.gz")):
        yield _rca_alerts(folder)


def _petshop(folders: Sequence[Path]) -> InvestigatedSet:
    investigations: dict[str, Investigation] = {}
    truth: dict[str, str] = {}
    for folder in folders:
        investigations |= dict(petshop.investigated(folder))
        truth |= read_truth(folder / "labels.json", "root_cause_node")
    return InvestigatedSet("petshop, pooled", "petshop", investigations, truth, Answer.of)


def _nezha(folder: Path) -> InvestigatedSet:
    system = nezha.System(folder)
    alerts = shown(list(system.alerts().items()), folder.name)
    investigations = {id: system.ask(id, at) for id, at in alerts}
    return InvestigatedSet(
        folder.name, "nezha", investigations, read_truth(folder / "labels.json", "root_cause_service"), Answer.of
    )


def _rca_alerts(folder: Path) -> InvestigatedSet:
    system = rca_alerts.System(folder)
    investigations = {id: system.ask(id) for id in shown(list(system.incidents), folder.name)}
    truth = read_truth(folder / "labels.json", "root_cause")
    return InvestigatedSet(folder.name, "rca_alerts", investigations, truth, system.answer_of)


def _choose(sets: Sequence[InvestigatedSet]) -> Tuning:
    """The weights that serve these sets best."""
    best = untuned_tuning()
    weights: Collection[Weight] = [(part, name) for part, names in CHOICES.items() for name in names]
    for _ in range(PASSES):
        effective = []
        for part, name in weights:
            tried = [_with(best, part, name, value) for value in CHOICES[part][name]]
            if any(_differs(sets, best, one) for one in tried):
                effective.append((part, name))
                gains = {one: sure_gain([each.quality(one) - each.quality(best) for each in sets]) for one in tried}
                best = max([best, *tried], key=lambda one: gains.get(one, 0.0) if one != best else 0.0)
        weights = effective
    return best


def untuned_tuning() -> Tuning:
    """Every weight that can be chosen in the middle of what it can be; the others as they are in use."""
    middles = {
        part: dataclasses.replace(getattr(TUNING, part), **{name: values[0] for name, values in names.items()})
        for part, names in CHOICES.items()
    }
    return dataclasses.replace(TUNING, **middles)


def _differs(sets: Sequence[InvestigatedSet], before: Tuning, after: Tuning) -> bool:
    return any(not np.array_equal(one.quality(before), one.quality(after)) for one in sets)


def sure_gain(gains: Sequence[NDArray[np.float64]]) -> float:
    """What the mean over the sets of the mean gain is beyond `SURE` standard errors; one array of gains for each set."""
    error = sum(float(np.var(each)) / max(1, len(each)) for each in gains) ** 0.5
    return float((sum(float(np.mean(each)) for each in gains) - SURE * error) / max(1, len(gains)))


def _with(tuning: Tuning, part: str, name: str, value: float) -> Tuning:
    changed = dataclasses.replace(getattr(tuning, part), **{name: value})
    return dataclasses.replace(tuning, **{part: changed})


def _accuracies(answers: Mapping[str, Answer], truth: Truth) -> str:
    return f"{accuracy(answers, truth, 1):.2f} / {accuracy(answers, truth, 3):.2f}"


def _choices_text(tuning: Tuning) -> str:
    """The weights for which another value than the middle was chosen."""
    by_part = {
        part: ", ".join(
            f"{name} {getattr(getattr(tuning, part), name):g}"
            for name, values in names.items()
            if getattr(getattr(tuning, part), name) != values[0]
        )
        for part, names in CHOICES.items()
    }
    return "; ".join(f"{part}: {chosen}" for part, chosen in by_part.items() if chosen) or "the middle of each"

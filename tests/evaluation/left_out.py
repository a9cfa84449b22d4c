"""Settings chosen without a system, then tried on it: `--data` is the folder of the nezha set.

The weights of the signs (core/weighing) are chosen on all systems but one, by AC@1 and half of AC@3, the systems counting
alike; the one left out is then ranked with them. Petshop is not part of it: its alerts name the service that hurts, and
none of these weights matters there.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from bot.core.ranking import rank
from bot.core.verdict import judge
from bot.core.weighing import WORTH, Worth
from tests.evaluation.figures import Answer, accuracy, read_truth, write_answers
from tests.evaluation.nezha import System
from tests.evaluation.world import Investigation

ANYWHERE, NETWORK, BEHAVIOUR, RESOURCE, REST = (0.1, 0.2, 0.4), (1.0, 2.0), (0.5, 0.8, 1.2), (0.12, 0.24, 0.48), (0.3,)
Seen = Mapping[str, Investigation]


def evaluate(data: Path, out: Path) -> None:
    """Print for each system how it fares with settings that never saw it, and what was chosen."""
    folders = sorted(path.parent for path in data.rglob("incidents.json"))
    systems = {folder.name: _looked_at(System(folder)) for folder in folders}
    truths = {folder.name: read_truth(folder / "labels.json", "root_cause_service") for folder in folders}
    grid = {worth: {name: _answers(seen, worth) for name, seen in systems.items()} for worth in _settings()}
    answers: dict[str, Answer] = {}
    for name in systems:
        others = [other for other in systems if other != name]
        best = max(grid, key=lambda worth: _good(grid[worth], truths, others))
        own = grid[best][name]
        answers |= own
        said = {id: answer for id, answer in own.items() if answer.likely}
        right = accuracy(said, {id: truths[name][id] for id in said}, 1) if said and truths[name] else float("nan")
        print(
            f"{name} left out: AC@1 {accuracy(own, truths[name], 1):.2f}, AC@3 {accuracy(own, truths[name], 3):.2f}; ", end=""
        )
        print(f"likely {len(said) / max(1, len(own)):.2f}, of those {right:.2f} right; {best}", flush=True)
    print(f"in use: {WORTH}")
    write_answers(answers, out)


def _looked_at(system: System) -> Seen:
    return {id: system.ask(id, at) for id, at in system.alerts().items()}


def _settings() -> Iterator[Worth]:
    for anywhere, network, behaviour, resource, rest in itertools.product(ANYWHERE, NETWORK, BEHAVIOUR, RESOURCE, REST):
        yield Worth(anywhere, network, behaviour, resource, rest)


def _answers(seen: Seen, worth: Worth) -> dict[str, Answer]:
    return {id: _again(one, worth) for id, one in seen.items()}


def _again(one: Investigation, worth: Worth) -> Answer:
    """The same evidence, weighed otherwise."""
    return Answer.of(judge(rank(one.case, one.ledger, now=one.now, worth=worth), one.ledger, group=one.case.group))


def _good(answers: Mapping[str, Mapping[str, Answer]], truths: Mapping[str, Mapping[str, str]], names: Sequence[str]) -> float:
    return sum(accuracy(answers[name], truths[name], 1) + 0.5 * accuracy(answers[name], truths[name], 3) for name in names)

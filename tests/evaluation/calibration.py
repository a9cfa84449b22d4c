"""How often the first cause is right by how far it lies ahead, fitted across origins: `--data` is the folder of all sets.

For each set: what is called likely with the table that is in use, and with one that was fitted on the other origins alone
(all that one project published is left out together). `--out` gets the table of all origins, as
`bot/core/ranking/calibration_table.py` holds it. Whether a lead is right is judged by its place (the service or component);
the printed share and precision by the whole answer, which for sets of changes is the change that did it.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bot.core.evidence import Basis, Findings
from bot.core.ranking.calibration import Step, fitted
from bot.core.ranking.calibration_table import TABLE
from bot.core.ranking.ranking import rank
from bot.core.tuning import TUNING
from bot.core.verdict.verdict import judge
from tests.evaluation import changes, left_out, rootcausebench
from tests.evaluation.figures import Answer, accuracy, read_truth
from tests.evaluation.left_out import InvestigatedSet
from tests.evaluation.progress import shown
from tests.evaluation.world import Investigation, investigate_and_answer

IsRight = Callable[[Findings], bool]
_UNCALIBRATED = replace(TUNING, confidence=replace(TUNING.confidence, likely=0.0))

BASES: tuple[Basis, ...] = ("measured", "alerts")
HEAD = '''"""Written by `python -m tests.evaluation calibration`: the share of leads at least so far ahead that was right."""

from collections.abc import Mapping, Sequence

from bot.core.evidence import Basis

TABLE: Mapping[Basis, Sequence[tuple[float, float]]] = {
'''
ORIGINS = {"hotel_reservation": "TVDiag"}
"""Sets of one folder whose projects differ; all others have their project's name."""


@dataclass(frozen=True)
class JudgedLead:
    """The lead of one incident; `likely` says that everything but its distance allows the word."""

    set: str
    origin: str
    basis: Basis | None
    """None where no cause was named."""
    distance: float
    place_right: bool
    right: bool
    allowed: bool


def evaluate(data: Path, out: Path) -> None:
    """Print each set's share and precision of "likely", in use and left out by origin; write the table."""
    leads = [lead for one in _sets(data) for lead in one]
    print("| set (n) | likely, right | origin left out: likely, right |")
    print("|---|---|---|")
    in_use = {name: _called(leads, name, TABLE) for name in dict.fromkeys(lead.set for lead in leads)}
    without = {name: _called(leads, name, _table_without(leads, name)) for name in in_use}
    for name, (count, called) in in_use.items():
        print(f"| {name} ({count}) | {_text(count, called)} | {_text(count, without[name][1])} |")
    total = len(leads)
    print(f"| all ({total}) | {_text(total, _joined(in_use))} | {_text(total, _joined(without))} |")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(_source({basis: _fit(leads, basis) for basis in BASES}), encoding="utf-8")


def _called(leads: Sequence[JudgedLead], name: str, table: Mapping[Basis, Sequence[Step]]) -> tuple[int, list[bool]]:
    """The size of a set, and for each cause that this table calls likely whether it is right."""
    own = [lead for lead in leads if lead.set == name]
    likely = [lead for lead in own if lead.allowed and _share(lead, table) >= TUNING.confidence.likely]
    return len(own), [lead.right for lead in likely]


def _share(lead: JudgedLead, table: Mapping[Basis, Sequence[Step]]) -> float:
    steps = table[lead.basis] if lead.basis else ()
    return max((share for least, share in steps if least <= lead.distance), default=0.0)


def _table_without(leads: Sequence[JudgedLead], name: str) -> dict[Basis, list[Step]]:
    origin = next(lead.origin for lead in leads if lead.set == name)
    others = [lead for lead in leads if lead.origin != origin]
    return {basis: _fit(others, basis) for basis in BASES}


def _fit(leads: Sequence[JudgedLead], basis: Basis) -> list[Step]:
    return fitted((lead.origin, lead.distance, lead.place_right) for lead in leads if lead.basis == basis)


def _joined(called: Mapping[str, tuple[int, list[bool]]]) -> list[bool]:
    return [right for _, rights in called.values() for right in rights]


def _text(count: int, called: Sequence[bool]) -> str:
    precision = f", {sum(called) / len(called):.2f}" if called else ""
    return f"{len(called) / max(1, count):.2f}{precision}"


def _source(table: Mapping[Basis, Sequence[Step]]) -> str:
    rows = "".join(
        f'    "{basis}": (\n'
        + "".join(f"        ({distance:g}, {share:.3f}),\n" for distance, share in _thinned(steps))
        + "    ),\n"
        for basis, steps in table.items()
    )
    return f"{HEAD}{rows}}}\n"


def _thinned(steps: Sequence[Step]) -> Iterator[Step]:
    """Without steps of less than 0.01."""
    last = 0.0
    for distance, share in steps:
        if round(share, 3) >= last + 0.01:
            last = round(share, 3)
            yield distance, share


def _sets(data: Path) -> Iterator[list[JudgedLead]]:
    for one in left_out.investigated_sets(data):
        origin = ORIGINS.get(one.name, one.project)
        named = {id: (_right_place(one, id), _right_place(one, id)) for id in one.truth}
        yield _judged(one.name, origin, one.investigations, named)
    for folder in sorted(path.parent for path in data.rglob("changes.json")):
        yield _changes(folder)
    incidents = [rootcausebench.Incident(path.parent) for path in sorted(data.rglob("alert.json"))]
    for labels in sorted({one.folder.parent / "labels.json" for one in incidents}):
        yield _commits(incidents, json.loads(labels.read_text(encoding="utf-8")) if labels.exists() else {})


def _right_place(one: InvestigatedSet, id: str) -> IsRight:
    return lambda findings: bool(accuracy({id: one.answer(findings)}, {id: one.truth[id]}, 1))


def _changes(folder: Path) -> list[JudgedLead]:
    shop = changes.Shop(folder)
    services, bad = (read_truth(folder / "labels.json", field) for field in ("root_cause_service", "change_id"))
    named = {id: (_first_service(services[id]), _first_change(bad[id])) for id in services}
    return _judged("changes", "ChangeRCA", {id: shop.ask(id) for id in shown(list(named), "changes")}, named)


def _commits(incidents: Sequence[rootcausebench.Incident], labels: Mapping[str, Mapping[str, Any]]) -> list[JudgedLead]:
    known = {one.id: one for one in incidents if one.id in labels}
    named = {
        id: (_first_service(str(labels[id]["first_failing_service"])), _right_commit(known[id], labels[id])) for id in known
    }
    asked = {id: investigate_and_answer(one.world, one.case, now=one.now) for id, one in known.items()}
    return _judged("rootcausebench", "RootCauseBench", asked, named)


def _first_service(service: str) -> IsRight:
    return lambda findings: bool(accuracy({"": Answer.of(findings)}, {"": service}, 1))


def _first_change(change: str) -> IsRight:
    return lambda findings: Answer.of(findings).change == change


def _right_commit(incident: rootcausebench.Incident, label: Mapping[str, Any]) -> IsRight:
    return lambda findings: rootcausebench.judged_as(incident.answer(findings).change, label) == "right"


def _judged(
    name: str, origin: str, asked: Mapping[str, Investigation], named: Mapping[str, tuple[IsRight, IsRight]]
) -> list[JudgedLead]:
    """Each incident ranked as if every lead were far enough ahead; those without a first cause have no distance."""
    leads = []
    for id, (place, answer) in named.items():
        one = asked[id]
        findings = judge(rank(one.case, one.ledger, now=one.now, tuning=_UNCALIBRATED), one.ledger, group=one.case.group)
        lead = findings.lead
        allowed = bool(findings.hypotheses) and findings.hypotheses[0].confidence == "likely"
        basis, distance = (lead.basis, lead.distance) if lead else (None, 0.0)
        leads.append(JudgedLead(name, origin, basis, distance, place(findings), answer(findings), allowed))
    return leads

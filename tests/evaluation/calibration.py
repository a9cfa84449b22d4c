"""How often the first cause is right by how far it lies ahead, fitted across origins: `--data` is the folder of all sets.

For each set: what is called likely with the table that is in use, and with one that was fitted on the other origins alone
(all that one project published is left out together); then the latter for all sets of an origin together. `--out` gets the
table of all origins, as `bot/core/ranking/calibration_table.py` holds it. Whether a lead is right is judged by its place (the
service or component); the printed share and precision by the whole answer, which for sets of changes is the change that did it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bot.core.evidence import Basis
from bot.core.ranking.calibration import Step
from bot.core.ranking.calibration_table import TABLE
from bot.core.ranking.ranking import rank
from bot.core.tuning import TUNING
from bot.core.verdict.verdict import judge
from tests.evaluation import changes, left_out, rootcausebench
from tests.evaluation.figures import Answer, accuracy, read_truth
from tests.evaluation.leads import IsRight, JudgedLead, Table, called_likely, share_and_precision, table_of, uncalibrated
from tests.evaluation.progress import shown
from tests.evaluation.world import Investigation, investigate_and_answer

HEAD = '''"""Written by `python -m tests.evaluation calibration`: the share of leads at least so far ahead that was right."""

from collections.abc import Mapping, Sequence

from bot.core.evidence import Basis

TABLE: Mapping[Basis, Sequence[tuple[float, float]]] = {
'''


def evaluate(data: Path, out: Path) -> None:
    """Print each set's share and precision of "likely", in use and left out by origin, and each origin's; write the table."""
    leads = [lead for one in _sets(data) for lead in one]
    without = {origin: table_of(leads, without=origin) for origin in dict.fromkeys(lead.origin for lead in leads)}
    print("| set (n) | likely, right | origin left out: likely, right |")
    print("|---|---|---|")
    for name in dict.fromkeys(lead.set for lead in leads):
        own = [lead for lead in leads if lead.set == name]
        print(f"| {name} ({len(own)}) | {_likely(own, dict.fromkeys(without, TABLE))} | {_likely(own, without)} |")
    print(f"| all ({len(leads)}) | {_likely(leads, dict.fromkeys(without, TABLE))} | {_likely(leads, without)} |")
    print("| origin left out (n) | likely, right |")
    print("|---|---|")
    for origin in without:
        own = [lead for lead in leads if lead.origin == origin]
        print(f"| {origin} ({len(own)}) | {_likely(own, without)} |")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(_source(table_of(leads)), encoding="utf-8")


def _likely(leads: Sequence[JudgedLead], tables: Mapping[str, Table]) -> str:
    """Share and precision of what the tables call likely, each lead by its origin's."""
    rights = [right for lead in leads for right in called_likely([lead], tables[lead.origin])]
    return share_and_precision(len(leads), rights)


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
        yield one.leads(TUNING)
    for folder in sorted(path.parent for path in data.rglob("changes.json")):
        yield _changes(folder)
    incidents = [rootcausebench.Incident(path.parent) for path in sorted(data.rglob("alert.json"))]
    for labels in sorted({one.folder.parent / "labels.json" for one in incidents}):
        yield _commits(incidents, json.loads(labels.read_text(encoding="utf-8")) if labels.exists() else {})


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
        ranked = rank(one.case, one.ledger, now=one.now, tuning=uncalibrated(TUNING))
        findings = judge(ranked, one.ledger, group=one.case.group, case=one.case)
        leads.append(JudgedLead.of(name, origin, findings, place=place, answer=answer))
    return leads

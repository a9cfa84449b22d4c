"""The one change just before the trouble, of a service of which nobody knows whether what fails rests on it."""

import pytest

from bot.core.change import Change
from bot.core.evidence import Hypothesis
from bot.core.facts.code import DiffFact
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.ranking.ranking import rank
from tests.unit.evidence_builders import CASE, NOW, ONSET, Ledger, change, deviation, minutes

POLICIES = change("cluster-policies", 2, version="1.4.0")


def first(*changes: Change, inert: bool = False) -> Hypothesis:
    ledger = Ledger().health("front", deviation("front", "errors", 0.002, 0.3, doublings=4, unit="ratio"))
    ledger.graph("front", "cart").health("cart").changes(*changes)
    diff = DiffFact(commit="c" * 40, at=ONSET - minutes(60), paths=("egress.yaml",), inert=inert, added=("egress",))
    facts = EvidenceFacts(diffs=(diff,), version=POLICIES.version)
    ledger._add("code_changes", facts, source="github", service=POLICIES.service)
    return rank(CASE, ledger.entries, now=NOW).hypotheses[0]


def test_the_only_change_just_before_is_a_lead_though_nobody_knows_a_link() -> None:
    found = first(POLICIES)

    assert (found.change_id, found.confidence) == (POLICIES.id, "possible")


@pytest.mark.parametrize(
    "changes",
    [
        (POLICIES, change("billing", 8, version="2.0.0")),
        (POLICIES, change("billing", 4, kind="flag")),
        (change("cluster-policies", 7, version="1.4.0"),),
    ],
    ids=["another roll-out", "a flag", "not just before"],
)
def test_it_is_no_coincidence_where_more_was_changed_or_time_has_passed(changes: tuple[Change, ...]) -> None:
    assert first(*changes).change_id == ""


def test_a_change_that_can_do_nothing_is_no_lead_whenever_it_came() -> None:
    assert first(POLICIES, inert=True).change_id == ""


def test_a_roll_out_whose_code_has_nothing_to_do_with_it_makes_it_no_less_a_coincidence() -> None:
    billing = change("billing", 8, version="2.0.0")
    ledger = Ledger().health("front", deviation("front", "errors", 0.002, 0.3, doublings=4, unit="ratio"))
    ledger.graph("front", "cart").health("cart").changes(POLICIES, billing)
    for one, effect in ((POLICIES, "egress"), (billing, "")):
        added = (effect,) if effect else ()
        diff = DiffFact(commit="c" * 40, at=ONSET - minutes(60), paths=("a.yaml",), inert=not effect, added=added)
        ledger._add("code_changes", EvidenceFacts(diffs=(diff,), version=one.version), source="github", service=one.service)

    assert rank(CASE, ledger.entries, now=NOW).hypotheses[0].change_id == POLICIES.id

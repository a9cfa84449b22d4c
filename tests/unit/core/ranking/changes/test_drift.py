"""Resources that have climbed since a change, and the services on which older changes are looked for."""

from dataclasses import replace

from bot.core.facts.recorded import TemplateFact
from bot.core.ranking.next_checks import services_to_look_back_on
from bot.core.ranking.observations import observe
from bot.core.ranking.ranking import rank
from tests.unit.evidence_builders import CASE, NOW, Ledger, change, deviation

OLD = change("front", 200, version="2.0.0")


def failing_front(*, climbs: bool = True, since: float | None = None) -> Ledger:
    ledger = Ledger().health("front", deviation("front", "errors", 0.002, 0.3, doublings=4, unit="ratio"))
    if climbs:
        climb = replace(deviation("front", "process_open_fds", 900, 9_000, doublings=2), onset=None, climbs_since=since)
        ledger.health("front", climb)
    return ledger.graph("front", "cart").health("cart").changes(OLD)


def test_where_a_climb_has_no_beginning_older_changes_of_its_service_are_looked_for() -> None:
    climbing, steady = failing_front(), failing_front(climbs=False)

    assert services_to_look_back_on(CASE, observe(climbing.entries), now=NOW) == ["front"]
    assert services_to_look_back_on(CASE, observe(steady.entries), now=NOW) == []


def test_the_last_change_before_a_climb_without_a_beginning_is_a_suspect() -> None:
    (cause,) = [h for h in rank(CASE, failing_front().entries, now=NOW).hypotheses if h.change_id == OLD.id]

    assert any("process_open_fds climbed through all that was read" in claim.text for claim in cause.claims)


def likelihood_with(line: str) -> float:
    lines = TemplateFact(template=line, count=40, before=0, trend="new")
    causes = rank(CASE, failing_front(since=OLD.at.timestamp() + 60).lines("front", lines).entries, now=NOW).hypotheses
    return next(cause.likelihood for cause in causes if cause.change_id == OLD.id)


def test_lines_that_say_that_what_climbed_has_run_out_make_the_change_before_the_climb_likelier() -> None:
    assert likelihood_with("accept: too many open files") > likelihood_with("accept: no reason given")

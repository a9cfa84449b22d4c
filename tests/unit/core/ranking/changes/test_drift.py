"""Resources that have climbed since a change, and the services on which older changes are looked for."""

from dataclasses import replace

from bot.core.change import Change
from bot.core.evidence import Hypothesis
from bot.core.facts.recorded import TemplateFact
from bot.core.ranking.next_checks import services_to_look_back_on
from bot.core.ranking.observations import observe
from bot.core.ranking.ranking import rank
from tests.unit.evidence_builders import CASE, NOW, ONSET, Ledger, change, deviation, minutes

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


LONG_AGO, LATER = change("token", 130, version="3.0.0"), change("cart", 110, version="4.0.0")


def filled(*changes: Change, callers: tuple[str, ...] = ("front", "token"), line: str = "OOM") -> list[Hypothesis]:
    """What is said where the memory of a store that `front` calls has climbed for two hours."""
    errors = deviation("front", "errors", 0.002, 0.3, doublings=4, unit="ratio")
    memory = replace(deviation("store", "used_memory_gib", 4, 6, doublings=2), onset=None)
    refused = deviation("store", "rejected_writes", 0, 400, doublings=5)
    climb = replace(memory, climbs_since=(ONSET - minutes(124)).timestamp())
    # Where nothing says that it refuses, the store has a smaller part in the failure.
    found = (refused, climb) if line == "OOM" else (climb,)
    ledger = Ledger().health("front", errors).health("store", *found).changes(*changes)
    for caller in callers:
        ledger.graph(caller, "store")
    ledger.lines("front", TemplateFact(template=line, count=40, before=0, trend="new"))
    return rank(CASE, ledger.entries, now=NOW).hypotheses


def named_since(*changes: Change, callers: tuple[str, ...] = ("front", "token")) -> list[str]:
    """The changes with which its memory is said to have climbed."""
    return [hypothesis.change_id for hypothesis in filled(*changes, callers=callers) if _names_climb(hypothesis)]


def _names_climb(hypothesis: Hypothesis) -> bool:
    return any("store used_memory_gib has climbed since" in claim.text for claim in hypothesis.claims)


def test_a_store_that_has_climbed_since_a_change_of_its_caller_was_filled_by_that() -> None:
    assert named_since(LONG_AGO, LATER) == [LONG_AGO.id]


def test_it_goes_before_the_store_itself_and_first_where_lines_say_that_there_is_no_more() -> None:
    said, unsaid = filled(LONG_AGO, line="out of memory"), filled(LONG_AGO, line="request failed")

    assert said[0].change_id == LONG_AGO.id
    assert said[0].likelihood > 0.6 > unsaid[0].likelihood, "what has run out says where the fault lies"
    places = [hypothesis.change_id or hypothesis.kind for hypothesis in unsaid]
    assert "resource" not in places[: places.index(LONG_AGO.id)]


def test_a_caller_goes_before_others_of_which_nobody_knows_that_they_call_it() -> None:
    assert named_since(LONG_AGO, change("cart", 126, version="4.0.0")) == [LONG_AGO.id]


def test_where_no_caller_changed_only_the_one_change_that_fits_is_named() -> None:
    cart, mail = change("cart", 125, version="4.0.0"), change("mail", 123, version="5.0.0")

    assert named_since(cart, callers=("front",)) == [cart.id]
    assert named_since(cart, mail, callers=("front",)) == []


def test_a_climb_that_began_with_a_change_elsewhere_did_not_begin_with_an_earlier_one_of_its_own_service() -> None:
    own = change("store", 134, version="2.0.0")

    assert named_since(own, LONG_AGO.model_copy(update={"at": ONSET - minutes(124.5)})) == [LONG_AGO.id]
    assert named_since(own) == [own.id]


def test_of_two_deploys_of_a_service_its_climb_began_with_the_one_that_came_many_times_nearer() -> None:
    first, second = (change("front", before, version=version) for before, version in ((140, "1.9.0"), (131, "2.0.0")))
    ledger = failing_front(since=(ONSET - minutes(130)).timestamp()).changes(first, second)

    named = [h.change_id for h in rank(CASE, ledger.entries, now=NOW).hypotheses if "has climbed since" in str(h.claims)]

    assert named == [second.id]

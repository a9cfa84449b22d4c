"""What is named as the cause of an outage that began while another ran on, or soon after it."""

import pytest

from bot.core.change import Change
from bot.core.evidence import EarlierOutage, Findings
from bot.core.facts.code import DiffFact, EffectFact
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.facts.recorded import TemplateFact
from bot.core.metrics.deviation import Deviation
from bot.core.ranking.ranking import rank
from bot.core.verdict.verdict import judge
from tests.unit.evidence_builders import CASE, NOW, ONSET, Ledger, change, deviation, failing_payments, minutes

GUILTY = change("payments", 1, version="2.3.1", previous="2.3.0")
"""Of the outage that runs on since the onset; the alert of the present one fires four minutes later."""
RUNS_ON = EarlierOutage(
    until=CASE.started_at + minutes(2), likely=("change", "payments", GUILTY.id), began_at=ONSET, runs_on=True
)


def judged(ledger: Ledger, earlier: EarlierOutage) -> Findings:
    case = CASE.model_copy(update={"earlier": earlier, "started_at": CASE.started_at + minutes(4)})
    ranked = rank(case, ledger.entries, now=NOW + minutes(3))
    return judge(ranked, ledger.entries, case=case)


def named(ledger: Ledger, earlier: EarlierOutage = RUNS_ON) -> list[tuple[str, str, str]]:
    return [(one.kind, one.service, one.confidence) for one in judged(ledger, earlier).hypotheses[:2]]


def carried_by_payments(*changes: Change, guilty: Change = GUILTY) -> Ledger:
    """Its new version alone fails, and the front with it."""
    levels = {"2_3_1": (0.0, 0.5), "2_3_0": (0.001, 0.001)}
    return failing_payments(guilty, *changes).breakdown("payments", "errors", "version", **levels)


def test_a_change_made_meanwhile_goes_before_the_cause_of_the_outage_that_runs_on_and_neither_is_likely() -> None:
    flip = change("front", -4.5, kind="flag")

    assert named(carried_by_payments(flip)) == [("change", "front", "possible"), ("change", "payments", "possible")]
    assert all(claim.change_id != flip.id for claim in judged(carried_by_payments(flip), RUNS_ON).ruled_out)


def test_what_the_outage_that_runs_on_had_brought_before_it_does_not_clear_such_a_change() -> None:
    flip = change("front", -4.5, kind="flag")
    ledger = carried_by_payments(flip).health("front", deviation("front", "cpu", 0.2, 0.95, late=0.2))

    assert named(ledger)[0] == ("change", "front", "possible")


def test_a_provider_that_began_to_fail_meanwhile_goes_before_it_too() -> None:
    ledger = carried_by_payments().health(
        "cart",
        deviation("cart", "errors", 0.001, 0.4, late=3.6, unit="ratio"),
        deviation("cart", "calls to parcel.example", 0.0, 0.5, late=3.5, family="external", unit="ratio"),
    )

    assert named(ledger) == [("external", "cart", "possible"), ("change", "payments", "possible")]


def test_a_provider_of_a_service_to_which_nothing_is_attributed_is_found_where_it_is_slow_only_since_then() -> None:
    def first(late: float) -> str:
        own = deviation("stock", "latency", 0.1, 3.0, late=late, unit="s")
        calls = deviation("stock", "calls to parcel.example", 0.1, 3.0, late=late, family="external", unit="s")
        ledger = carried_by_payments().graph("front", "payments", "stock").graph("stock").health("stock", own, calls)
        kind, service, _ = named(ledger)[0]
        return f"{kind} {service}"

    assert (first(late=3.6), first(late=0.0)) == ("external stock", "change payments")


def test_where_nothing_new_shows_itself_its_cause_stays_likely() -> None:
    elsewhere = change("billing", -4.5, kind="flag")

    assert named(carried_by_payments(elsewhere))[:1] == [("change", "payments", "likely")]


@pytest.mark.parametrize(("late", "confidence"), [(0.5, "likely"), (3.6, "possible")])
def test_its_cause_is_only_possible_where_what_alerts_now_began_to_fail_since(late: float, confidence: str) -> None:
    front = deviation("front", "errors", 0.002, 0.4, doublings=5, late=late, unit="ratio")
    failing = deviation("payments", "errors", 0.001, 0.5, doublings=6, unit="ratio")
    levels = {"2_3_1": (0.0, 0.5), "2_3_0": (0.001, 0.001)}
    ledger = Ledger().health("front", front).graph("front", "payments", "cart").changes(GUILTY)
    ledger.health("payments", failing).health("cart").breakdown("payments", "errors", "version", **levels)

    assert named(ledger)[0] == ("change", "payments", confidence)


@pytest.mark.parametrize(("late", "confidence"), [(0.5, "likely"), (3.6, "possible")])
def test_its_cause_is_only_possible_where_what_alerts_now_fails_in_another_way_since(late: float, confidence: str) -> None:
    slow = deviation("front", "latency", 0.1, 3.0, doublings=5, late=0.5, unit="s")
    errors = deviation("front", "errors", 0.002, 0.2, doublings=3, late=late, unit="ratio")
    failing = deviation("payments", "errors", 0.001, 0.5, doublings=6, unit="ratio")
    levels = {"2_3_1": (0.0, 0.5), "2_3_0": (0.001, 0.001)}
    ledger = Ledger().health("front", slow, errors).graph("front", "payments", "cart").changes(GUILTY)
    ledger.health("payments", failing).health("cart").breakdown("payments", "errors", "version", **levels)

    assert named(ledger)[0] == ("change", "payments", confidence)


def test_a_change_that_another_cause_took_the_place_of_by_then_does_not_lead_again() -> None:
    flip = change("payments", 4, kind="flag")
    ledger = failing_payments(flip)

    def first(superseded: tuple[str, ...]) -> str:
        earlier = RUNS_ON.model_copy(update={"likely": None, "superseded": superseded})
        return judged(ledger, earlier).hypotheses[0].change_id

    assert first(()) == flip.id and first((flip.id,)) != flip.id


def test_once_the_outage_before_is_over_a_change_after_the_onset_is_ruled_out_as_ever() -> None:
    flip = change("front", -4.5, kind="flag")
    over = RUNS_ON.model_copy(update={"recovered_at": CASE.started_at + minutes(3), "runs_on": False})

    assert named(carried_by_payments(flip), over)[0] == ("change", "payments", "likely")
    assert any(claim.change_id == flip.id for claim in judged(carried_by_payments(flip), over).ruled_out)


@pytest.mark.parametrize(("minute", "cleared"), [(3.0, True), (5.0, False)], ids=["before the alert", "after it"])
@pytest.mark.parametrize("runs_on", [True, False])
def test_what_an_action_had_taken_back_for_good_before_the_alert_is_no_cause_of_it(
    minute: float, cleared: bool, runs_on: bool
) -> None:
    undone = GUILTY.model_copy(update={"undone_at": CASE.started_at + minutes(minute)})
    findings = judged(carried_by_payments(guilty=undone), RUNS_ON.model_copy(update={"runs_on": runs_on}))

    accused = {cause.change_id for cause in findings.hypotheses}
    assert (GUILTY.id in accused, [claim.change_id for claim in findings.ruled_out]) == (not cleared, [GUILTY.id] * cleared)


@pytest.mark.parametrize(("verified", "confidence"), [(True, "possible"), (False, "likely")])
def test_what_an_action_took_back_for_good_since_the_alert_is_not_likely_while_it_fires_on(
    verified: bool, confidence: str
) -> None:
    back = change("payments", -5.5, version="2.3.0", previous="2.3.1").model_copy(update={"by_action": "AP-1"})
    undone = GUILTY.model_copy(update={"undone_at": back.at if verified else None})

    assert named(carried_by_payments(back, guilty=undone)) == [("change", "payments", confidence)]


def test_once_the_outage_before_is_over_its_cause_is_no_lead_where_something_ran_out_since() -> None:
    over = RUNS_ON.model_copy(update={"recovered_at": CASE.started_at + minutes(1), "runs_on": False})
    shows = deviation("front", "errors", 0.002, 0.3, late=3.6, unit="ratio")
    ran_out = deviation("front", "connections", 0.13, 1.0, late=3.4, unit="ratio", family="saturation")
    beside = Ledger().graph("front", "payments").changes(GUILTY).health("payments").health("front", shows)

    assert named(beside, over)[0] == ("change", "payments", "possible")
    assert [one.kind for one in judged(beside.health("front", shows, ran_out), over).hypotheses] == ["resource"]


def test_that_the_service_of_the_cause_before_runs_short_again_does_not_clear_that_cause() -> None:
    over = EarlierOutage(
        until=CASE.started_at + minutes(2), likely=("change", "front", "x"), began_at=ONSET, recovered_at=CASE.started_at
    )
    own = change("front", 1, version="2.0.0")
    over = over.model_copy(update={"likely": ("change", "front", own.id)})
    ran_out = deviation("front", "connections", 0.13, 1.0, late=3.4, unit="ratio", family="saturation")
    shows = deviation("front", "errors", 0.002, 0.3, late=3.6, unit="ratio")
    ledger = Ledger().graph("front", "payments").changes(own).health("payments").health("front", shows, ran_out)

    with_it, without = (
        next(h.likelihood for h in judged(ledger, earlier).hypotheses if h.change_id == own.id)
        for earlier in (over, over.model_copy(update={"likely": ("traffic", "front", "")}))
    )
    assert with_it == without


def test_what_broke_elsewhere_weakly_or_beside_a_running_outage_clears_no_cause_of_before() -> None:
    over = RUNS_ON.model_copy(update={"recovered_at": CASE.started_at + minutes(1), "runs_on": False})
    shows = deviation("front", "errors", 0.002, 0.3, late=3.6, unit="ratio")

    def listed(service: str, doublings: float, earlier: EarlierOutage) -> bool:
        ran_out = deviation(service, "connections", 0.13, 1.0, doublings=doublings, late=3.4, unit="ratio", family="saturation")
        ledger = Ledger().graph("front", "payments").changes(GUILTY).health("payments").health("front", shows)
        causes = judged(ledger.health(service, *([shows] if service == "front" else []), ran_out), earlier).hypotheses
        return any(cause.change_id == GUILTY.id for cause in causes)

    assert not listed("front", 3, over)
    assert listed("front", 3, RUNS_ON) and listed("archive", 3, over) and listed("front", 0.2, over)


def test_what_ran_out_meanwhile_by_itself_goes_before_it_and_what_a_failing_callee_filled_does_not() -> None:
    before = EarlierOutage(until=CASE.started_at + minutes(2), likely=None, began_at=ONSET, runs_on=True)
    ran_out = (
        deviation("stock", "errors", 0.001, 0.2, late=4.6, unit="ratio"),
        deviation("stock", "connections", 0.13, 1.0, late=4.4, unit="ratio", family="saturation"),
    )

    def likelihood(*called: str, requested: float = 100.0, late: float = 4.4, slower: float | None = None) -> float:
        ledger = Ledger().graph("front", "search", "stock").graph("stock", *called).changes()
        for service in ("front", "search"):
            errors = deviation(service, "errors", 0.001, 0.6, doublings=6, unit="ratio")
            latency = [] if slower is None else [deviation(service, "latency", 0.1, 0.2, doublings=slower, unit="s")]
            ledger.health(service, errors, *latency)
        traffic = deviation("stock", "traffic", 100.0, requested, late=late, unit="req/s", family="traffic")
        causes = judged(ledger.health("stock", *ran_out, traffic), before).hypotheses
        return max((cause.likelihood for cause in causes if cause.kind == "resource"), default=0.0)

    assert likelihood() >= 0.8 > likelihood("search")
    assert likelihood("search", slower=0.0) >= 0.8 > likelihood("search", slower=1.0)
    more, later, hardly = (
        likelihood(requested=200.0, late=4.3),
        likelihood(requested=200.0, late=4.9),
        likelihood(requested=112.0),
    )
    assert more < 0.8 <= min(later, hardly)


def test_a_change_made_meanwhile_of_what_is_well_or_fails_in_all_versions_is_cleared() -> None:
    flip = change("ads", -4.5, kind="deploy", version="2.1.0", previous="2.0.0")
    well = carried_by_payments(flip).graph("front", "payments", "ads").health("ads")
    fails = deviation("ads", "errors", 0.001, 0.3, late=3.6, unit="ratio")
    both = carried_by_payments(flip).graph("front", "payments", "ads").health("ads", fails)
    both = both.breakdown("ads", "errors", "version", **{"2_1_0": (0.0, 0.4), "2_0_0": (0.001, 0.15)})

    assert all(named(ledger)[0][:2] == ("change", "payments") for ledger in (well, both))


def test_of_two_changes_made_meanwhile_one_whose_service_is_measured_and_well_goes_behind_one_whose_service_fails() -> None:
    flip, deploy = change("ads", -4.5, kind="flag"), change("cart", -4.6, version="3.1.0", previous="3.0.0")
    fails = deviation("cart", "errors", 0.001, 0.4, late=4.6, unit="ratio")
    busy = deviation("ads", "cpu", 0.2, 0.4, late=0.2)

    def likelihood(*ads: Deviation, measured: bool = True) -> float:
        ledger = carried_by_payments(flip, deploy).graph("front", "payments", "ads", "cart").health("cart", fails)
        ledger = ledger.health("ads", *ads) if measured else ledger
        return sum(cause.likelihood for cause in judged(ledger, RUNS_ON).hypotheses if cause.change_id == flip.id)

    requested = deviation("ads", "traffic", 100.0, 160.0, late=0.2, unit="req/s", family="traffic")
    assert likelihood(busy, requested) < 0.3 < 0.5 < min(likelihood(measured=False), likelihood(busy))


def test_versions_that_fail_alike_with_the_outage_that_runs_on_clear_no_change_since_which_their_service_runs_short() -> None:
    deploy = change("payments", -3.4, version="1.32.0", previous="1.31.0")

    def first(short_since: float, fails_since: float = 0.0) -> bool:
        errors = deviation("payments", "errors", 0.0, 0.5, doublings=4, late=fails_since, unit="ratio")
        memory = deviation("payments", "memory", 0.44, 0.96, late=short_since, unit="ratio", family="saturation")
        ledger = Ledger().graph("front", "payments").changes(deploy).health("payments", errors, memory)
        ledger = ledger.breakdown("payments", "errors", "version", **{"1_32_0": (0.0, 0.5), "1_31_0": (0.0, 0.48)})
        earlier = RUNS_ON.model_copy(update={"likely": ("resource", "payments", "")})
        return judged(ledger, earlier).hypotheses[0].change_id == deploy.id

    assert first(short_since=3.8)
    assert not first(short_since=0.5) and not first(short_since=3.8, fails_since=3.6)


def test_what_a_service_does_not_rest_on_and_failed_before_is_no_cause_of_what_began_on_it_since() -> None:
    old, new = change("payments", 0.3, kind="flag"), change("search", -4.5, kind="flag")

    def likelihoods(alerting: str) -> dict[str, float]:
        earlier = EarlierOutage(until=CASE.started_at + minutes(2), began_at=ONSET, runs_on=True)
        began = CASE.started_at + minutes(4)
        case = CASE.model_copy(update={"service": alerting, "earlier": earlier, "started_at": began})
        ledger = Ledger().graph("front", "search", "payments").graph("search", callers=["front"]).changes(old, new)
        for service, late in (("search", 4.8), ("front", 0.0), ("payments", 0.0)):
            ledger.health(service, deviation(service, "errors", 0.0, 0.4, late=late, unit="ratio", doublings=5))
        causes = judge(rank(case, ledger.entries, now=NOW + minutes(3)), ledger.entries, case=case).hypotheses
        return {cause.change_id: cause.likelihood for cause in causes}

    own = likelihoods("search")
    assert list(own) == [new.id, old.id] and own[new.id] > 2 * own[old.id]
    assert likelihoods("front")[old.id] > 2 * own[old.id]


def test_a_change_of_the_outage_before_that_its_diff_explains_takes_no_sureness_from_what_ran_out_since() -> None:
    old = change("front", 1, version="2.0.0", previous="1.9.0")
    earlier = EarlierOutage(
        until=CASE.started_at + minutes(2), likely=("change", "front", old.id), began_at=ONSET, runs_on=True
    )
    lines = TemplateFact(template='relation "order_notes" does not exist', count=40, before=0, trend="new")
    effect = EffectFact(kind="query", name="order_notes", path="front/orders.py")
    diff = DiffFact(commit="a" * 40, at=ONSET - minutes(60), paths=("front/orders.py",), effects=(effect,))
    ledger = Ledger().graph("front", "search", "stock").graph("stock").changes(old)
    for service in ("front", "search"):
        ledger.health(service, deviation(service, "errors", 0.001, 0.6, doublings=6, unit="ratio"))
    ran_out = deviation("stock", "connections", 0.13, 1.0, late=4.4, unit="ratio", family="saturation")
    ledger.health("stock", deviation("stock", "errors", 0.001, 0.2, late=4.6, unit="ratio"), ran_out).lines("front", lines)
    ledger._add("code_changes", EvidenceFacts(diffs=(diff,), version="2.0.0"), source="github", service="front")

    assert named(ledger, earlier)[0] == ("resource", "stock", "possible")


def test_a_callee_that_shows_neither_errors_nor_slow_answers_may_hang_and_fill_the_pools_of_who_waits_for_it() -> None:
    earlier = RUNS_ON.model_copy(update={"likely": ("resource", "search", "")})

    def likelihood(*search: Deviation) -> float:
        ledger = Ledger().graph("front", "search", "stock").graph("stock", "search").changes()
        ledger.health("front", deviation("front", "errors", 0.001, 0.6, doublings=6, unit="ratio"))
        ledger.health("search", *search, deviation("search", "latency", 0.1, 0.1, doublings=0, unit="s"))
        ran_out = deviation("stock", "connections", 0.13, 1.0, late=4.4, unit="ratio", family="saturation")
        ledger.health("stock", deviation("stock", "errors", 0.001, 0.2, late=4.6, unit="ratio"), ran_out)
        causes = judged(ledger, earlier).hypotheses
        return max((cause.likelihood for cause in causes if cause.kind == "resource"), default=0.0)

    assert likelihood() < 0.8 <= likelihood(deviation("search", "errors", 0.001, 0.6, doublings=6, unit="ratio"))


def test_a_deploy_made_meanwhile_whose_version_alone_fails_is_likely_whatever_the_outage_that_runs_on_shows() -> None:
    deploy = change("front", -3.8, version="2.0.0", previous="1.9.0")
    surge = RUNS_ON.model_copy(update={"likely": ("traffic", "search", "")})
    own = deviation("front", "errors", 0.0, 0.3, doublings=4, late=4, unit="ratio")
    failing = deviation("search", "errors", 0.002, 0.5, doublings=6, unit="ratio")
    more = deviation("search", "requests", 100, 600, doublings=6, family="traffic", unit="/s")

    def first(before: float) -> tuple[str, str, str]:
        levels = {"2_0_0": (0.0, 0.5), "1_9_0": (0.001, before)}
        ledger = Ledger().health("front", own).graph("front", "search").graph("search").health("search", failing, more)
        return named(ledger.changes(deploy).breakdown("front", "errors", "version", **levels), surge)[0]

    assert first(0.001) == ("change", "front", "likely")
    assert first(0.45)[:2] == ("traffic", "search")

"""The judge hides no outage that was hidden and blames no message that was right."""

from dataclasses import replace

from tests.trial.judge import JudgedOutage, Verdict, judge
from tests.trial.outage import Run
from tests.trial.plan import Follows
from tests.trial.recorder import Version
from tests.unit.trial.builders import T, alert, began, message, outage, run

CARD = f"Firing: cart HighErrorRate\nStarted {began(1)}"


def first(made: Run, *messages: Version) -> JudgedOutage:
    return judge(made, messages)[0][0]


def test_an_outage_is_told_by_a_card_that_names_its_service_start_and_on_call_at_once() -> None:
    told = first(run(outage(), alerts=(alert(),)), message(CARD, 3.0, pings=("U1",)))

    assert told.verdict is Verdict.TOLD and told.seconds == 1.0


def test_a_card_that_comes_late_or_names_another_service_hides_it() -> None:
    made = run(outage(), alerts=(alert(),))

    assert first(made, message(CARD, 8.0, pings=("U1",))).verdict is Verdict.HIDDEN
    assert first(made, message(CARD.replace("cart", "cartography"), 3.0, pings=("U1",))).verdict is Verdict.HIDDEN


def test_an_edit_tells_nobody() -> None:
    edited = Version(message(CARD, 3.0).at, message(CARD, -60.0).at, "C0", "1", "card:AL-1", "1", "Firing", CARD, ("U1",))

    assert first(run(outage(), alerts=(alert(),)), edited).verdict is Verdict.HIDDEN


def test_a_message_of_its_own_may_name_it_a_moment_later() -> None:
    made = run(outage(), alerts=(alert(),))
    line = message(f"checkout is slow {began(1)}", 3.0, pings=("U1",))

    assert [first(made, line, replace(line, at=line.posted_at + more, words=CARD)).verdict for more in (1.5, 6)] == [
        Verdict.TOLD,
        Verdict.HIDDEN,
    ]


def test_a_second_card_of_one_outage_is_counted_and_one_of_the_next_is_not() -> None:
    card = message(CARD, 3.0, pings=("U1",))
    second, edited = message(CARD, 12.0, key="card:AL-2", thread="2"), replace(card, at=card.at + 10)
    made = run(outage(), alerts=(alert(),))

    assert first(made, card, edited).further_cards == 0
    assert first(made, card, second).further_cards == 1
    next_one = replace(made, outages=(*made.outages, outage(2, at=10, end=160)))
    assert judge(next_one, (card, second))[0][0].further_cards == 0


def test_who_acknowledged_something_else_has_to_be_called_again() -> None:
    later = outage(2, at=100, end=160, follows=Follows.BACK_TO_BACK)
    line = message(f"cart fires again {began(101)}", 103.0, key="renewed:AL-1:1")
    card = message(CARD, 3.0, pings=("U1",))
    alerts = (alert(at=102.0),)

    assert judge(run(later, alerts=alerts), (card, line))[0][0].verdict is Verdict.TOLD
    assert judge(run(later, alerts=alerts, acknowledged=(("1", 20.0),)), (card, line))[0][0].verdict is Verdict.UNHEARD
    assert judge(run(later, alerts=alerts, acknowledged=(("1", 104.0),)), (card, line))[0][0].verdict is Verdict.TOLD


def test_what_warns_only_has_to_call_nobody() -> None:
    warning = replace(alert(), severity="warning")

    assert first(run(outage(), alerts=(warning,)), message(CARD, 3.0)).verdict is Verdict.TOLD
    assert first(run(outage(), alerts=(alert(),)), message(CARD, 3.0)).verdict is Verdict.UNHEARD


def test_a_start_of_an_outage_before_is_wrong() -> None:
    later = outage(2, at=200, end=260, follows=Follows.BACK_TO_BACK)
    line = message(f"cart fires again {began(1)}", 203.0, pings=("U1",))

    assert first(run(later, alerts=(alert(at=202.0),)), line).verdict is Verdict.WRONG_START


def test_beside_another_outage_only_its_own_root_names_it() -> None:
    beside = outage(2, root="auth", follows=Follows.OVERLAPPING)
    alerts = (alert("checkout", at=2.0), alert("auth", at=4.0))
    callers = message(f"checkout is slow {began(1)}", 3.0, pings=("U1",))

    assert first(run(beside, alerts=(alert("search", at=-30.0), *alerts)), callers).verdict is Verdict.HIDDEN


def test_once_an_action_ended_the_outage_before_any_service_that_alerts_names_the_next() -> None:
    beside = outage(2, root="auth", follows=Follows.OVERLAPPING)
    alerts = (alert("search", at=-30.0, end=-5.0), alert("checkout", at=2.0), alert("auth", at=4.0))
    callers = message(f"checkout is slow {began(1)}", 3.0, pings=("U1",))

    assert first(run(beside, alerts=alerts), callers).verdict is Verdict.TOLD


def test_a_queue_that_grows_before_a_fault_does_harm_is_of_the_outage_that_stands() -> None:
    beside = replace(outage(2, root="auth", at=20, follows=Follows.OVERLAPPING), caused_at=T + 5)
    alerts = (alert("auth", "QueueBacklog", at=10.0), alert("auth", at=24.0))
    line = message(f"auth HighErrorRate {began(23)}", 25.0, pings=("U1",))

    assert first(run(beside, alerts=alerts), line).verdict is Verdict.TOLD
    slow = replace(beside, began_at=T + 95)
    assert first(run(slow, alerts=alerts), line).verdict is Verdict.HIDDEN, "a slow one warns before it does harm"


def test_an_outage_without_an_alert_cannot_be_told() -> None:
    assert first(run(outage())).verdict is Verdict.SILENT


def test_who_is_mentioned_while_nothing_fires_is_paged_falsely() -> None:
    made = run(outage(), alerts=(alert(end=20.0),))
    at_peace, in_time = message("a heartbeat is late", 120.0, pings=("U1",)), message("worse", 50.0, pings=("U1",))

    assert judge(made, (at_peace,))[1] == ["false page: card:AL-1: a heartbeat is late"]
    assert judge(made, (in_time,))[1] == []


def test_a_run_that_told_all_is_faultless() -> None:
    assert judge(run(outage(), alerts=(alert(),)), (message(CARD, 3.0, pings=("U1",)),))[1] == []


def test_pods_of_a_root_that_are_replaced_while_it_fails_tell_of_no_second_outage() -> None:
    leak = outage(2, at=50, end=200, follows=Follows.OVERLAPPING)
    replaced = replace(alert(at=60.0), fingerprint="another pod")
    of_its_own = alert(name="MemoryHigh", at=140.0)
    line = message(f"MemoryHigh on cart fires since {began(139)}", 141.0, pings=("U1",))

    assert first(run(leak, alerts=(alert(), replaced, of_its_own)), line).verdict is Verdict.TOLD
    assert first(run(leak, alerts=(alert(end=40.0), replaced, of_its_own)), line).verdict is Verdict.HIDDEN


def test_an_alert_that_the_standing_outage_raises_everywhere_tells_of_no_second_one() -> None:
    standing = outage(1, root="catalogue", end=200)
    leak = outage(2, root="checkout", at=50, end=200, follows=Follows.OVERLAPPING)
    spread, of_its_own = alert("checkout", "PodSlow", at=60.0), alert("checkout", "MemoryHigh", at=140.0)
    line = message(f"MemoryHigh on checkout fires since {began(139)}", 141.0, pings=("U1",))
    made = run(standing, leak, alerts=(alert("catalogue", "PodSlow"), spread, of_its_own))

    assert judge(made, (line,))[0][1].verdict is Verdict.TOLD


def test_an_outage_whose_root_fails_already_with_another_is_told_by_the_first_alert_that_did_not_stand() -> None:
    standing = replace(outage(1, root="catalogue", end=200), affected=frozenset({"cart", "checkout"}))
    beside = outage(2, root="cart", at=50, end=200, follows=Follows.OVERLAPPING)
    stood, again = alert("checkout"), replace(alert("checkout", at=60.0), fingerprint="another pod")
    new = alert("checkout", "DeploymentDegraded", at=70.0)
    line = message(f"DeploymentDegraded on checkout fires since {began(69)}", 71.0, pings=("U1",))

    assert judge(run(standing, beside, alerts=(stood, again, new)), (line,))[0][1].verdict is Verdict.TOLD
    assert judge(run(standing, beside, alerts=(stood, again, new)), ())[0][1].verdict is Verdict.HIDDEN
    assert judge(run(standing, beside, alerts=(stood, again)), ())[0][1].verdict is Verdict.SILENT


def test_a_line_that_names_it_with_an_edit_may_name_a_start_since_it_was_posted() -> None:
    line = message(f"PodErrorRate on checkout fires {began(1)}", 3.0, pings=("U1",))
    edited = replace(line, at=line.at + 3, words=f"HighErrorRate on checkout fires {began(5)}, with cart")

    beside = outage(2, follows=Follows.OVERLAPPING)
    alerts = (alert("search", at=-30.0), alert("checkout", "PodErrorRate"), alert(at=5.5))

    assert first(run(beside, alerts=alerts), line, edited).verdict is Verdict.TOLD
    assert first(run(beside, alerts=alerts), line, replace(edited, words=edited.words.replace("5^", "9^"))).verdict is (
        Verdict.WRONG_START
    )


def test_whoever_was_called_in_one_of_the_threads_that_name_it_is_called() -> None:
    beside = outage(2, root="auth", at=100, end=160, follows=Follows.OVERLAPPING)
    alerts = (alert("auth", at=101.0),)
    called = message("Firing: search", 5.0, pings=("U1",))
    other = message(f"Firing: calls to auth fail {began(100)}", 101.5, key="card:AL-2", thread="2")
    line = message(f"HighErrorRate on auth fires {began(100)}", 103.0, key="renewed:AL-1:1")

    assert judge(run(beside, alerts=alerts), (called, other, line))[0][0].verdict is Verdict.TOLD
    assert judge(run(beside, alerts=alerts), (called, other))[0][0].verdict is Verdict.UNHEARD

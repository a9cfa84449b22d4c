"""Yes, no or unknown over all that is open: one that could not be looked at is enough for no yes."""

import pytest

from bot.core.approvals.roster import OnCallNow
from bot.core.incident import AlertGroup, GroupState
from bot.core.questions.open_states import OpenState, on_call, state_of_group, whether_assigned, whether_firing, whether_over
from bot.core.questions.yes_no.verdicts import ShortAnswer, Verdict
from tests.unit.builders import NOW

USUAL = ShortAnswer(verdict=Verdict.YES, text="errors 0.1 % now")
HIGH = ShortAnswer(verdict=Verdict.NO, text="errors 12 % now")
ONE, OTHER = OpenState("AL-1"), OpenState("AL-2")


def group(**values: object) -> AlertGroup:
    fields = {"ref": "AL-1", "key": "k", "title": "Errors", "service": "cart", "severity": "SEV2", "state": "FIRING"}
    moments = {"opened_at": NOW, "last_alert_at": NOW}
    return AlertGroup.model_validate({**fields, **moments, "channel": "C1", "firing": 2, **values})


def test_current_values_that_are_bad_make_a_no_though_no_alert_fires() -> None:
    short = whether_over([ONE, OTHER], [("AL-1", USUAL), ("AL-2", HIGH)])

    assert (short.verdict, short.text) == (Verdict.NO, "No alert fires, but AL-2: errors 12 % now")


def test_one_that_was_not_read_makes_it_unknown() -> None:
    short = whether_over([ONE, OTHER], [("AL-1", USUAL)])

    assert short.verdict is Verdict.UNKNOWN and short.text.endswith("not confirmed: AL-2")


def test_it_is_over_where_each_was_read_and_is_as_usual() -> None:
    assert whether_over([ONE, OTHER], [("AL-1", USUAL), ("AL-2", USUAL)]).verdict is Verdict.YES


@pytest.mark.parametrize(
    "values", [{"stale": 2}, {"state": GroupState.MONITORING, "firing": 0, "unconfirmed_at": NOW}], ids=["stale", "unconfirmed"]
)
def test_alerts_that_nobody_repeats_or_evaluates_are_neither_firing_nor_over(values: dict[str, object]) -> None:
    state = state_of_group(group(**values))

    assert whether_firing([state]).verdict is Verdict.UNKNOWN
    assert whether_over([state], [("AL-1", USUAL)]).verdict is Verdict.UNKNOWN


def test_an_alert_that_fires_is_told_though_others_are_not_repeated() -> None:
    assert whether_firing([state_of_group(group(stale=1))]).text == "1 of 1 still fires"


def test_whoever_leads_the_incident_has_the_group() -> None:
    assert whether_assigned([state_of_group(group(), lead="bob")]).verdict is Verdict.YES
    assert whether_assigned([state_of_group(group())]).verdict is Verdict.NO


def test_of_several_services_one_whose_rota_cannot_be_read_is_told_beside_the_others() -> None:
    unread, uncovered = OnCallNow(("bob",), readable=False), OnCallNow((), readable=False)

    short = on_call([("cart", OnCallNow(("alice",))), ("shop", OnCallNow(())), ("search", unread), ("", uncovered)])

    assert short.text == (
        "alice for cart; nobody for shop; not known for search (its rota cannot be read; bob is called instead); "
        "not known for what names no service (its rota cannot be read)"
    )

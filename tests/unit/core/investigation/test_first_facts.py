"""Facts that need no model."""

import pytest

from bot.core.evidence import Case, EarlierOutage, MeasuredOnset, missed
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.facts.measured import DeviationFact, Family
from bot.core.investigation.first_facts import changes_before, composed, main_deviation
from bot.core.text.moments import clock
from bot.core.tool_calls import ToolRole
from tests.unit.builders import NOW, at, change, evidence


def deviation(service: str, family: Family, doublings: float) -> DeviationFact:
    return DeviationFact(service=service, signal=family, family=family, doublings=doublings, before=0.1, after=0.9, onset=at())


def test_the_alerting_services_own_errors_show_the_incident_before_a_stronger_deviation_elsewhere() -> None:
    rows = [deviation("payments", "latency", 6.0), deviation("checkout", "traffic", 5.0), deviation("checkout", "errors", 2.0)]

    assert main_deviation(rows, "checkout") == rows[2]


def test_a_normal_signal_is_no_deviation() -> None:
    assert main_deviation([deviation("checkout", "errors", 0.0)], "checkout") is None


def test_changes_after_the_onset_and_of_strangers_are_left_out() -> None:
    changes = [change("early"), change("late", minutes_before=-3), change("elsewhere", "blog")]
    entry = evidence(facts=EvidenceFacts(changes=tuple(changes)))

    shown = changes_before([entry], onset=NOW, services={"checkout": 0, "payments": 1})

    assert [c.id for c in shown] == ["test:early"]
    assert shown[0].age_text == "5 min before onset"
    assert shown[0].evidence == "E1"


def test_of_an_outage_beside_another_changes_up_to_its_alert_are_listed_with_their_moment() -> None:
    changes = [change("first"), change("flip", minutes_before=-3), change("later", minutes_before=-8)]
    entry = evidence(facts=EvidenceFacts(changes=tuple(changes)))

    shown = changes_before([entry], onset=NOW, services={"checkout": 0}, overlap_began_at=at(5))

    assert [(c.id, c.age_text) for c in shown] == [
        ("test:flip", f"at {clock(at(3))}, while another outage ran"),
        ("test:first", "5 min before onset"),
    ]


@pytest.mark.parametrize("runs_on", [True, False])
def test_facts_tell_whether_another_outage_of_the_service_ran_on_when_the_alert_fired(runs_on: bool) -> None:
    earlier = EarlierOutage(until=at(-5), runs_on=runs_on)
    case = Case(group="AL-2", service="checkout", started_at=at(2), first_alert_at=NOW, earlier=earlier)

    facts = composed(case, dict.fromkeys(ToolRole, evidence()), [], [])
    assert (facts.beside, facts.alert_at, case.overlap_began_at) == (runs_on, NOW, NOW if runs_on else None)


def test_facts_tell_between_which_samples_the_onset_lies_where_nothing_was_measured() -> None:
    errors = deviation("checkout", "errors", 4.0).model_copy(update={"not_before": at(-3)})
    health = evidence(facts=EvidenceFacts(deviations=(errors,)))
    case = Case(group="AL-2", service="checkout", started_at=NOW)

    facts = composed(case, {**dict.fromkeys(ToolRole, evidence()), ToolRole.HEALTH: health}, [], [])
    assert facts.onset_not_before == at(-3) and f"between {at(-3):%H:%M:%S} and {clock(facts.onset or NOW)}" in facts.onset_text


def test_an_onset_in_a_gap_stays_in_it_when_it_was_measured_before() -> None:
    known = MeasuredOnset(at=at(-2), not_before=at(-5), signal="checkout errors", evidence="E7")
    case = Case(group="AL-2", service="checkout", started_at=NOW, onset=known)
    health = evidence(facts=EvidenceFacts(deviations=(deviation("checkout", "errors", 4.0),)))

    facts = composed(case, {**dict.fromkeys(ToolRole, evidence()), ToolRole.HEALTH: health}, [], [])
    assert (facts.onset, facts.onset_not_before, facts.onset_evidence) == (at(-2), at(-5), "E7")


def test_an_onset_that_was_measured_before_of_another_signal_is_told_of_that_signal() -> None:
    known = MeasuredOnset(at=at(-2), signal="orders errors", evidence="E7")
    case = Case(group="AL-2", service="checkout", started_at=NOW, onset=known)
    health = evidence(facts=EvidenceFacts(deviations=(deviation("checkout", "errors", 4.0),)))

    facts = composed(case, {**dict.fromkeys(ToolRole, evidence()), ToolRole.HEALTH: health}, [], [])
    assert (facts.onset, facts.signal, facts.onset_evidence, facts.main) == (at(-2), "orders errors", "E7", "")
    assert facts.onset_text == f"orders errors left the normal range at {clock(at(-2))}"


@pytest.mark.parametrize(
    ("declared", "ok", "text"),
    [
        (True, True, "No metric shows the onset; a person reports it since {}"),
        (True, False, "The onset could not be checked; a person reports it since {}"),
        (False, True, "No metric shows the onset; the first alert fired at {}"),
    ],
)
def test_without_an_onset_the_alert_or_who_declared_it_says_since_when(declared: bool, ok: bool, text: str) -> None:
    case = Case(group="AL-2", started_at=NOW, declared=declared)

    assert composed(case, dict.fromkeys(ToolRole, evidence(ok=ok)), [], []).onset_text == text.format(clock(NOW))


def test_what_could_not_be_seen_is_listed_once() -> None:
    blind = evidence("E2", "Could not check (search_logs): refused", ok=False)

    partly = evidence("E3", "No change", unseen=("Could not check (changes from Helm): no answer",))

    told = ["Could not check (search_logs): refused", "Could not check (changes from Helm): no answer"]
    assert missed([evidence(), blind, blind, partly]) == told

"""The tools that read metrics say what they saw, with the query and the numbers."""

import json
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest

from bot.core.errors import QueryFailed
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.metrics.series import Series, without
from bot.core.service import Catalogue
from bot.core.systems import AlertRule
from tests.evaluation.recorded import RecordedMetrics
from tests.unit.builders import NOW
from tests.unit.tools.tool_fixture import CATALOGUE, ERRORS, ONSET, Step, call_tool, context

BAD = {ERRORS: Step(0.001, 0.12)}


async def test_a_compared_signal_tells_before_after_onset_and_score() -> None:
    evidence = await call_tool("compare_metric", context(BAD), service="checkout", signal="errors")

    (row,) = evidence.facts.deviations
    assert (row.service, row.signal, row.family, row.direction) == ("checkout", "errors", "errors", "up")
    assert row.doublings > 3 and row.before == pytest.approx(0.001, rel=0.1) and row.after == pytest.approx(0.12, rel=0.1)
    assert row.onset == ONSET
    assert evidence.summary.startswith("checkout errors rose from 0.1 % to 12 % at 02:57:00 UTC") and evidence.query == ERRORS


def two_outages() -> Series:
    """Errors from seven minutes before the onset on, which pause for one sample before it."""
    times = np.arange((NOW - timedelta(hours=1)).timestamp(), NOW.timestamp(), 5.0)
    first, pause = (ONSET - timedelta(minutes=7)).timestamp(), (ONSET - timedelta(seconds=5)).timestamp()
    errors = np.where(times < ONSET.timestamp(), 0.3, 0.12)
    level = np.where((times < first) | ((times >= pause) & (times < ONSET.timestamp())), 0.001, errors)
    return Series({}, times, level * (1 + 0.02 * np.sin(times)))


@pytest.mark.parametrize(("known", "measured_late"), [(True, 0), (True, 15), (False, 0)])
async def test_an_outage_that_was_over_a_moment_before_does_not_hide_when_the_present_one_began(
    known: bool, measured_late: int
) -> None:
    began_at, recovered_at = ONSET - timedelta(minutes=7), ONSET - timedelta(seconds=5)
    measured = began_at + timedelta(seconds=measured_late)
    earlier = {"until": measured, "began_at": measured, "recovered_at": recovered_at if known else None}
    ctx = context(metrics=RecordedMetrics({ERRORS: [two_outages()]}), case={"earlier": earlier})

    (errors,) = (await call_tool("service_health", ctx, service="checkout")).facts.deviations
    assert errors.onset == (ONSET if known else began_at)
    assert errors.before == pytest.approx(0.001, rel=0.1)


def outages_within_the_hour(*minutes: tuple[float, float]) -> tuple[Series, list[dict[str, Any]]]:
    """Errors that were as bad from and to so many minutes before the onset, and are again since; and those intervals."""
    intervals = [(ONSET - timedelta(minutes=start), ONSET - timedelta(minutes=end)) for start, end in minutes]
    times = np.arange((NOW - timedelta(hours=1)).timestamp(), NOW.timestamp(), 5.0)
    bad = times >= ONSET.timestamp()
    for start, end in intervals:
        bad |= (times >= start.timestamp()) & (times < end.timestamp())
    series = Series({}, times, np.where(bad, 0.19, 0.001) * (1 + 0.02 * np.sin(times)))
    return series, [{"began_at": start, "ended_at": end} for start, end in intervals]


def unmeasured(step: Step, start: datetime, end: datetime) -> RecordedMetrics:
    """Errors of which nothing was measured for a while: Prometheus was down."""
    return RecordedMetrics({ERRORS: [without(step.series, start, end)]})


async def test_what_began_while_nothing_was_measured_is_dated_between_the_samples_around_that() -> None:
    down, up = ONSET - timedelta(seconds=60), ONSET + timedelta(seconds=10)
    ctx = context(metrics=unmeasured(Step(0.001, 0.3), down, up))

    evidence = await call_tool("service_health", ctx, service="checkout")
    (errors,) = evidence.facts.deviations
    assert (errors.not_before, errors.onset) == (down - timedelta(seconds=5), up)
    assert "rose from 0.1 % to 29.9 % between 02:55:55 and 02:57:10 UTC" in evidence.summary


async def test_a_gap_amid_what_fails_moves_no_onset() -> None:
    began_at, down, up = (ONSET - timedelta(seconds=seconds) for seconds in (90, 70, 10))
    ctx = context(metrics=unmeasured(Step(0.001, 0.3, began_at=began_at), down, up))

    (errors,) = (await call_tool("service_health", ctx, service="checkout")).facts.deviations
    assert (errors.onset, errors.not_before) == (began_at, None)


async def test_several_outages_within_the_hour_make_failing_not_the_usual() -> None:
    series, intervals = outages_within_the_hour((50, 40), (32, 22), (14, 4))
    unaware, aware = (
        context(metrics=RecordedMetrics({ERRORS: [series]}), case={"firing_before": known}) for known in ([], intervals)
    )

    (errors,) = (await call_tool("service_health", aware, service="checkout")).facts.deviations
    assert errors.doublings > 3 and errors.onset == ONSET and errors.before == pytest.approx(0.001, rel=0.1)
    assert (await call_tool("service_health", unaware, service="checkout")).facts.deviations[0].doublings < 1


async def test_of_a_signal_that_was_measured_in_outages_alone_nothing_is_called_normal() -> None:
    series, intervals = outages_within_the_hour((60, 1))
    series.values[:] = 0.19
    ctx = context(metrics=RecordedMetrics({ERRORS: [series]}), case={"firing_before": intervals})

    health = await call_tool("service_health", ctx, service="checkout")
    assert health.facts.deviations == () and "normal" not in " ".join((health.summary, *health.details))
    assert health.summary.startswith(
        "checkout: none of 1 signals could be judged: nearly all of the time before was in earlier"
    )


async def test_a_few_samples_between_two_outages_do_not_make_failing_the_usual() -> None:
    """They are of a service that was hardly back to normal."""
    series, intervals = outages_within_the_hour((60, 30), (27, 1))
    series.values[:] = 0.19
    ctx = context(metrics=RecordedMetrics({ERRORS: [series]}), case={"firing_before": intervals})

    health = await call_tool("service_health", ctx, service="checkout")
    assert health.facts.deviations == () and "as before" not in " ".join((health.summary, *health.details))
    assert [gap.partition(":")[0] for gap in health.unseen] == ["Could not check (checkout errors)"]


@pytest.mark.parametrize("now", [0.19, 0.9])
async def test_of_what_was_measured_in_outages_alone_no_value_of_a_label_carries_a_change(now: float) -> None:
    split, selector = ERRORS.replace("sum(", "sum by (version) ("), 'http_requests_total{service="checkout",code=~"5.."}'
    failing, intervals = outages_within_the_hour((60, 0))
    failing.values[:] = np.where(failing.times >= ONSET.timestamp(), now, 0.19)
    versions = [
        replace(failing, labels={"version": "1.4"}),
        replace(failing, labels={"version": "1.5"}, values=failing.values * 2),
    ]
    recorded = {ERRORS: [failing], selector: versions, 'http_requests_total{service="checkout"}': [], split: versions}
    ctx = context(metrics=RecordedMetrics(recorded), case={"firing_before": intervals})

    with pytest.raises(QueryFailed, match="earlier outages"):
        await call_tool("metric_breakdown", ctx, service="checkout", signal="errors")


@dataclass(frozen=True)
class CountedRules(RecordedMetrics):
    reads: list[int] = field(default_factory=list)

    async def rules(self) -> list[AlertRule]:
        self.reads.append(1)
        return await super().rules()


async def test_the_rules_are_read_once_for_all_signals_of_a_service_that_failed_before() -> None:
    services = [CATALOGUE.services["payments"].model_copy(update={"signals": _two_signals()}), CATALOGUE.services["checkout"]]
    series, (interval,) = outages_within_the_hour((50, 40))
    metrics = CountedRules({ERRORS: [series], "cpu": [series]})
    case = {"firing_before": [{**interval, "service": "payments"}]}

    health = await call_tool(
        "service_health", context(metrics=metrics, catalogue=Catalogue(services), case=case), service="payments"
    )
    assert len(health.facts.deviations) == 2 and metrics.reads == [1]


async def test_a_single_error_before_an_outage_that_was_over_does_not_date_the_present_one() -> None:
    began_at, recovered_at = ONSET - timedelta(minutes=7), ONSET
    series = two_outages()
    last = np.flatnonzero(series.times < (began_at - timedelta(seconds=30)).timestamp())[-1]
    series.values[last] = 0.05
    earlier = {"until": began_at, "began_at": began_at, "recovered_at": recovered_at}
    ctx = context(metrics=RecordedMetrics({ERRORS: [series]}), case={"earlier": earlier})

    (errors,) = (await call_tool("service_health", ctx, service="checkout")).facts.deviations
    assert errors.onset == ONSET


async def test_a_signal_that_did_not_move_scores_nothing() -> None:
    evidence = await call_tool("compare_metric", context({ERRORS: Step(0.001, 0.001)}), service="checkout", signal="errors")

    assert evidence.facts.deviations[0].doublings <= 0 and "stayed normal" in evidence.summary


async def test_what_is_as_bad_as_it_was_before_is_not_called_normal() -> None:
    ctx = context({ERRORS: Step(0.19, 0.19)})

    health = await call_tool("service_health", ctx, service="checkout")
    assert health.details == ("checkout errors stayed as bad as before: 19 %, before 19 % [bad above 2 %]",)
    assert health.summary == "checkout: no signal left its usual range; beyond the threshold: errors"
    assert "as bad as before" in (await call_tool("compare_metric", ctx, service="checkout", signal="errors")).summary


async def test_what_became_bad_a_moment_ago_is_not_called_as_bad_as_before() -> None:
    spike, _ = outages_within_the_hour()
    spike.values[:] = 0.001
    spike.values[-20:] = 0.3
    ctx = context(metrics=RecordedMetrics({ERRORS: [spike]}), case={"started_at": NOW - timedelta(minutes=50)})

    health = await call_tool("service_health", ctx, service="checkout")
    assert health.details == ("checkout errors: 30 % now, mostly 0.1 % around the start, before 0.1 % [bad above 2 %]",)


async def test_a_query_without_series_is_never_told_as_health() -> None:
    evidence = await call_tool("query_metric", context({ERRORS: []}), service="checkout", signal="errors")

    assert "no series matches" in evidence.summary and "no sign of health" in evidence.summary


async def test_a_value_is_told_with_unit_bound_and_window() -> None:
    evidence = await call_tool("query_metric", context(BAD), service="checkout", signal="errors", minutes=30)

    assert (
        evidence.summary.startswith("checkout errors: 12")
        and "bad above 2 %" in evidence.summary
        and "30 min" in evidence.summary
    )
    assert evidence.window is not None and evidence.window.end - evidence.window.start == timedelta(minutes=30)


async def test_free_promql_is_sent_as_it_is_and_judges_nothing() -> None:
    evidence = await call_tool("query_metric", context({"max(up)": Step(1, 1)}), promql=" max(up) ")

    assert evidence.query == "max(up)" and evidence.facts.deviations == ()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"promql": "sum(x"}, "cannot be read"),
        ({"service": 'x"} or up{job="'}, "there is no service"),
        ({"service": "chekout"}, "the nearest is checkout"),
        ({"service": "checkout-service"}, "the nearest is checkout"),
        ({"service": "payments", "signal": "errors"}, "not recorded"),
        ({"service": "checkout", "signal": "moods"}, "it has errors"),
    ],
)
async def test_what_cannot_be_asked_could_not_be_looked_at(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(QueryFailed, match=said):
        await call_tool("query_metric", context(BAD), **arguments)


@pytest.mark.parametrize("tool", ["query_metric", "compare_metric", "service_health", "metric_breakdown"])
async def test_without_metrics_nothing_is_claimed(tool: str) -> None:
    with pytest.raises(QueryFailed, match="no Prometheus is configured"):
        arguments = {"signal": "errors"} if tool != "service_health" else {}
        await call_tool(tool, replace(context(BAD), metrics=None), service="checkout", **arguments)


async def test_the_health_of_a_service_lists_its_signals_the_strongest_first() -> None:
    services = [CATALOGUE.services["checkout"].model_copy(update={"signals": _two_signals()})]
    ctx = context({ERRORS: Step(0.001, 0.12), "cpu": Step(0.5, 0.5)}, catalogue=Catalogue(services))

    evidence = await call_tool("service_health", ctx, service="checkout")

    assert [row.signal for row in evidence.facts.deviations] == ["errors", "cpu"]
    assert "1 of 2 signals deviate" in evidence.summary


@pytest.mark.parametrize(("value", "beyond"), [(0.12, ["errors"]), (0.001, [])])
async def test_one_sample_is_judged_by_the_bound_that_its_owners_set(value: float, beyond: list[str]) -> None:
    one = Series({}, np.array([NOW.timestamp() - 5]), np.array([value]))

    evidence = await call_tool("service_health", context(metrics=RecordedMetrics({ERRORS: [one]})), service="checkout")

    assert evidence.ok and [row.signal for row in evidence.facts.beyond or ()] == beyond and evidence.facts.deviations == ()


async def test_one_sample_without_a_bound_judges_nothing() -> None:
    one = Series({}, np.array([NOW.timestamp() - 5]), np.array([0.5]))
    unbounded = CATALOGUE.services["checkout"].signals["errors"].model_copy(update={"bad_above": None})
    services = [CATALOGUE.services["checkout"].model_copy(update={"signals": {"errors": unbounded}})]
    ctx = context(metrics=RecordedMetrics({ERRORS: [one]}), catalogue=Catalogue(services))

    assert not (await call_tool("service_health", ctx, service="checkout")).ok


async def test_a_signal_that_could_not_be_looked_at_is_counted_and_listed() -> None:
    services = [CATALOGUE.services["checkout"].model_copy(update={"signals": _two_signals()})]

    evidence = await call_tool("service_health", context(BAD, catalogue=Catalogue(services)), service="checkout")

    assert "1 could not be judged" in evidence.summary and any("cpu could not be checked" in line for line in evidence.details)
    assert [line.partition(":")[0] for line in evidence.unseen] == ["Could not check (checkout cpu)"]


def _two_signals() -> Any:
    return {**CATALOGUE.services["checkout"].signals, "cpu": CATALOGUE.services["checkout"].signals["errors"].model_copy(
        update={"promql": "cpu", "unit": "cores", "bad_above": None})}  # fmt: skip


async def test_an_empty_catalogue_leaves_the_expression_of_the_alert() -> None:
    names = "__name__, code, status, status_code, http_status_code, http_response_status_code, grpc_code"
    case = {"expression": "sum by (service) (e) / sum by (service) (r) > 0.05", "labels": {"service": "checkout"}}
    steps = {
        "sum by (service) (e) / sum by (service) (r)": [
            Step(0, 0.9, {"service": "cart"}),
            Step(0, 0.2, {"service": "checkout"}),
        ],
        f'count by ({names}) ({{service="checkout"}})': [],
    }

    evidence = await call_tool("service_health", context(steps, catalogue=Catalogue(), case=case), service="")

    (row,) = evidence.facts.deviations
    assert (row.signal, row.family) == ("HighErrorRate", "errors") and row.doublings > 3
    assert row.after == pytest.approx(0.2, rel=0.1)


async def test_a_breakdown_names_the_version_that_carries_the_change() -> None:
    split = ERRORS.replace("sum(", "sum by (version) (")
    selector = 'http_requests_total{service="checkout",code=~"5.."}'
    steps = {
        **BAD,
        selector: [Step(1, 1, {"version": "1.4"}), Step(1, 1, {"version": "1.5"})],
        'http_requests_total{service="checkout"}': [],
        split: [Step(0.001, 0.001, {"version": "1.4"}), Step(0.001, 0.4, {"version": "1.5"})],
    }

    evidence = await call_tool("metric_breakdown", context(steps), service="checkout", signal="errors")

    assert evidence.facts.by == "version" and evidence.facts.breakdown[0].labels == {"version": "1.5"}
    assert evidence.facts.breakdown[0].share > 0.95 and "version=1.5 carries" in evidence.summary and evidence.query == split


async def test_what_a_version_showed_in_an_outage_that_was_over_before_is_not_what_it_usually_shows() -> None:
    split, selector = ERRORS.replace("sum(", "sum by (version) ("), 'http_requests_total{service="checkout",code=~"5.."}'
    failing, intervals = outages_within_the_hour((50, 5))
    less = np.where(failing.times >= ONSET.timestamp(), failing.values / 4, failing.values)
    versions = [Series({"version": "1.4"}, failing.times, less), replace(failing, labels={"version": "1.5"})]
    recorded = {ERRORS: [failing], selector: versions, 'http_requests_total{service="checkout"}': [], split: versions}

    evidence = await call_tool(
        "metric_breakdown",
        context(metrics=RecordedMetrics(recorded), case={"firing_before": intervals}),
        service="checkout",
        signal="errors",
    )

    assert [row.before for row in evidence.facts.breakdown] == pytest.approx([0.001, 0.001], rel=0.1)


async def test_all_facts_are_plain_json() -> None:
    for tool in ("compare_metric", "query_metric", "service_health"):
        arguments = {} if tool == "service_health" else {"signal": "errors"}
        evidence = await call_tool(tool, context(BAD), service="checkout", **arguments)
        written = json.dumps(evidence.facts.model_dump(mode="json"), allow_nan=False)
        assert EvidenceFacts.model_validate_json(written) == evidence.facts


async def test_a_window_of_the_past_is_shown_as_it_was_with_its_course() -> None:
    evidence = await call_tool("query_metric", context(BAD), service="checkout", signal="errors", start="02:10", end="02:40")

    assert evidence.summary.startswith("checkout errors: 0.098 % to 0.1 %, at the end 0.099 %, from 2026-03-01 02:10 UTC")
    assert evidence.details[-1].startswith("course of {} (UTC): 02:10 0.1 %, 02:12") and evidence.facts.deviations == ()
    assert evidence.window is not None and (evidence.window.end - evidence.window.start) == timedelta(minutes=30)


@pytest.mark.parametrize(("arguments", "minutes"), [({}, 60), ({"minutes": 30}, 30)])
async def test_an_end_alone_means_the_minutes_before_it(arguments: dict[str, Any], minutes: int) -> None:
    evidence = await call_tool("query_metric", context(BAD), service="checkout", signal="errors", end="02:40", **arguments)

    assert evidence.window is not None and evidence.window.end == NOW.replace(hour=2, minute=40, second=0, microsecond=0)
    assert evidence.window.end - evidence.window.start == timedelta(minutes=minutes)
    assert evidence.summary.endswith("to 2026-03-01 02:40 UTC") and evidence.facts.deviations == ()

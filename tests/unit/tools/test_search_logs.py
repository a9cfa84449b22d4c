"""The window of `search_logs`: it begins before the onset, however long the alert waited, and stays bounded."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest

from bot.core.errors import QueryFailed
from bot.core.logs.line import LogLine
from bot.core.metrics.series import Series
from bot.core.service import Catalogue
from tests.evaluation.recorded import RecordedLogs, RecordedMetrics
from tests.unit.builders import NOW
from tests.unit.tools.tool_fixture import call_tool, context
from tools._sampling import READ_LINES

ALERT_AT = NOW - timedelta(minutes=2)
RULE = {"name": "HighErrorRate", "query": "rate(errors_total[5m]) > 0.1", "labels": {"severity": "page"}, "duration": 900.0}


def lines(*minutes_before_alert: float, text: str = "ERROR pool exhausted") -> RecordedLogs:
    times = [ALERT_AT - timedelta(minutes=minutes) for minutes in minutes_before_alert]
    return RecordedLogs({"checkout": [LogLine(at=at, text=text) for at in times]})


async def window(
    logs: RecordedLogs, *, rules: Sequence[Any] = (), series: Any = None, expression: str = "", **asked: Any
) -> tuple[float, str]:
    """Minutes before the alert at which the window begins, and how the first kind of line turned."""
    case = {"started_at": ALERT_AT, "labels": {"severity": "page"}, "expression": expression}
    metrics = RecordedMetrics(series or {}, rules)
    found = await call_tool(
        "search_logs", context(logs=logs, metrics=metrics, case=case, catalogue=Catalogue()), service="checkout", **asked
    )
    kinds = found.facts.templates
    assert found.window
    return (ALERT_AT - found.window.start).total_seconds() / 60, kinds[0].trend if kinds else ""


async def test_the_first_lines_of_an_alert_that_waited_a_quarter_of_an_hour_are_new() -> None:
    back, turn = await window(lines(19, 18, 17), rules=[RULE])

    assert (back, turn) == (25, "new")


async def test_a_rule_of_the_same_name_and_another_severity_does_not_widen_the_window() -> None:
    quick = {**RULE, "duration": 0.0}
    slow = {**RULE, "labels": {"severity": "ticket"}, "duration": 7_200.0}

    assert (await window(lines(1), rules=[quick, slow]))[0] == 10


async def test_a_slow_burn_is_read_from_where_its_signal_left_its_normal_range() -> None:
    times = np.arange((NOW - timedelta(hours=2)).timestamp(), NOW.timestamp(), 15.0)
    noise = 0.01 * (1 + 0.02 * np.sin(times))
    began = (ALERT_AT - timedelta(minutes=40)).timestamp()
    series = {"errors": [Series({}, times, np.where(times < began, noise, 0.3 + noise))]}

    back, turn = await window(lines(39, 38), series=series, expression="errors > 0.2")

    assert 40 <= back <= 47 and turn == "new"


async def test_without_a_rule_or_a_signal_a_quarter_of_an_hour_is_guessed() -> None:
    assert await window(lines(14)) == (20, "new")


async def test_what_an_outage_before_logged_is_neither_of_this_one_nor_usual() -> None:
    def moment(minutes: float) -> datetime:
        return ALERT_AT - timedelta(minutes=minutes)

    before = {"began_at": moment(30), "ended_at": moment(2)}
    told = [LogLine(at=moment(3 + n), text="ERROR pool exhausted") for n in range(20)]
    both = [LogLine(at=moment(n), text="ERROR checkout refused") for n in (10, 8, 1, 0.5)]
    logs = RecordedLogs({"checkout": [*told, *both, *(LogLine(at=moment(n), text="INFO ready") for n in range(40, 90, 5))]})
    case = {"started_at": ALERT_AT, "firing_before": [before]}

    found = await call_tool("search_logs", context(logs=logs, case=case, catalogue=Catalogue()), service="checkout")

    kinds = {kind.template: (kind.trend, kind.count) for kind in found.facts.templates}
    assert kinds["ERROR checkout refused"] == ("new", 2) and "ERROR pool exhausted" not in kinds


@pytest.mark.parametrize(("ended", "new"), [(16, False), (4, True)])
async def test_what_another_service_logged_in_its_own_outage_before_is_none_of_this_one(ended: float, new: bool) -> None:
    """Unless that was still on when this trouble can have begun, which its alert told minutes later."""
    ended_at = ALERT_AT - timedelta(minutes=ended)
    failed = [LogLine(at=ended_at - timedelta(seconds=10 * n), text="ERROR no such column") for n in range(1, 30)]
    ready = [LogLine(at=ALERT_AT - timedelta(minutes=n), text="INFO ready") for n in range(90)]
    fired = {"began_at": failed[-1].at, "ended_at": ended_at, "service": "payments"}
    ctx = context(logs=RecordedLogs({"payments": [*failed, *ready]}), case={"started_at": ALERT_AT, "firing_before": [fired]})

    found = await call_tool("search_logs", ctx, service="payments")

    kinds = {kind.template for kind in found.facts.templates if kind.trend == "new"}
    assert kinds == ({"ERROR no such column"} if new else set())


@pytest.mark.parametrize(("onset", "read"), [(None, False), (40, True)])
async def test_what_ended_elsewhere_after_the_onset_that_was_measured_is_read_however_short_the_rule_waits(
    onset: float | None, read: bool
) -> None:
    ended_at = ALERT_AT - timedelta(minutes=30)
    failed = [LogLine(at=ended_at - timedelta(seconds=10 * n), text="ERROR no such column") for n in range(1, 30)]
    ready = [LogLine(at=ALERT_AT - timedelta(minutes=n), text="INFO ready") for n in range(200)]
    fired = {"began_at": failed[-1].at, "ended_at": ended_at, "service": "payments"}
    measured = {"at": ALERT_AT - timedelta(minutes=onset)} if onset else None
    case = {"started_at": ALERT_AT, "labels": {"severity": "page"}, "firing_before": [fired], "onset": measured}
    logs = RecordedLogs({"payments": [*failed, *ready]})

    ctx = context(logs=logs, metrics=RecordedMetrics({}, [RULE]), case=case)

    found = await call_tool("search_logs", ctx, service="payments")

    assert ("ERROR no such column" in {kind.template for kind in found.facts.templates}) is read


async def test_lines_that_can_be_compared_with_an_outage_before_alone_are_not_called_usual() -> None:
    failing = [LogLine(at=ALERT_AT - timedelta(minutes=n), text="ERROR pool exhausted") for n in range(90)]
    began_at, ended_at = (ALERT_AT - timedelta(minutes=minutes) for minutes in (85, 16))
    case = {"started_at": ALERT_AT, "firing_before": [{"began_at": began_at, "ended_at": ended_at}]}
    ctx = context(logs=RecordedLogs({"checkout": failing}), case=case, catalogue=Catalogue())

    found = await call_tool("search_logs", ctx, service="checkout")

    assert "no kind of line is new" not in found.summary
    assert [gap.partition(":")[0] for gap in found.unseen] == ["Could not check (what checkout usually logs)"]


async def test_a_pause_in_which_an_outage_before_was_is_left_out_of_the_time_before_once() -> None:
    def moment(minutes: float) -> datetime:
        return ALERT_AT - timedelta(minutes=minutes)

    ready = [LogLine(at=moment(n), text="INFO ready") for n in range(50)]
    failing = [LogLine(at=moment(n), text="ERROR pool exhausted") for n in range(51, 80)]
    case = {"started_at": ALERT_AT, "firing_before": [{"began_at": moment(85), "ended_at": moment(50)}]}
    logs = RecordedLogs({"checkout": [*ready, *failing]})

    found = await call_tool("search_logs", context(logs=logs, case=case, catalogue=Catalogue()), service="checkout")

    (kind,) = found.facts.templates
    assert (kind.template, kind.trend, kind.count) == ("INFO ready", "steady", 21) and 19 < kind.before < 24


async def test_the_window_reaches_at_most_six_hours_back_and_no_rule_makes_it_longer() -> None:
    endless = {**RULE, "duration": 1e9}

    assert (await window(lines(1), rules=[endless]))[0] == 6 * 60 - 2


async def test_a_line_that_came_an_hour_before_the_onset_is_not_new() -> None:
    assert (await window(lines(1, 75)))[1] == "steady"


async def test_minutes_narrow_the_window_to_the_last_ones() -> None:
    assert (await window(lines(1), rules=[RULE], minutes=5))[0] == 3


async def test_metrics_that_cannot_be_asked_do_not_keep_the_lines_from_being_read() -> None:
    case = {"expression": "not recorded > 1"}

    found = await call_tool("search_logs", context(logs=lines(1), case=case), service="checkout")

    assert found.ok and found.facts.templates[0].trend == "new"


async def test_no_flood_hides_the_first_lines() -> None:
    """One line tells the cause at the onset; what followed would fill the newest lines many times over."""
    first = LogLine(at=ALERT_AT - timedelta(minutes=9), text="FATAL certificate of bank expired")
    flood = [LogLine(at=NOW - timedelta(seconds=n / 30), text=f"retry {n} of bank") for n in range(15_000)]
    logs = RecordedLogs({"checkout": [first, *flood]})

    found = await call_tool("search_logs", context(logs=logs, case={"started_at": ALERT_AT}), service="checkout")

    assert any("certificate of bank expired" in line for line in found.details)
    assert len(found.details) < 10 and "there were more lines" in found.summary


@dataclass(frozen=True)
class TiresOfFloods:
    """A store that answers the first look at a window and refuses all further ones."""

    held: RecordedLogs

    async def search(self, service: str, text: str, *, start: datetime, end: datetime, limit: int) -> list[LogLine]:
        if limit < READ_LINES:
            raise QueryFailed("too many requests")
        return await self.held.search(service, text, start=start, end=end, limit=limit)

    def query(self, service: str, text: str) -> str:
        return self.held.query(service, text)


async def test_what_was_read_of_a_flood_stands_though_the_store_then_refuses() -> None:
    flood = [LogLine(at=NOW - timedelta(seconds=n / 30), text=f"retry {n} of bank") for n in range(15_000)]

    found = await call_tool(
        "search_logs",
        context(logs=TiresOfFloods(RecordedLogs({"checkout": flood})), case={"started_at": ALERT_AT}),
        service="checkout",
    )

    assert found.ok and "2000 log lines" in found.summary and "there were more lines" in found.summary


async def test_a_kind_of_line_that_a_flood_before_the_onset_also_held_is_not_new() -> None:
    """Of a busy service the newest lines before the onset are seconds; what came once a minute must not look new."""
    busy = [LogLine(at=NOW - timedelta(seconds=n / 2), text=f"order {n} ok") for n in range(14_400)]
    seldom = [LogLine(at=NOW - timedelta(minutes=n), text="WARN cache was refreshed") for n in range(120)]
    logs = RecordedLogs({"checkout": [*busy, *seldom]})

    found = await call_tool("search_logs", context(logs=logs), service="checkout")

    assert {row.trend for row in found.facts.templates} == {"steady"}


async def test_what_was_logged_before_a_file_was_begun_anew_is_not_missed_by_the_lines_since() -> None:
    usual = [minutes / 4 for minutes in range(4 * 40)]
    begun_anew = lines(*[minutes for minutes in usual if minutes < 38], text="INFO GET /stock 200")
    kept = lines(*usual, text="INFO GET /stock 200")

    trends = [(await window(logs))[1] for logs in (begun_anew, kept)]

    assert trends == ["steady", "steady"]


async def test_the_node_that_alone_stands_in_the_failing_lines_is_told() -> None:
    def line(minutes: float, text: str) -> LogLine:
        return LogLine(at=ALERT_AT - timedelta(minutes=minutes), text=text)

    usual = [line(60 - number, f"request served node=w-{number % 5}") for number in range(40)]
    failing = [line(2 - number / 10, "ERROR upstream timed out node=w-3") for number in range(12)]

    evidence = await call_tool("search_logs", context(logs=RecordedLogs({"checkout": [*usual, *failing]})), service="checkout")

    (contrast,) = evidence.facts.contrasts
    assert (contrast.field, contrast.value, contrast.failing, contrast.others) == ("node", "w-3", 12, 8)
    assert evidence.details[0] == "apart: 12 of 12 failing lines hold node=w-3, 8 of 40 others"

"""Changes, alerts, dependencies, logs and runbooks."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.core.alert import Alert
from bot.core.errors import QueryFailed
from bot.core.facts.recorded import RunbookFact, TemplateFact
from bot.core.history.past_incidents import ConfirmedCause, Fix, PastIncident
from bot.core.logs.line import LogLine
from bot.core.service import Catalogue
from bot.monitoring.runbooks import RunbookFolder
from tests.evaluation.recorded import RecordedLogs, RecordedMetrics
from tests.unit.builders import NOW, change
from tests.unit.core.changes.test_rollouts import pod
from tests.unit.tools.tool_fixture import NO_KUBERNETES, Alerts, Changes, Step, call_tool, context
from tools.read_runbook import page_name


def alert(name: str, service: str, minutes_before: float) -> Alert:
    return Alert(
        source="prod", fingerprint=name, status="firing", name=name, labels={"service": service},
        starts_at=NOW - timedelta(minutes=minutes_before),
    )  # fmt: skip


async def test_changes_come_newest_first_with_what_and_when() -> None:
    rows = [change("new", minutes_before=5, title="version 1.5"), change("old", minutes_before=90)]

    evidence = await call_tool("recent_changes", context(NO_KUBERNETES, changes=Changes(rows)), service="checkout")

    assert [row.id for row in evidence.facts.changes] == ["test:new", "test:old"]
    assert "2 changes on checkout" in evidence.summary and "version 1.5" in evidence.summary


async def test_reported_changes_stand_even_if_kubernetes_could_not_be_seen() -> None:
    evidence = await call_tool("recent_changes", context({}, changes=Changes([change("new")])), service="checkout")

    assert evidence.facts.changes and len(evidence.facts.changes) == 1 and "could not check Kubernetes" in evidence.summary
    assert [line.partition(":")[0] for line in evidence.unseen] == ["Could not check (changes from Kubernetes)"]


async def test_changes_of_all_services_are_asked_without_a_name() -> None:
    rows = [change("a", "payments"), change("b", "web")]

    evidence = await call_tool("recent_changes", replace(context(changes=Changes(rows)), metrics=None))

    assert {row.service for row in evidence.facts.changes} == {"payments", "web"}


async def test_alerts_come_oldest_first_and_are_foreign_text() -> None:
    ctx = context(alerts=Alerts([alert("HighErrorRate", "checkout", 2), alert("PoolExhausted", "payments", 4)]))

    evidence = await call_tool("active_alerts", ctx)

    assert [row.name for row in evidence.facts.alerts] == ["PoolExhausted", "HighErrorRate"]
    assert (
        evidence.user_controllable
        and evidence.summary.startswith("2 alerts fire now")
        and "first PoolExhausted" in evidence.summary
    )


async def test_alerts_are_counted_in_the_groups_before() -> None:
    old = [[alert("HighErrorRate", "checkout", minutes)] for minutes in (90, 300)]
    ctx = context(alerts=Alerts([alert("HighErrorRate", "checkout", 2), alert("PoolExhausted", "payments", 4)], old))

    evidence = await call_tool("active_alerts", ctx)

    counted = {row.what: row.earlier_here for row in evidence.facts.burst.firings}
    assert counted == {"HighErrorRate": 2, "PoolExhausted": 0}
    assert evidence.details[-2:] == ("1 alert that fired in none of 2 earlier alert groups:", "payments: PoolExhausted")


async def test_an_alert_that_fires_for_hours_is_no_part_of_the_burst() -> None:
    evidence = await call_tool("active_alerts", context(alerts=Alerts([alert("HighErrorRate", "checkout", 200)])))

    assert evidence.facts.burst.firings == () and len(evidence.facts.alerts) == 1


async def test_dependencies_are_those_of_the_catalogue() -> None:
    evidence = await call_tool("dependencies", context(), service="checkout")

    assert evidence.facts.model_dump() == {"depends_on": ("payments",), "dependents": ("web",), "further": {"bank": 2}}


async def test_without_a_catalogue_the_service_graph_of_the_metrics_is_read() -> None:
    def ends(metric: str, caller: str, callee: str) -> tuple[str, str]:
        return (
            f'count by ({callee}) ({metric}{{{caller}="checkout"}})',
            f'count by ({caller}) ({metric}{{{callee}="checkout"}})',
        )

    calls, callers = ends("istio_requests_total", "source_canonical_service", "destination_canonical_service")
    absent = dict.fromkeys(ends("traces_service_graph_request_total", "client", "server"), ())
    steps = {**absent, calls: [Step(1, 1, {"destination_canonical_service": "payments"})], callers: []}

    evidence = await call_tool("dependencies", context(steps, catalogue=Catalogue()), service="checkout")

    assert (evidence.facts.depends_on, evidence.facts.dependents, evidence.source) == (("payments",), (), "prometheus")


def log_lines() -> RecordedLogs:
    times = [
        (1, "ERROR pool exhausted after 31 ms"),
        (2, "ERROR pool exhausted after 29 ms"),
        (3, "order 7 ok"),
        (40, "order 8 ok"),
    ]
    return RecordedLogs({"checkout": [LogLine(at=NOW - timedelta(minutes=m), text=text) for m, text in times]})


async def test_kinds_of_log_lines_are_told_by_how_they_changed_around_the_onset() -> None:
    evidence = await call_tool("search_logs", context(logs=log_lines()), service="checkout")

    last, example = NOW - timedelta(minutes=1), "ERROR pool exhausted after 29 ms"
    new = TemplateFact(
        template="ERROR pool exhausted after <*> ms",
        count=2,
        before=0.0,
        trend="new",
        first=NOW - timedelta(minutes=2),
        last=last,
        example=example,
    )
    assert evidence.facts.templates[0] == new and evidence.user_controllable
    assert "kinds: 1 new; most: 2 times (new)" in evidence.summary
    assert any("new: 2 now, 0 expected, first 02:58:00" in line for line in evidence.details)


async def test_of_a_flood_one_line_of_each_kind_is_shown() -> None:
    logs = RecordedLogs({"checkout": [LogLine(at=NOW, text=f"pool exhausted after {n} ms") for n in range(900)]})

    evidence = await call_tool("search_logs", context(logs=logs), service="checkout")

    assert len(evidence.details) == 2 and "900 now" in evidence.details[0]


async def test_a_window_that_held_more_lines_than_were_read_is_compared_by_rate() -> None:
    """Two lines a second now as before: what was read of each window stands for its span."""
    logs = RecordedLogs({"checkout": [LogLine(at=NOW - timedelta(seconds=n / 2), text="ok") for n in range(12_000)]})

    evidence = await call_tool("search_logs", context(logs=logs), service="checkout")

    assert "no kind of line is new" in evidence.summary
    assert "there were more" in evidence.summary


async def test_a_line_that_holds_line_breaks_and_controls_stays_one_line() -> None:
    logs = RecordedLogs({"checkout": [LogLine(at=NOW, text="ok\n\x1b[31mE7: forged\u202e")]})

    evidence = await call_tool("search_logs", context(logs=logs), service="checkout")

    assert evidence.details and all(
        "\n" not in line and "\x1b" not in line and "\u202e" not in line for line in evidence.details
    )


async def test_a_flood_of_long_lines_is_cut() -> None:
    logs = RecordedLogs({"checkout": [LogLine(at=NOW, text=f"{'x' * 1900} {n}") for n in range(3000)]})

    evidence = await call_tool("search_logs", context(logs=logs), service="checkout")

    assert sum(map(len, evidence.details)) <= 16_384 and "there were more" in evidence.summary


async def test_without_a_log_store_nothing_is_claimed() -> None:
    with pytest.raises(QueryFailed, match="no log store"):
        await call_tool("search_logs", context(), service="checkout")


@pytest.fixture
def runbook_folder(tmp_path: Path) -> RunbookFolder:
    (tmp_path / "HighErrorRate.md").write_text("# High error rate\n\nRoll back.\n\nRequests fail with errors.\n")
    (tmp_path / "DiskFull.md").write_text("# Disk full\n\nDelete old files from the volume.\n")
    return RunbookFolder(tmp_path)


async def test_the_runbook_of_the_alert_is_found_by_its_name(runbook_folder: RunbookFolder) -> None:
    evidence = await call_tool("read_runbook", context(runbooks=runbook_folder))

    assert evidence.facts.runbooks[0] == RunbookFact(id="HighErrorRate", title="High error rate", similarity=1.0)
    assert "is written for this alert" in evidence.summary and "Roll back." in evidence.details


async def test_the_address_of_a_runbook_is_looked_up_by_its_last_part(runbook_folder: RunbookFolder) -> None:
    case = {"alert_name": "Zzz", "runbook_url": "https://wiki.example/runbooks/DiskFull.md#top"}

    evidence = await call_tool("read_runbook", context(runbooks=runbook_folder, case=case))

    assert evidence.facts.runbooks[0].id == "DiskFull"


async def test_a_text_that_no_runbook_speaks_of_finds_none(runbook_folder: RunbookFolder) -> None:
    evidence = await call_tool(
        "read_runbook", context(runbooks=runbook_folder), alert="the certificate of the mail gateway expires"
    )

    assert evidence.facts.runbooks == () and evidence.summary == "No runbook fits this alert"


async def test_a_runbook_that_does_not_exist_is_said_to_not_exist(runbook_folder: RunbookFolder) -> None:
    evidence = await call_tool("read_runbook", context(runbooks=runbook_folder), id="../../secret.md")

    assert evidence.summary == "There is no runbook '../../secret.md'"


@pytest.mark.parametrize("address", ["http://[bad", "", "https://x.example"])
def test_an_address_without_a_page_has_no_page_name(address: str) -> None:
    assert page_name(address) == ""


async def test_kubernetes_rollouts_are_listed_beside_reported_changes() -> None:
    images = next(iter(NO_KUBERNETES))
    pods = [pod("checkout-aa-bb", "1.4", 60, 10), pod("checkout-cc-dd", "1.5", 10)]
    metrics = RecordedMetrics({**NO_KUBERNETES, images: pods})

    evidence = await call_tool("recent_changes", context(metrics=metrics, changes=Changes()), service="checkout", hours=1)

    (row,) = evidence.facts.changes
    assert (row.kind, row.version, row.previous_version, row.source) == ("deploy", "1.5", "1.4", "kubernetes")


@dataclass(frozen=True)
class Past:
    rows: Sequence[PastIncident]

    async def confirmed(self, since: datetime) -> list[PastIncident]:
        return [row for row in self.rows if row.resolved_at >= since]


BEFORE = PastIncident(
    ref="INC-1", group="AL-7", title="Errors of checkout", service="checkout", alert_names=frozenset({"HighErrorRate"}),
    resolved_at=NOW - timedelta(days=9), fixes=(Fix(action="rollback", service="checkout", verified=True),),
    cause=ConfirmedCause(text="a deploy without its index", confirmed_by="alice", at=NOW),
)  # fmt: skip


async def test_a_past_incident_tells_its_confirmed_cause_and_the_fix_that_was_verified() -> None:
    evidence = await call_tool("past_incidents", context(past=Past([BEFORE])))

    assert "INC-1 on" in evidence.summary and "a deploy without its index" in evidence.summary
    assert "rollback on checkout was verified in 1 of 1 runs" in evidence.summary
    assert "confirmed by alice" in evidence.details[0] and evidence.source == "incidents"


async def test_a_fix_is_counted_over_all_incidents_alike_of_which_the_nearest_are_shown() -> None:
    past = [BEFORE.model_copy(update={"ref": f"INC-{n}", "group": f"AL-{n + 10}"}) for n in range(1, 10)]

    evidence = await call_tool("past_incidents", context(past=Past(past)))

    assert "9 past incidents resemble" in evidence.summary and "verified in 9 of 9 runs" in evidence.summary
    assert len(evidence.facts.incidents) == 5 and evidence.details[-1] == "rollback on checkout: ran 9 times, verified 9"


async def test_no_past_incident_is_an_answer() -> None:
    evidence = await call_tool("past_incidents", context(past=Past([])))

    assert evidence.ok and "(0 on record)" in evidence.summary


async def test_without_a_record_of_past_incidents_nothing_is_claimed() -> None:
    with pytest.raises(QueryFailed, match="no record"):
        await call_tool("past_incidents", context())

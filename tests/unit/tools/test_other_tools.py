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
from tests.unit.tools.looking import NO_KUBERNETES, Alerts, Changes, Step, context, look
from tools.read_runbook import page_name


def alert(name: str, service: str, minutes_before: float) -> Alert:
    return Alert(
        source="prod", fingerprint=name, status="firing", name=name, labels={"service": service},
        starts_at=NOW - timedelta(minutes=minutes_before),
    )  # fmt: skip


async def test_changes_come_newest_first_with_what_and_when() -> None:
    rows = [change("new", minutes_before=5, title="version 1.5"), change("old", minutes_before=90)]

    found = await look("recent_changes", context(NO_KUBERNETES, changes=Changes(rows)), service="checkout")

    assert [row.id for row in found.facts.changes] == ["test:new", "test:old"]
    assert "2 changes on checkout" in found.summary and "version 1.5" in found.summary


async def test_reported_changes_stand_even_if_kubernetes_could_not_be_seen() -> None:
    found = await look("recent_changes", context({}, changes=Changes([change("new")])), service="checkout")

    assert found.facts.changes and len(found.facts.changes) == 1 and "could not check Kubernetes" in found.summary
    assert [line.partition(":")[0] for line in found.unseen] == ["Could not check (changes from Kubernetes)"]


async def test_changes_of_all_services_are_asked_without_a_name() -> None:
    rows = [change("a", "payments"), change("b", "web")]

    found = await look("recent_changes", replace(context(changes=Changes(rows)), metrics=None))

    assert {row.service for row in found.facts.changes} == {"payments", "web"}


async def test_alerts_come_oldest_first_and_are_foreign_text() -> None:
    ctx = context(alerts=Alerts([alert("HighErrorRate", "checkout", 2), alert("PoolExhausted", "payments", 4)]))

    found = await look("active_alerts", ctx)

    assert [row.name for row in found.facts.alerts] == ["PoolExhausted", "HighErrorRate"]
    assert found.user_controllable and found.summary.startswith("2 alerts fire now") and "first PoolExhausted" in found.summary


async def test_alerts_are_counted_in_the_groups_before() -> None:
    old = [[alert("HighErrorRate", "checkout", minutes)] for minutes in (90, 300)]
    ctx = context(alerts=Alerts([alert("HighErrorRate", "checkout", 2), alert("PoolExhausted", "payments", 4)], old))

    found = await look("active_alerts", ctx)

    counted = {row.what: row.earlier_here for row in found.facts.burst.firings}
    assert counted == {"HighErrorRate": 2, "PoolExhausted": 0}
    assert found.details[-2:] == ("1 alert that fired in none of 2 earlier alert groups:", "payments: PoolExhausted")


async def test_an_alert_that_fires_for_hours_is_no_part_of_the_burst() -> None:
    found = await look("active_alerts", context(alerts=Alerts([alert("HighErrorRate", "checkout", 200)])))

    assert found.facts.burst.firings == () and len(found.facts.alerts) == 1


async def test_dependencies_are_those_of_the_catalogue() -> None:
    found = await look("dependencies", context(), service="checkout")

    assert found.facts.model_dump() == {"depends_on": ("payments",), "dependents": ("web",), "further": {"bank": 2}}


async def test_without_a_catalogue_the_service_graph_of_the_metrics_is_read() -> None:
    def ends(metric: str, caller: str, callee: str) -> tuple[str, str]:
        return (
            f'count by ({callee}) ({metric}{{{caller}="checkout"}})',
            f'count by ({caller}) ({metric}{{{callee}="checkout"}})',
        )

    calls, callers = ends("istio_requests_total", "source_canonical_service", "destination_canonical_service")
    absent = dict.fromkeys(ends("traces_service_graph_request_total", "client", "server"), ())
    steps = {**absent, calls: [Step(1, 1, {"destination_canonical_service": "payments"})], callers: []}

    found = await look("dependencies", context(steps, catalogue=Catalogue()), service="checkout")

    assert (found.facts.depends_on, found.facts.dependents, found.source) == (("payments",), (), "prometheus")


def log_lines() -> RecordedLogs:
    times = [
        (1, "ERROR pool exhausted after 31 ms"),
        (2, "ERROR pool exhausted after 29 ms"),
        (3, "order 7 ok"),
        (40, "order 8 ok"),
    ]
    return RecordedLogs({"checkout": [LogLine(at=NOW - timedelta(minutes=m), text=text) for m, text in times]})


async def test_kinds_of_log_lines_are_told_by_how_they_changed_around_the_onset() -> None:
    found = await look("search_logs", context(logs=log_lines()), service="checkout")

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
    assert found.facts.templates[0] == new and found.user_controllable
    assert "kinds: 1 new; most: 2 times (new)" in found.summary
    assert any("new: 2 now, 0 expected, first 02:58:00" in line for line in found.details)


async def test_of_a_flood_one_line_of_each_kind_is_shown() -> None:
    logs = RecordedLogs({"checkout": [LogLine(at=NOW, text=f"pool exhausted after {n} ms") for n in range(900)]})

    found = await look("search_logs", context(logs=logs), service="checkout")

    assert len(found.details) == 2 and "900 now" in found.details[0]


async def test_a_window_that_held_more_lines_than_were_read_is_compared_by_rate() -> None:
    """Two lines a second now as before: what was read of each window stands for its span."""
    logs = RecordedLogs({"checkout": [LogLine(at=NOW - timedelta(seconds=n / 2), text="ok") for n in range(12_000)]})

    found = await look("search_logs", context(logs=logs), service="checkout")

    assert "no kind of line is new" in found.summary
    assert "there were more" in found.summary


async def test_a_line_that_holds_line_breaks_and_controls_stays_one_line() -> None:
    logs = RecordedLogs({"checkout": [LogLine(at=NOW, text="ok\n\x1b[31mE7: forged\u202e")]})

    found = await look("search_logs", context(logs=logs), service="checkout")

    assert all("\n" not in line and "\x1b" not in line and "\u202e" not in line for line in found.details)


async def test_a_flood_of_long_lines_is_cut() -> None:
    logs = RecordedLogs({"checkout": [LogLine(at=NOW, text=f"{'x' * 1900} {n}") for n in range(3000)]})

    found = await look("search_logs", context(logs=logs), service="checkout")

    assert sum(map(len, found.details)) <= 16_384 and "there were more" in found.summary


async def test_without_a_log_store_nothing_is_claimed() -> None:
    with pytest.raises(QueryFailed, match="no log store"):
        await look("search_logs", context(), service="checkout")


@pytest.fixture
def shelf(tmp_path: Path) -> RunbookFolder:
    (tmp_path / "HighErrorRate.md").write_text("# High error rate\n\nRoll back.\n\nRequests fail with errors.\n")
    (tmp_path / "DiskFull.md").write_text("# Disk full\n\nDelete old files from the volume.\n")
    return RunbookFolder(tmp_path)


async def test_the_runbook_of_the_alert_is_found_by_its_name(shelf: RunbookFolder) -> None:
    found = await look("read_runbook", context(runbooks=shelf))

    assert found.facts.runbooks[0] == RunbookFact(id="HighErrorRate", title="High error rate", similarity=1.0)
    assert "is written for this alert" in found.summary and "Roll back." in found.details


async def test_the_address_of_a_runbook_is_looked_up_by_its_last_part(shelf: RunbookFolder) -> None:
    case = {"alert_name": "Zzz", "runbook_url": "https://wiki.example/runbooks/DiskFull.md#top"}

    found = await look("read_runbook", context(runbooks=shelf, case=case))

    assert found.facts.runbooks[0].id == "DiskFull"


async def test_a_text_that_no_runbook_speaks_of_finds_none(shelf: RunbookFolder) -> None:
    found = await look("read_runbook", context(runbooks=shelf), alert="the certificate of the mail gateway expires")

    assert found.facts.runbooks == () and found.summary == "No runbook fits this alert"


async def test_a_runbook_that_does_not_exist_is_said_to_not_exist(shelf: RunbookFolder) -> None:
    found = await look("read_runbook", context(runbooks=shelf), id="../../secret.md")

    assert found.summary == "There is no runbook '../../secret.md'"


@pytest.mark.parametrize("address", ["http://[bad", "", "https://x.example"])
def test_an_address_without_a_page_has_no_page_name(address: str) -> None:
    assert page_name(address) == ""


async def test_kubernetes_rollouts_are_listed_beside_reported_changes() -> None:
    images = next(iter(NO_KUBERNETES))
    pods = [pod("checkout-aa-bb", "1.4", 60, 10), pod("checkout-cc-dd", "1.5", 10)]
    metrics = RecordedMetrics({**NO_KUBERNETES, images: pods})

    found = await look("recent_changes", context(metrics=metrics, changes=Changes()), service="checkout", hours=1)

    (row,) = found.facts.changes
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
    seen = await look("past_incidents", context(past=Past([BEFORE])))

    assert "INC-1 on" in seen.summary and "a deploy without its index" in seen.summary
    assert "rollback on checkout was verified in 1 of 1 runs" in seen.summary
    assert "confirmed by alice" in seen.details[0] and seen.source == "incidents"


async def test_a_fix_is_counted_over_all_incidents_alike_of_which_the_nearest_are_shown() -> None:
    past = [BEFORE.model_copy(update={"ref": f"INC-{n}", "group": f"AL-{n + 10}"}) for n in range(1, 10)]

    seen = await look("past_incidents", context(past=Past(past)))

    assert "9 past incidents resemble" in seen.summary and "verified in 9 of 9 runs" in seen.summary
    assert len(seen.facts.incidents) == 5 and seen.details[-1] == "rollback on checkout: ran 9 times, verified 9"


async def test_no_past_incident_is_an_answer() -> None:
    seen = await look("past_incidents", context(past=Past([])))

    assert seen.ok and "(0 on record)" in seen.summary


async def test_without_a_record_of_past_incidents_nothing_is_claimed() -> None:
    with pytest.raises(QueryFailed, match="no record"):
        await look("past_incidents", context())

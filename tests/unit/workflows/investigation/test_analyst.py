"""The analyst's work: what it looks at, in which steps, and what it makes of failed looks."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from bot.core.change import Change
from bot.core.evidence import Case, Findings, LedgerEntry
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.facts.measured import BreakdownFact
from bot.core.facts.recorded import PodFact
from bot.engine.direct import DirectRun
from bot.workflows.investigation.analyst import Analyst
from tests.unit.evidence_builders import CASE, NOW, change, deviation, entry, failed
from tests.unit.tools.tool_fixture import INFOS

GUILTY = change("payments", 1, version="2.3.1", previous="2.3.0")
PODS = tuple(PodFact(pod=f"p{n}", node="node-a" if n < 3 else "node-b", namespace="shop") for n in range(1, 5))
BY_POD = tuple(
    BreakdownFact(labels={"pod": pod.pod}, before=0.01, after=0.6 if pod.node == "node-a" else 0.01,
                  share=0.5 if pod.node == "node-a" else 0.0, until=NOW, existed=True)
    for pod in PODS
)  # fmt: skip
GRAPH = {"front": ["payments", "cart"], "payments": ["db"], "cart": ["db"], "db": []}
SICK = {
    "front": deviation("front", "errors", 0.002, 0.3, unit="ratio"),
    "payments": deviation("payments", "errors", 0.001, 0.45, doublings=4, unit="ratio"),
}


class RecordedRun(DirectRun):
    """Remembers the answers of its steps by name; a given journal answers instead of the steps, as a replay does."""

    def __init__(self, answers: dict[str, Any] | None = None) -> None:
        super().__init__("triage:AL-1:1", clock=lambda: NOW)
        self.answers = answers or {}
        self.recorded: dict[str, Any] = {}

    async def step(self, name: str, fn: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        assert name == "now" or name not in self.recorded, f"two steps are named {name}"
        self.recorded[name] = self.answers[name] if name in self.answers else await super().step(name, fn, *args)
        return self.recorded[name]


class Shop:
    """Answers looks from a small fixed shop; `broken` tools fail. Records what was asked."""

    def __init__(
        self,
        broken: frozenset[str] = frozenset(),
        sick: dict[str, Any] | None = None,
        split: Any = (),
        changes: tuple[Change, ...] = (GUILTY,),
    ) -> None:
        self.broken, self.sick, self.split, self.changes = broken, SICK if sick is None else sick, split, changes
        self.asked: list[tuple[str, str]] = []

    def for_case(self, case: Case) -> Callable[[str, dict[str, Any], str], Awaitable[LedgerEntry]]:
        async def call_tool(tool: str, arguments: dict[str, Any], call: str) -> LedgerEntry:
            self.asked.append((tool, str(arguments.get("service", ""))))
            await asyncio.sleep(0)
            return self._answer(len(self.asked), tool, arguments)

        return call_tool

    def _answer(self, number: int, tool: str, arguments: dict[str, Any]) -> LedgerEntry:
        service = str(arguments.get("service", ""))
        if tool in self.broken:
            return failed(number, tool, "connection refused", **arguments)
        quiet = deviation(service, "cpu", 0.2, 0.2, doublings=0, unit="cores")
        measured = tuple(d.as_fact() for d in (self.sick.get(service), quiet) if d)
        facts = {
            "service_health": EvidenceFacts(deviations=measured, beyond=()),
            "dependencies": EvidenceFacts(depends_on=tuple(GRAPH.get(service, ())), dependents=()),
            "recent_changes": EvidenceFacts(changes=self.changes),
            "active_alerts": EvidenceFacts(alerts=()),
            "metric_breakdown": EvidenceFacts(breakdown=self.split, unit="ratio"),
            "describe_workload": EvidenceFacts(pods=PODS),
            "search_logs": EvidenceFacts(templates=()),
            "change_jumps": EvidenceFacts(jumps=()),
        }
        sources = {
            "recent_changes": "changes",
            "active_alerts": "alerts",
            "dependencies": "catalogue",
            "search_logs": "loki",
            "describe_workload": "kubernetes",
        }
        return entry(number, tool, facts[tool], source=sources.get(tool, "prometheus"), **arguments)


async def investigate(shop: Shop, run: RecordedRun | None = None) -> Findings:
    return await Analyst(shop.for_case, INFOS).investigate(run or RecordedRun(), CASE)


async def test_it_finds_the_deploy_one_call_below_the_alert() -> None:
    findings = await investigate(Shop())

    first = findings.hypotheses[0]
    assert (first.change_id, first.confidence, findings.by) == (GUILTY.id, "likely", "analyst")


async def test_it_follows_what_deviates_and_not_what_is_well() -> None:
    shop = Shop()
    await investigate(shop)

    looked_at = [service for tool, service in shop.asked if tool == "service_health"]
    assert sorted(looked_at) == ["cart", "db", "front", "payments"]
    assert ("metric_breakdown", "payments") in shop.asked and ("metric_breakdown", "cart") not in shop.asked


async def test_a_service_changed_before_the_alert_is_looked_at_although_no_call_of_it_is_known() -> None:
    shop = Shop(changes=(change("mailer", 12, version="2.0.0"), change("archive", 300, version="3.0.0")))
    await investigate(shop)

    looked_at = [service for tool, service in shop.asked if tool == "service_health"]
    assert sorted(looked_at) == ["cart", "db", "front", "mailer", "payments"]


async def test_a_healthy_service_ends_the_walk_and_nothing_is_blamed() -> None:
    shop = Shop(sick={})
    findings = await investigate(shop)

    assert (findings.hypotheses, findings.category) == ([], "healthy")


async def test_the_lines_of_the_alerting_service_are_read_even_if_nothing_leads_there() -> None:
    shop = Shop(sick={})
    findings = await investigate(shop)

    assert shop.asked.count(("search_logs", "front")) == 1 and findings.category == "healthy"


async def test_the_lines_of_what_it_calls_and_of_what_was_changed_are_read_though_their_signals_look_normal() -> None:
    shop = Shop(changes=(GUILTY, change("network", 200, version="2", previous="1")))
    await investigate(shop)

    assert {service for tool, service in shop.asked if tool == "search_logs"} >= {"front", "payments", "cart", "db", "network"}


async def test_where_pods_differ_the_cluster_is_asked_on_which_node_each_runs() -> None:
    asked = Shop(split=BY_POD)
    findings = await Analyst(asked.for_case, INFOS, has_cluster=True).investigate(RecordedRun(), CASE)
    without = Shop(split=BY_POD)
    await investigate(without)

    assert ("describe_workload", "payments") in asked.asked
    assert any("Node node-a fails" in one.cause for one in findings.hypotheses)
    assert "describe_workload" not in [tool for tool, _ in without.asked]


async def test_a_replay_with_the_recorded_answers_looks_at_nothing_and_concludes_the_same() -> None:
    run, shop = RecordedRun(), Shop()
    found = await investigate(shop, run)
    silent = Shop(broken=frozenset({"service_health", "dependencies", "recent_changes", "active_alerts"}))

    again = await investigate(silent, RecordedRun(run.recorded))

    assert again == found and silent.asked == []


async def test_dead_metrics_are_told_and_never_taken_for_all_clear() -> None:
    findings = await investigate(Shop(broken=frozenset({"service_health", "metric_breakdown"})))

    assert all(h.confidence in ("possible", "unlikely") for h in findings.hypotheses)
    assert any("connection refused" in line for line in findings.not_checked)
    assert findings.category != "healthy"


async def test_when_nothing_can_be_looked_at_it_says_so() -> None:
    every = frozenset({"service_health", "dependencies", "recent_changes", "active_alerts", "metric_breakdown", "search_logs"})
    findings = await investigate(Shop(broken=every))

    assert findings.hypotheses == [] and len(findings.not_checked) == 5
    assert findings.category == "unknown"

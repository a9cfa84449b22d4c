"""Every fault of the sandbox, investigated: the live analyst with the live tools and readers, the shop in this process."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
from starlette.applications import Starlette

from bot.core.alert import Alert
from bot.core.change import Change
from bot.core.config import Config
from bot.core.config.alerts import SourceConfig
from bot.core.config.systems import LogsConfig, PrometheusConfig
from bot.core.evidence import Case, Evidence, Findings, LedgerEntry
from bot.core.service import Catalogue
from bot.core.verdict.verdict import judge
from bot.engine.direct import DirectRun
from bot.monitoring.logs.loki import LokiLogs
from bot.monitoring.metrics.prometheus import PrometheusMetrics
from bot.plugins import SourceRequest, Tool, ToolContext, discover
from bot.sandbox.scenarios.catalogue import FAULTS
from bot.sandbox.world.app import world_routes
from bot.sandbox.world.configuration import Configuration
from bot.sandbox.world.model import World
from bot.sandbox.world.notifier import Notifier
from bot.sandbox.world.silences import Silences
from bot.settings import catalogue_of
from bot.sources.alertmanager import alertmanager
from bot.sources.generic import generic
from bot.workflows.investigation.analyst import Analyst
from tests.evaluation.world import RecordedChanges

START = 1_795_561_000.3
"""Unix seconds at which every shop is started: the evidence is the same whenever this runs."""
URL = "http://shop.test"
TOOLS: Mapping[str, Tool] = discover(["tools"], Tool)


@dataclass(frozen=True)
class Investigated:
    """One fault with what the analyst found out about it, judged, and what really happened."""

    case: Case
    now: datetime
    ledger: Sequence[LedgerEntry]
    findings: Findings
    truth: Mapping[str, object]
    services: Sequence[str]

    @property
    def change(self) -> Change | None:
        """The change at fault as the bot knows it."""
        return next((c for c in self.changes if c.id == f"pipeline:{self.truth['change_id']}"), None)

    @property
    def innocent(self) -> list[Change]:
        """The newer deploys that broke nothing."""
        ids = self.truth["innocent_change_ids"]
        assert isinstance(ids, list)
        return [c for c in self.changes if c.id.removeprefix("pipeline:") in ids]

    @property
    def changes(self) -> Sequence[Change]:
        return next(e.evidence.facts.changes or () for e in self.ledger if e.tool == "recent_changes")

    @property
    def root(self) -> str:
        return str(self.truth["root"])


def investigate_fault(fault: str, *, seed: int = 1, service: str = "", onset_ago: float = 100.0) -> Investigated:
    """The fault at its usual place (or on `service`), investigated when its alert fires."""
    return asyncio.run(_investigate(_Shop(seed, fault, service, onset_ago)))


class _Shop:
    """One world with a clock that tests move, and what the bot has been sent by it."""

    def __init__(self, seed: int, fault: str, service: str, onset_ago: float) -> None:
        self.at = START
        place = {"fault": fault, "service": service, "onset_ago": onset_ago}
        self.world = World(seed, clock=lambda: self.at, base_url=URL, history_hours=5.0, **place)  # type: ignore[arg-type]
        self.notifier = Notifier(Silences(), URL)
        self.sent: list[Alert] = []
        for _ in range(3):
            self.at += 2
            self.notifier.update(self.world.rules.evaluate(self.world.now()), self.at)
            for body in self.notifier.due(self.at):
                request = self._request(body, "alertmanager", "shop", "alerts")
                self.sent += alertmanager.read(request).alerts
        self.now = datetime.fromtimestamp(self.at, UTC)
        parsed = generic.read(self._request([c.as_json(URL) for c in self.world.changes()], "generic", "pipeline", "changes"))
        self.changes = sorted(parsed.changes, key=lambda change: change.at, reverse=True)
        content = Configuration(self.world.shop, URL, "C0", {}, {}).as_dict(START)
        self.catalogue: Catalogue = catalogue_of(Config.model_validate({"services": content["services"]}))

    def _request(self, body: object, kind: str, source: str, endpoint: str) -> SourceRequest:
        at = datetime.fromtimestamp(self.at, UTC)
        return SourceRequest(source, json.dumps(body).encode(), {}, at, SourceConfig(kind=kind), endpoint)

    def case(self) -> Case:
        """The case that the first critical alert opens."""
        alert = min((a for a in self.sent if a.severity == "critical"), key=lambda a: (a.starts_at, a.name, a.fingerprint))
        return Case(
            group="AL-1",
            service=self.catalogue.of_labels(alert.labels),
            alert_name=alert.name,
            severity="SEV2",
            summary=alert.summary,
            labels=dict(alert.labels),
            expression=alert.expression,
            started_at=alert.starts_at,
        )

    def context(self, case: Case, client: httpx.AsyncClient) -> ToolContext:
        """The readers that the bot would have."""
        return ToolContext(
            now=self.now,
            case=case,
            catalogue=self.catalogue,
            changes=RecordedChanges(self.changes),
            alerts=_Alerts(self.sent, self.catalogue),
            metrics=PrometheusMetrics(PrometheusConfig(url=f"{URL}/world/prometheus"), client),
            logs=LokiLogs(LogsConfig(loki=f"{URL}/world/loki", label="service"), client),
        )


async def _investigate(shop: _Shop) -> Investigated:
    case, ledger = shop.case(), list[LedgerEntry]()
    transport = httpx.ASGITransport(app=Starlette(routes=world_routes(shop.world)))
    async with httpx.AsyncClient(transport=transport, timeout=60) as client:
        context = shop.context(case, client)

        async def call(tool: str, arguments: Mapping[str, object], _: str) -> LedgerEntry:
            evidence: Evidence = await TOOLS[tool](context, **arguments)
            id = f"E{len(ledger) + 1}"
            ledger.append(
                LedgerEntry(id=id, group=case.group, tool=tool, arguments=dict(arguments), at=shop.now, evidence=evidence)
            )
            return ledger[-1]

        analyst = Analyst(lambda _: call, {name: tool.info for name, tool in TOOLS.items()})
        findings = await analyst.investigate(DirectRun(case.group, clock=lambda: shop.now), case)
    services = list(shop.catalogue.services)
    return Investigated(case, shop.now, ledger, judge(findings, ledger, case=case), shop.world.truth(), services)


@dataclass(frozen=True)
class _Alerts:
    alerts: Sequence[Alert]
    catalogue: Catalogue

    async def active(self, service: str = "") -> list[Alert]:
        return [a for a in self.alerts if service in ("", self.catalogue.of_labels(a.labels))]

    async def earlier(self, before: datetime) -> list[list[Alert]]:
        return []


def all_faults() -> list[str]:
    """The names of all faults."""
    return list(FAULTS)

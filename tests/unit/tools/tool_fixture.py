"""A tool's context for tests: recorded readers, a small catalogue, one case."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from bot.core.alert import Alert
from bot.core.change import Change
from bot.core.changes.rollouts import rollout_queries
from bot.core.evidence import Case, Evidence
from bot.core.metrics.series import Series
from bot.core.service import Catalogue, Service
from bot.plugins import Tool, ToolContext, discover
from tests.evaluation.recorded import RecordedMetrics
from tests.unit.builders import NOW

ONSET = NOW - timedelta(minutes=3)
_REQUESTS = 'http_requests_total{service="checkout"'
ERRORS = f'sum(rate({_REQUESTS},code=~"5.."}}[1m])) / sum(rate({_REQUESTS}}}[1m]))'
CATALOGUE = Catalogue(
    [
        Service(
            name="checkout",
            depends_on=("payments",),
            match={"service": "checkout"},
            signals={"errors": {"promql": ERRORS, "unit": "ratio", "bad_above": 0.02}},  # type: ignore[dict-item]
        ),
        Service(name="payments", depends_on=("bank",)),
        Service(name="web", depends_on=("checkout",)),
    ]
)
NO_KUBERNETES = dict.fromkeys(rollout_queries(["checkout"]).values(), ())


@dataclass(frozen=True)
class Changes:
    rows: Sequence[Change] = ()

    async def since(self, service: str, since: datetime) -> list[Change]:
        return [row for row in self.rows if row.at >= since and service in ("", row.service)]


@dataclass(frozen=True)
class Alerts:
    rows: Sequence[Alert] = ()
    past: Sequence[Sequence[Alert]] = ()

    async def active(self, service: str = "") -> list[Alert]:
        return [row for row in self.rows if service in ("", row.labels.get("service"))]

    async def earlier(self, before: datetime) -> list[list[Alert]]:
        return [[row for row in burst if row.starts_at < before] for burst in self.past]


@dataclass(frozen=True)
class Step:
    """A level before it began and one after it, with a little noise, over the last hour."""

    before: float
    after: float
    labels: Mapping[str, str] = field(default_factory=dict)
    began_at: datetime = ONSET

    @property
    def series(self) -> Series:
        times = np.arange((NOW - timedelta(hours=1)).timestamp(), NOW.timestamp(), 5.0)
        level = np.where(times < self.began_at.timestamp(), self.before, self.after)
        return Series(self.labels, times, level * (1 + 0.02 * np.sin(times)))


def recorded(steps: Mapping[str, Step | Sequence[Step]]) -> RecordedMetrics:
    """Metrics that know these queries and no other."""
    return RecordedMetrics(
        {promql: [one.series for one in ([step] if isinstance(step, Step) else step)] for promql, step in steps.items()}
    )


def context(steps: Mapping[str, Any] | None = None, **values: Any) -> ToolContext:
    """A context in which the alert of checkout began a minute after the onset."""
    case = Case.model_validate(
        {"group": "AL-1", "service": "checkout", "alert_name": "HighErrorRate", "started_at": ONSET + timedelta(minutes=1)}
        | values.pop("case", {})
    )
    fields = {"catalogue": CATALOGUE, "changes": Changes(), "alerts": Alerts(), "metrics": recorded(steps or {}), **values}
    return ToolContext(now=NOW, case=case, **fields)


TOOLS = discover(["tools"], Tool)
INFOS = {name: tool.info for name, tool in TOOLS.items()}


async def call_tool(tool: str, ctx: ToolContext, **arguments: Any) -> Evidence:
    """One call of the tool of this name."""
    return await TOOLS[tool](ctx, **arguments)

"""The tick that looks at what people resolved while its alerts fired: what is not over a while later is open again."""

from collections.abc import Sequence
from enum import Enum, auto

from bot.core.config import Config
from bot.core.errors import QueryFailed
from bot.core.metrics.promql import quote
from bot.core.metrics.series import Series
from bot.ports import Metrics
from bot.store.alerts.sorting.early_resolves import EarlyResolve, EarlyResolves, UnendedAlert
from bot.store.oversight.unconfirmed_ends import EVALUATED_BY_PROMETHEUS

_STATE_LABELS = frozenset({"__name__", "alertstate"})


class Evaluation(Enum):
    """What Prometheus knows of an alert."""

    FIRES = auto()
    ENDED = auto()
    UNKNOWN = auto()
    """It does not evaluate this alert, or not with these labels."""
    UNREADABLE = auto()


class EarlyResolvesTick:
    """`await tick()` is one round. Without metrics only a source itself can tell that its alert is over."""

    def __init__(self, early: EarlyResolves, config: Config, metrics: Metrics | None) -> None:
        self.early, self.config, self.metrics = early, config, metrics

    async def __call__(self) -> None:
        for resolve in await self.early.due():
            await self._judge(resolve)

    async def _judge(self, resolve: EarlyResolve) -> None:
        findings: dict[int, str] = {}
        undecided = False
        for alert in resolve.alerts:
            evaluation = await self._evaluation(alert)
            if evaluation is Evaluation.FIRES:
                findings[alert.episode] = "still fires"
            elif alert.missing_end_counts and evaluation is not Evaluation.ENDED:
                findings[alert.episode] = "has not recovered"
            elif evaluation is not Evaluation.UNKNOWN:
                # Its end is still to be reported, or could not be seen. Where nobody can ever tell, nothing is waited for.
                undecided |= alert.source_reports_ends or evaluation is Evaluation.UNREADABLE
        await self.early.judge(resolve.group, findings, undecided=undecided)

    async def _evaluation(self, alert: UnendedAlert) -> Evaluation:
        source = self.config.sources.get(alert.source)
        if self.metrics is None or source is None or source.kind not in EVALUATED_BY_PROMETHEUS:
            return Evaluation.UNKNOWN
        query = f'ALERTS{{alertstate="firing",alertname={quote(alert.name)}}}'
        try:
            if _is_among(alert, await self.metrics.instant(query)):
                return Evaluation.FIRES
            before = await self.metrics.instant(query, at=alert.first_seen_at)
        except QueryFailed:
            return Evaluation.UNREADABLE
        return Evaluation.ENDED if _is_among(alert, before) else Evaluation.UNKNOWN


def _is_among(alert: UnendedAlert, firing: Sequence[Series]) -> bool:
    """Whether one of these is the alert; Alertmanager gets the labels of the whole Prometheus besides."""
    own = alert.labels.items()
    return any({one for one in series.labels.items() if one[0] not in _STATE_LABELS} <= own for series in firing)

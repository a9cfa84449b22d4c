"""All that is done again and again, by name: what pages, closes, prunes, learns, and looks at what nobody reported."""

from bot.core.config import Config
from bot.core.service import Catalogue
from bot.core.tool_calls import Tools
from bot.ports import Metrics, Pager, Traces
from bot.store.alerts.sorting.early_resolves import EarlyResolves
from bot.store.alerts.ties.learned import LearnedTopology
from bot.store.approvals.break_glass_reviews import BreakGlassReviews
from bot.store.approvals.policies.policies import Policies
from bot.store.db.database import Database
from bot.store.oversight.pages import Pages
from bot.store.oversight.paging import PagingQueries
from bot.store.oversight.reminders import ReminderLines
from bot.store.oversight.staleness import Staleness
from bot.store.oversight.unconfirmed_ends import UnconfirmedEnds
from bot.store.oversight.unmeasured_ends import UnmeasuredEnds
from bot.store.triage.frozen_cases import Cases
from bot.store.triage.retries.due_rerankings import DueRerankings
from bot.store.triage.retries.early_rankings import EarlyRankings
from bot.store.triage.retries.late_reported_changes import LateReportedChanges
from bot.workflows.audit_heads import HeadsTick
from bot.workflows.ends.early_resolves import EarlyResolvesTick
from bot.workflows.ends.unconfirmed import EndsTick
from bot.workflows.ends.unmeasured import UnmeasuredEndsTick
from bot.workflows.investigation.learning import LearningTick
from bot.workflows.pager_tick import PagerTick
from bot.workflows.remediation.approvals import Approvals
from bot.workflows.remediation.reviews import ReviewsTick
from bot.workflows.remediation.standing import StandingTick
from bot.workflows.reminders import Reminders
from bot.workflows.ticks import ClockTick, Retries, RotaTick, Tick
from bot.workflows.topology import TopologyTick


def periodic_checks(
    db: Database,
    config: Config,
    catalogue: Catalogue,
    metrics: Metrics | None,
    traces: Traces | None,
    pager: Pager | None,
    approvals: Approvals,
) -> dict[str, Tick]:
    """By name, as bot.workflows.ticks.EVERY has them."""
    rotas = approvals.rotas
    reminders = Reminders(ReminderLines(db), rotas, config)
    return {
        "pager": PagerTick(Pages(db), PagingQueries(db), pager, config, reminders),
        "rotas": RotaTick(rotas),
        # PostgreSQL has a clock of its own.
        **({"clock": ClockTick(db)} if db.sqlite else {}),
        "heads": HeadsTick(db, config),
        "standing": StandingTick(approvals),
        "reviews": ReviewsTick(BreakGlassReviews(db, config), ReminderLines(db)),
        "policy": Policies(db, lambda: config.default_channel).expire,
        "learning": LearningTick(Cases(db), config.default_channel),
        "stale": Staleness(db, config),
        "ends": EndsTick(UnconfirmedEnds(db, config), metrics),
        "measured": UnmeasuredEndsTick(UnmeasuredEnds(db, config), catalogue, metrics),
        "resolved": EarlyResolvesTick(EarlyResolves(db, config, catalogue), config, metrics),
        "topology": TopologyTick(LearnedTopology(db), catalogue, metrics, traces),
    }


def retries_of(db: Database, catalogue: Catalogue, tools: Tools, *, measured: bool) -> list[Retries]:
    """Why causes are ranked anew, the weightiest reason first. `measured`: there are metrics, which tell more with time."""
    retries: list[Retries] = [DueRerankings(db), LateReportedChanges(db, catalogue, tools)]
    return [*retries, EarlyRankings(db, tools)] if measured else retries

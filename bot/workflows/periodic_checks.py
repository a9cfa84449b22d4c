"""The ticks that learn and check: what closed incidents teach, which alerts are stale or ended unseen, who calls whom."""

from bot.core.config import Config
from bot.core.service import Catalogue
from bot.ports import Metrics, Traces
from bot.store.alerts.ties.learned import LearnedTopology
from bot.store.db.database import Database
from bot.store.oversight.staleness import Staleness
from bot.store.oversight.unconfirmed_ends import UnconfirmedEnds
from bot.store.triage.frozen_cases import Cases
from bot.workflows.ends import EndsTick
from bot.workflows.investigation.learning import LearningTick
from bot.workflows.ticks import Tick
from bot.workflows.topology import TopologyTick


def periodic_checks(
    db: Database, config: Config, catalogue: Catalogue, metrics: Metrics | None, traces: Traces | None
) -> dict[str, Tick]:
    """By name, as bot.workflows.ticks.EVERY has them."""
    return {
        "learning": LearningTick(Cases(db), config.default_channel),
        "stale": Staleness(db, config),
        "ends": EndsTick(UnconfirmedEnds(db, config), metrics),
        "topology": TopologyTick(LearnedTopology(db), catalogue, metrics, traces),
    }

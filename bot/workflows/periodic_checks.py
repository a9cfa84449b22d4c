"""The ticks that need the database and the configuration alone."""

from bot.core.config import Config
from bot.store.db.database import Database
from bot.store.oversight.staleness import Staleness
from bot.store.triage.frozen_cases import Cases
from bot.workflows.investigation.learning import LearningTick
from bot.workflows.ticks import Tick


def periodic_checks(db: Database, config: Config) -> dict[str, Tick]:
    """By name, as bot.workflows.ticks.EVERY has them."""
    return {"learning": LearningTick(Cases(db), config.default_channel), "stale": Staleness(db, config)}

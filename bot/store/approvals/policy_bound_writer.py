"""What every writer of proposals has: the database, and the configuration whose policy decides."""

from bot.core.approvals import policy
from bot.core.config import Config
from bot.store.db.database import Database


class PolicyBoundWriter:
    """Writes under the policy of now."""

    def __init__(self, db: Database, config: Config) -> None:
        self.db = db
        self.config = config

    @property
    def policy(self) -> str:
        """The version of what decides now; a reload changes it."""
        return policy.policy_version(self.config)

"""Alerts that a source did not deliver, or that were too many to be taken: people hear of it, once a day for each source."""

import structlog

from bot.core.config import Config
from bot.store.db.database import UNAVAILABLE, Database
from bot.store.oversight.reminders import ReminderLines

log = structlog.get_logger(__name__)


class LeftOutNotices:
    """`await notices(source, text)` has a line stand in the default channel, unless one of that day does.

    Who knows of an alert by its card alone would else take what is on no card for well.
    """

    def __init__(self, db: Database, config: Config) -> None:
        self._db, self._config = db, config
        self._newest: dict[str, str] = {}
        """Of each source, the key of the line that is known to stand."""

    async def __call__(self, source: str, text: str) -> None:
        key = f"left-out:{source}:{self._db.clock():%Y%m%d}"
        if self._newest.get(source) == key:
            return
        try:
            await ReminderLines(self._db).announce(key, self._config.default_channel, text, ())
        except UNAVAILABLE as error:
            # The next such delivery tries again.
            log.warning("people were not told of alerts that are missing", source=source, why=type(error).__name__)
            return
        self._newest[source] = key

"""Whether a version to which a rollback would go back was observed by anything but the record that names it.

One token of a pipeline reports a change and, with it, the version before: whoever has that token would choose what runs next.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog

from bot.core.errors import QueryFailed
from bot.core.metrics.promql import Matcher, is_plain_name, literal_pattern, selector
from bot.core.service import Catalogue
from bot.core.text.untrusted import one_line
from bot.ports import Metrics
from bot.store.approvals.revisions import is_reported_elsewhere, last_verified, sender_of
from bot.store.db.database import Database

log = structlog.get_logger(__name__)
LOOKBACK = timedelta(days=14)
"""How long ago a version may have run last, for metrics to show it."""
VERSION_LABELS = ("version", "image_tag", "tag", "app_kubernetes_io_version")


class VersionCorroboration:
    """Asks the metrics, the changes that others reported, and Tocsin's own verified runs."""

    def __init__(self, db: Database, metrics: Metrics | None, catalogue: Catalogue) -> None:
        self._db, self._metrics, self._catalogue = db, metrics, catalogue

    async def only_sender(self, entry: str, service: str, arguments: Mapping[str, object], now: datetime) -> str:
        """`version 1.4.2 is known from the source ci alone`; "" where something else has seen it, or no version is named."""
        version = str(arguments.get("previous_version", ""))
        if not version or await self._is_recorded(entry, service, arguments, version):
            return ""
        if await self._is_measured(service, version, now):
            return ""
        async with self._db.read() as session:
            sender = await sender_of(session, str(arguments.get("change_id", "")))
        source = f"the source {one_line(sender, 40)}" if sender else "whoever proposes it"
        return f"version {one_line(version, 40)} is known from {source} alone"

    async def _is_recorded(self, entry: str, service: str, arguments: Mapping[str, object], version: str) -> bool:
        async with self._db.read() as session:
            if await last_verified(self._db, session, service, entry) == version:
                return True
            sender = await sender_of(session, str(arguments.get("change_id", "")))
            return await is_reported_elsewhere(session, service, version, sender)

    async def _is_measured(self, service: str, version: str, now: datetime) -> bool:
        """Whether series of the service carry it in a label. What cannot be read shows nothing."""
        if self._metrics is None or not is_plain_name(version):
            return False
        queries = (self._metrics.label_sets(one, start=now - LOOKBACK, end=now) for one in self._selectors(service, version))
        answers = await asyncio.gather(*queries, return_exceptions=True)
        for failure in (answer for answer in answers if isinstance(answer, BaseException)):
            if not isinstance(failure, QueryFailed):
                raise failure
            log.info("metrics did not say which versions ran", service=service, why=str(failure))
        return any(answer for answer in answers if not isinstance(answer, BaseException))

    def _selectors(self, service: str, version: str) -> list[str]:
        configured = self._catalogue.get(service)
        labels = (configured.match if configured else {}) or {"service": service}
        own = [Matcher(name, value) for name, value in labels.items()]
        images = (*own, Matcher("image", f".*[:@]{literal_pattern(version)}", "=~"))
        return [*(selector("", (*own, Matcher(name, version))) for name in VERSION_LABELS), selector("", images)]

"""The heads tick: puts the audit's head where whoever holds the database cannot change it."""

import asyncio
import os
import syslog
from pathlib import Path

import structlog

from bot.core.config import Config
from bot.core.messages.content import MessageKind
from bot.store import audit, messages
from bot.store.audit import Head
from bot.store.db.database import Database

log = structlog.get_logger(__name__)


class HeadsTick:
    """`await tick()` is one round. A place that fails is logged; the others and the next round go on."""

    def __init__(self, db: Database, config: Config) -> None:
        self._db, self._config = db, config
        self._last: Head | None = None

    async def __call__(self) -> None:
        head = await audit.head(self._db)
        if head is None or head == self._last:
            return
        places = self._config.audit
        log.info("audit head", head=str(head))
        if places.syslog:
            syslog.syslog(syslog.LOG_NOTICE, str(head))
        if places.file:
            try:
                await asyncio.to_thread(_append, places.file, str(head))
            except OSError as error:
                log.error("the audit's head was not written", file=str(places.file), why=error.strerror)
        if places.channel:
            await self._post(places.channel, head)
        self._last = head

    async def _post(self, channel: str, head: Head) -> None:
        async with self._db.write() as session:
            key = f"line:audit-head:{head.seq}"
            await messages.touch(self._db, session, key, channel=channel, kind=MessageKind.LINE, subject=str(head))


def _append(path: Path, line: str) -> None:
    """A whole line, on the disk before this returns."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "w") as file:
        file.write(line + "\n")
        file.flush()
        os.fsync(file.fileno())

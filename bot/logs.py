"""JSON logs: one record a line, secrets masked, control characters escaped."""

import json
import logging
import sys
import time
from collections.abc import Callable, Iterable, MutableMapping
from typing import Any

import structlog

from bot.core.lasting_failures import FailureTracker
from bot.core.redaction.screening import redact_one
from bot.core.text.untrusted import escape_controls

QUIET = (
    "httpx",
    "httpx2",
    "apscheduler",
    "slack_bolt",
    "slack_sdk",
    "uvicorn.access",
    "matplotlib",
    "openai",
    "alembic",
    "aiohttp",
)


def configure(level: str = "INFO", secrets: Iterable[str] = ()) -> None:
    """Send structlog and the standard logging through one chain to standard error."""
    mask = _Mask(secret for secret in secrets if len(secret) >= 6)
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        mask,
    ]
    structlog.configure(
        # The level first: an event that is not written should cost nothing.
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(LibraryFilter())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, structlog.processors.JSONRenderer(_dumps)],
        )
    )
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(level.upper())
    # Else a library's warning is lines of text among the JSON.
    logging.captureWarnings(True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _dumps(record: object, **_options: object) -> str:
    return json.dumps(record, default=str, ensure_ascii=True)


class LibraryFilter(logging.Filter):
    """Keeps libraries quiet: nothing below WARNING, and each of their lines at most once a minute, with the repetitions.

    Decided by the record and not by the level of the logger, which Bolt sets again; counted by the line of code and not by
    the text, which names sessions and addresses. Slack's SDK writes two errors at every try to connect.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._monotonic, self._failures = monotonic, FailureTracker()

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.partition(".")[0] not in QUIET and record.name not in QUIET:
            return True
        if record.levelno < logging.WARNING:
            return False
        _without_traceback(record)
        counted = self._failures.record(record.name, f"{record.pathname}:{record.lineno}", self._monotonic())
        if counted and counted["times"] > 1:
            record.msg, record.args = f"{record.getMessage()} ({counted['times']} times since it was last written)", ()
        return counted is not None


def _without_traceback(record: logging.LogRecord) -> None:
    """A server that a library cannot reach is one line, in the error's words: the way to it through the library tells nothing.

    An error of our own code that a library caught keeps its traceback.
    """
    error = record.exc_info[1] if record.exc_info else None
    if error is None or not (isinstance(error, OSError) or type(error).__module__.partition(".")[0] in QUIET):
        return
    message, words = record.getMessage(), str(error) or type(error).__name__
    record.msg, record.args = message if words in message else f"{message}: {words}", ()
    record.exc_info = record.exc_text = None


class _Mask:
    """Cleans every text of a record: configured secrets, things that look like secrets, control characters."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self.secrets = tuple(secrets)

    def __call__(self, _logger: object, _method: str, record: MutableMapping[str, object]) -> MutableMapping[str, object]:
        return {key: value if key.startswith("_") else self._clean(value) for key, value in record.items()}

    def _clean(self, value: object) -> object:
        if isinstance(value, str):
            for secret in self.secrets:
                value = value.replace(secret, "[secret]")
            return escape_controls(redact_one(value))[:20_000]
        if isinstance(value, list | tuple):
            return [self._clean(item) for item in value]
        if isinstance(value, dict):
            return {key: self._clean(item) for key, item in value.items()}
        return value

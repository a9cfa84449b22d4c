"""DBOS' own log lines, through our log and without the ones that mean nothing."""

import logging

HARMLESS = (
    "Workflow already exists in queue",  # each resumed run, at each restart
    "Exception encountered in asynchronous workflow",  # bot.engine.endings logs it with the run's id
    "Asyncio task cancelled for workflow or step",  # each waiting run, at each stop
)


class _WithoutHarmless(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        return not any(part in message for part in HARMLESS)


_filter = _WithoutHarmless()


def quieten() -> None:
    """Before DBOS is made: a handler of its own keeps it from printing past our log."""
    logger = logging.getLogger("dbos")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    logger.addFilter(_filter)

"""How DBOS is set up here: its rows hold JSON, and its log lines go through our log."""

import asyncio
import base64
import json
import logging
import zlib
from typing import Any

from dbos import DBOS, Serializer, _sys_db, _workflow_commands

from bot.engine.journal_format import WorkflowFailed

_ERROR = "error:"
"""Begins a recorded error; no JSON text begins like this."""
_PACKED = "zlib:"
"""Begins a long text that is compressed: results of steps hold evidence, most of which repeats itself."""
_LONG = 512
SELDOM_SECONDS = 60.0
AT_START_SECONDS, AT_REST_SECONDS = 0.1, 15.0
"""Between two looks for runs that go on again."""
START_SECONDS = 30.0
"""How long a start lasts, at most, until all runs that were interrupted go on; one that comes later waits for the next look."""
HARMLESS = (
    "Workflow already exists in queue",  # each resumed run, at each restart
    "Exception encountered in asynchronous workflow",  # bot.engine.failures logs it with the run's id
    "Asyncio task cancelled for workflow or step",  # each waiting run, at each stop
)


class JsonSerializer(Serializer):
    """JSON both ways: DBOS' own default is pickle, which would run code from the database.

    An error is kept as type and text, and comes back as WorkflowFailed.
    """

    def serialize(self, data: object) -> str:
        if isinstance(data, WorkflowFailed):
            return _ERROR + json.dumps(str(data))
        if isinstance(data, BaseException):
            return _ERROR + json.dumps(f"{type(data).__name__}: {data}")
        return _packed(json.dumps(data))

    def deserialize(self, serialized_data: str) -> object:
        if serialized_data.startswith(_ERROR):
            return WorkflowFailed(json.loads(serialized_data.removeprefix(_ERROR)))
        return json.loads(_unpacked(serialized_data))

    def name(self) -> str:
        """Stands in each row; never change it."""
        return "tocsin_json"


def _packed(text: str) -> str:
    return _PACKED + base64.b64encode(zlib.compress(text.encode(), 1)).decode() if len(text) >= _LONG else text


def _unpacked(text: str) -> str:
    return zlib.decompress(base64.b64decode(text[len(_PACKED) :])).decode() if text.startswith(_PACKED) else text


class _WithoutHarmless(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        return not any(part in message for part in HARMLESS)


_filter = _WithoutHarmless()


def slow_down(dbos: DBOS) -> None:
    """Before the launch on SQLite, in the running loop: let DBOS poll seldom, after the start, for what is hardly ever there.

    That is delays and deadlines, which our runs have not, queues of other programs, and, after the start, runs that go on
    again: at a start each interrupted one is put into a queue. Each took two statements a second at rest. There is no public
    setting; where the fields are gone it stays as it was.
    """
    _look_for_runs(dbos, AT_START_SECONDS)
    asyncio.get_running_loop().call_later(START_SECONDS, _look_for_runs, dbos, AT_REST_SECONDS)
    if hasattr(_workflow_commands, "_BACKGROUND_JOBS_INTERVAL_SEC"):
        _workflow_commands._BACKGROUND_JOBS_INTERVAL_SEC = SELDOM_SECONDS
    if hasattr(_sys_db.SystemDatabase, "list_queues"):
        # Asked every second, for queues that programs put into the journal: this one puts none there.
        _sys_db.SystemDatabase.list_queues = _no_queues  # type: ignore[method-assign]


def _look_for_runs(dbos: DBOS, every: float) -> None:
    registry: Any = getattr(dbos, "_registry", None)
    if hasattr(registry, "get_internal_queue"):
        queue = registry.get_internal_queue()
        if hasattr(queue, "_polling_interval_sec"):
            queue._polling_interval_sec = every


def _no_queues(*_: object, **_options: object) -> list[Any]:
    return []


def quieten() -> None:
    """Before DBOS is made: a handler of its own keeps it from printing past our log."""
    logger = logging.getLogger("dbos")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    logger.addFilter(_filter)

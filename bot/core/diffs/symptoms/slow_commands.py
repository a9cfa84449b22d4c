"""Commands that a store lists among the slow ones, and the calls of a diff that send them."""

import re
from collections.abc import Iterable

from bot.core.facts.code import DiffFact

_SLOW_LOG = re.compile(
    r"\bslow[ _-]?(?:log|commands?)\b(?=.{0,200}?(?:\b\d{3,12} ?(?:us|µs|ms)\b|_(?:us|ms)[=:] ?\d{3,12}\b))", re.I
)
"""An entry of such a log says how long the command took."""
_COMMAND = re.compile(r"(?<![\w.-])(?!(?:SLOWLOG|WARN|WARNING|ERROR|INFO|DEBUG|NOTICE)\b)[A-Z]{4,20}(?![\w.-])")
_OF_SQL = re.compile(r"\b(?:SELECT|INSERT|UPDATE|DELETE|FROM)\b")
_READERS = frozenset({"row", "rows", "scanner", "result", "results", "Object"})
"""What has calls of the same names: `rows.Scan`, `Object.keys`."""


def new_slow_command(diff: DiffFact, text: str, usual: Iterable[str]) -> tuple[str, str] | None:
    """The command of an entry of a slow log that the diff sends and did not send before, with the name of its call.

    Clients name their calls after the commands: `redis.keys` of `KEYS`, `ZRevRangeWithScores` of `ZREVRANGE`. None where the
    log holds that command on any day.
    """
    match = _COMMAND.search(text) if _SLOW_LOG.search(text) and not _OF_SQL.search(text) else None
    if match is None:
        return None
    command = match.group()
    if any(_SLOW_LOG.search(line) and command in line for line in usual):
        return None
    if any(_sends(name, command) for name in (*diff.removed, *diff.touched)):
        return None
    name = next((name for name in diff.added if _sends(name, command)), "")
    return (command, name) if name else None


def _sends(name: str, command: str) -> bool:
    receiver, _, call = name.rpartition(".")
    if not receiver or receiver.rpartition(".")[2] in _READERS:
        return False
    begins, rest = call[: len(command)], call[len(command) :]
    return begins.casefold() == command.casefold() and (not rest or rest[0] == "_" or rest[0].isupper())

"""Commands that a store lists among the slow ones, and the calls of a diff that send them."""

import re

from bot.core.facts.code import DiffFact

_SLOW_LOG = re.compile(r"\bslow[ _-]?(?:log|command|quer(?:y|ies))", re.I)
_COMMAND = re.compile(r"(?<![\w.-])[A-Z]{4,20}(?![\w.-])")
_OF_SQL = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "FROM", "WHERE", "JOIN", "INTO", "VALUES", "SLOWLOG"})
"""What stands in most statements tells none from another."""


def new_slow_command(diff: DiffFact, text: str) -> tuple[str, str] | None:
    """The command of a line of a slow log that the diff sends and did not send before, with the name of its call.

    Clients name their calls after the commands: `redis.keys` of `KEYS`, `ZRevRangeWithScores` of `ZREVRANGE`.
    """
    if not _SLOW_LOG.search(text):
        return None
    for command in dict.fromkeys(_COMMAND.findall(text)):
        if command in _OF_SQL or any(_sends(name, command) for name in (*diff.removed, *diff.touched)):
            continue
        if name := next((name for name in diff.added if _sends(name, command)), ""):
            return command, name
    return None


def _sends(name: str, command: str) -> bool:
    return name.rpartition(".")[2].replace("_", "").casefold().startswith(command.casefold())

"""What every verb may use."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.core.actor import Actor
from bot.core.config import Config
from bot.core.service import Catalogue
from bot.plugins import Command
from bot.ports import Engine
from bot.store.db.database import Database


@dataclass(frozen=True)
class CommandContext:
    """Handed to `async def verb(ctx, request)` by the Slack room."""

    db: Database
    config: Config
    catalogue: Catalogue
    engine: Engine
    clock: Callable[[], datetime]
    verbs: Mapping[str, Command]
    """All verbs of the shelf, for help."""
    approvals: Any
    """bot.workflows.remediation.remediation.Approvals: propose, decide, record_manual."""
    usergroup: Callable[[str], Awaitable[frozenset[str]]]
    """Members of a Slack user group now, for rotas kept in Slack; raises LookFailed."""
    account: Callable[[str], Awaitable[Actor]] | None = None
    """Slack's word on a user id (guest, bot, stranger, deactivated); raises LookFailed. None where there is no Slack."""

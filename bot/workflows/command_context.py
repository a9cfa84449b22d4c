"""What every verb may use."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.core.actor import Actor
from bot.core.config import Config
from bot.core.service import Catalogue
from bot.core.tool_calls import Tools
from bot.plugins import Command
from bot.ports import Engine
from bot.store.db.database import Database
from bot.workflows.read_access import ReadAccess
from bot.workflows.remediation.approvals import Approvals


@dataclass(frozen=True)
class CommandContext:
    """The first argument of every verb: `async def verb(ctx, request)`."""

    db: Database
    config: Config
    catalogue: Catalogue
    engine: Engine
    clock: Callable[[], datetime]
    verbs: Mapping[str, Command]
    """All verbs by name, for help."""
    approvals: Approvals
    usergroup: Callable[[str], Awaitable[frozenset[str]]]
    """Members of a Slack user group now, for rotas kept in Slack; raises QueryFailed."""
    read_access: ReadAccess
    """Who may read what."""
    account: Callable[[str], Awaitable[Actor]] | None = None
    """A user id as Slack knows it now (guest, bot, stranger, deactivated); raises QueryFailed. None where there is no Slack."""
    tools: Tools = field(default_factory=dict)
    """The metadata of the tools, for their calls in the words of people."""

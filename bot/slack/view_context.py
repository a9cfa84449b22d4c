"""What a view needs beside the content of its message."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.core.config.actions import SoloMode
from bot.core.config.services import Person


@dataclass(frozen=True, kw_only=True)
class ViewContext:
    """What only the configuration and the rota know."""

    hosts: Collection[str] = frozenset()
    """Addresses of these hosts may be live links; of `host/path`, those below the path."""
    called_hosts: Collection[str] = frozenset()
    """Hosts that remediations call: their addresses are shown as they are, to be read and copied."""
    on_call: Sequence[str] = ()
    """Person keys on call for the message's service."""
    owners: Sequence[str] = ()
    """Person keys of the owners of the message's service."""
    solo: SoloMode = SoloMode.OFF
    """Whether one on-call alone may approve what they asked for."""
    mention: Sequence[str] = ()
    """Slack ids of the people whom this post notifies."""
    written_at: datetime | None = None
    """When the message was wanted first: clock times in its words lie near it."""
    people: Mapping[str, Person] = field(default_factory=dict)

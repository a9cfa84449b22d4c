"""What the default channel says of a message that its own channel refuses and that not everybody may read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.core.alert import Severity
from bot.core.messages.content import Content

_REASONS = {
    "channel_not_found": "Tocsin is not in it, or it does not exist",
    "not_in_channel": "Tocsin is not in it",
    "is_archived": "it is archived",
}
_NO_RIGHT = "Tocsin may not post there"
"""Slack's other codes: restrictions of the channel or the workspace."""


def refusal_text(reason: str) -> str:
    """Why Slack refuses a channel, by its error code: `it is archived`."""
    return _REASONS.get(reason, _NO_RIGHT)


@dataclass(frozen=True, kw_only=True)
class WithheldContent(Content):
    """A notice. Its view shows the reference, the severity, the channel, Slack's reason and whom it calls, and nothing else."""

    original: Content
    """What the message itself would show: it says whom to call."""
    ref: str
    """`AL-n`, `INC-n` or `AP-n`; "" where it is about several or none."""
    severity: Severity | None
    channel: str
    """Slack's id: who is not in it sees no name."""
    reason: str
    """Slack's error code; "" once nothing is withheld any more."""
    wanted_at: datetime
    """When the message was wanted first."""
    posted_before: bool = False
    """It stood somewhere once, and has called people then."""

    @property
    def service(self) -> str:
        return self.original.service

    @property
    def notified_services(self) -> Sequence[str]:
        return self.original.notified_services

    @property
    def services_notified_before(self) -> Sequence[str]:
        return self.original.services_notified_before

    @property
    def urgent_part(self) -> object:
        return self.severity, self.reason

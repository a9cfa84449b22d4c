"""The kinds of message, and what the sender has to know about the content of any of them."""

from collections.abc import Sequence
from enum import StrEnum


class MessageKind(StrEnum):
    """A kind of message; stored under these values. Each has a content and a view of its own."""

    CARD = "card"
    INCIDENT_CARD = "incident_card"
    STORM = "storm"
    BACKLOG = "digest"
    TRIAGE = "triage"
    PROPOSAL = "proposal"
    POLICY = "policy"
    ANSWER = "answer"
    QUESTION = "question"
    """A person's own message, under which an answer stands: the bot never sends or edits it."""
    POSTMORTEM = "postmortem"
    CAUSE = "cause"
    LINE = "line"
    RAISED = "raised"
    RENEWED = "renewed"
    REOPENED = "reopened"
    WITHHELD = "withheld"
    """Says in the default channel that another message cannot be shown in its own."""


class Content:
    """What one message shows, apart from what only configuration and rota know. Each kind is a frozen dataclass."""

    @property
    def service(self) -> str:
        """The service whose on-call the message names; "" for none."""
        return ""

    @property
    def notified_services(self) -> Sequence[str]:
        """Services whose on-call the first post mentions; none for most."""
        return ()

    @property
    def services_notified_before(self) -> Sequence[str]:
        """Whoever is on call for these as well is not mentioned again."""
        return ()

    @property
    def urgent_part(self) -> object:
        """What is shown without delay when it changes: everything but counts and progress."""
        return None

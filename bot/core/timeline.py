"""The timeline: what happened, in the order it happened, each entry with where it came from."""

import re
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class EntryKind(StrEnum):
    """What an entry is about."""

    ALERT = "alert"
    GROUP = "group"
    INCIDENT = "incident"
    TRIAGE = "triage"
    PROPOSAL = "proposal"
    DECISION = "decision"
    ACTION = "action"
    NOTE = "note"
    PAGE = "page"
    CHANGE = "change"
    SYSTEM = "system"


class TimelineEntry(BaseModel):
    """One event. `id` is what sentences of a postmortem cite (`T12`)."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    id: str
    group: str = ""
    incident: str = ""
    at: datetime
    kind: EntryKind
    text: str
    who: str = ""
    """Person key or "tocsin"."""
    evidence: tuple[str, ...] = ()
    link: str = ""

    @property
    def author(self) -> str:
        """Whose entry it is; "" where that is the bot or the text names the person. A note may name its author and mean him."""
        if self.who in ("", "tocsin"):
            return ""
        named = self.kind is not EntryKind.NOTE and re.search(rf"(?<![\w-]){re.escape(self.who)}(?![\w-])", self.text)
        return "" if named else self.who

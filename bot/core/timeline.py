"""The timeline: what happened, in the order it happened, each entry with where it came from."""

import re
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

EntryKind = Literal[
    "alert", "group", "incident", "triage", "proposal", "decision", "action", "note", "page", "change", "system"
]


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
        """Whose entry it is; "" where that is the bot or its words say so. A note may name its author and speak of him."""
        if self.who in ("", "tocsin"):
            return ""
        told = self.kind != "note" and re.search(rf"(?<![\w-]){re.escape(self.who)}(?![\w-])", self.text)
        return "" if told else self.who

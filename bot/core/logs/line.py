"""Log lines, as any log store answers them; their text is untrusted."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict


class LogLine(BaseModel):
    """One line; `level` is lower case and empty if unknown."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    text: str
    level: str = ""
    pod: str = ""
    """The pod, host or file that wrote it; empty if unknown."""

"""Changes: a deploy, a config edit, a flag flip or a model version."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

ChangeKind = Literal["deploy", "config", "flag", "model", "scale", "other"]


class Change(BaseModel):
    """One change to one service; texts are untrusted (commit messages, image labels)."""

    model_config = ConfigDict(frozen=True)

    id: str
    """Unique over all sources: `<source>:<the source's id>`."""
    at: datetime
    service: str
    kind: ChangeKind
    title: str
    author: str = ""
    version: str = ""
    previous_version: str = ""
    link: str = ""
    source: str = ""

"""Changes: a deploy, a config edit, a flag flip, a version of a model or of data."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

ChangeKind = Literal["deploy", "config", "flag", "model", "data", "scale", "other"]
"""`data`: a version of a dataset or of features that a service reads."""

MAX_LISTED = 200
"""Changes that one list holds, the newest: where it is full there may be more."""
_IN_WORDS = {
    "deploy": "deploy",
    "config": "config edit",
    "flag": "flag flip",
    "model": "new model",
    "data": "new data",
    "scale": "scaling",
    "other": "change",
}


def kind_in_words(kind: str) -> str:
    """`config edit`: a kind as it reads before "of checkout"."""
    return _IN_WORDS.get(kind, kind)


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
    by_action: str = ""
    """The proposal whose run made it, `AP-3`: known once it is read beside the runs, and no source reports it."""
    undone_at: datetime | None = None
    """When an approved action took it back that was verified to have helped; known like `by_action`."""

    def was_undone(self, alerted_at: datetime | None) -> bool:
        """Whether that was before the first alert of an outage: what it had brought was over by then."""
        return self.undone_at is not None and alerted_at is not None and self.undone_at <= alerted_at

"""Code as a host of repositories tells it: what lies between two versions."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Commit:
    """One commit; message and author are untrusted text."""

    sha: str
    at: datetime
    title: str
    """First line of the message."""
    author: str = ""
    link: str = ""


@dataclass(frozen=True)
class FileChange:
    """One file between two versions."""

    path: str
    added: int
    removed: int
    status: str = "modified"


@dataclass(frozen=True)
class Comparison:
    """What `head` has that `base` has not; `total` counts commits beyond those that are listed.

    Where `head` is the older of the two, as in a rollback, `total` is 0 and commits and files are those taken back.
    """

    base: str
    head: str
    total: int
    commits: tuple[Commit, ...] = ()
    files: tuple[FileChange, ...] = ()
    link: str = ""
    behind: int = 0
    """Commits of `base` that `head` has not."""

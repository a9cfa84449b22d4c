"""Recorded commits: the CodeHost port over data in memory, for tests and for measuring on public incidents."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.core.errors import QueryFailed
from bot.core.systems import Commit, CommitFiles, Comparison, FileChange
from bot.core.text.untrusted import one_line


@dataclass(frozen=True)
class RecordedCode:
    """One repository of all services with a straight history: a version holds its commit and all older ones."""

    recorded: Sequence[Commit] = ()
    patches: Mapping[str, Sequence[FileChange]] = field(default_factory=dict)
    """Commit to its files."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Version to its commit."""

    async def compare(self, service: str, base: str, head: str) -> Comparison:
        """The commits after `base` up to `head`, newest first, with all their files; `head` at least: it was rolled out now."""
        first, last = self._commit(base).at, self._commit(head)
        between = tuple(commit for commit in self._newest_first() if first < commit.at <= last.at or commit == last)
        files = tuple(file for commit in between for file in self.patches.get(commit.sha, ()))
        return Comparison(base, head, len(between), between, files)

    async def commits(self, service: str, since: datetime, *, head: str = "") -> list[Commit]:
        """The commits since then up to `head`, newest first."""
        last = self._commit(head).at if head else None
        return [commit for commit in self._newest_first() if commit.at >= since and (last is None or commit.at <= last)]

    async def diff(self, service: str, sha: str) -> CommitFiles:
        """The files of one commit."""
        return CommitFiles(tuple(self.patches.get(self._commit(sha).sha, ())))

    def _newest_first(self) -> list[Commit]:
        return sorted(self.recorded, key=lambda commit: commit.at, reverse=True)

    def _commit(self, version: str) -> Commit:
        sha = self.versions.get(version, version)
        hits = [commit for commit in self.recorded if sha and commit.sha.startswith(sha)]
        if not hits:
            raise QueryFailed(f"no version {one_line(version, 60)} was recorded")
        return hits[0]

"""Commits and comparisons from GitHub. API: https://docs.github.com/en/rest/commits/commits"""

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain
from urllib.parse import quote

import httpx

from bot.core.check import Check, failed, ok
from bot.core.config.systems import SystemConfig
from bot.core.errors import QueryFailed
from bot.core.systems import Commit, CommitFiles, Comparison, FileChange
from bot.core.text.moments import iso_utc
from bot.core.text.untrusted import one_line
from bot.monitoring.http import JsonObject, JsonResponse, JsonServer, refusal
from bot.monitoring.systems.histories import unused

PAGE = 100
"""Commits of one answer, GitHub's most."""
MAX_FILES = 300
"""Files that GitHub lists of a comparison, and on the first page of a commit: as many may be all or only some of them."""


class GitHub:
    """The CodeHost port. `repositories` maps a service to `owner/name`."""

    def __init__(
        self,
        config: SystemConfig,
        client: httpx.AsyncClient,
        repositories: Mapping[str, str],
        *,
        token: str = "",
        seconds: float = 10.0,
    ) -> None:
        self._repositories = repositories
        self._server = JsonServer(
            client, name="GitHub", base=config.url, seconds=seconds, token=token, accept="application/vnd.github+json"
        )

    async def compare(self, service: str, base: str, head: str) -> Comparison:
        """What `head` has that `base` has not, or what going back takes away. `1.5.0` also matches the tag `v1.5.0`."""
        forward = await self._compared(service, base, head)
        if forward.total or not forward.behind:
            return forward
        # GitHub lists no commits when `head` is older; the comparison the other way round has them.
        backward = await self._compared(service, head, base)
        files = tuple(replace(file, added=file.removed, removed=file.added) for file in backward.files)
        return replace(forward, commits=backward.commits, files=files, files_whole=backward.files_whole)

    async def _compared(self, service: str, base: str, head: str) -> Comparison:
        repository = self._repository(service)
        for prefix in ("", "v"):
            basehead = f"{quote(prefix + base, safe='')}...{quote(prefix + head, safe='')}"
            path = f"/repos/{repository}/compare/{basehead}"
            response = await self._server.get(path, {"per_page": str(PAGE)})
            if response.status != 404:
                first = self._read(response)
                return _comparison(base, head, first, await self._newest(path, first))
        names = f"{one_line(base, 40)} and {one_line(head, 40)}"
        raise QueryFailed(f"{self._server.place} has no versions {names} of {repository} (or the token may not read it)")

    async def _newest(self, path: str, first: JsonObject) -> list[JsonObject]:
        """The newest commits of a comparison: GitHub lists the oldest first, so of many they are on the last pages."""
        rows = list(first.get("commits") or ())
        total = first.get("total_commits")
        last = math.ceil(total / PAGE) if isinstance(total, int) else 1
        if last <= 1:
            return rows
        pages = [
            self._server.get(path, {"per_page": str(PAGE), "page": str(page)}) for page in range(max(2, last - 1), last + 1)
        ]
        read = [self._read(response).get("commits") or () for response in await asyncio.gather(*pages)]
        return [*(rows if last == 2 else ()), *chain.from_iterable(read)][-PAGE:]

    async def commits(self, service: str, since: datetime, *, head: str = "") -> list[Commit]:
        """Commits since then that a version holds ("" = the default branch), newest first. `1.5.0` also matches `v1.5.0`."""
        path = f"/repos/{self._repository(service)}/commits"
        query = {"since": iso_utc(since), "per_page": str(PAGE)}
        for prefix in ("", "v") if head else ("",):
            response = await self._server.get(path, query | ({"sha": prefix + head} if head else {}))
            if response.status != 404:
                return self._commits(response)
        raise QueryFailed(f"{self._server.place} has no version {one_line(head, 40)} of {self._repository(service)}")

    def _commits(self, response: JsonResponse) -> list[Commit]:
        if response.status != 200:
            raise QueryFailed(f"{self._server.place} answered {refusal(response)}")
        try:
            return [_commit(row) for row in response.json]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise _strange(self._server) from error

    async def diff(self, service: str, sha: str) -> CommitFiles:
        """The files of one commit, with their patches; only the first page is read."""
        row = await self._server.read(f"/repos/{self._repository(service)}/commits/{quote(sha, safe='')}", {})
        try:
            files = tuple(_file(file) for file in row.get("files") or ())
            return CommitFiles(files, whole=len(files) < MAX_FILES)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise _strange(self._server) from error

    async def check(self) -> Check:
        """Whether it answers and the token may read the repositories."""
        if not (repositories := sorted(set(self._repositories.values()))):
            return unused("GitHub", "repositories")
        try:
            for repository in repositories:
                await self._server.read(f"/repos/{repository}", {})
        except QueryFailed as error:
            return failed("GitHub", str(error), "check systems.github.url, TOCSIN_GITHUB_TOKEN and known_as.github")
        return ok("GitHub", f"{len(repositories)} repositories can be read")

    def _repository(self, service: str) -> str:
        if service not in self._repositories:
            raise QueryFailed(
                f"no repository of {one_line(service, 60)} is configured (services.{one_line(service, 60)}.known_as.github)"
            )
        return self._repositories[service]

    def _read(self, response: JsonResponse) -> JsonObject:
        if response.status != 200:
            raise QueryFailed(f"{self._server.place} answered {refusal(response)}")
        if not isinstance(response.json, dict):
            raise _strange(self._server)
        return response.json


def _comparison(base: str, head: str, row: JsonObject, commits: Sequence[JsonObject]) -> Comparison:
    try:
        files = tuple(_file(file) for file in row.get("files") or ())
        return Comparison(
            base=base,
            head=head,
            total=int(row["total_commits"]),
            behind=int(row.get("behind_by") or 0),
            commits=tuple(reversed([_commit(commit) for commit in commits])),
            files=files,
            files_whole=len(files) < MAX_FILES,
            link=str(row.get("html_url", "")),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise QueryFailed("GitHub answered something that is not its comparison API") from error


def _commit(row: JsonObject) -> Commit:
    commit = row["commit"]
    by = commit.get("author") or {}
    moment = (commit.get("committer") or by)["date"]
    return Commit(
        sha=str(row["sha"]),
        at=datetime.fromisoformat(moment),
        title=one_line(str(commit["message"]).partition("\n")[0], 200),
        author=one_line(str(by.get("name", "")), 60),
        link=str(row.get("html_url", "")),
    )


def _file(row: JsonObject) -> FileChange:
    added, removed = int(row.get("additions", 0)), int(row.get("deletions", 0))
    return FileChange(str(row["filename"]), added, removed, str(row["status"]), str(row.get("patch") or ""))


def _strange(server: JsonServer) -> QueryFailed:
    return QueryFailed(f"{server.place} answered something that is not the GitHub API")

"""Roll-outs from Argo CD. API: https://argo-cd.readthedocs.io/en/stable/developer-guide/api-docs/"""

from collections.abc import Mapping
from datetime import datetime
from itertools import pairwise
from urllib.parse import quote

import httpx

from bot.core.change import Change
from bot.core.check import Check
from bot.core.config.systems import SystemConfig
from bot.core.errors import QueryFailed
from bot.core.text.untrusted import one_line
from bot.monitoring.http import JsonObject, JsonServer
from bot.monitoring.systems.histories import changes_since, tried

_SHORT = 12
"""Characters of a commit that people read."""


class ArgoCd:
    """The History port over `status.history` of applications. `applications` maps a service to its application."""

    name = "Argo CD"

    def __init__(
        self,
        config: SystemConfig,
        client: httpx.AsyncClient,
        applications: Mapping[str, str],
        *,
        token: str = "",
        seconds: float = 8.0,
    ) -> None:
        self._applications = applications
        self._server = JsonServer(client, name=self.name, base=config.url, seconds=seconds, token=token)

    async def changes(self, service: str, since: datetime) -> list[Change]:
        """Syncs of one application, or of all, newest first."""
        return await changes_since(self._of, self._applications, service, since)

    async def check(self) -> Check:
        """Whether it answers and the token may read the applications."""
        advice = "check systems.argocd.url, TOCSIN_ARGOCD_TOKEN and known_as.argocd"
        return await tried(self.name, self._of, self._applications, what="applications", advice=advice)

    async def _of(self, service: str) -> list[Change]:
        application = self._applications[service]
        answer = await self._server.read(f"/api/v1/applications/{quote(application, safe='')}", {})
        try:
            rows = sorted((answer.get("status") or {}).get("history") or (), key=lambda row: int(row.get("id", 0)))
            return [_change(service, application, row, before) for before, row in pairwise([{}, *rows])]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise QueryFailed(f"{self._server.place} answered something that is not the Argo CD API") from error


def _change(service: str, application: str, row: JsonObject, before: JsonObject) -> Change:
    by = row.get("initiatedBy") or {}
    revision = _revision(row)
    return Change(
        id=f"argocd:{application}:{row['id']}",
        at=datetime.fromisoformat(row["deployedAt"]),
        service=service,
        kind="deploy",
        title=f"sync of {revision[:_SHORT]}",
        author="automated" if by.get("automated") else one_line(str(by.get("username", "")), 60),
        version=revision[:_SHORT],
        previous_version=_revision(before)[:_SHORT] if before else "",
        source="argocd",
    )


def _revision(row: JsonObject) -> str:
    """Of one source, or of several as one text."""
    several = row.get("revisions") or ()
    return one_line(str(row.get("revision") or "+".join(str(revision)[:_SHORT] for revision in several)), 80)

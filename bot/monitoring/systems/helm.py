"""Helm's history from the labels of its release records in Kubernetes; their content holds values and is never requested.

Records: https://helm.sh/docs/topics/advanced/#storage-backends
Metadata alone: https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-partialobjectmetadata
"""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from itertools import pairwise
from urllib.parse import quote

import httpx

from bot.core.change import Change
from bot.core.check import Check
from bot.core.config.systems import SystemConfig
from bot.core.errors import QueryFailed
from bot.core.text.untrusted import one_line
from bot.monitoring.http import JsonObject, JsonServer, TokenSource
from bot.monitoring.systems.histories import changes_since, tried

_METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
MAX_PAGES = 20
"""Of 100 records. Helm keeps 10 by default; pages come by name, so that the newest may be on any of them."""


class Helm:
    """The History port over release records. `releases` maps a service to `namespace/release`."""

    name = "Helm"

    def __init__(
        self,
        config: SystemConfig,
        client: httpx.AsyncClient,
        releases: Mapping[str, str],
        *,
        token: TokenSource = "",
        seconds: float = 8.0,
    ) -> None:
        self._releases = releases
        self._server = JsonServer(client, name="Kubernetes", base=config.url, seconds=seconds, token=token, accept=_METADATA)

    async def changes(self, service: str, since: datetime) -> list[Change]:
        """Upgrades and rollbacks of one release, or of all, newest first."""
        return await changes_since(self._of, self._releases, service, since)

    async def check(self) -> Check:
        """Whether it answers and the token may read the records."""
        advice = "check systems.kubernetes.url, TOCSIN_KUBERNETES_TOKEN and known_as.helm"
        return await tried(self.name, self._of, self._releases, what="releases", advice=advice)

    async def _of(self, service: str) -> list[Change]:
        namespace, _, release = self._releases[service].partition("/")
        path = f"/api/v1/namespaces/{quote(namespace, safe='')}/secrets"
        try:
            metadata = [row["metadata"] async for row in self._records(path, release)]
            rows = sorted(metadata, key=lambda row: int(row["labels"]["version"]))
            return [_change(service, release, row, before) for before, row in pairwise([{}, *rows])]
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise QueryFailed(f"{self._server.place} answered something that is not a list of release records") from error

    async def _records(self, path: str, release: str) -> AsyncIterator[JsonObject]:
        """The records of all pages; an incomplete history would hide its newest revision. Raises QueryFailed."""
        parameters = {"labelSelector": f"owner=helm,name={release}", "limit": "100"}
        for _ in range(MAX_PAGES):
            page = await self._server.read(path, parameters)
            for row in page["items"]:
                yield row
            if not (more := (page.get("metadata") or {}).get("continue")):
                return
            parameters["continue"] = str(more)
        raise QueryFailed(f"{self._server.place} holds more than {100 * MAX_PAGES} records of {one_line(release, 60)}")


def _change(service: str, release: str, row: JsonObject, before: JsonObject) -> Change:
    labels = row["labels"]
    revision, status = str(labels["version"]), one_line(str(labels.get("status", "")), 40)
    return Change(
        id=f"helm:{release}:{revision}",
        # A record is made when its upgrade begins and edited when the next one replaces it.
        at=datetime.fromisoformat(row["creationTimestamp"]),
        service=service,
        kind="deploy",
        title=f"release {release} revision {revision}, {status}",
        version=revision,
        previous_version=str(before["labels"]["version"]) if before else "",
        source="helm",
    )

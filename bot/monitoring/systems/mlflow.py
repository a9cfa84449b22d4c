"""Model versions from an MLflow registry. API: https://mlflow.org/docs/latest/api_reference/rest-api.html"""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

import httpx

from bot.core.change import Change
from bot.core.check import Check
from bot.core.config.systems import SystemConfig
from bot.core.errors import QueryFailed
from bot.core.systems import ModelVersion
from bot.core.text.untrusted import one_line
from bot.monitoring.http import JsonObject, JsonServer
from bot.monitoring.systems.histories import changes_since, tried

PAGE = 20
"""Versions read of one model, the newest first; beside them those that have an alias or a stage, however old they are."""
MAX_ALIASES = 5
_ARCHIVED = "archived"
"""The stage of what another version took the place of."""
_AT_ONCE = timedelta(seconds=5)
"""Within so long of each other both get their stages in one transition."""


class MLflow:
    """The ModelRegistry and the History port. `models` maps a service to its registered model."""

    name = "MLflow"

    def __init__(
        self,
        config: SystemConfig,
        client: httpx.AsyncClient,
        models: Mapping[str, str],
        *,
        token: str = "",
        seconds: float = 8.0,
    ) -> None:
        self._models = models
        self._server = JsonServer(client, name=self.name, base=config.url, seconds=seconds, token=token)

    async def versions(self, service: str) -> list[ModelVersion]:
        """The newest versions of the model that a service serves."""
        if service not in self._models:
            raise QueryFailed(
                f"no model of {one_line(service, 60)} is configured (services.{one_line(service, 60)}.known_as.mlflow)"
            )
        model = self._models[service]
        # The name comes from the reviewed configuration, which forbids quotes in it.
        search = {"filter": f"name='{model}'", "max_results": str(PAGE), "order_by": "version_number DESC"}
        registered, newest = await asyncio.gather(
            self._server.read("/api/2.0/mlflow/registered-models/get", {"name": model}),
            self._server.read("/api/2.0/mlflow/model-versions/search", search),
        )
        try:
            aliases = _aliases(registered["registered_model"])
            rows = [*(newest.get("model_versions") or ()), *(registered["registered_model"].get("latest_versions") or ())]
            listed = {str(row["version"]) for row in rows}
            # A version may serve for long while newer ones are trained every night.
            older = await asyncio.gather(
                *(
                    self._read_version(model, version)
                    for version in [number for number in aliases if number not in listed][:MAX_ALIASES]
                )
            )
            versions = {version.version: version for version in (_version(row, aliases) for row in [*rows, *older])}
            return sorted(versions.values(), key=lambda version: version.registered_at, reverse=True)
        except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
            raise QueryFailed(f"{self._server.place} answered something that is not the MLflow API") from error

    async def _read_version(self, model: str, version: str) -> JsonObject:
        answer = await self._server.read("/api/2.0/mlflow/model-versions/get", {"name": model, "version": version})
        row: JsonObject = answer["model_version"]
        return row

    async def changes(self, service: str, since: datetime) -> list[Change]:
        """The version that serves, as a change from the moment from which it can have served."""
        return await changes_since(self._serving, self._models, service, since)

    async def check(self) -> Check:
        """Whether it answers and holds the models."""
        advice = "check systems.mlflow.url, TOCSIN_MLFLOW_TOKEN and known_as.mlflow"
        return await tried(self.name, self.versions, self._models, what="models", advice=advice)

    async def _serving(self, service: str) -> list[Change]:
        versions = await self.versions(service)
        serving = next((version for version in versions if version.serves_as), None)
        if serving is None:
            return []
        change = Change(
            id=f"mlflow:{serving.model}:{serving.version}",
            at=serving.since,
            service=service,
            kind="model",
            title=f"model {serving.model} version {serving.version} serves as {serving.serves_as}",
            version=serving.version,
            previous_version=_served_before(serving, versions),
            source="mlflow",
        )
        return [change]


def _served_before(serving: ModelVersion, versions: Iterable[ModelVersion]) -> str:
    """The version that a stage was taken from; "" by alias: that was registered just before it may never have served."""
    if serving.serves_as != serving.stage:
        return ""
    archived = [version for version in versions if version.stage.casefold() == _ARCHIVED]
    earlier = [version for version in archived if version.updated_at <= serving.since + _AT_ONCE]
    return max(earlier, key=lambda version: version.updated_at).version if earlier else ""


def _aliases(row: JsonObject) -> dict[str, tuple[str, ...]]:
    aliases: dict[str, tuple[str, ...]] = {}
    for alias in row.get("aliases", ()):
        version = str(alias["version"])
        aliases[version] = (*aliases.get(version, ()), one_line(str(alias["alias"]), 60))
    return aliases


def _version(row: JsonObject, aliases: Mapping[str, tuple[str, ...]]) -> ModelVersion:
    version = one_line(str(row["version"]), 40)
    stage = one_line(str(row.get("current_stage", "")), 40)
    return ModelVersion(
        model=one_line(str(row["name"]), 120),
        version=version,
        registered_at=_moment(row["creation_timestamp"]),
        updated_at=_moment(row.get("last_updated_timestamp") or row["creation_timestamp"]),
        aliases=aliases.get(version, ()),
        stage="" if stage == "None" else stage,
        status=one_line(str(row.get("status", "")), 40),
        run=one_line(str(row.get("run_id", "")), 60),
    )


def _moment(milliseconds: object) -> datetime:
    return datetime.fromtimestamp(int(str(milliseconds)) / 1000, UTC)

"""The whole outer app over a temporary database, and a client for it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType

import httpx

from bot.core.config.alerts import SourceConfig
from bot.plugins import Source, discover
from bot.store.alerts.intake.writer import IntakeWriter
from bot.web.app import build
from bot.web.health import Check, Health
from bot.web.webhooks import WebhookEndpoints
from tests.unit.store.databases import Clock, SortingFixture, open_database

TOKEN = {"authorization": "Bearer right"}


@asynccontextmanager
async def serving(
    folder: Path, *, api_token: str = "right", optional: Mapping[str, Check] = MappingProxyType({}), **checks: Check
) -> AsyncIterator[tuple[httpx.AsyncClient, SortingFixture]]:
    """A client of the app with the sources `prod` (Alertmanager), `own` (generic), `hub` (GitHub), and what it stores."""
    clock = Clock()
    sorting = SortingFixture(await open_database(folder, clock), clock)
    writer = IntakeWriter(sorting.db, lambda: None)
    writer.start()
    kinds = {"prod": "alertmanager", "own": "generic", "hub": "github"}
    sources = {name: SourceConfig(kind=kind) for name, kind in kinds.items()}
    webhooks = WebhookEndpoints(sources, discover(["bot.sources"], Source), dict.fromkeys(kinds, "right"), writer, clock)
    health = Health.with_database(sorting.db, checks, optional)
    app = build(webhooks, health, db=sorting.db, clock=clock, api_token=api_token)
    try:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bot") as client:
            yield client, sorting
    finally:
        await writer.stop()
        await sorting.db.close()

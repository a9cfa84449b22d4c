"""`tocsin init` against a real Prometheus that scrapes the sandbox's shop: its draft is a valid configuration that works."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from bot.console.drafting import draft
from bot.core.errors import TocsinError
from bot.sandbox.world.app import world_routes
from bot.sandbox.world.life import Life
from bot.sandbox.world.model import World
from bot.settings import parse_config
from starlette.applications import Starlette
from tests.contracts.prometheus_process import prometheus
from tests.real import free_port, wait_until
from tests.real.serving import running

RULES = """
groups:
  - name: shop
    rules:
      - {alert: ErrorsHigh, expr: "vector(0) > 1", labels: {severity: critical}}
      - {alert: DiskFull, expr: "vector(0) > 1", labels: {severity: ticket}}
"""


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[str]:
    """The address of a Prometheus that has scraped the shop a few times."""
    world = World(seed=1)
    life = Life(world)
    app = Starlette(routes=world_routes(world, life))
    async with running(app) as url:
        world.base_url = url
        target = url.removeprefix("http://")
        job = f"{{job_name: shop, metrics_path: /world/metrics, honor_labels: true, static_configs: [{{targets: ['{target}']}}]}}"
        async with prometheus(tmp_path, job=job, rules=RULES) as address:
            yield address
    await life.stop()

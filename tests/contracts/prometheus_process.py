"""A real Prometheus, or VictoriaMetrics in its place, on a free loopback port: it scrapes itself every second."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from tests.real import PATIENCE, free_port
from tests.real.processes import binary

RULES = """
groups:
  - name: self
    interval: 1s
    rules:
      - {record: "self:up", expr: "max(up)"}
      - {alert: SelfDown, expr: "up == 0", for: 2s, labels: {severity: critical}, annotations: {summary: down}}
"""


@asynccontextmanager
async def prometheus(folder: Path, *, jobs: str = "", rules: str = RULES) -> AsyncIterator[str]:
    """Its address, once all is scraped three times. `jobs` are scrape jobs beside itself, each `, {...}`."""
    address = f"127.0.0.1:{free_port()}"
    (folder / "rules.yml").write_text(rules)
    job = f"{{job_name: checkout, static_configs: [{{targets: ['{address}'], labels: {{service: checkout, version: '1.5'}}}}]}}"
    (folder / "prometheus.yml").write_text(
        f"global: {{scrape_interval: 1s, scrape_timeout: 1s}}\nrule_files: [rules.yml]\nscrape_configs: [{job}{jobs}]\n"
    )
    config, data = f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'tsdb'}"
    async with _serving("prometheus", config, data, f"--web.listen-address={address}", "--log.level=error"):
        await _scraped(f"http://{address}")
        yield f"http://{address}"


@asynccontextmanager
async def victoria_metrics(folder: Path) -> AsyncIterator[str]:
    """The address of its Prometheus API. It evaluates no rules: that is vmalert's work."""
    address = f"127.0.0.1:{free_port()}"
    job = f"{{job_name: checkout, static_configs: [{{targets: ['{address}'], labels: {{service: checkout, version: '1.5'}}}}]}}"
    (folder / "scrape.yml").write_text(f"global: {{scrape_interval: 1s, scrape_timeout: 1s}}\nscrape_configs: [{job}]\n")
    config, data = f"-promscrape.config={folder / 'scrape.yml'}", f"-storageDataPath={folder / 'data'}"
    small = ("-search.latencyOffset=0s", "-memory.allowedPercent=5")
    async with _serving("victoria-metrics", config, data, f"-httpListenAddr={address}", *small):
        await _scraped(f"http://{address}/prometheus")
        yield f"http://{address}/prometheus"


@asynccontextmanager
async def _serving(name: str, *arguments: str) -> AsyncIterator[None]:
    silent = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(binary(name), *arguments, stdout=silent, stderr=silent)
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


async def _scraped(url: str) -> None:
    async with asyncio.timeout(PATIENCE), httpx.AsyncClient() as client:
        while True:
            try:
                answer = await client.get(
                    f"{url}/api/v1/query", params={"query": "min(sum_over_time(up[1m])) >= 3 and min(up) == 1"}
                )
                if answer.status_code == 200 and answer.json()["data"]["result"]:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.3)

"""An instrumented shop of two services in one process: metrics, a fault switch, deploys, and a rollback job.

    python -m tests.real.shop_service --port 9000 --logs FOLDER --changes-to URL --changes-token TOKEN --secret SECRET

Its customers live inside it: each service takes RATE requests a second and counts them. A deploy changes the
version label and is told to the bot as any pipeline would; it may carry a fault, which a rollback takes back.
Its counters begin at SERVED, as if it had run for a while: tests write that while into Prometheus.
"""

import argparse
import asyncio
import contextlib
import hashlib
import hmac
import json
import random
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

RATE = 40
"""Requests a second and service."""
BEATS = 10
"""How often a second they are counted."""
BUCKETS = (0.05, 0.1, 0.2, 0.5, 1.0, 2.5)
SERVED = 3600 * RATE
"""Requests that each service took before it was started."""
FAILED = 1000
"""Failures that each version comes with. Of a counter near zero rate() extrapolates less: a few in a hundred would be lost."""


@dataclass
class Service:
    """What runs of one service: its versions, the newest last, and the share of requests that fail."""

    versions: list[tuple[str, float]] = field(default_factory=lambda: [("1.4.0", 0.0)])
    fault: float = 0.0

    @property
    def version(self) -> str:
        return self.versions[-1][0]

    @property
    def errors(self) -> float:
        return max(self.fault, self.versions[-1][1])


class Shop:
    """The services, their metrics, and every job that ran."""

    def __init__(self, logs: Path, changes_to: str, changes_token: str, secret: str) -> None:
        self.logs = logs
        self.services = {"checkout": Service(), "payments": Service()}
        self.changes_to, self.changes_token, self.secret = changes_to, changes_token, secret
        self.registry = CollectorRegistry()
        labels = ["service", "code", "version"]
        self.requests = Counter("http_requests", "Requests by code and version", labels, registry=self.registry)
        self.duration = Histogram(
            "http_request_duration_seconds", "Duration", ["service"], buckets=BUCKETS, registry=self.registry
        )
        self.executed: list[dict[str, Any]] = []
        self.changes: list[dict[str, Any]] = []
        self._random = random.Random(7)
        self._told: set[asyncio.Task[None]] = set()
        for name, service in self.services.items():
            self._begin(name, service.version, SERVED)

    def _begin(self, name: str, version: str, served: int = 0) -> None:
        # A counter that appears with its first error has lost that error for every rate(): both codes begin at once.
        self.requests.labels(name, "200", version).inc(served)
        self.requests.labels(name, "500", version).inc(FAILED)

    async def trade(self) -> None:
        """Serve RATE requests a second until cancelled; beats that came late are made up for."""
        began, beats = time.monotonic(), 0
        while True:
            while beats < (time.monotonic() - began) * BEATS:
                beats += 1
                for name in self.services:
                    self._serve(name, RATE // BEATS)
            await asyncio.sleep(1 / BEATS)

    def _serve(self, name: str, requests: int) -> None:
        service = self.services[name]
        failed = sum(self._random.random() < service.errors for _ in range(requests))
        if failed:
            self.requests.labels(name, "500", service.version).inc(failed)
            self._log(name, f"ERROR request failed: cannot read column discount_code (version {service.version})")
        self.requests.labels(name, "200", service.version).inc(requests - failed)
        for _ in range(requests):
            self.duration.labels(name).observe(self._random.uniform(0.02, 0.09))

    def _log(self, name: str, text: str) -> None:
        with (self.logs / f"{name}.log").open("a") as log:
            log.write(f"{datetime.now(UTC).isoformat()} {text}\n")

    def deploy(self, name: str, version: str, errors: float, title: str) -> dict[str, Any]:
        """Run another version, and tell the bot."""
        service = self.services[name]
        before = service.version
        self._log(name, f"INFO starting version {version}")
        self._begin(name, version)
        service.versions.append((version, errors))
        change = {
            "id": f"{name}-{version}",
            "service": name,
            "kind": "deploy",
            "title": title,
            "version": version,
            "previous_version": before,
            "author": "pipeline",
            "at": datetime.now(UTC).isoformat(),
        }
        self.changes.append(change)
        task = asyncio.create_task(self._tell(change))
        self._told.add(task)
        task.add_done_callback(self._told.discard)
        return change

    async def _tell(self, change: dict[str, Any]) -> None:
        """As a pipeline does: again until it is taken, a hundred times at most."""
        headers = {"Authorization": f"Bearer {self.changes_token}"}
        async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
            for _ in range(100):
                with contextlib.suppress(httpx.HTTPError):
                    if (await client.post(self.changes_to, json=change, headers=headers)).status_code < 500:
                        return
                await asyncio.sleep(0.3)

    def rollback(self, raw: bytes, signature: str, key: str) -> tuple[int, dict[str, Any]]:
        """One signed job; the same key answers what it answered before."""
        if not hmac.compare_digest(signature, "sha256=" + hmac.new(self.secret.encode(), raw, hashlib.sha256).hexdigest()):
            return 401, {"error": "signature missing or wrong"}
        body = json.loads(raw)
        if known := next((job for job in self.executed if key and job["key"] == key), None):
            return 200, {"id": known["id"], "status": "succeeded"}
        service = self.services.get(str(body.get("service")))
        if service is None or len(service.versions) < 2:
            return 422, {"error": "nothing to roll back"}
        service.versions.pop()
        service.fault = 0.0
        job = {"id": f"job-{len(self.executed) + 1}", "key": key, "body": body, "at": datetime.now(UTC).isoformat()}
        self.executed.append(job)
        return 200, {"id": job["id"], "status": "succeeded"}


def build(shop: Shop) -> Starlette:
    """The app; its customers come and go with it."""

    @contextlib.asynccontextmanager
    async def life(_: Starlette) -> AsyncIterator[None]:
        trading = asyncio.create_task(shop.trade())
        yield
        trading.cancel()

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(shop.registry), media_type="text/plain; version=0.0.4")

    async def fault(request: Request) -> Response:
        body = await request.json()
        shop.services[body["service"]].fault = float(body["errors"])
        return JSONResponse({"ok": True})

    async def deploy(request: Request) -> Response:
        body = await request.json()
        title = str(body.get("title") or f"Deploy {body['service']} {body['version']}")
        return JSONResponse(shop.deploy(body["service"], body["version"], float(body.get("errors", 0)), title))

    async def rollback(request: Request) -> Response:
        headers = request.headers
        status, answer = shop.rollback(
            await request.body(), headers.get("x-tocsin-signature", ""), headers.get("idempotency-key", "")
        )
        return JSONResponse(answer, status)

    async def state(_: Request) -> Response:
        versions = {name: service.version for name, service in shop.services.items()}
        return JSONResponse({"executed": shop.executed, "changes": shop.changes, "versions": versions})

    async def healthz(_: Request) -> Response:
        return JSONResponse({"ok": True})

    routes = [
        Route("/metrics", metrics),
        Route("/healthz", healthz),
        Route("/state", state),
        Route("/fault", fault, methods=["POST"]),
        Route("/deploy", deploy, methods=["POST"]),
        Route("/jobs/rollback", rollback, methods=["POST"]),
    ]
    return Starlette(routes=routes, lifespan=life)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--logs", type=Path, required=True)
    parser.add_argument("--changes-to", default="")
    parser.add_argument("--changes-token", default="")
    parser.add_argument("--secret", default="")
    options = parser.parse_args()
    shop = Shop(options.logs, options.changes_to, options.changes_token, options.secret)
    uvicorn.run(build(shop), host="127.0.0.1", port=options.port, log_level="warning")


if __name__ == "__main__":
    main()

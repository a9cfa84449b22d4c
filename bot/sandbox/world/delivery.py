"""Delivers webhooks in order, again and again until the receiver has them: nothing is lost while it is down."""

import asyncio
import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import httpx

from bot.sandbox.world.change import iso

FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 5.0


@dataclass
class Sending:
    """One webhook and what became of it; `statuses` holds a code or an error name for each attempt."""

    kind: str
    key: str
    url: str
    token: str
    body: bytes
    about: dict[str, Any]
    created_at: float
    statuses: list[int | str] = field(default_factory=list)
    done_at: float | None = None

    @property
    def state(self) -> str:
        """`waiting`, `delivered` or `refused` (a 4xx, which is not tried again)."""
        if self.done_at is None:
            return "waiting"
        last = self.statuses[-1]
        return "delivered" if isinstance(last, int) and last < 300 else "refused"

    def as_json(self) -> dict[str, Any]:
        """For `GET /_world/sent`."""
        return {
            "kind": self.kind,
            "key": self.key,
            "url": self.url,
            "created_at": iso(self.created_at),
            "done_at": iso(self.done_at) if self.done_at else None,
            "state": self.state,
            "statuses": self.statuses,
            **self.about,
        }


class Delivery:
    """One queue a key, so that a group's webhooks arrive in their order."""

    def __init__(self, clock: Any, client: httpx.AsyncClient | None = None) -> None:
        self._clock = clock
        self._client = client
        self._queues: dict[str, asyncio.Queue[Sending]] = defaultdict(asyncio.Queue)
        self._workers: dict[str, asyncio.Task[None]] = {}
        self.sent: list[Sending] = []

    def send(self, kind: str, key: str, url: str, token: str, payload: object, about: dict[str, Any]) -> Sending:
        """Queue one webhook (needs a running loop); `about` is what the log of sendings shows of it."""
        body = json.dumps(payload, separators=(",", ":")).encode() + b"\n"
        sending = Sending(kind, key, url, token, body, about, self._clock())
        self.sent.append(sending)
        self._queues[key].put_nowait(sending)
        if key not in self._workers:
            self._workers[key] = asyncio.create_task(self._work(key), name=f"delivery of {key}")
        return sending

    async def stop(self) -> None:
        """Give up everything that waits."""
        for worker in self._workers.values():
            worker.cancel()
        await asyncio.gather(*self._workers.values(), return_exceptions=True)
        self._workers.clear()
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _work(self, key: str) -> None:
        while True:
            await self._deliver(await self._queues[key].get())

    async def _deliver(self, sending: Sending) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            status = await self._attempt(sending)
            sending.statuses.append(status)
            # As Alertmanager: a 4xx is final, a 5xx or a dead receiver is tried again.
            if isinstance(status, int) and status < 500:
                sending.done_at = self._clock()
                return
            await asyncio.sleep(pause)
            pause = min(pause * 1.7, LONGEST_PAUSE_SECONDS)

    async def _attempt(self, sending: Sending) -> int | str:
        if self._client is None:
            # The receiver is a local process: an environment's proxy must not come between.
            self._client = httpx.AsyncClient(timeout=10.0, trust_env=False)
        headers = {"Content-Type": "application/json", "User-Agent": "Alertmanager/0.28.1"}
        if sending.token:
            headers["Authorization"] = f"Bearer {sending.token}"
        try:
            return (await self._client.post(sending.url, content=sending.body, headers=headers)).status_code
        except httpx.HTTPError as error:
            return type(error).__name__

"""The Pager port over PagerDuty's Events API v2."""

from collections.abc import Mapping

import httpx

from bot.core.errors import PagerFailed

SEVERITIES = {"SEV1": "critical", "SEV2": "critical", "SEV3": "error", "SEV4": "warning"}


class PagerDuty:
    """Sends `trigger` and `resolve` events; 202 means accepted. Body limit 512 KB, summary 1,024, key 255 characters."""

    def __init__(self, client: httpx.AsyncClient, routing_key: str, *, url: str = "https://events.pagerduty.com") -> None:
        self.client = client
        self.routing_key = routing_key
        self.url = url.rstrip("/") + "/v2/enqueue"

    async def page(self, *, key: str, summary: str, severity: str, details: Mapping[str, str]) -> None:
        payload = {
            "summary": summary[:1024],
            "source": "tocsin",
            "severity": SEVERITIES.get(severity, "warning"),
            "custom_details": dict(details),
        }
        await self._send({"event_action": "trigger", "dedup_key": _own(key), "payload": payload})

    async def clear(self, *, key: str) -> None:
        await self._send({"event_action": "resolve", "dedup_key": _own(key)})

    async def _send(self, event: dict[str, object]) -> None:
        try:
            answer = await self.client.post(self.url, json={"routing_key": self.routing_key, **event}, timeout=10)
        except httpx.HTTPError as error:
            raise PagerFailed(f"PagerDuty was not reached: {type(error).__name__}; the page is sent again") from error
        if answer.status_code != 202:
            raise PagerFailed(f"PagerDuty answered {answer.status_code}; check TOCSIN_PAGERDUTY_KEY if it stays so")


def _own(key: str) -> str:
    """With Tocsin's name before it: PagerDuty's webhooks tell of these incidents too, and they are no alerts."""
    return f"tocsin:{key}"[:255]

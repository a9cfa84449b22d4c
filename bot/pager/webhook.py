"""The Pager port over a signed webhook: for any other paging service."""

import hashlib
import hmac
import json
from collections.abc import Mapping

import httpx

from bot.core.errors import PagerFailed


class WebhookPager:
    """POSTs `{"action", "key", "summary", "severity", "details"}` with `X-Tocsin-Signature: sha256=<hmac of the body>`."""

    def __init__(self, client: httpx.AsyncClient, url: str, secret: str) -> None:
        self.client = client
        self.url = url
        self.secret = secret.encode()

    async def page(self, *, key: str, summary: str, severity: str, details: Mapping[str, str]) -> None:
        await self._send({"action": "open", "key": key, "summary": summary, "severity": severity, "details": dict(details)})

    async def clear(self, *, key: str) -> None:
        await self._send({"action": "clear", "key": key})

    async def _send(self, event: dict[str, object]) -> None:
        body = json.dumps(event).encode()
        signature = hmac.new(self.secret, body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "X-Tocsin-Signature": f"sha256={signature}"}
        try:
            answer = await self.client.post(self.url, content=body, headers=headers, timeout=10)
        except httpx.HTTPError as error:
            raise PagerFailed(f"the pager's webhook was not reached: {type(error).__name__}; the page is sent again") from error
        if not answer.is_success:
            raise PagerFailed(f"the pager's webhook answered {answer.status_code}; the page is sent again")

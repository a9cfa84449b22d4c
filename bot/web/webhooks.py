"""The webhook endpoints: who calls, is the body small enough, what does it hold; the 202 goes out after the commit.

Nothing else happens in the request. Never 429: Alertmanager retries only 5xx.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.core.alert import Alert
from bot.core.change import Change
from bot.core.config.alerts import SourceConfig
from bot.core.errors import QueryFailed, TooManyItems, UnreadableBody
from bot.core.redaction.redaction import redact, redact_bytes
from bot.core.text.untrusted import one_line
from bot.plugins import Fetch, ParsedBody, Rejected, SignedRequest, Source, SourceRequest
from bot.store.alerts.intake import Busy
from bot.store.db.database import Clock
from bot.web.auth import signature_matches, token_matches, token_problem
from bot.web.bodies import Refused, read_body
from bot.web.errors import refusal
from bot.web.measures import ALERTS, CHANGES, IGNORED, REJECTED, REQUESTS

log = structlog.get_logger(__name__)
MAX_ALERTS = 10_000
MOST_SEPARATE = 20
"""Up to so many unreadable items of one body are stored one by one; with more of them the whole body is stored."""
LARGE = 64 * 1024
"""Bodies beyond this are parsed in a thread: the loop must go on acknowledging Slack."""


class Writer(Protocol):
    """bot.store.alerts.intake.IntakeWriter, as far as the endpoints need it."""

    async def put(self, alerts: Sequence[Alert], changes: Sequence[Change], received_at: datetime) -> None: ...

    async def keep_unreadable(self, source: str, body: bytes, problem: str, received_at: datetime) -> None: ...


async def fetch_nothing(url: str) -> bytes:
    """Where nothing may be fetched, no proof holds that would need it."""
    raise QueryFailed("nothing is fetched here")


class WebhookEndpoints:
    """`POST /alerts/{source}` and `POST /changes/{source}`. `tokens` maps a source to its secret; one without takes nothing."""

    def __init__(
        self,
        sources: Mapping[str, SourceConfig],
        kinds: Mapping[str, Source],
        tokens: Mapping[str, str],
        writer: Writer,
        clock: Clock,
        fetch: Fetch = fetch_nothing,
        knows_severity: Callable[[str], bool] = lambda _: True,
    ) -> None:
        self.sources, self.kinds, self.tokens = sources, kinds, tokens
        self.writer, self.clock, self.fetch, self.knows_severity = writer, clock, fetch, knows_severity

    def routes(self) -> list[Route]:
        """The two routes for the outer app."""
        return [
            Route("/alerts/{source}", self._alerts, methods=["POST"]),
            # Prometheus and vmalert append the path of Alertmanager's API to the address they are given.
            Route("/alerts/{source}/api/v2/alerts", self._alerts, methods=["POST"]),
            Route("/changes/{source}", self._changes, methods=["POST"]),
        ]

    async def _alerts(self, request: Request) -> Response:
        return await self._answer(request, "alerts")

    async def _changes(self, request: Request) -> Response:
        return await self._answer(request, "changes")

    async def _answer(self, request: Request, endpoint: str) -> Response:
        """Take one request; each refusal is one log line."""
        name = request.path_params["source"]
        config = self.sources.get(name)
        kind = self.kinds.get(config.kind) if config else None
        answer: Response
        if config is None or kind is None or endpoint not in kind.takes:
            log.warning("webhook refused", endpoint=endpoint, source=one_line(name, 100), status=404, why="unknown source")
            name, answer = "unknown", refusal(404, f"no source of this name takes {endpoint}")
        else:
            answer = await self._take(request, SourceRequest(name, b"", request.headers, self.clock(), config, endpoint), kind)
        REQUESTS.labels(endpoint, name, answer.status_code).inc()
        return answer

    async def _take(self, request: Request, delivery: SourceRequest, kind: Source) -> Response:
        labels = {"endpoint": delivery.endpoint, "source": delivery.source}
        try:
            delivery = replace(delivery, body=await self._authentic_body(request, delivery, kind))
            large = len(delivery.body) > LARGE
            parsed = await asyncio.to_thread(kind.read, delivery) if large else kind.read(delivery)
            return await self._store(delivery, parsed)
        except Refused as refused:
            log.warning("webhook refused", **labels, status=refused.status, why=refused.why)
            return refusal(refused.status, refused.why)
        except UnreadableBody as error:
            return await self._keep_unreadable(delivery, error)
        except (Busy, QueryFailed) as busy:
            log.warning("webhook put off", **labels, status=503, why=str(busy))
            return refusal(503, f"{busy}; try again")

    async def _authentic_body(self, request: Request, delivery: SourceRequest, kind: Source) -> bytes:
        """The inflated body of an authentic request. Raises Refused; without any proof nothing is read."""
        token = self.tokens.get(delivery.source, "")
        signature = next((signature for signature in kind.signatures if signature.header in request.headers), None)
        proof = kind.proof if kind.proof and kind.proof.header in request.headers else None
        has_token = token_matches(request.headers, token)
        if not has_token and signature is None and proof is None:
            raise Refused(401, token_problem(delivery.source, token))
        raw, body = await read_body(request)
        signed = SignedRequest(request.headers, raw, delivery.received_at)
        if has_token or signature_matches(signature, signed, token):
            return body
        if proof and await proof.holds(signed, delivery.config.options, self.fetch):
            return body
        raise Refused(401, "the signature does not fit")

    async def _store(self, delivery: SourceRequest, parsed: ParsedBody) -> Response:
        name, received_at = delivery.source, delivery.received_at
        count = len(parsed.alerts) + len(parsed.changes)
        if count > MAX_ALERTS:
            raise Refused(413, f"more than {MAX_ALERTS} in one body")
        if parsed.confirm_url:
            await self.fetch(parsed.confirm_url)
            log.info("subscription confirmed", source=name)
        if count:
            await self.writer.put(parsed.alerts, parsed.changes, received_at)
        for item in _to_keep(parsed.rejected, delivery.body):
            await self._keep(name, item.body, item.problem, received_at)
        ALERTS.labels(name).inc(len(parsed.alerts))
        CHANGES.labels(name).inc(len(parsed.changes))
        REJECTED.labels(name).inc(len(parsed.rejected))
        if parsed.ignored:
            IGNORED.labels(name).inc(parsed.ignored)
        rejected = [{"field": item.field, "error": item.problem} for item in parsed.rejected[:20]]
        truncated = {"left_out_by_source": parsed.truncated} if parsed.truncated else {}
        # Not at INFO: in a storm the lines would cost more than the alerts; /metrics counts them.
        log.debug(
            "webhook taken",
            endpoint=delivery.endpoint,
            source=name,
            accepted=count,
            rejected=len(parsed.rejected),
            **truncated,
        )
        warnings = [*parsed.warnings[:20], *self._unmapped(name, parsed.alerts)]
        details = {"rejected": rejected, "warnings": warnings}
        return JSONResponse({"accepted": count, **{key: lines for key, lines in details.items() if lines}}, status_code=202)

    def _unmapped(self, source: str, alerts: Sequence[Alert]) -> list[str]:
        """Severities that `severities` does not map: they count as SEV3, and may be worse."""
        words = [word for word in {alert.severity for alert in alerts} if not self.knows_severity(word)][:20]
        for word in words:
            log.warning("severity not mapped", source=source, severity=one_line(word, 40))
        return [f"severity {one_line(word, 40)!r} is not mapped in `severities`: it counts as SEV3" for word in words]

    async def _keep_unreadable(self, delivery: SourceRequest, error: UnreadableBody) -> Response:
        """Keep the body before the 400 goes out: nothing is lost."""
        status = 413 if isinstance(error, TooManyItems) else 400
        labels = {"endpoint": delivery.endpoint, "source": delivery.source}
        log.warning("webhook not readable", **labels, status=status, field=error.field, why=str(error)[:300])
        try:
            await self._keep(delivery.source, delivery.body, str(error), delivery.received_at)
        except Busy as busy:
            return refusal(503, f"{busy}; try again")
        return refusal(status, str(error), field=error.field)

    async def _keep(self, source: str, body: bytes, problem: str, received_at: datetime) -> None:
        """What nobody could read may hold secrets all the same. Raises Busy."""
        clean = await asyncio.to_thread(redact_bytes, body)
        await self.writer.keep_unreadable(source, clean, redact(problem), received_at)


def _to_keep(rejected: Sequence[Rejected], body: bytes) -> Sequence[Rejected]:
    if len(rejected) <= MOST_SEPARATE:
        return rejected
    return [Rejected(rejected[0].field, f"{len(rejected)} items were not readable; the first: {rejected[0].problem}", body)]

"""The door for webhooks: who is it, is it small enough, what does it hold; the 202 goes out after the commit.

Nothing else happens in the request. Never 429: Alertmanager retries only 5xx.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.core.alert import Alert
from bot.core.change import Change
from bot.core.config import SourceConfig
from bot.core.errors import TooManyItems, UnreadableBody
from bot.core.redaction.redaction import redact, redact_bytes
from bot.core.text.untrusted import one_line
from bot.plugins import Intake, Rejected, Source, SourceRequest
from bot.store.alerts.intake import Busy
from bot.store.db.database import Clock
from bot.web.auth import bearer_matches, signature_matches, token_problem
from bot.web.bodies import Refused, read_body
from bot.web.errors import refusal
from bot.web.measures import ALERTS, CHANGES, REJECTED, REQUESTS

log = structlog.get_logger(__name__)
MAX_ALERTS = 10_000
KEPT_APART = 20
"""So many unreadable items of one body are kept one by one; with more of them the body is kept whole."""
LARGE = 64 * 1024
"""Bodies beyond this are parsed in a thread: the loop must go on acknowledging Slack."""


class Writer(Protocol):
    """bot.store.alerts.intake.IntakeWriter, as far as the door needs it."""

    async def put(self, alerts: Sequence[Alert], changes: Sequence[Change], received_at: datetime) -> None: ...

    async def keep_unreadable(self, source: str, body: bytes, problem: str, received_at: datetime) -> None: ...


class WebhookEndpoint:
    """`POST /alerts/{source}` and `POST /changes/{source}`. `tokens` maps a source to its secret; one without takes nothing."""

    def __init__(
        self,
        sources: Mapping[str, SourceConfig],
        kinds: Mapping[str, Source],
        tokens: Mapping[str, str],
        writer: Writer,
        clock: Clock,
    ) -> None:
        self.sources, self.kinds, self.tokens = sources, kinds, tokens
        self.writer, self.clock = writer, clock

    def routes(self) -> list[Route]:
        """The two routes for the outer app."""
        return [
            Route("/alerts/{source}", self._alerts, methods=["POST"]),
            Route("/changes/{source}", self._changes, methods=["POST"]),
        ]

    async def _alerts(self, request: Request) -> Response:
        return await self._answer(request, "alerts")

    async def _changes(self, request: Request) -> Response:
        return await self._answer(request, "changes")

    async def _answer(self, request: Request, door: str) -> Response:
        """Take one request; each refusal is one log line."""
        name = request.path_params["source"]
        config = self.sources.get(name)
        kind = self.kinds.get(config.kind) if config else None
        answer: Response
        if config is None or kind is None or door not in kind.takes:
            log.warning("webhook refused", door=door, source=one_line(name, 100), status=404, why="unknown source")
            name, answer = "unknown", refusal(404, f"no source of this name takes {door}")
        else:
            answer = await self._taken(request, door, name, config, kind)
        REQUESTS.labels(door, name, answer.status_code).inc()
        return answer

    async def _taken(self, request: Request, door: str, name: str, config: SourceConfig, kind: Source) -> Response:
        received_at = self.clock()
        body = b""
        try:
            body = await self._authentic(request, name, kind)
            asked = SourceRequest(name, body, request.headers, received_at, config, door)
            intake = await asyncio.to_thread(kind.read, asked) if len(body) > LARGE else kind.read(asked)
            return await self._stored(asked, intake)
        except Refused as refused:
            log.warning("webhook refused", door=door, source=name, status=refused.status, why=refused.why)
            return refusal(refused.status, refused.why)
        except UnreadableBody as error:
            return await self._unreadable(name, door, body, error, received_at)
        except Busy as busy:
            log.warning("webhook put off", door=door, source=name, status=503, why=str(busy))
            return refusal(503, f"{busy}; try again")

    async def _authentic(self, request: Request, name: str, kind: Source) -> bytes:
        """The inflated body of an authentic request. Raises Refused; without any proof nothing is read."""
        token = self.tokens.get(name, "")
        signature = request.headers.get(kind.signature_header, "") if kind.signature_header else ""
        known = bearer_matches(request.headers, token)
        if not known and not signature:
            raise Refused(401, token_problem(name, token))
        raw, body = await read_body(request)
        if not known and not signature_matches(signature, raw, token):
            raise Refused(401, "the signature does not fit")
        return body

    async def _stored(self, asked: SourceRequest, intake: Intake) -> Response:
        name, received_at = asked.source, asked.received_at
        count = len(intake.alerts) + len(intake.changes)
        if count > MAX_ALERTS:
            raise Refused(413, f"more than {MAX_ALERTS} in one body")
        if count:
            await self.writer.put(intake.alerts, intake.changes, received_at)
        for item in _kept(intake.rejected, asked.body):
            await self._keep(name, item.body, item.problem, received_at)
        ALERTS.labels(name).inc(len(intake.alerts))
        CHANGES.labels(name).inc(len(intake.changes))
        REJECTED.labels(name).inc(len(intake.rejected))
        told = {"rejected": [{"field": r.field, "error": r.problem} for r in intake.rejected[:20]]} if intake.rejected else {}
        more = {"left_out_by_source": intake.truncated} if intake.truncated else {}
        # Not at INFO: in a storm the lines would cost more than the alerts; /metrics counts them.
        log.debug("webhook taken", door=asked.door, source=name, accepted=count, rejected=len(intake.rejected), **more)
        return JSONResponse({"accepted": count, **told}, status_code=202)

    async def _unreadable(self, name: str, door: str, body: bytes, error: UnreadableBody, received_at: datetime) -> Response:
        """The body is kept before the 400 goes out: nothing is lost."""
        status = 413 if isinstance(error, TooManyItems) else 400
        log.warning("webhook not readable", door=door, source=name, status=status, field=error.field, why=str(error)[:300])
        try:
            await self._keep(name, body, str(error), received_at)
        except Busy as busy:
            return refusal(503, f"{busy}; try again")
        return refusal(status, str(error), field=error.field)

    async def _keep(self, source: str, body: bytes, problem: str, received_at: datetime) -> None:
        """What nobody could read may hold secrets all the same. Raises Busy."""
        clean = await asyncio.to_thread(redact_bytes, body)
        await self.writer.keep_unreadable(source, clean, redact(problem), received_at)


def _kept(rejected: Sequence[Rejected], body: bytes) -> Sequence[Rejected]:
    if len(rejected) <= KEPT_APART:
        return rejected
    return [Rejected(rejected[0].field, f"{len(rejected)} items were not readable; the first: {rejected[0].problem}", body)]

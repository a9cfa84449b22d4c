"""The webhook endpoints: who calls, is the body small enough, what does it hold; the 202 goes out after the commit.

Nothing else happens in the request. Never 429: Alertmanager retries only 5xx.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Protocol

import structlog
from msgspec.structs import replace
from prometheus_client import Counter
from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from bot.core.alert import Alert
from bot.core.change import Change
from bot.core.config.alerts import SourceConfig
from bot.core.errors import QueryFailed, TooManyItems, UnreadableBody
from bot.core.quotas import QuotaResult, Quotas
from bot.core.redaction.redaction import redact, redact_bytes
from bot.core.text.untrusted import counted, one_line
from bot.plugins import Fetch, ParsedBody, Rejected, SignedRequest, Source, SourceRequest
from bot.plugins.scopes import ANY, SERVICE, Scopes, takes
from bot.store.alerts.intake.stored_alerts import StoredAlerts
from bot.store.alerts.intake.writer import Busy
from bot.store.db.clock import Clock
from bot.web.auth import signature_matches, token_matches, token_problem
from bot.web.bodies import BodyBudget, BodyShare, Refused, inflated, read_raw
from bot.web.errors import refusal
from bot.web.forms import arrival, json_of
from bot.web.metrics import ALERTS, CHANGES, IGNORED, LEFT_OUT, REJECTED, REQUESTS

log = structlog.get_logger(__name__)
MAX_ALERTS = 10_000
MAX_UNREADABLE = 60
"""Bodies and items of one source that are kept a minute: they tell whoever set it up as much as all of them."""
MAX_SEPARATE = 20
"""Up to so many unreadable items of one body are stored one by one; with more of them the whole body is stored."""
TOO_LARGE = 413
LARGE = 64 * 1024
"""Bodies beyond this are parsed in a thread: the loop must go on acknowledging Slack."""
_ACCEPTED = {"alerts": ALERTS, "changes": CHANGES}
_USUAL = (202, 400, 401, 503)
"""What a source is answered: stored, not readable, another token, try again."""


class Writer(Protocol):
    """bot.store.alerts.intake.writer.IntakeWriter, as far as the endpoints need it."""

    async def put(
        self,
        alerts: Sequence[Alert],
        changes: Sequence[Change],
        received_at: datetime,
        *,
        source: str,
        repeats: Sequence[int],
        digests: Sequence[bytes],
    ) -> None: ...

    async def keep_unreadable(self, source: str, body: bytes, problem: str, received_at: datetime) -> None: ...

    @property
    def stored(self) -> StoredAlerts: ...


async def fetch_nothing(url: str) -> bytes:
    """Where nothing may be fetched, no proof holds that would need it."""
    raise QueryFailed("nothing is fetched here")


async def announce_nothing(_source: str, _text: str) -> None:
    """Where there are no people."""


class WebhookEndpoints:
    """`POST /alerts/{source}` and `POST /changes/{source}`. `tokens` maps a source to its secret; one without takes nothing.

    An ASGI app of its own: the routing, middleware and request objects of the outer app cost more than an alert does.
    """

    def __init__(
        self,
        sources: Mapping[str, SourceConfig],
        kinds: Mapping[str, Source],
        tokens: Mapping[str, str],
        writer: Writer,
        clock: Clock,
        fetch: Fetch = fetch_nothing,
        knows_severity: Callable[[str], bool] = lambda _: True,
        bodies: BodyBudget | None = None,
        scopes: Scopes = ANY,
        announce: Callable[[str, str], Awaitable[None]] = announce_nothing,
    ) -> None:
        """`announce`: says to people what of a source's alerts is missing."""
        self.sources, self.kinds, self.tokens = sources, kinds, tokens
        self.writer, self.clock, self.fetch, self.knows_severity = writer, clock, fetch, knows_severity
        self._quota = Quotas(MAX_UNREADABLE, timedelta(minutes=1))
        self._reading, self._announce = asyncio.Lock(), announce
        self.bodies, self.scopes = BodyBudget() if bodies is None else bodies, scopes
        self.count_from_zero()

    def count_from_zero(self) -> None:
        """Show each source on /metrics before it sends: no rule can say of a counter that is not there that it stands still."""
        for name, config in self.sources.items():
            for endpoint in _ACCEPTED.keys() & takes(config, self.kinds[config.kind]):
                _of_source(_ACCEPTED[endpoint], name)
                for status in _USUAL:
                    _requests(endpoint, name, status)

    def handles(self, scope: Scope) -> bool:
        """Whether a request is for one of the two endpoints, whatever its method."""
        return scope["type"] == "http" and target(scope["path"]) is not None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        where = target(scope["path"])
        if where is None or scope["method"] != "POST":
            await refusal(405, "alerts and changes are posted")(scope, receive, send)
            return
        await (await self._answer(*where, Headers(scope=scope), receive))(scope, receive, send)

    async def _answer(self, endpoint: str, name: str, headers: Headers, receive: Receive) -> Response:
        """Take one request; each refusal is one log line."""
        config = self.sources.get(name)
        kind = self.kinds.get(config.kind) if config else None
        answer: Response
        if config is None or kind is None or endpoint not in takes(config, kind):
            why = "unknown source" if config is None else "not what this source takes"
            log.warning("webhook refused", endpoint=endpoint, source=one_line(name, 100), status=404, why=why)
            name, answer = "unknown", refusal(404, f"no source of this name takes {endpoint}")
        else:
            now = self.clock()
            self.writer.stored.renew(now)
            delivery = SourceRequest(name, b"", headers, now, config, endpoint, self.writer.stored.find)
            answer = await self._take(receive, delivery, kind)
        _requests(endpoint, name, answer.status_code).inc()
        return answer

    async def _take(self, receive: Receive, delivery: SourceRequest, kind: Source) -> Response:
        labels = {"endpoint": delivery.endpoint, "source": delivery.source}
        has_token = token_matches(delivery.headers, self.tokens.get(delivery.source, ""))
        try:
            with self.bodies.hold(delivery.source, proven=has_token) as share:
                delivery = replace(delivery, body=await self._authentic_body(receive, delivery, kind, share))
                return await self._read(delivery, kind)
        except Refused as refused:
            log.warning("webhook refused", **labels, status=refused.status, why=refused.why)
            if refused.status == TOO_LARGE and share.proven and delivery.endpoint == "alerts":
                await self._announce(delivery.source, _refused_text(delivery.source, refused.why))
            return refusal(refused.status, refused.why)
        except (Busy, QueryFailed) as busy:
            log.warning("webhook put off", **labels, status=503, why=str(busy))
            return refusal(503, f"{busy}; try again")

    async def _read(self, delivery: SourceRequest, kind: Source) -> Response:
        if (body := await self._json_of(delivery)) is not delivery.body:
            delivery = replace(delivery, body=body)
        try:
            parsed = await self._read_large(delivery, kind) if len(delivery.body) > LARGE else kind.read(delivery)
            return await self._store(delivery, self.scopes.within(parsed, delivery.config))
        except UnreadableBody as error:
            return await self._keep_unreadable(delivery, error)

    async def _json_of(self, delivery: SourceRequest) -> bytes:
        if len(delivery.body) <= LARGE:
            return json_of(delivery.headers, delivery.body)
        async with self._reading:
            return await asyncio.to_thread(json_of, delivery.headers, delivery.body)

    async def _read_large(self, delivery: SourceRequest, kind: Source) -> ParsedBody:
        # In turn: side by side they share one interpreter, and the first of them is read as late as the last.
        async with self._reading:
            return await asyncio.to_thread(kind.read, delivery)

    async def _authentic_body(self, receive: Receive, delivery: SourceRequest, kind: Source, share: BodyShare) -> bytes:
        """The inflated body of an authentic request. Raises Refused; without any proof nothing is read."""
        headers = delivery.headers
        token = self.tokens.get(delivery.source, "")
        signature = next((signature for signature in kind.signatures if signature.header in headers), None)
        proof = kind.proof if kind.proof and kind.proof.header in headers else None
        if not share.proven and signature is None and proof is None:
            raise Refused(401, token_problem(delivery.source, token))
        raw = await read_raw(headers, receive, self.bodies, share)
        signed = SignedRequest(headers, raw, delivery.received_at)
        share.proven = share.proven or signature_matches(signature, signed, token)
        if not share.proven and not (proof and await proof.holds(signed, delivery.config.options, self.fetch)):
            raise Refused(401, "the signature does not fit")
        share.proven = True
        body = inflated(headers, raw)
        if body is not raw:
            self.bodies.grow(share, len(body))
        return body

    async def _store(self, delivery: SourceRequest, parsed: ParsedBody) -> Response:
        """Commit what a body holds, and what of it could not be read; raises Refused where nothing of it may be stored."""
        name, received_at = delivery.source, delivery.received_at
        count = len(parsed.alerts) + len(parsed.repeats) + len(parsed.changes)
        if count > MAX_ALERTS:
            raise Refused(TOO_LARGE, f"more than {MAX_ALERTS} in one body")
        if parsed.confirm_url:
            await self.fetch(parsed.confirm_url)
            log.info("subscription confirmed", source=name)
        if count:
            identified = delivery.config.identified(name, parsed.alerts)
            await self.writer.put(
                identified, parsed.changes, received_at, source=name, repeats=parsed.repeats, digests=parsed.digests
            )
        for item in _to_keep(parsed.rejected, delivery.body):
            await self._keep(name, item.body, item.problem, received_at)
        _count(name, parsed)
        if parsed.truncated > 0:
            log.warning("the source left alerts out of a delivery", source=name, alerts=parsed.truncated)
            await self._announce(name, _left_out_text(name, parsed.truncated))
        if parsed.rejected and not count and all(item.field == SERVICE for item in parsed.rejected):
            raise Refused(403, parsed.rejected[0].problem)
        return self._accepted(name, parsed, count)

    def _accepted(self, source: str, parsed: ParsedBody, count: int) -> Response:
        """202, with what of the body was rejected and what should be configured otherwise."""
        warnings = [*parsed.warnings[:20], *self._unmapped(source, parsed.alerts)]
        if not parsed.rejected and not warnings:
            return _plain_accepted(count)
        rejected = [{"field": item.field, "error": item.problem} for item in parsed.rejected[:20]]
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
        status = TOO_LARGE if isinstance(error, TooManyItems) else 400
        labels = {"endpoint": delivery.endpoint, "source": delivery.source}
        why = ". ".join(filter(None, (str(error), arrival(delivery.headers, delivery.body))))
        log.warning("webhook not readable", **labels, status=status, field=error.field, why=why[:300])
        try:
            await self._keep(delivery.source, delivery.body, why, delivery.received_at)
        except Busy as busy:
            return refusal(503, f"{busy}; try again")
        if status == TOO_LARGE and delivery.endpoint == "alerts":
            await self._announce(delivery.source, _refused_text(delivery.source, str(error)))
        return refusal(status, why, field=error.field)

    async def _keep(self, source: str, body: bytes, problem: str, received_at: datetime) -> None:
        """What nobody could read may hold secrets all the same; of a flood, some. Raises Busy."""
        result = self._quota.take(source, received_at)
        if result is QuotaResult.FIRST_REFUSED:
            log.warning("more of a source is not readable than is kept", source=source, a_minute=MAX_UNREADABLE)
        if result is not QuotaResult.ALLOWED:
            return
        clean = await asyncio.to_thread(redact_bytes, body)
        await self.writer.keep_unreadable(source, clean, redact(problem), received_at)


def _left_out_text(source: str, alerts: int) -> str:
    return (
        f"{source} left {counted(alerts, 'alert')} out of a delivery, as its max_alerts says: they are on no card. "
        "Have it group alerts more finely (group_by), so that fewer of them come in one."
    )


def _refused_text(source: str, why: str) -> str:
    return (
        f"A delivery of {source} was refused ({one_line(why, 200)}): its alerts are on no card, and most senders do not send "
        "them again. Have it group alerts more finely (group_by), or send fewer in one (max_alerts)."
    )


def target(path: str) -> tuple[str, str] | None:
    """The endpoint and the source that a path names; None for any other path."""
    # Prometheus and vmalert append the path of Alertmanager's API to the address they are given.
    empty, _, rest = path.removesuffix("/api/v2/alerts").partition("/")
    endpoint, _, source = rest.partition("/")
    return (endpoint, source) if not empty and endpoint in ("alerts", "changes") and source and "/" not in source else None


@lru_cache(maxsize=256)
def _requests(endpoint: str, source: str, status: int) -> Counter:
    return REQUESTS.labels(endpoint, source, status)


@lru_cache(maxsize=256)
def _of_source(counter: Counter, source: str) -> Counter:
    return counter.labels(source)


def _count(source: str, parsed: ParsedBody) -> None:
    """For /metrics alone: in a storm log lines would cost more than the alerts."""
    _of_source(ALERTS, source).inc(len(parsed.alerts) + len(parsed.repeats))
    more = (
        (CHANGES, len(parsed.changes)),
        (IGNORED, parsed.ignored),
        (REJECTED, len(parsed.rejected)),
        (LEFT_OUT, parsed.truncated),
    )
    for counter, count in more:
        if count > 0:
            _of_source(counter, source).inc(count)


@lru_cache(maxsize=256)
def _plain_accepted(count: int) -> Response:
    return Response(b'{"accepted":%d}' % count, 202, media_type="application/json")


def _to_keep(rejected: Sequence[Rejected], body: bytes) -> Sequence[Rejected]:
    if len(rejected) <= MAX_SEPARATE:
        return rejected
    return [Rejected(rejected[0].field, f"{len(rejected)} items were not readable; the first: {rejected[0].problem}", body)]

"""The Slack edge: one Bolt app, reached over Socket Mode or over HTTP, with the same listeners."""

import asyncio
import secrets
import time
from collections.abc import Mapping
from datetime import UTC, datetime

import structlog
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from starlette.requests import Request
from starlette.responses import Response

from bot.core.errors import QueryFailed
from bot.plugins import Reply, SignedRequest, signed_by_slack
from bot.slack.alert_channels import AlertChannels
from bot.slack.answers import ReplyTarget
from bot.slack.command_router import CommandRouter
from bot.slack.listeners import register
from bot.store.db.clock import Clock
from bot.store.db.database import utc_now
from bot.workflows.messages.delivery_health import FailureLog

log = structlog.get_logger(__name__)

PING_SECONDS = 5.0
STUCK_SECONDS = 30.0
"""A socket address lives half a minute; the SDK would retry an old one for ever."""

_UNREADABLE = (ValueError, LookupError, TypeError, AttributeError)
"""What Bolt raises for a payload that is no JSON, an interaction without actions, a list where an object belongs."""


class SlackEdge:
    """Bolt and its connection.

    The token is not verified here: the first authorised request does so, and
    `tocsin doctor` says what is wrong with it. Slack may be down at the start.
    """

    def __init__(
        self,
        web: AsyncWebClient,
        router: CommandRouter,
        *,
        app_token: str = "",
        signing_secret: str = "",
        clock: Clock = utc_now,
        channels: AlertChannels | None = None,
    ) -> None:
        # `endpoint` verifies, before Bolt reads anything.
        self.app = AsyncApp(client=web, request_verification_enabled=False, process_before_response=False)
        self._router, self._app_token = router, app_token
        # Socket Mode alone needs no secret. With an empty one anybody could sign.
        self._signing_secret, self._clock = signing_secret, clock
        self._handler: AsyncSocketModeHandler | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._greeting: asyncio.Task[None] | None = None
        self._http = AsyncSlackRequestHandler(self.app)
        self._channels = channels
        self._catching_up: asyncio.Task[None] | None = None
        register(self.app, router, channels)
        self.app.error(self._failed)

    async def endpoint(self, request: Request) -> Response:
        """What `POST /slack/events` does in HTTP mode."""
        if not self._signing_secret:
            return Response("HTTP mode is off: set TOCSIN_SLACK_SIGNING_SECRET\n", status_code=404)
        # Bolt parses before it verifies: what nobody signed must not reach its parser.
        if not self._is_signed(request.headers, await request.body()):
            return Response("invalid signature\n", status_code=401)
        try:
            return await self._http.handle(request)
        except _UNREADABLE as error:
            # Bolt takes the shape of a request for granted; whoever signed this one is not Slack as we know it.
            log.warning("a signed request of Slack's form cannot be read", why=type(error).__name__)
            return Response("not readable as a request of Slack\n", status_code=400)

    def _is_signed(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Whether Slack signed it lately, by the machine's clock or by the bot's own: either may be put right by hours."""
        moments = datetime.fromtimestamp(time.time(), UTC), self._clock()
        return any(signed_by_slack(SignedRequest(headers, body, at), self._signing_secret) for at in moments)

    async def start(self) -> None:
        """Begin to connect over Socket Mode, if there is an app token; returns at once, whether Slack is there or not."""
        if self._app_token:
            # The socket has a client of its own: Bolt's is shared with the sender and must not carry the app token.
            self._handler = AsyncSocketModeHandler(self.app, self._app_token, ping_interval=PING_SECONDS)
            self._connecting = asyncio.create_task(self._connect(self._handler), name="slack-socket")
        else:
            self.catch_up()
        self._greeting = asyncio.create_task(self._greet(), name="slack-greeting")

    async def stop(self) -> None:
        """Take no more events; what was acknowledged goes on in its own tasks."""
        waiting = [task for task in (self._connecting, self._greeting, self._catching_up) if task]
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        if self._handler:
            await self._handler.close_async()  # type: ignore[no-untyped-call]

    async def connected(self) -> bool:
        """Whether presses and mentions arrive: the socket stands, or the app is in HTTP mode and has none."""
        return not self._app_token or (self._handler is not None and await self._handler.client.is_connected())

    async def _greet(self) -> None:
        """Say at the start, once, that Slack does not take our token: else only the first alert would show it."""
        try:
            await self._router.people.team()
        except QueryFailed as error:
            log.warning("Slack did not answer to our token; `tocsin doctor` says what is wrong", why=str(error))

    async def _connect(self, handler: AsyncSocketModeHandler) -> None:
        """Connect, and watch: the SDK reconnects by itself except with an address that has run out."""
        first = asyncio.create_task(handler.client.connect(), name="slack-socket-first")  # type: ignore[no-untyped-call]
        since, failures = time.monotonic(), FailureLog(log, time.monotonic)
        listening = False
        try:
            while True:
                await asyncio.sleep(PING_SECONDS)
                missed, listening = not listening, await handler.client.is_connected()
                if listening:
                    if missed:
                        self.catch_up()
                    since = time.monotonic()
                    failures.recovered("socket", "connected to Slack again")
                    continue
                failures.record("socket", "no connection to Slack", kind="")
                if time.monotonic() - since > STUCK_SECONDS:
                    handler.client.wss_uri = None
                    since = time.monotonic()
        finally:
            first.cancel()

    def catch_up(self) -> None:
        """Read the alert channels: Slack sends nothing again that came while nobody listened."""
        if self._channels:
            self._catching_up = asyncio.create_task(self._channels.catch_up(), name="slack-catch-up")

    async def _failed(self, error: Exception, body: dict[str, object]) -> None:
        """Bolt's error handler: an id for the log and for the person who asked."""
        error_id = secrets.token_hex(4)
        log.error("a Slack listener failed", error_id=error_id, exc_info=error)
        if target := target_of(body):
            problem = f"Something failed on my side (id {error_id})."
            advice = "Your request may not have been carried out: check with show, then try again."
            await self._router.answers.private(target, Reply(f"{problem} {advice}"))


def target_of(body: dict[str, object]) -> ReplyTarget | None:
    """Where to tell a person that something failed, whatever kind of interaction it was."""
    event, user, channel = (body.get(part) for part in ("event", "user", "channel"))
    event = event if isinstance(event, dict) else {}
    user_id = user.get("id") if isinstance(user, dict) else body.get("user_id") or event.get("user")
    if not user_id:
        return None
    channel_id = channel.get("id") if isinstance(channel, dict) else body.get("channel_id")
    return ReplyTarget(
        user=str(user_id),
        channel=str(channel_id or event.get("channel") or ""),
        thread=str(event.get("thread_ts") or ""),
        response_url=str(body.get("response_url") or ""),
    )

"""Slack's web client behind the sender's port: posts, edits, searches and uploads, with errors that mean something."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import NotRequired, ParamSpec, TypedDict, TypeVar

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.workflows.messages.delivery import (
    AccessRefused,
    ChannelRefused,
    ContentRefused,
    MessageGone,
    RateLimited,
    Refused,
    Unanswered,
    Unreachable,
)

EVENT_TYPE = "tocsin"
"""Of the metadata that carries our key: how a message is found again after a lost answer."""
PAGE = 200
MAX_PAGES = 5

_CHANNEL = frozenset(
    {
        "channel_not_found",
        "is_archived",
        "not_in_channel",
        "restricted_action",
        "restricted_action_read_only_channel",
        "restricted_action_thread_only_channel",
        "restricted_action_non_threadable_channel",
        "cannot_post_in_channel",
        "ekm_access_denied",
        "team_access_not_granted",
    }
)
_ACCESS = frozenset(
    {
        "invalid_auth",
        "not_authed",
        "account_inactive",
        "token_revoked",
        "token_expired",
        "missing_scope",
        "not_allowed_token_type",
        "org_login_required",
        "no_permission",
        "access_denied",
    }
)
_CONTENT = frozenset(
    {"invalid_blocks", "invalid_blocks_format", "msg_too_long", "msg_blocks_too_long", "no_text", "invalid_attachments"}
)
_GONE = frozenset({"message_not_found", "cant_update_message"})
_RETRIABLE = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout"})


def web_client(token: str, api_url: str = "") -> AsyncWebClient:
    """The SDK's client, at Slack or at `api_url`.

    The SDK's default repeats a request whose connection was cut, also one that
    Slack had already taken: that would post twice, so its retries are off. It
    opens a connection a call, so that "no connection" is certain to mean "not posted".
    """
    address = api_url.rstrip("/") + "/" if api_url else AsyncWebClient.BASE_URL
    return AsyncWebClient(token=token or None, base_url=address, timeout=10, retry_handlers=[])


P = ParamSpec("P")
T = TypeVar("T")


class _Payload(TypedDict, total=False):
    key: str
    rev: int


class _Metadata(TypedDict, total=False):
    event_type: str
    event_payload: _Payload | None


class _Posted(TypedDict):
    """What finding a message again reads of it."""

    ts: str
    metadata: NotRequired[_Metadata | None]


class SlackClient:
    """`SlackPort` on an AsyncWebClient; also what the listeners call."""

    def __init__(self, web: AsyncWebClient) -> None:
        self.web = web

    async def post(
        self, channel: str, text: str, blocks: list[dict[str, object]], *, thread_ts: str, key: str, rev: int
    ) -> str:
        """Post with our key in the metadata; joins a public channel that the bot is not in yet."""

        async def post() -> AsyncSlackResponse:
            return await self.call(
                self.web.chat_postMessage,
                channel=channel,
                text=text,
                blocks=blocks,
                metadata=_metadata(key, rev),
                thread_ts=thread_ts or None,
                unfurl_links=False,
                unfurl_media=False,
            )

        try:
            answer = await post()
        except ChannelRefused as error:
            if error.reason != "not_in_channel":
                raise
            await self._join(channel, error)
            answer = await post()
        return str(answer["ts"])

    async def _join(self, channel: str, not_in_channel: ChannelRefused) -> None:
        try:
            await self.call(self.web.conversations_join, channel=channel)
        except Refused as error:
            # Nobody joins a private channel uninvited: then the channel refuses, not Slack.
            raise not_in_channel from error

    async def update(self, channel: str, ts: str, text: str, blocks: list[dict[str, object]], *, key: str, rev: int) -> None:
        """Replace text and blocks; the metadata keeps our key and learns the revision."""
        await self.call(self.web.chat_update, channel=channel, ts=ts, text=text, blocks=blocks, metadata=_metadata(key, rev))

    async def find(self, channel: str, key: str, *, thread_ts: str, oldest: datetime) -> tuple[str, int] | None:
        """Look through the channel's or thread's messages since `oldest` for our key; (ts, revision) or None."""
        cursor = ""
        for _ in range(MAX_PAGES):
            answer = await self._page(channel, thread_ts, oldest, cursor)
            messages: Sequence[_Posted] = answer.get("messages", ())
            for message in messages:
                metadata = message.get("metadata") or {}
                payload = metadata.get("event_payload") or {}
                if metadata.get("event_type") == EVENT_TYPE and payload.get("key") == key:
                    return str(message["ts"]), int(payload.get("rev", 1))
            cursor = (answer.get("response_metadata") or {}).get("next_cursor", "")
            if not cursor:
                return None
        return None

    async def _page(self, channel: str, thread_ts: str, oldest: datetime, cursor: str) -> AsyncSlackResponse:
        """One page of the messages of a thread, or of a channel without one."""
        since, start = f"{oldest.timestamp():.6f}", cursor or None
        if thread_ts:
            return await self.call(
                self.web.conversations_replies,
                channel=channel,
                ts=thread_ts,
                limit=PAGE,
                include_all_metadata=True,
                oldest=since,
                cursor=start,
            )
        return await self.call(
            self.web.conversations_history,
            channel=channel,
            limit=PAGE,
            include_all_metadata=True,
            oldest=since,
            cursor=start,
        )

    async def upload(self, png: bytes, *, title: str, alt: str) -> str:
        """Upload without sharing it to a channel; the file's id, for an image block."""
        answer = await self.call(self.web.files_upload_v2, content=png, filename="graph.png", title=title, alt_txt=alt[:1000])
        files = answer.get("files") or [answer["file"]]
        return str(files[0]["id"])

    async def respond(self, response_url: str, text: str, blocks: list[dict[str, object]]) -> bool:
        """Answer privately by an interaction's own address (five times, for half an hour); False if it was not taken."""
        try:
            answer = await AsyncWebhookClient(response_url, timeout=5, retry_handlers=[]).send(
                text=text, blocks=blocks, response_type="ephemeral", replace_original=False
            )
        except (TimeoutError, aiohttp.ClientError, SlackClientError, OSError) as error:
            raise Unanswered(f"Slack's answer was lost: {type(error).__name__}") from error
        return answer.status_code == 200

    async def call(self, method: Callable[P, Awaitable[T]], *arguments: P.args, **named: P.kwargs) -> T:
        """Call one method; Slack's and the network's errors come out as those of bot.workflows.messages.delivery."""
        try:
            return await method(*arguments, **named)
        except SlackApiError as error:
            raise _refusal(error) from None
        except aiohttp.ClientConnectorError as error:
            raise Unreachable(f"no connection to Slack: {error}") from None
        except (TimeoutError, aiohttp.ClientError, SlackClientError, OSError) as error:
            raise Unanswered(f"Slack's answer was lost: {type(error).__name__}") from error


def _metadata(key: str, rev: int) -> dict[str, object]:
    return {"event_type": EVENT_TYPE, "event_payload": {"key": key, "rev": rev}}


def _refusal(error: SlackApiError) -> Exception:
    """Slack's word for it as our class. A 5xx may have been taken: nobody knows."""
    response = error.response
    status = int(getattr(response, "status_code", 502))
    if status == 429:
        return RateLimited(float(response.headers.get("Retry-After", 1)))
    content = getattr(response, "data", None)
    body = content if isinstance(content, dict) else {}
    reason = str(body.get("error", "")) or f"HTTP {status}"
    if status >= 500 or reason in _RETRIABLE:
        return Unanswered(f"Slack answered {reason}")
    if reason == "ratelimited":
        return RateLimited(float(response.headers.get("Retry-After", 1)))
    detail = "; ".join(str(m) for m in (body.get("response_metadata") or {}).get("messages", ())[:3])
    for kind, reasons in (
        (ChannelRefused, _CHANNEL),
        (AccessRefused, _ACCESS),
        (ContentRefused, _CONTENT),
        (MessageGone, _GONE),
    ):
        if reason in reasons:
            return kind(reason, detail)
    return Refused(reason, detail)

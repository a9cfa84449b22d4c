"""Channels into which other bots post alerts: their messages, edits and threads are handed to the source of the channel.

Slack acknowledges an event before it is stored, and sends none while nobody is connected: what was missed is read from the
channel's history after each connection. A message that was read before is the same delivery again.
"""

import asyncio
import json
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeVar

import structlog

from bot.core.alert import Alert
from bot.core.change import Change
from bot.core.config.alerts import SourceConfig
from bot.core.errors import TocsinError, UnreadableBody
from bot.core.redaction.redaction import redact
from bot.plugins import Source, SourceRequest
from bot.plugins.scopes import ANY, Scopes
from bot.slack.client import MAX_PAGES, PAGE, SlackClient
from bot.workflows.messages.delivery import Refused

log = structlog.get_logger(__name__)
T = TypeVar("T")
Json = dict[str, Any]
"""A message or event as Slack documents it."""
LOOKBACK = timedelta(days=1)
"""How much of a channel is read after a connection, at most."""
FIRST_LOOKBACK = timedelta(minutes=10)
"""Where nothing was ever read: older alerts stand in the channel for whoever set the source up."""
REMEMBERED = 5_000
RETRY_SECONDS = (0.5, 2.0, 5.0, 10.0, 20.0)
"""Slack sends an event once."""
_NEW = (None, "bot_message", "thread_broadcast", "file_share")
_CHANGED = "message_changed"


class AlertWriter(Protocol):
    """bot.store.alerts.intake.writer.IntakeWriter, as far as it is needed here."""

    async def put(self, alerts: Sequence[Alert], changes: Sequence[Change], received_at: datetime) -> None: ...

    async def keep_unreadable(self, source: str, body: bytes, problem: str, received_at: datetime) -> None: ...


class ChannelReader(Protocol):
    """ChannelHistory, or what stands in its place in tests."""

    async def own_ids(self) -> frozenset[str]: ...

    async def join(self, channel: str) -> None: ...

    async def message(self, channel: str, ts: str) -> Json | None: ...

    async def since(self, channel: str, oldest: str) -> list[Json]: ...


class ChannelHistory:
    """Reads alone, but for joining. Every method raises a TocsinError where Slack refuses or cannot be reached."""

    def __init__(self, slack: SlackClient) -> None:
        self._slack = slack

    async def own_ids(self) -> frozenset[str]:
        """The ids under which Tocsin itself posts: its user and its bot."""
        answer = await self._slack.call(self._slack.web.auth_test)
        return frozenset(str(answer[part]) for part in ("user_id", "bot_id") if answer.get(part))

    async def join(self, channel: str) -> None:
        """Enter a public channel; nothing happens where the bot is in it already, or where only people can invite it."""
        try:
            await self._slack.call(self._slack.web.conversations_join, channel=channel)
        except Refused as error:
            log.debug("an alert channel was not joined", channel=channel, why=error.reason)

    async def message(self, channel: str, ts: str) -> Json | None:
        """One message of a channel; None if it is gone."""
        answer = await self._slack.call(self._slack.web.conversations_replies, channel=channel, ts=ts, limit=1)
        messages: list[Json] = answer.get("messages") or []
        return messages[0] if messages and messages[0].get("ts") == ts else None

    async def since(self, channel: str, oldest: str) -> list[Json]:
        """The messages after a moment, oldest first; at most a thousand, the newest of them."""
        messages: list[Json] = []
        cursor = ""
        for _ in range(MAX_PAGES):
            answer = await self._slack.call(
                self._slack.web.conversations_history, channel=channel, oldest=oldest, limit=PAGE, cursor=cursor or None
            )
            messages += answer.get("messages") or []
            cursor = (answer.get("response_metadata") or {}).get("next_cursor", "")
            if not cursor:
                break
        return sorted(messages, key=lambda message: float(message["ts"]))


class AlertChannels:
    """`sources` and `kinds` are the configuration's; a channel may feed one source."""

    def __init__(
        self,
        sources: Mapping[str, SourceConfig],
        kinds: Mapping[str, Source],
        writer: AlertWriter,
        reader: ChannelReader,
        clock: Callable[[], datetime],
        last_delivery: Callable[[str], Awaitable[datetime | None]],
        *,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        scopes: Scopes = ANY,
    ) -> None:
        self._scopes = scopes
        self._sources, self._kinds = sources, kinds
        self._writer, self._reader, self._clock, self._pause = writer, reader, clock, pause
        self._last_delivery = last_delivery
        self._alerts: OrderedDict[tuple[str, str], Alert] = OrderedDict()
        """(channel, ts of the message that opened it) -> the alert as it was last read."""
        self._own: frozenset[str] = frozenset()
        """The app, user and bot that Tocsin itself is: its own cards are never read as alerts."""
        self._last: dict[str, datetime] = {}
        """The moment of the last message that each source read in this process."""

    # ------------------------------------------------------------ events

    async def on_message(self, body: Json) -> None:
        """One `message` event, of any channel."""
        event = body["event"]
        name = self._source_of(event.get("channel", ""))
        if name is None:
            return
        self._own |= {str(body.get("api_app_id")), *(str(entry.get("user_id")) for entry in body.get("authorizations") or ())}
        if event.get("subtype") == _CHANGED:
            await self._edited(name, event)
        elif event.get("subtype") in _NEW:
            await self._posted(name, event["channel"], event)

    def _source_of(self, channel: str) -> str | None:
        reading = (name for name, source in self._reading().items() if source.options.get("channel") == channel)
        return next(reading, None) if channel else None

    async def _unread_since(self, name: str) -> str:
        """The moment of the last message that any process stored: what was read before is not read again, since a repeat
        of an alert that has ended meanwhile would open it anew."""
        stored = await self._last_delivery(name)
        moments = [at for at in (stored, self._last.get(name)) if at is not None]
        earliest = self._clock() - (LOOKBACK if moments else FIRST_LOOKBACK)
        return f"{max([earliest, *moments]).timestamp():.6f}"

    def _reading(self) -> dict[str, SourceConfig]:
        return {name: source for name, source in self._sources.items() if "slack" in self._kinds[source.kind].takes}

    def _counts(self, name: str, message: Json) -> bool:
        """Whether a bot wrote it that counts. Tocsin's own messages and people's never do."""
        bots = self._sources[name].options.get("bots")
        app = message.get("app_id") or (message.get("bot_profile") or {}).get("app_id")
        ids = {app, message.get("bot_id"), message.get("user")} - {None}
        return bool(message.get("bot_id")) and not ids & self._own and (not bots or bool(ids & set(bots)))

    async def _posted(self, name: str, channel: str, message: Json) -> None:
        """A new message is an alert; one in a thread tells of the alert that opened the thread."""
        root = str(message.get("thread_ts") or message["ts"])
        if not self._counts(name, message):
            return
        opened = None if root == message["ts"] else await self._opened(name, channel, root)
        alert = await self._read(name, channel, message, _moment(message["ts"]))
        if alert is None:
            return
        if opened is not None:
            times = {"status": alert.status, "starts_at": alert.starts_at, "ends_at": alert.ends_at}
            alert = opened.model_copy(update=times)
        await self._store(name, channel, root, alert)

    async def _edited(self, name: str, event: Json) -> None:
        """The alert as the edit has it; an edit that changes nothing of it, such as Slack's preview of a link, is none."""
        channel, message = event["channel"], event.get("message") or {}
        if not self._counts(name, message) or "ts" not in message:
            return
        before = self._alerts.get((channel, message["ts"]))
        before = before or await self._read(name, channel, event.get("previous_message") or {}, _moment(message["ts"]))
        alert = await self._read(name, channel, message, _moment(event["ts"]))
        if alert is None or (before is not None and _equal_alerts(before, alert)):
            return
        if before is not None:
            alert = alert.model_copy(update={"fingerprint": before.fingerprint})
        await self._store(name, channel, message["ts"], alert)

    async def _opened(self, name: str, channel: str, root: str) -> Alert | None:
        """The alert that a thread is about, from Slack where this process has not read it."""
        if (alert := self._alerts.get((channel, root))) is not None:
            return alert
        try:
            message = await self._patiently(lambda: self._reader.message(channel, root))
        except TocsinError as error:
            log.warning("the message that opened a thread was not read", source=name, why=str(error))
            return None
        return await self._read(name, channel, message, _moment(root)) if message and self._counts(name, message) else None

    # ------------------------------------------------------------ reading and storing

    async def _read(self, name: str, channel: str, message: Json, at: datetime) -> Alert | None:
        config = self._sources[name]
        body = json.dumps({"channel": channel, "message": message}).encode()
        request = SourceRequest(name, body, {}, min(at, self._clock()), config, "slack")
        try:
            parsed = self._scopes.within(self._kinds[config.kind].read(request), config)
            if parsed.alerts:
                return parsed.alerts[0]
            problem, field = parsed.rejected[0].problem, parsed.rejected[0].field
        except UnreadableBody as error:
            problem, field = str(error), error.field
        if message:
            log.info("a message in an alert channel names no alert", source=name, field=field, why=problem)
            clean = redact(body.decode()).encode()
            await self._patiently(lambda: self._writer.keep_unreadable(name, clean, problem, at))
        return None

    async def _store(self, name: str, channel: str, root: str, alert: Alert) -> None:
        self._alerts[channel, root] = alert
        self._alerts.move_to_end((channel, root))
        while len(self._alerts) > REMEMBERED:
            self._alerts.popitem(last=False)
        await self._patiently(lambda: self._writer.put([alert], (), alert.starts_at))
        self._last[name] = max(alert.starts_at, self._last.get(name, alert.starts_at))
        log.debug("alert read from a channel", source=name, status=alert.status)

    async def _patiently(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Try again for half a minute: the database or Slack may be away for a moment. Raises what the last try raised."""
        for seconds in RETRY_SECONDS:
            try:
                return await attempt()
            except TocsinError as error:
                log.warning("a message of an alert channel waits", why=str(error))
                await self._pause(seconds)
        return await attempt()

    # ------------------------------------------------------------ what was missed

    async def catch_up(self) -> None:
        """Read what came while nobody listened, oldest first. To be called after each connection; never raises."""
        if not self._reading():
            return
        try:
            self._own |= await self._reader.own_ids()
        except TocsinError as error:
            log.warning("the alert channels were not read", why=str(error))
            return
        for name, source in self._reading().items():
            channel = str(source.options["channel"])
            try:
                await self._reader.join(channel)
                for message in await self._reader.since(channel, await self._unread_since(name)):
                    if message.get("subtype") in _NEW:
                        await self._posted(name, channel, message)
            except TocsinError as error:
                log.warning("an alert channel was not read", source=name, channel=channel, why=str(error))


def _moment(ts: str) -> datetime:
    """Slack's `1764025200.000100`: the moment and the name of a message in one."""
    return datetime.fromtimestamp(float(ts), UTC)


def _equal_alerts(before: Alert, after: Alert) -> bool:
    parts = ("name", "status", "severity", "labels", "annotations")
    return all(getattr(before, part) == getattr(after, part) for part in parts)

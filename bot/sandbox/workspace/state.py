"""The workspace: everything the stand-in remembers, and the few ways in which it changes."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from itertools import count
from typing import Any

from bot.sandbox.workspace import mentions
from bot.sandbox.workspace.channels import Channel, Message
from bot.sandbox.workspace.errors import Refused
from bot.sandbox.workspace.faults import Faults
from bot.sandbox.workspace.feed import Feed
from bot.sandbox.workspace.filestore import Files
from bot.sandbox.workspace.limits import ALL_SCOPES, LIMIT
from bot.sandbox.workspace.people import BOT_USER_ID, TEAM_ID, Person, UserGroup, default_people
from bot.sandbox.workspace.rates import RateLimits
from bot.sandbox.workspace.triggers import ResponseUrl, Triggers
from bot.sandbox.workspace.views import Views

Json = dict[str, Any]
MOST_CALLS = 20_000


class Workspace:
    """One workspace in memory. All changes happen on the event loop, so no lock is needed."""

    def __init__(self, base_url: str = "http://127.0.0.1", *, bot_token: str, app_token: str, signing_secret: str) -> None:
        self.base_url = base_url
        self.bot_token, self.app_token, self.signing_secret = bot_token, app_token, signing_secret
        self.scopes = set(ALL_SCOPES)
        self.people = default_people()
        self.usergroups = {"S1": UserGroup("S1", "oncall", ["U1"])}
        self.channels: dict[str, Channel] = {}
        self.files = Files()
        self.views = Views(self.files.exists)
        self.triggers = Triggers()
        self.response_urls: dict[str, ResponseUrl] = {}
        self.ephemerals: list[Json] = []
        self.hidden_ephemerals: list[Json] = []
        self.rates = RateLimits()
        self.ack_s = float(LIMIT["ack.seconds"])
        self.faults = Faults()
        self.calls: deque[Json] = deque(maxlen=MOST_CALLS)
        self.feed = Feed()
        # Events for the app; the postman puts himself here.
        self.event_sink: Callable[[Json], None] = lambda event: None
        self._last_tick = 0
        self.add_channel("incidents", channel_id="C0")

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time()

    def new_ts(self) -> str:
        """A message timestamp, greater than every earlier one."""
        self._last_tick = max(self._last_tick + 1, int(self.now() * 1_000_000))
        return f"{self._last_tick // 1_000_000}.{self._last_tick % 1_000_000:06d}"

    def person(self, user_id: str) -> Person:
        """A person, or `user_not_found`."""
        if user_id not in self.people:
            raise Refused("user_not_found")
        return self.people[user_id]

    def channel(self, channel_id: str) -> Channel:
        """A channel the app can see, or `channel_not_found`."""
        channel = self.channels.get(channel_id)
        if channel is None or ((channel.is_private or channel.is_im) and BOT_USER_ID not in channel.members):
            raise Refused("channel_not_found")
        return channel

    def add_channel(
        self, name: str, *, channel_id: str = "", members: list[str] | None = None, private: bool = False
    ) -> Channel:
        """Create a channel whose members are `members`; without them everybody and the bot."""
        if any(c.name == name and not c.is_im for c in self.channels.values()):
            raise Refused("name_taken")
        channel_id = channel_id or next(f"C{n}" for n in count(1) if f"C{n}" not in self.channels)
        team = [p.id for p in self.people.values() if p.team_id == TEAM_ID and not p.deleted]
        channel = Channel(
            channel_id, name, team if members is None else list(members), is_private=private, created=int(self.now())
        )
        self.channels[channel_id] = channel
        self.feed.publish("channels")
        return channel

    def direct_channel(self, user_id: str) -> Channel:
        """The direct conversation of the bot and a person."""
        channel_id = f"D{self.person(user_id).id[1:]}"
        if channel_id not in self.channels:
            members = [user_id, BOT_USER_ID]
            self.channels[channel_id] = Channel(channel_id, f"@{self.people[user_id].name}", members, is_im=True)
            self.feed.publish("channels")
        return self.channels[channel_id]

    def post(self, channel: Channel, doc: Json, *, metadata: Json | None = None, link_names: bool = False) -> Message:
        """Put a message into a channel; `doc` holds everything but type and timestamp."""
        message = Message({"type": "message", "ts": self.new_ts(), **doc}, metadata, posted_at=self.now())
        message.mentions = mentions.of_message(str(doc.get("text", "")), doc.get("blocks", []), link_names=link_names)
        message.pings = list(message.mentions)
        channel.add(message)
        self.feed.publish("message", channel=channel.id, message=self.shown(channel, message))
        if message.is_reply and (root := channel.messages.get(message.thread)):
            self.feed.publish("message", channel=channel.id, message=self.shown(channel, root))
        return message

    def edit(self, channel: Channel, message: Message, changes: Json) -> None:
        """Change a message in place; edits notify nobody, so `pings` stay what they were."""
        message.doc.update(changes)
        message.edits += 1
        message.edited_at.append(self.now())
        message.mentions = mentions.of_message(str(message.doc.get("text", "")), message.doc.get("blocks", []))
        self.feed.publish("message", channel=channel.id, message=self.shown(channel, message))

    def delete(self, channel: Channel, ts: str) -> None:
        """Take a message away."""
        channel.remove(ts)
        self.feed.publish("deleted", channel=channel.id, ts=ts)

    def add_ephemeral(self, channel_id: str, user_id: str, doc: Json) -> Json:
        """Show something to one person only; it is in no history.

        Slack takes one for a thread without replies like any other, and shows it to nobody: there is no thread to open.
        """
        ts = self.new_ts()
        ephemeral = {"type": "message", "ts": ts, "channel": channel_id, "to": user_id, "is_ephemeral": True, **doc}
        ephemeral["words"] = "\n".join(filter(None, [str(doc.get("text", "")), mentions.words(doc.get("blocks", []))]))
        thread = str(doc.get("thread_ts", ""))
        if thread and not self.channels[channel_id].has_thread(thread):
            self.hidden_ephemerals.append(ephemeral)
            return ephemeral
        self.ephemerals.append(ephemeral)
        self.feed.publish("ephemeral", message=ephemeral)
        return ephemeral

    def shown(self, channel: Channel, message: Message) -> Json:
        """A message as the control API and the page see it: Slack's fields and what only the sandbox knows."""
        return {
            **message.as_slack(with_metadata=True),
            "channel": channel.id,
            "mentions": message.mentions,
            "pings": message.pings,
            "edits": message.edits,
            "edited_at": message.edited_at,
            "posted_at": message.posted_at,
            "words": "\n".join(filter(None, [str(message.doc.get("text", "")), mentions.words(message.doc.get("blocks", []))])),
        }

    def show_views(self, user_id: str) -> None:
        """Publish to the page which modals a person has open."""
        self.feed.publish("views", user=user_id, stack=[view.as_slack() for view in self.views.stacks.get(user_id, [])])

    def make_response_url(self, url: ResponseUrl, token: str) -> str:
        """Keep a response URL and give its address."""
        self.response_urls[token] = url
        return f"{self.base_url}/response/{token}"

    def max_topic(self, text: str) -> str:
        """A topic or purpose of allowed length."""
        if len(text) > LIMIT["channel.topic"]:
            raise Refused("too_long")
        return text

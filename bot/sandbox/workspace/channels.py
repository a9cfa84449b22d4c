"""Channels and their messages, in the order of their timestamps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass
class Message:
    """One message: `doc` is what Slack's API shows of it; the rest is what the sandbox remembers beside it."""

    doc: Json
    metadata: Json | None = None
    pings: list[str] = field(default_factory=list)
    mentions: list[str] = field(default_factory=list)
    edits: int = 0
    edited_at: list[float] = field(default_factory=list)
    posted_at: float = 0.0

    @property
    def ts(self) -> str:
        """Its timestamp, which is its name within the channel."""
        return str(self.doc["ts"])

    @property
    def thread(self) -> str:
        """The timestamp of the thread's first message; empty outside threads."""
        return str(self.doc.get("thread_ts", ""))

    @property
    def is_reply(self) -> bool:
        """True for an answer in a thread, False for the thread's first message."""
        return bool(self.thread) and self.thread != self.ts

    def as_slack(self, *, with_metadata: bool = False) -> Json:
        """The message as `conversations.history` shows it."""
        if with_metadata and self.metadata is not None:
            return {**self.doc, "metadata": self.metadata}
        return dict(self.doc)


@dataclass
class Channel:
    """A public or private channel, or a direct conversation."""

    id: str
    name: str
    members: list[str] = field(default_factory=list)
    is_private: bool = False
    is_im: bool = False
    is_archived: bool = False
    is_shared: bool = False
    topic: str = ""
    purpose: str = ""
    creator: str = ""
    created: int = 0
    messages: dict[str, Message] = field(default_factory=dict)
    pins: list[str] = field(default_factory=list)
    bookmarks: list[Json] = field(default_factory=list)

    def as_slack(self, viewer: str) -> Json:
        """The conversation object, as `viewer` sees it."""
        return {
            "id": self.id,
            "name": self.name,
            "name_normalized": self.name,
            "is_channel": not self.is_im and not self.is_private,
            "is_group": self.is_private and not self.is_im,
            "is_im": self.is_im,
            "is_private": self.is_private or self.is_im,
            "is_archived": self.is_archived,
            "is_ext_shared": self.is_shared,
            "is_shared": self.is_shared,
            "is_general": False,
            "is_member": viewer in self.members,
            "created": self.created,
            "creator": self.creator,
            "num_members": len(self.members),
            "topic": {"value": self.topic, "creator": "", "last_set": 0},
            "purpose": {"value": self.purpose, "creator": "", "last_set": 0},
            **({"user": next((m for m in self.members if m != viewer), viewer)} if self.is_im else {}),
        }

    def add(self, message: Message) -> None:
        """Keep a message; a reply is counted on the thread's first message."""
        self.messages[message.ts] = message
        if message.is_reply and (root := self.messages.get(message.thread)):
            self._count_replies(root)

    def remove(self, ts: str) -> None:
        """Forget a message, and its place in the thread's count."""
        message = self.messages.pop(ts)
        if message.is_reply and (root := self.messages.get(message.thread)):
            self._count_replies(root)

    def thread(self, ts: str) -> list[Message]:
        """The thread's first message and its replies, oldest first."""
        return [m for m in self.messages.values() if m.ts == ts or m.thread == ts]

    def has_thread(self, ts: str) -> bool:
        """Whether somebody replied to that message: only then there is a thread to look at."""
        return any(message.is_reply and message.thread == ts for message in self.messages.values())

    def timeline(self) -> list[Message]:
        """What stands in the channel itself, oldest first: replies only if they were also sent to the channel."""
        return [m for m in self.messages.values() if not m.is_reply or m.doc.get("subtype") == "thread_broadcast"]

    def _count_replies(self, root: Message) -> None:
        replies = [m for m in self.messages.values() if m.thread == root.ts and m.ts != root.ts]
        root.doc["thread_ts"] = root.ts
        root.doc["reply_count"] = len(replies)
        root.doc["reply_users"] = sorted({str(m.doc.get("user")) for m in replies})
        root.doc["reply_users_count"] = len(root.doc["reply_users"])
        root.doc["latest_reply"] = replies[-1].ts if replies else root.ts

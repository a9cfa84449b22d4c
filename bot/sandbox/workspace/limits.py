"""Slack's limits in one table: sizes of messages and views, rates of methods, scopes that methods need.

Sources: docs.slack.dev (Block Kit reference, method pages, rate limits) and the constants of slack-sdk's models.
Where only users' reports exist (sum of text, bytes of an edit) the lower reported number stands here.
"""

from __future__ import annotations

from dataclasses import dataclass

# Counts are elements, lengths are characters unless the name ends in bytes.
LIMIT: dict[str, int] = {
    "message.blocks": 50,
    "message.text": 40_000,
    "message.blocks_text": 13_200,
    "message.update_text_bytes": 4_000,
    "message.metadata_bytes": 16_000,
    "view.blocks": 100,
    "view.bytes": 250_000,
    "view.title": 24,
    "view.submit": 24,
    "view.close": 24,
    "view.private_metadata": 3_000,
    "view.callback_id": 255,
    "view.stack": 3,
    "block_id": 255,
    "action_id": 255,
    "header.text": 150,
    "section.text": 3_000,
    "section.fields": 10,
    "section.field": 2_000,
    "context.elements": 10,
    "context.text": 3_000,
    "context_actions.elements": 5,
    "actions.elements": 25,
    "markdown.text": 12_000,
    "image.url": 3_000,
    "image.alt_text": 2_000,
    "image.title": 2_000,
    "input.label": 2_000,
    "input.hint": 2_000,
    "table.rows": 100,
    "table.columns": 20,
    "table.text": 10_000,
    "button.text": 75,
    "button.value": 2_000,
    "button.url": 3_000,
    "accessibility_label": 75,
    "placeholder": 150,
    "select.options": 100,
    "select.groups": 100,
    "overflow.options": 5,
    "choices.options": 10,
    "option.text": 75,
    "option.value": 150,
    "option.description": 75,
    "confirm.title": 100,
    "confirm.text": 300,
    "confirm.button": 30,
    "plain_text_input.max_length": 3_000,
    "task.title": 256,
    "channel.name": 80,
    "channel.topic": 250,
    "history.page": 999,
    "response_url.uses": 5,
    "response_url.seconds": 1_800,
    "trigger.seconds": 3,
    "ack.seconds": 3,
    "socket.connections": 10,
    "socket.ticket_seconds": 30,
}


@dataclass(frozen=True)
class Rate:
    """A token bucket: `burst` calls at once, then `per_second`; one bucket a channel if `by_channel`."""

    burst: float
    per_second: float
    by_channel: bool = False


def _tier(per_minute: int) -> Rate:
    # Slack promises at least this many a minute and tolerates occasional bursts, so a full minute may come at once.
    return Rate(burst=per_minute, per_second=per_minute / 60)


TIER_2, TIER_3, TIER_4 = _tier(20), _tier(50), _tier(100)

# Methods that are not listed (auth.test, chat.getPermalink, apps.connections.open) have no limit worth playing here.
RATES: dict[str, Rate] = {
    "chat.postMessage": Rate(burst=3, per_second=1, by_channel=True),
    "chat.postEphemeral": TIER_4,
    "chat.update": TIER_3,
    "chat.delete": TIER_3,
    "conversations.list": TIER_2,
    "conversations.info": TIER_3,
    "conversations.history": TIER_3,
    "conversations.replies": TIER_3,
    "conversations.members": TIER_4,
    "conversations.join": TIER_3,
    "conversations.invite": TIER_3,
    "conversations.open": TIER_3,
    "conversations.create": TIER_2,
    "conversations.archive": TIER_2,
    "conversations.setTopic": TIER_2,
    "users.conversations": TIER_3,
    "users.info": TIER_4,
    "users.list": TIER_2,
    "users.lookupByEmail": TIER_3,
    "usergroups.list": TIER_2,
    "usergroups.users.list": TIER_2,
    "views.open": TIER_4,
    "views.push": TIER_4,
    "views.update": TIER_4,
    "views.publish": TIER_4,
    "reactions.add": TIER_3,
    "reactions.get": TIER_3,
    "pins.add": TIER_2,
    "bookmarks.add": TIER_2,
    "files.getUploadURLExternal": TIER_4,
    "files.completeUploadExternal": TIER_4,
    "files.info": TIER_4,
}

# One scope that opens the method; methods not listed need none.
SCOPES: dict[str, tuple[str, ...]] = {
    "chat.postMessage": ("chat:write",),
    "chat.postEphemeral": ("chat:write",),
    "chat.update": ("chat:write",),
    "chat.delete": ("chat:write",),
    "conversations.list": ("channels:read", "groups:read", "im:read", "mpim:read"),
    "conversations.info": ("channels:read", "groups:read", "im:read", "mpim:read"),
    "conversations.members": ("channels:read", "groups:read", "im:read", "mpim:read"),
    "conversations.history": ("channels:history", "groups:history", "im:history", "mpim:history"),
    "conversations.replies": ("channels:history", "groups:history", "im:history", "mpim:history"),
    "conversations.join": ("channels:join",),
    "conversations.create": ("channels:manage", "groups:write"),
    "conversations.invite": ("channels:manage", "groups:write"),
    "conversations.archive": ("channels:manage", "groups:write"),
    "conversations.setTopic": ("channels:manage", "groups:write"),
    "conversations.open": ("im:write", "mpim:write"),
    "users.conversations": ("channels:read", "groups:read", "im:read", "mpim:read"),
    "users.info": ("users:read",),
    "users.list": ("users:read",),
    "users.lookupByEmail": ("users:read.email",),
    "usergroups.list": ("usergroups:read",),
    "usergroups.users.list": ("usergroups:read",),
    "reactions.add": ("reactions:write",),
    "reactions.get": ("reactions:read",),
    "pins.add": ("pins:write",),
    "bookmarks.add": ("bookmarks:write",),
    "files.getUploadURLExternal": ("files:write",),
    "files.completeUploadExternal": ("files:write",),
    "files.info": ("files:read",),
}

ALL_SCOPES = frozenset(scope for scopes in SCOPES.values() for scope in scopes) | {"app_mentions:read", "commands"}

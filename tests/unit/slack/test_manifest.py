"""The app asks for what it uses and for nothing else."""

import re
from pathlib import Path

import yaml

from bot.slack.manifest import CHANNEL_EVENTS, EVENTS, SCOPES, manifest, manifest_yaml

CODE = Path(__file__).parents[3] / "bot" / "slack"
METHODS: dict[str, tuple[str, ...]] = {
    "apps.connections.open": (),
    "auth.test": (),
    "chat.postEphemeral": ("chat:write",),
    "chat.postMessage": ("chat:write",),
    "chat.update": ("chat:write",),
    "conversations.history": ("channels:history", "groups:history"),
    "conversations.info": ("channels:read", "groups:read"),
    "conversations.join": ("channels:join",),
    "conversations.members": ("channels:read", "groups:read"),
    "conversations.open": ("im:write",),
    "conversations.replies": ("channels:history", "groups:history"),
    "files.upload.v2": ("files:write",),
    "usergroups.users.list": ("usergroups:read",),
    "users.conversations": ("channels:read", "groups:read"),
    "users.info": ("users:read", "users:read.email"),
    "views.open": (),
    "views.publish": (),
    "views.update": (),
}
"""Every Web API method that the bot calls, and the scopes that it needs (docs.slack.dev, reference/methods)."""

EVENT_SCOPES = {
    "app_home_opened": "",
    "app_mention": "app_mentions:read",
    "message.im": "im:history",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
}
"""The scope that each event needs; "" for none."""


def called_methods() -> set[str]:
    """Every method of the web client that the Slack adapter names, as Slack spells it."""
    code = "\n".join(path.read_text() for path in CODE.rglob("*.py"))
    found = set(re.findall(r"(?:self|slack)\.web\.([a-z]+_[A-Za-z_0-9]+)", code))
    return {name.replace("_", ".") for name in found}


def test_every_method_in_the_code_is_in_the_table_and_covered_by_a_scope() -> None:
    assert called_methods() <= METHODS.keys()
    assert {scope for method in called_methods() for scope in METHODS[method]} <= SCOPES.keys()


def test_every_event_that_is_subscribed_to_has_its_scope() -> None:
    assert {*EVENTS, *CHANNEL_EVENTS} == EVENT_SCOPES.keys() and set(EVENT_SCOPES.values()) - {""} <= SCOPES.keys()


def test_a_channels_messages_are_asked_for_only_where_a_channel_is_a_source() -> None:
    without, reading = (
        manifest(reads_channels=reads)["settings"]["event_subscriptions"]["bot_events"] for reads in (False, True)
    )

    assert (without, reading) == (list(EVENTS), [*EVENTS, *CHANNEL_EVENTS])


def test_no_scope_is_asked_for_nothing() -> None:
    used = {scope for method in called_methods() for scope in METHODS[method]} | {"commands", *EVENT_SCOPES.values()} - {""}

    assert used == SCOPES.keys()


def test_socket_mode_is_the_default_and_an_address_switches_to_http() -> None:
    over_socket, over_http = manifest(), manifest("https://bot.example/")

    assert over_socket["settings"]["socket_mode_enabled"] is True
    assert over_http["settings"]["event_subscriptions"]["request_url"] == "https://bot.example/slack/events"
    assert over_http["features"]["slash_commands"][0]["url"] == "https://bot.example/slack/events"


def test_the_yaml_is_the_manifest_with_a_reason_for_each_scope() -> None:
    text = manifest_yaml()

    assert yaml.safe_load(text) == manifest()
    assert all(f"# {scope}: " in text for scope in SCOPES)

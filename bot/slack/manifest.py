"""The Slack app's manifest: the least it needs, each scope with its reason."""

import yaml

SCOPES: dict[str, str] = {
    "app_mentions:read": "Receive `@tocsin verb ...`, also in threads, where slash commands cannot be typed.",
    "channels:history": "Find its own message again by its key when Slack's answer to a post was lost.",
    "channels:join": "Enter a public channel of the configuration by itself instead of failing there.",
    "channels:read": "See whether a channel is private or shared: who may read there may ask about what belongs to it.",
    "chat:write": "Post and edit cards, and answer one person privately.",
    "commands": "Offer the slash command and the message shortcuts.",
    "files:write": "Upload the graph that stands in the triage.",
    "groups:history": "The same look-up as channels:history in private channels it was invited to.",
    "groups:read": "The same for private channels, and who is in them.",
    "im:history": "Read what people write to it directly: a message there is a verb line or a question.",
    "im:write": "Tell a person privately who cannot be reached where they asked.",
    "usergroups:read": "Read who is on call where the rota is a Slack user group.",
    "users:read": "See whether a person is a guest, a bot, deactivated or from another workspace.",
    "users:read.email": "Join a Slack user to the roster by e-mail.",
}
"""Bot scopes and why."""

EVENTS = ("app_home_opened", "app_mention", "message.im")
CHANNEL_EVENTS = ("message.channels", "message.groups")
"""Only where a channel is a source of alerts: Slack then sends every message of every channel that the bot is in."""

SHORTCUTS = (
    ("declare", "Declare incident...", "Declare an incident from this message"),
    ("note", "Add to timeline", "Write this message into the incident's timeline"),
    ("ask", "Ask the bot about this", "Answer this message from the evidence of the incident in this thread"),
    ("investigate", "Investigate", "Run the triage of the incident in this thread"),
)
"""Message shortcuts: the callback id is the verb."""


def manifest(
    url: str | None = None, *, name: str = "tocsin", command: str = "/incident", reads_channels: bool = False
) -> dict[str, object]:
    """The manifest as Slack takes it. Without `url` (the bot's public address) it uses Socket Mode.

    `reads_channels`: channels are sources of alerts.
    """
    endpoint = f"{url.rstrip('/')}/slack/events" if url else None
    address = {"request_url": endpoint} if endpoint else {}
    slash = {
        "command": command,
        "description": "Incidents: declare, list, ack, resolve, help",
        "usage_hint": "[verb] [AL-3]",
        "should_escape": True,
        **({"url": endpoint} if endpoint else {}),
    }
    return {
        "display_information": {"name": name, "description": "Incident response: alerts, causes, approvals, postmortems"},
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": name, "always_online": True},
            "slash_commands": [slash],
            "shortcuts": [
                {"name": label, "type": "message", "callback_id": verb, "description": why} for verb, label, why in SHORTCUTS
            ],
        },
        "oauth_config": {"scopes": {"bot": sorted(SCOPES)}},
        "settings": {
            "event_subscriptions": {**address, "bot_events": [*EVENTS, *(CHANNEL_EVENTS if reads_channels else ())]},
            "interactivity": {"is_enabled": True, **address},
            "org_deploy_enabled": False,
            "socket_mode_enabled": endpoint is None,
            "token_rotation_enabled": False,
        },
    }


def manifest_yaml(
    url: str | None = None, *, name: str = "tocsin", command: str = "/incident", reads_channels: bool = False
) -> str:
    """The manifest as YAML, with the reason of each scope in front."""
    reasons = "".join(f"# {scope}: {why}\n" for scope, why in sorted(SCOPES.items()))
    body = yaml.safe_dump(
        manifest(url, name=name, command=command, reads_channels=reads_channels), sort_keys=False, allow_unicode=True
    )
    return f"# Scopes and why:\n{reasons}{body}"

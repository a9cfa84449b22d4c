"""Asks Slack whether the bot is set up: token, scopes, membership, and how events reach it."""

from collections.abc import Awaitable, Callable, Mapping

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.core.check import Check, failed, ok
from bot.slack.client import web_client
from bot.slack.manifest import SCOPES

_REINSTALL = "paste the output of `tocsin manifest` at api.slack.com/apps and install the app again"
_INSTALL = "paste the output of `tocsin manifest` at api.slack.com/apps, install the app, and set the bot token it gives"
_ADVICE = {
    "invalid_auth": "copy the token again from api.slack.com/apps",
    "not_authed": "copy the token again from api.slack.com/apps",
    "account_inactive": "the app was removed from the workspace: install it again",
    "token_revoked": "install the app again and copy the new token",
    "not_allowed_token_type": "the bot token begins with xoxb-, the app-level token with xapp-",
    "missing_scope": _REINSTALL,
    "is_archived": "name another channel in tocsin.yaml, or unarchive it",
    "channel_not_found": "use the channel's id (C...), and invite the bot if the channel is private",
    "ratelimited": "try again in a minute",
}


async def check_slack(
    token: str, app_token: str, signing_secret: str, api_url: str, channels: Mapping[str, str]
) -> list[Check]:
    """The checks, in order. `channels` are ids with what they are for. Nothing is posted and nothing joined."""
    if not token:
        return [failed("Slack token", "TOCSIN_SLACK_BOT_TOKEN is empty", _INSTALL)]
    client = web_client(token, api_url)
    identity = await _identity(client)
    if identity[0].state == "failed":
        return identity
    memberships = [await _membership(client, channel, why) for channel, why in channels.items()]
    return [*identity, *memberships, await _events(client, app_token, signing_secret)]


async def _identity(client: AsyncWebClient) -> list[Check]:
    scopes: list[Check] = []

    async def check() -> Check:
        answer = await client.auth_test()
        headers = {str(name).lower(): str(value) for name, value in answer.headers.items()}
        scopes.append(_scopes(headers.get("x-oauth-scopes", "")))
        return ok("Slack token", f"{answer['user']} in {answer['team']}")

    return [await _checked("Slack token", check), *scopes]


def _scopes(header: str) -> Check:
    granted = {scope.strip() for scope in header.split(",") if scope.strip()}
    missing = sorted(set(SCOPES) - granted)
    if missing:
        return failed("Slack scopes", f"missing: {', '.join(missing)}", _REINSTALL)
    surplus = sorted(granted - set(SCOPES))
    return ok("Slack scopes", f"all {len(SCOPES)}", f"not needed: {', '.join(surplus)}" if surplus else "")


async def _membership(client: AsyncWebClient, channel: str, why: str) -> Check:
    name = f"Slack channel {channel} ({why})"

    async def check() -> Check:
        try:
            # The cheapest question that membership decides, with a scope the bot has anyway.
            await client.conversations_history(channel=channel, limit=1)
        except SlackApiError as error:
            if _reason(error) != "not_in_channel":
                raise
            return ok(name, "public, not joined yet", "the bot joins by itself when it first posts there")
        return ok(name, "the bot is in it")

    return await _checked(name, check)


async def _events(client: AsyncWebClient, app_token: str, signing_secret: str) -> Check:
    async def check() -> Check:
        await client.apps_connections_open(app_token=app_token)
        return ok("Slack events", "Socket Mode answers")

    if app_token:
        return await _checked("Slack events", check)
    if signing_secret:
        advice = "Slack must reach /slack/events: see `tocsin manifest --url`"
        return ok("Slack events", "HTTP mode: a signing secret is set", advice)
    return failed(
        "Slack events", "neither TOCSIN_SLACK_APP_TOKEN nor TOCSIN_SLACK_SIGNING_SECRET is set",
        "make an app-level token with connections:write (Socket Mode), or copy the signing secret (HTTP mode)",
    )  # fmt: skip


async def _checked(name: str, check: Callable[[], Awaitable[Check]]) -> Check:
    try:
        return await check()
    except SlackApiError as error:
        if not (reason := _reason(error)):
            status = getattr(error.response, "status_code", "no")
            advice = "another server or a proxy answers in Slack's place: check TOCSIN_SLACK_API_URL and the proxy's settings"
            return failed(name, f"what answers is not Slack (HTTP {status}, without JSON)", advice)
        return failed(name, f"Slack answered {reason}", _ADVICE.get(reason, "see the method's errors at api.slack.com/methods"))
    except (aiohttp.ClientError, SlackClientError, TimeoutError, OSError) as error:
        return failed(name, f"Slack was not reached ({type(error).__name__})", "check the network and a proxy's settings")


def _reason(error: SlackApiError) -> str:
    """Slack's word for it; "" where the answer is none of Slack's, such as a proxy's page."""
    content = getattr(error.response, "data", error.response)
    return str(content.get("error") or "") if isinstance(content, dict) else ""

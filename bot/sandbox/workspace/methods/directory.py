"""auth.test, users.* and usergroups.*: who is who."""

from __future__ import annotations

from bot.sandbox.workspace.errors import Refused
from bot.sandbox.workspace.methods.registry import Args, Json, method, page
from bot.sandbox.workspace.people import APP_ID, BOT_ID, BOT_NAME, BOT_USER_ID, TEAM_ID, TEAM_NAME
from bot.sandbox.workspace.state import Workspace


@method("auth.test")
async def auth_test(ws: Workspace, args: Args) -> Json:
    """Who the token belongs to."""
    return {
        "url": f"{ws.base_url}/",
        "team": TEAM_NAME,
        "team_id": TEAM_ID,
        "user": BOT_NAME,
        "user_id": BOT_USER_ID,
        "bot_id": BOT_ID,
        "is_enterprise_install": False,
    }


@method("bots.info")
async def bot_info(ws: Workspace, args: Args) -> Json:
    """The bot itself."""
    if args.text("bot", BOT_ID) != BOT_ID:
        raise Refused("bot_not_found")
    return {"bot": {"id": BOT_ID, "app_id": APP_ID, "user_id": BOT_USER_ID, "name": BOT_NAME, "deleted": False}}


@method("team.info")
async def team_info(ws: Workspace, args: Args) -> Json:
    """The workspace itself."""
    return {"team": {"id": TEAM_ID, "name": TEAM_NAME, "domain": "sandbox"}}


@method("users.info")
async def user_info(ws: Workspace, args: Args) -> Json:
    """One person."""
    return {"user": _visible(ws, ws.person(args.need("user")).as_slack())}


@method("users.list")
async def user_list(ws: Workspace, args: Args) -> Json:
    """Everybody, the deactivated too."""
    shown, cursor = page([p for p in ws.people.values() if p.team_id == TEAM_ID], args, 1000)
    return {"members": [_visible(ws, p.as_slack()) for p in shown], "response_metadata": cursor}


@method("users.lookupByEmail")
async def lookup_by_email(ws: Workspace, args: Args) -> Json:
    """An active member of this workspace by e-mail address."""
    email = args.need("email").lower()
    for person in ws.people.values():
        if person.email.lower() == email and not person.deleted and person.team_id == TEAM_ID:
            return {"user": person.as_slack()}
    raise Refused("users_not_found")


def _visible(ws: Workspace, user: Json) -> Json:
    """Addresses are shown only to apps that may read them."""
    if "users:read.email" not in ws.scopes:
        user["profile"].pop("email", None)
    return user


@method("usergroups.list")
async def usergroup_list(ws: Workspace, args: Args) -> Json:
    """All user groups; with their members if `include_users` is set."""
    groups = [group.as_slack() for group in ws.usergroups.values()]
    if not args.flag("include_users"):
        groups = [{k: v for k, v in group.items() if k != "users"} for group in groups]
    return {"usergroups": groups}


@method("usergroups.users.list")
async def usergroup_users(ws: Workspace, args: Args) -> Json:
    """The members of one user group."""
    group = ws.usergroups.get(args.need("usergroup"))
    if group is None:
        raise Refused("no_such_subteam")
    return {"users": list(group.users)}

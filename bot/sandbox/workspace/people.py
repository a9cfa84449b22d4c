"""Who is in the workspace: people by role, the bot, strangers of shared channels, user groups."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

TEAM_ID = "T0SANDBOX"
TEAM_NAME = "Sandbox"
BOT_USER_ID = "U0TOCSIN"
BOT_ID = "B0TOCSIN"
APP_ID = "A0TOCSIN"
BOT_NAME = "tocsin"


@dataclass
class Person:
    """A member of the workspace, or a stranger (`team_id` differs) of a shared channel."""

    id: str
    name: str
    title: str = ""
    email: str = ""
    team_id: str = TEAM_ID
    is_bot: bool = False
    is_guest: bool = False
    is_single_channel_guest: bool = False
    deleted: bool = False
    is_admin: bool = False
    tz: str = "Etc/UTC"

    def as_slack(self) -> Json:
        """The user object of `users.info`."""
        real_name = self.name.capitalize()
        profile: Json = {"real_name": real_name, "display_name": self.name, "title": self.title}
        if self.email:
            profile["email"] = self.email
        return {
            "id": self.id,
            "team_id": self.team_id,
            "name": self.name,
            "real_name": real_name,
            "deleted": self.deleted,
            "tz": self.tz,
            "tz_label": "Coordinated Universal Time",
            "tz_offset": 0,
            "profile": {**profile, "team": self.team_id},
            "is_admin": self.is_admin,
            "is_owner": False,
            "is_bot": self.is_bot,
            "is_app_user": False,
            "is_restricted": self.is_guest or self.is_single_channel_guest,
            "is_ultra_restricted": self.is_single_channel_guest,
            "is_stranger": self.team_id != TEAM_ID,
            "updated": 0,
        }


@dataclass
class UserGroup:
    """A user group (`@checkout-oncall`), mentioned as `<!subteam^ID>`."""

    id: str
    handle: str
    users: list[str] = field(default_factory=list)

    def as_slack(self) -> Json:
        """The user group object of `usergroups.list`."""
        return {
            "id": self.id,
            "team_id": TEAM_ID,
            "is_usergroup": True,
            "name": self.handle,
            "handle": self.handle,
            "users": self.users,
            "user_count": len(self.users),
            "date_delete": 0,
        }


def default_people() -> dict[str, Person]:
    """Five people by role, and the bot."""
    people = [
        Person("U1", "alice", "on-call engineer", "alice@example.com"),
        Person("U2", "bob", "incident commander", "bob@example.com", is_admin=True),
        Person("U3", "carol", "developer", "carol@example.com"),
        Person("U4", "guest", "guest", "guest@example.net", is_guest=True),
        Person("U5", "dave", "service owner", "dave@example.com"),
        Person(BOT_USER_ID, BOT_NAME, "app", is_bot=True),
    ]
    return {person.id: person for person in people}

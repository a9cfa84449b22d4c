"""Who speaks: Slack's word on a user, kept for a minute, joined to the roster by id or by e-mail."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.core.actor import Actor
from bot.core.config import Person
from bot.core.errors import QueryFailed
from bot.slack.client import SlackClient
from bot.workflows.messages.delivery import RateLimited, Refused, Unanswered, Unreachable

KEPT_SECONDS = 60.0
"""How long a look at a user or a user group is believed: people who leave lose their rights within a minute."""
MOST = 5000


@dataclass(frozen=True)
class _Look:
    at: float
    user: Mapping[str, Any]


class People:
    """Turns Slack user ids into actors. Raises QueryFailed when Slack cannot be asked: then nobody is anybody."""

    def __init__(
        self, slack: SlackClient, people: Mapping[str, Person], *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._slack, self._monotonic = slack, monotonic
        self._by_slack = {person.slack: key for key, person in people.items() if person.slack}
        self._by_email = {person.email.lower(): key for key, person in people.items() if person.email}
        self._looks: dict[str, _Look] = {}
        self._team = ""

    async def team(self) -> str:
        """Our workspace's id; asked once."""
        if not self._team:
            answer = await self._ask("our own workspace", self._slack.web.auth_test)
            self._team = str(answer["team_id"])
        return self._team

    async def actor(self, user: str, *, home: str = "", fresh: bool = False) -> Actor:
        """The person behind a Slack user id. `home` is their workspace as the interaction tells it, if it does.

        `fresh`: ask Slack now; who may approve is never answered from memory.
        """
        ours = await self.team()
        if fresh:
            self._looks.pop(user, None)
        found = await self._user(user)
        teams = {home or ours, str(found.get("team_id") or ours)}
        stranger = teams != {ours} or bool(found.get("is_stranger"))
        guest = bool(found.get("is_restricted") or found.get("is_ultra_restricted"))
        robot = bool(found.get("is_bot") or found.get("is_workflow_bot") or user == "USLACKBOT")
        gone = bool(found.get("deleted"))
        # A guest may be listed by mistake; someone of another workspace may carry any address.
        person = "" if stranger or robot or gone else self._person(user, found)
        return Actor(
            team=home or ours, user=user, person=person, is_bot=robot, is_guest=guest, is_deleted=gone, is_stranger=stranger
        )

    async def usergroup(self, group: str) -> frozenset[str]:
        """User ids in a Slack user group now; raises QueryFailed."""
        answer = await self._ask(f"user group {group}", self._slack.web.usergroups_users_list, usergroup=group)
        return frozenset(answer.get("users", ()))

    def _person(self, user: str, found: Mapping[str, Any]) -> str:
        email = str((found.get("profile") or {}).get("email") or "").lower()
        return self._by_slack.get(user) or (self._by_email.get(email, "") if email else "")

    async def _user(self, user: str) -> Mapping[str, Any]:
        known = self._looks.get(user)
        if known and self._monotonic() - known.at < KEPT_SECONDS:
            return known.user
        answer = await self._ask("who you are", self._slack.web.users_info, user=user)
        if len(self._looks) >= MOST:
            self._looks.clear()
        self._looks[user] = _Look(self._monotonic(), answer["user"])
        return self._looks[user].user

    async def _ask(self, what: str, method: Any, **arguments: Any) -> Any:
        try:
            return await self._slack.call(method, **arguments)
        except (Refused, RateLimited, Unanswered, Unreachable) as error:
            raise QueryFailed(f"Could not look up {what}: {error}. Nothing was done; try again.") from error

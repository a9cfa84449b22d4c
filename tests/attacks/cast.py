"""Who plays: one Slack account a role, with the rights that the configuration of the stage gives them."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Member:
    """One account of the workspace; `person` is the roster key, empty for people outside of it."""

    user: str
    name: str
    person: str = ""
    more: dict[str, Any] = field(default_factory=dict)


CAST: dict[str, Member] = {
    "on_call": Member("U0FAKEONCALL", "oncall", "oncall"),
    "secondary": Member("U0FAKESECOND", "second", "second"),
    "commander": Member("U0FAKEIC0001", "commander", "commander"),
    "new_commander": Member("U0FAKEIC0003", "relief", "relief"),
    "deputy": Member("W0FAKEIC0002", "deputy", "deputy"),
    "owner": Member("U0FAKEOWNER1", "owner", "owner"),
    "admin": Member("U0FAKEADMIN1", "admin", "admin"),
    "outsider": Member("U0FAKEMOLE01", "mole", "mole"),
    # The guest and the bot carry the commander's name: a name must never count.
    "guest": Member("U0FAKEGUEST1", "commander", "", {"is_guest": True, "is_single_channel_guest": True}),
    "bot": Member("U0FAKEBOT001", "helperbot", "", {"is_bot": True}),
    "stranger": Member("U0FAKEEXT001", "commander", "", {"team": "T0ELSEWHERE"}),
}
TEAM = "T0SANDBOX"
ON_CALL_GROUP = "S0FAKEONCALL"


def member(role: str) -> Member:
    """The account that plays a role."""
    return CAST[role]


def people() -> dict[str, Any]:
    """The `people` of tocsin.yaml."""
    return {m.person: {"slack": m.user} for m in CAST.values() if m.person}


def accounts() -> list[dict[str, Any]]:
    """The accounts as the sandbox takes them; everybody is in every channel."""
    return [{"id": m.user, "name": m.name, **m.more} for m in CAST.values()]


def channel_of(service: str) -> str:
    """Each service talks in a channel of its own: Slack takes one message a second in each."""
    return "C" + service.upper().replace("-", "")

"""People, who is on call, and services."""

from datetime import timedelta

from pydantic import Field

from bot.core.config.fields import ConfigSection, Duration, Moment, SlackId, TimeZone
from bot.core.service import Objective, Signal


def plain_email(address: str) -> str:
    """An address as it is compared: without white space around it and without capitals, which no mail system tells apart."""
    return address.strip().casefold()


class Person(ConfigSection):
    slack: SlackId = ""
    """Slack user id (U...). Identity is team id and user id, never a name."""
    email: str = ""
    name: str = ""
    same_as: str = ""
    """The key of the same human's main entry, where somebody has two accounts: both are that one person."""


class OnCall(ConfigSection):
    """Either a rotation from a start, or a Slack user group. The first named is on call now, the next is the secondary."""

    rotation: tuple[str, ...] = ()
    every: Duration = timedelta(weeks=1)
    starts: Moment | None = None
    # Left out of dumps where it is empty: the version of a policy without one is the one that it always was.
    time_zone: TimeZone = Field(default="", exclude_if=lambda zone: not zone)
    """Whose clocks the hand-over follows: at nine in winter and in summer. Empty: every so many hours since `starts`."""
    usergroup: SlackId = ""

    def notice(self, *, has_members: bool) -> str:
        """What of it has no effect; "" if all of it has. `has_members`: whether anybody's Slack id is known."""
        if self.usergroup and self.rotation:
            return "the usergroup counts, and nobody reads the rotation beside it"
        if self.usergroup and not has_members:
            return "nobody of the usergroup is called: name its members under `people`, with their `slack` ids"
        if len(self.rotation) > 1 and self.starts is None:
            first, second = self.rotation[:2]
            return f"nobody takes turns without `starts`: {first} is always on call, and {second} always the secondary"
        return ""


class KnownAs(ConfigSection):
    """What other systems call a service: tools take the service's name and never an address."""

    github: str = Field(default="", pattern=r"^$|^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$")
    """owner/repository."""
    argocd: str = Field(default="", pattern=r"^$|^[a-z0-9.-]+$")
    """The application."""
    helm: str = Field(default="", pattern=r"^$|^[a-z0-9-]+/[a-z0-9.-]+$")
    """namespace/release."""
    kubernetes: str = Field(default="", pattern=r"^$|^[a-z0-9-]+/[a-z0-9.-]+$")
    """namespace/name of its deployment, stateful set or daemon set; else that of `deployment`."""
    mlflow: str = Field(default="", pattern=r"^[^/:'\"\\]*$")
    """The registered model that the service serves."""
    jira: str = Field(default="", pattern=r"^$|^[A-Z][A-Z0-9_]{1,19}$")
    """The key of its project."""


class ServiceConfig(ConfigSection):
    owners: tuple[str, ...] = ()
    on_call: OnCall = OnCall()
    channel: SlackId = ""
    depends_on: tuple[str, ...] = ()
    match: dict[str, str] = Field(default_factory=dict)
    deployment: dict[str, str] = Field(default_factory=dict)
    signals: dict[str, Signal] = Field(default_factory=dict)
    objectives: dict[str, Objective] = Field(default_factory=dict)
    known_as: KnownAs = KnownAs()

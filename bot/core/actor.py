"""Who speaks or presses, as Slack signed it and the roster knows it; and what they may read.

A group or incident belongs to a channel, and whoever could not read there learns nothing of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Actor:
    """Identity is (team, user), never a name; `person` is the roster key, empty for strangers.

    Only full human members of our workspace count in an approval.
    """

    team: str = ""
    user: str = ""
    person: str = ""
    is_bot: bool = False
    is_guest: bool = False
    is_deleted: bool = False
    is_stranger: bool = False
    """From another workspace."""


@dataclass(frozen=True)
class ChannelAccess:
    """A channel as Slack knows it now. `members` are those of a private one; of a public one they do not matter."""

    is_private: bool = False
    is_shared: bool = False
    """With people of other workspaces."""
    members: frozenset[str] = frozenset()


UNKNOWN = ChannelAccess(is_private=True, is_shared=True)
"""Slack did not say: nobody is known to be in it."""


@dataclass(frozen=True)
class Visibility:
    """The channel that a group or incident belongs to; `is_private`: its members alone read it, also of a public channel."""

    channel: str
    is_private: bool = False


def visible_in(channel: str) -> frozenset[Visibility]:
    """Whatever stands in one channel."""
    return frozenset((Visibility(channel), Visibility(channel, is_private=True)))


def is_direct(channel: str) -> bool:
    """Whether nobody but one person and the bot is there: a direct conversation, the home tab."""
    return not channel or channel.startswith("D")


def may_read(actor: Actor, channel: str, here: str, access: ChannelAccess) -> bool:
    """Whether somebody who asks in `here` may read what belongs to `channel`, as Slack knows that one now.

    What stands in the channel where they ask, they read anyhow. Beyond it full members read what belongs to a public
    channel, or to a private one that they are in; guests, bots and people of other workspaces nothing.
    """
    if channel and channel == here:
        return True
    if actor.is_guest or actor.is_stranger or actor.is_bot or actor.is_deleted:
        return False
    return not access.is_private or actor.user in access.members


def may_recall(of: Visibility, here: str, access: ChannelAccess, here_access: ChannelAccess) -> bool:
    """Whether an investigation in `here` may name a past incident: whoever reads there may read that one too."""
    return of.channel == here or not (of.is_private or access.is_private or here_access.is_shared)


def may_fall_back(of: Visibility, here: str, access: ChannelAccess, here_access: ChannelAccess) -> bool:
    """Whether what its own channel refuses may stand in `here`: only what belongs to a channel known to be everybody's."""
    return may_recall(of, here, access, here_access) and not access.is_shared


def may_answer_in(channel: str, here: str, access: ChannelAccess, here_access: ChannelAccess) -> bool:
    """Whether an answer about `channel` may stand in `here`, where others than the one who asked read it too."""
    return channel == here or is_direct(here) or not (access.is_private or here_access.is_private or here_access.is_shared)


@dataclass(frozen=True)
class KnownChannels:
    """What Slack said lately of channels, for those who cannot wait for it: of every other one nobody is known to be in it."""

    access: Mapping[str, ChannelAccess] = field(default_factory=dict)

    def may_name(self, of: Visibility, here: str) -> bool:
        """Whether whoever reads `here` may read that one too."""
        return may_recall(of, here, self.access.get(of.channel, UNKNOWN), self.access.get(here, UNKNOWN))

    def may_share_card(self, one: Visibility, other: Visibility) -> bool:
        """Whether what belongs to both may stand on one card, in whichever of both channels."""
        return self.may_name(one, other.channel) and self.may_name(other, one.channel)


NONE_KNOWN = KnownChannels()

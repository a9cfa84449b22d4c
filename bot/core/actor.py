"""Who speaks or presses, as Slack signed it and the roster knows it."""

from dataclasses import dataclass


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

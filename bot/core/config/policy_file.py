"""The shape of policy.yaml: what decides rights, where a team keeps it in a file with reviewers of its own.

Each key means what it means in tocsin.yaml, `tiers` what `tier` means in the entries of `actions`.
"""

from typing import Literal

from pydantic import Field

from bot.core.config.actions import Approvers, Freeze, Limits, Solo, SoloMode
from bot.core.config.autonomy import OfService, StandingApprovalsConfig
from bot.core.config.fields import ConfigSection


class PolicyKeys(ConfigSection):
    """What decides rights: keys of tocsin.yaml that policy.yaml may hold in its place."""

    approvers: Approvers = Approvers()
    solo: Solo = SoloMode.AFTER
    break_glass: tuple[str, ...] = ()
    """Who may approve alone in an emergency: loud, with a reason, reviewed by somebody else."""
    autonomy: dict[str, OfService] = Field(default_factory=dict)
    """Service -> how far Tocsin goes by itself there; approve where nothing is said."""
    standing_approvals: StandingApprovalsConfig = StandingApprovalsConfig()
    freezes: tuple[Freeze, ...] = ()
    limits: Limits = Limits()


class PolicyFile(PolicyKeys):
    """policy.yaml, whole. A version that is not known is refused: half understood, it would decide something else."""

    version: Literal[1]
    tiers: dict[str, int] = Field(default_factory=dict)
    """Entry of `actions` -> the tier that it has at least."""

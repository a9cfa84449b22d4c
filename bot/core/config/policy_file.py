"""The shape of policy.yaml: what decides rights, where a team keeps it in a file with reviewers of its own.

Each key means what it means in tocsin.yaml, `tiers` what `tier` means in the entries of `actions`.
"""

from typing import Literal

from pydantic import Field

from bot.core.config.actions import Approvers, Freeze, Limits, Solo, SoloMode
from bot.core.config.autonomy import OfService, StandingConfig
from bot.core.config.fields import ConfigSection


class PolicyFile(ConfigSection):
    """policy.yaml, whole. A version that is not known is refused: half understood, it would decide something else."""

    version: Literal[1]
    approvers: Approvers = Approvers()
    solo: Solo = SoloMode.AFTER
    break_glass: tuple[str, ...] = ()
    autonomy: dict[str, OfService] = Field(default_factory=dict)
    standing: StandingConfig = StandingConfig()
    freezes: tuple[Freeze, ...] = ()
    limits: Limits = Limits()
    tiers: dict[str, int] = Field(default_factory=dict)
    """Entry of `actions` -> the tier that it has at least."""

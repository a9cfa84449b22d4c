"""How many copies of a target an action may take away at once, where the dry run could count them."""

from bot.core.action import Replicas
from bot.core.approvals.policy_types import ActionRequest, Rule, RuleResult
from bot.core.text.untrusted import counted

MAX_AWAY_PERCENT = 30
"""Of the copies of one target; one always may. Nothing in a configuration raises it."""


def most_away(desired: int) -> int:
    """How many of so many copies may be away at once."""
    return max(1, desired * MAX_AWAY_PERCENT // 100)


def replicas_away(request: ActionRequest) -> RuleResult | None:
    """Refuses what takes too large a share of a target's copies away at once."""
    for target, replicas in sorted(request.replicas.items()):
        if replicas.away > most_away(replicas.desired):
            return RuleResult(False, Rule.BLAST_RADIUS, _text(target, replicas), _INSTEAD)
    return None


def _text(target: str, replicas: Replicas) -> str:
    of = f"{replicas.away} of {counted(replicas.desired, 'pod')} of {target}"
    limit = f"{most_away(replicas.desired)} ({MAX_AWAY_PERCENT} %, or one)"
    return f"Blast radius: this takes {of} away at once, and an action may take {limit}: the rest may be too few for the load."


_INSTEAD = "nobody here; lower maxUnavailable of its strategy or take smaller steps, or do it by hand and record it with `did`"

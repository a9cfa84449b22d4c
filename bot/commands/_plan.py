"""A proposal in full, as people approve it: what a dialog shows whole or not at all; and the answer to it."""

import json

from bot.core.action import DecisionChoice, Proposal
from bot.plugins import Request
from bot.store.approvals.decisions import Press

MAX_CODE_CHARACTERS = 2800
"""Characters that one code block of a dialog shows whole."""


def plan_of(proposal: Proposal) -> str:
    """Action, targets, arguments, steps and dry run, one below the other."""
    parts = [
        f"{proposal.ref} revision {proposal.revision}, {proposal.tier.label}",
        f"action: {proposal.action} ({proposal.action_version}) on {proposal.service}",
        "targets: " + ", ".join(f"{name}{f' at {v}' if v else ''}" for name, v in sorted(proposal.targets.items())),
        "arguments: " + json.dumps(proposal.arguments, sort_keys=True, ensure_ascii=False),
        *(f"{number}. {step}" for number, step in enumerate(proposal.steps, 1)),
        "dry run:" if proposal.dry_run_ok else "dry run (did not work):",
        proposal.dry_run,
    ]
    return "\n".join(parts)


def fits(proposal: Proposal) -> bool:
    """Whether the plan can be shown whole; what cannot be seen cannot be approved."""
    return sum(map(_sent_characters, plan_of(proposal))) <= MAX_CODE_CHARACTERS


def _sent_characters(char: str) -> int:
    """Characters that Slack is sent for this one: markup becomes an entity, an invisible character an escape."""
    return 5 if char in "&<>" else 1 if char == "\n" or char.isprintable() else 10


def target_name(proposal: Proposal) -> str:
    """What has to be typed at tier 3: the one target, else the service."""
    return next(iter(proposal.targets)) if len(proposal.targets) == 1 else proposal.service


def press_of(request: Request, revision: int, verdict: DecisionChoice, reason: str = "") -> Press:
    """The answer that a request gives to a proposal."""
    return Press(
        ref=request.ref,
        revision=revision,
        actor=request.actor,
        verdict=verdict,
        reason=reason.strip()[:500],
        key=request.key,
        card=request.message,
        channel=request.channel,
    )

"""The exact request of a proposal as people read it: the whole of it, or it cannot be approved."""

import json

from bot.core.action import Proposal, Tier

MAX_CONFIRMED = 200
"""Characters of a request that the small dialog of one press shows whole, beside its title."""


def request_text(proposal: Proposal) -> str:
    """Action, arguments, targets, steps and dry run, exactly as the record has them."""
    targets = ", ".join(f"{name}{f' at {version}' if version else ''}" for name, version in sorted(proposal.targets.items()))
    return "\n".join(
        [
            f"{proposal.action} {json.dumps(proposal.arguments, sort_keys=True, ensure_ascii=False)}",
            f"targets: {targets}",
            *(f"{number}. {step}" for number, step in enumerate(proposal.steps, 1)),
            "dry run:" if proposal.dry_run_ok else "dry run (did not work):",
            proposal.dry_run,
        ]
    )


def confirmed_at_once(proposal: Proposal) -> bool:
    """Whether one press and its small dialog may approve it: tier 1, and the dry run stands in that dialog whole."""
    return proposal.tier is Tier.ONE and len(proposal.dry_run) <= MAX_CONFIRMED and proposal.dry_run.isascii()


def effect_text(proposal: Proposal) -> str:
    """What will happen, in words: `Roll back catalogue: 5.1.0 → 5.0.3`."""
    now, then = (proposal.arguments.get(name) for name in ("version", "previous_version"))
    return f"{proposal.title}: {now} → {then}" if now and then else proposal.title

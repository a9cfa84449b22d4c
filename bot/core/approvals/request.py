"""The exact request of a proposal as people read it: the whole of it, or it cannot be approved."""

import json
from collections.abc import Iterator

from bot.core.action import Plan, Proposal, Tier
from bot.core.text.untrusted import one_line

MAX_CODE_CHARACTERS = 2800
"""Characters that one code block of a dialog shows whole."""
MAX_CONFIRMED = 200
"""Characters of a request that the small dialog of one press shows whole, beside its title."""

MOST_ARGUMENTS, LONGEST_ARGUMENT = 2, 40
"""Arguments that stand in a card's title, and characters of each: all of them are behind Details."""
_CHOSEN = ("replicas", "revision", "history_id", "flag", "value")
"""Arguments of the actions' own that say what one run does; those of `parameters` do too."""


def request_text(proposal: Proposal) -> str:
    """Action, arguments, targets, steps and dry run, exactly as the record has them; of a plan each step's."""
    if proposal.parts:
        return "\n".join([_heading(proposal), *_parts(proposal)])
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


def plan_text(proposal: Proposal) -> str:
    """Reference, action, targets, arguments, steps and dry run, one below the other: what the dialog of an approval shows."""
    if proposal.parts:
        first = f"{proposal.ref} revision {proposal.revision}, {proposal.tier.label}"
        return "\n".join([first, _heading(proposal), *_parts(proposal)])
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


def _heading(plan: Plan) -> str:
    order = "each waits until the one before is verified; the first that is not ends the plan"
    return f"plan {plan.action} on {plan.service}: {len(plan.parts)} steps, {order}"


def _parts(plan: Plan) -> Iterator[str]:
    """Every step as its action would stand there alone, with what undoes it."""
    for number, part in enumerate(plan.parts, 1):
        yield f"step {number} of {len(plan.parts)}: {part.title}, {part.tier.label}, {undo_text(part)}"
        yield f"{part.action} ({part.action_version}) {json.dumps(part.arguments, sort_keys=True, ensure_ascii=False)}"
        yield "targets: " + ", ".join(f"{name}{f' at {v}' if v else ''}" for name, v in sorted(part.targets.items()))
        yield "dry run:" if part.dry_run_ok else "dry run (did not work):"
        yield part.dry_run


def undo_text(plan: Plan) -> str:
    """What undoes one action, or that nothing does."""
    return f"undo: {plan.undo}" if plan.undo else "no undo"


def may_be_approved(proposal: Proposal) -> bool:
    """Whether the card has an Approve button: people decide this tier, and what they approve can be shown whole."""
    shown = (plan_text(proposal), request_text(proposal))
    return (
        proposal.autonomy.runs
        and proposal.tier in (Tier.ONE, Tier.TWO, Tier.THREE)
        and all(sum(map(_sent_characters, text)) <= MAX_CODE_CHARACTERS for text in shown)
    )


def _sent_characters(char: str) -> int:
    """Characters that Slack is sent for this one at most: markup, dots of an address, and invisible characters are escaped."""
    if char in "&<>":
        return 5
    return 3 if char in ".:/@" else 1 if char == "\n" or char.isprintable() else 10


def confirmed_at_once(proposal: Proposal) -> bool:
    """Whether one press and its small dialog may approve it: tier 1, and the dry run stands in that dialog whole."""
    return proposal.tier is Tier.ONE and len(proposal.dry_run) <= MAX_CONFIRMED and proposal.dry_run.isascii()


def effect_text(proposal: Proposal) -> str:
    """What will happen, in words: `Roll back catalogue: 5.1.0 → 5.0.3`, `Scale checkout: replicas 4`."""
    now, then = (proposal.arguments.get(name) for name in ("version", "previous_version"))
    if now and then:
        return f"{proposal.title}: {now} → {then}"
    chosen = [text for text in _argument_texts(proposal) if text.partition(" ")[2] not in proposal.title.split()]
    more = f" and {len(chosen) - MOST_ARGUMENTS} more" if len(chosen) > MOST_ARGUMENTS else ""
    return f"{proposal.title}: {', '.join(chosen[:MOST_ARGUMENTS])}{more}" if chosen else proposal.title


def _argument_texts(proposal: Proposal) -> Iterator[str]:
    """`replicas 4`: what was chosen for this run."""
    parameters = proposal.arguments.get("parameters")
    own = {name: proposal.arguments[name] for name in _CHOSEN if name in proposal.arguments}
    for name, value in {**own, **(parameters if isinstance(parameters, dict) else {})}.items():
        if isinstance(value, (int, str)) and not isinstance(value, bool) and value != "":
            yield f"{name} {one_line(str(value), LONGEST_ARGUMENT)}"

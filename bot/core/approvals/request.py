"""The exact request of a proposal as people read it: the whole of it, or it cannot be approved."""

import json
import re
from collections.abc import Iterator

from bot.core.action import Plan, Proposal, Tier
from bot.core.text.untrusted import one_line

MAX_CODE_CHARACTERS = 2800
"""Characters that one code block of a dialog shows whole."""
MAX_CONFIRMED = 200
"""Characters of a request that the small dialog of one press shows whole, beside its title."""
TITLE, TITLE_BESIDE_MOMENT = 60, 30
"""Characters of the title in that dialog; fewer where it says that the alerts have cleared."""
_SPACE = ((TITLE, 280), (TITLE_BESIDE_MOMENT, 250))
"""Of the 300 characters that Slack takes there, what is left for a title of so many and the request, as they are sent."""

MAX_ARGUMENTS, LONGEST_ARGUMENT, SHORTEST_NAME = 2, 60, 4
"""Arguments in a card's title and characters of each (all are behind Details); of a name that the title need not repeat."""
_GOALS = ("revision", "history_id")
_SHOWN_ARGUMENTS = ("replicas", *_GOALS, "flag", "value")
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
    """What the dialog of an approval shows, line by line: reference, undo, action, targets, arguments, steps and dry run."""
    first = f"{proposal.ref} revision {proposal.revision}, {proposal.tier.label}, {undo_text(proposal)}"
    if proposal.parts:
        return "\n".join([first, _heading(proposal), *_parts(proposal)])
    parts = [
        first,
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
        and all(_sent_length(text) <= MAX_CODE_CHARACTERS for text in shown)
    )


def _sent_length(text: str) -> int:
    return sum(map(_sent_characters, text))


def _sent_characters(char: str) -> int:
    """Characters that Slack is sent for this one at most: markup, dots of an address, and invisible characters are escaped."""
    if char in "&<>":
        return 5
    return 3 if char in ".:/@" else 1 if char == "\n" or char.isprintable() else 10


def confirmed_at_once(proposal: Proposal) -> bool:
    """Whether one press and its small dialog may approve it: tier 1, and the dry run stands in that dialog whole."""
    if proposal.tier is not Tier.ONE or len(proposal.dry_run) > MAX_CONFIRMED or not proposal.dry_run.isascii():
        return False
    request = _sent_length(proposal.dry_run)
    return all(_sent_length(one_line(proposal.title, title)) + request <= space for title, space in _SPACE)


def effect_text(proposal: Proposal) -> str:
    """What will happen, in words: `Roll back catalogue: 5.1.0 → 5.0.3`, `Scale checkout: replicas 4`."""
    parts = [*_versions(proposal), *_chosen(proposal)]
    more = f" and {len(parts) - MAX_ARGUMENTS} more" if len(parts) > MAX_ARGUMENTS else ""
    return f"{proposal.title}: {', '.join(parts[:MAX_ARGUMENTS])}{more}" if parts else proposal.title


def _versions(proposal: Proposal) -> Iterator[str]:
    """From which version to which; an argument that names the goal otherwise goes before them."""
    now, then = (proposal.arguments.get(name) for name in ("version", "previous_version"))
    if then and not any(proposal.arguments.get(name) for name in _GOALS):
        yield f"{one_line(str(now), LONGEST_ARGUMENT)} → {one_line(str(then), LONGEST_ARGUMENT)}" if now else f"→ {then}"


def _chosen(proposal: Proposal) -> Iterator[str]:
    """`replicas 4`: what was chosen for this run, but for names that the title has whole."""
    parameters = proposal.arguments.get("parameters")
    own = {name: proposal.arguments[name] for name in _SHOWN_ARGUMENTS if name in proposal.arguments}
    for name, value in [*own.items(), *(parameters.items() if isinstance(parameters, dict) else ())]:
        text = str(value)
        in_title = len(text) >= SHORTEST_NAME and text in proposal.title.split()
        if isinstance(value, (int, str)) and not isinstance(value, bool) and text and not in_title:
            shown = one_line(text, LONGEST_ARGUMENT)
            # Or a value could look like a further argument.
            yield f"{name} {shown}" if re.fullmatch(r"[^\s,]+", shown) else f'{name} "{shown}"'

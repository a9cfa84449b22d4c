"""The steps of a plan on its card: what each does, what undoes it, and how far it is."""

from collections.abc import Iterator

from bot.core.action import Proposal
from bot.core.approvals.plans import StepState, step_states
from bot.core.approvals.request import undo_text
from bot.core.messages.proposals import ProposalContent
from bot.slack.blocks import Block
from bot.slack.views.rich_text import Line, paragraph, words

_WORDS = {
    StepState.RUNNING: "running",
    StepState.RAN: "ran, its signal is watched",
    StepState.RECOVERED: "verified",
    StepState.NOT_RUN: "did not run",
}
"""Where the state's own word is not the one for people."""


def progress(content: ProposalContent) -> Block | None:
    """One line a step; None for a single action."""
    return paragraph(_lines(content)) if content.proposal.parts else None


def _lines(content: ProposalContent) -> Iterator[Line]:
    plan = content.proposal
    states = step_states(plan, content.runs, over=plan.state.final)
    for number, (part, state) in enumerate(zip(plan.parts, states, strict=True), 1):
        yield [words(f"{number}. {part.title}{_state_word(state, undo_text(part), begun=bool(content.runs))}")]


def _state_word(state: StepState, undo: str, *, begun: bool) -> str:
    """Before the plan has begun people want to know what undoes a step; afterwards how it went."""
    if state is StepState.WAITING and not begun:
        return f" ({undo})"
    return f": {_WORDS.get(state, state.value)}"


def undo_words(plan: Proposal) -> str:
    """How many of the steps can be undone, in words."""
    undone = sum(bool(part.undo) for part in plan.parts)
    if undone == len(plan.parts):
        return "each step can be undone"
    return f"{undone} of {len(plan.parts)} steps can be undone"

"""The question that is asked once when an incident closes, and the answer once somebody gave it."""

from bot.core.history.past_incidents import ConfirmedCause
from bot.core.messages.investigation import CauseContent
from bot.slack.blocks import Block, Rendered, actions, button, context, section, when
from bot.slack.untrusted_text import plain_text, prose
from bot.slack.view_context import ViewContext

WHY = "Asked once. The answer stands in the postmortem and is shown when something like this happens again."


def render(content: CauseContent, view: ViewContext) -> Rendered:
    """The question with the first cause to confirm, or what a person answered."""
    return _answered(content, content.confirmed) if content.confirmed else _asking(content)


def _asking(content: CauseContent) -> Rendered:
    ref, first, value = content.ref, content.hypothesis, f"{content.ref}:{content.attempt}"
    guess = f"\nTocsin's first cause ({first.confidence_text}): {prose(first.cause, 300)}" if first else ""
    controls = actions(
        button("That was it", "confirm", value, accessible_label=f"Confirm the first cause of {ref}") if first else None,
        button("Say what it was...", "cause", value, accessible_label=f"Say what {ref} was"),
    )
    blocks: list[Block] = [section(f"*What was it?*{guess}"), controls, context(WHY, ref)]
    return f"{ref} is over: what was it?", blocks


def _answered(content: CauseContent, cause: ConfirmedCause) -> Rendered:
    ref = content.ref
    change = button("Correct...", "cause", f"{ref}:{content.attempt}", accessible_label=f"Correct the cause of {ref}")
    author = f"Confirmed by {plain_text(cause.confirmed_by, 40)} {when(cause.at)}"
    blocks: list[Block] = [section(f"*What it was:* {prose(cause.text, 500)}"), actions(change), context(author, ref)]
    return f"{ref}: {plain_text(cause.confirmed_by, 40)} named the cause", blocks

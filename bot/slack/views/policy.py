"""The card of a policy that gives people more: what gets wider, in plain words, and who may agree."""

from bot.core.approvals.policies.policy_review import PolicyState
from bot.core.messages.proposals import PolicyContent
from bot.core.text.untrusted import counted
from bot.slack.blocks import Block, Rendered, actions, button, context, header
from bot.slack.untrusted_text import plain_text
from bot.slack.views.rich_text import moment, paragraph, words

MAX_LINES = 12
"""Things that get wider, one a line; `tocsin policy diff` lists all."""
WORDS = {PolicyState.WAITING: "WAITS FOR A SECOND PERSON"}
WHAT = {PolicyState.WAITING: "rights would get wider", PolicyState.IN_FORCE: "rights are wider now"}
"""Of any other state: nothing came of it."""
DECISIONS = {PolicyState.IN_FORCE: "confirmed", PolicyState.REJECTED: "rejected"}


def render(content: PolicyContent) -> Rendered:
    """The state first; the buttons as long as it waits."""
    title = f"POLICY {WORDS.get(content.state, content.state.upper())}: {WHAT.get(content.state, 'rights stay as they were')}"
    lines = [[words(f"• {text}", 300)] for text in content.gains[:MAX_LINES]]
    if more := len(content.gains) - MAX_LINES:
        lines += [[words(f"and {counted(more, 'more change')}: tocsin policy diff lists all")]] if more > 0 else []
    blocks: list[Block | None] = [header(title), paragraph(lines), _until(content), _controls(content), _small_print(content)]
    return f"{title} ({content.ref})", [block for block in blocks if block]


def _until(content: PolicyContent) -> Block | None:
    if content.state is not PolicyState.WAITING:
        return None
    return paragraph(
        [[words("Until somebody confirms, the rights stay as they were. It can be confirmed until "), moment(content.until)]]
    )


def _controls(content: PolicyContent) -> Block | None:
    if content.state is not PolicyState.WAITING:
        return None
    ref = content.ref
    ask = ("Widen the rights?", "What the card lists counts at once, everywhere.", "Confirm")
    return actions(
        button("Confirm", "policy_confirm", ref, style="primary", accessible_label=f"Confirm {ref}", confirm=ask),
        button("Reject", "policy_reject", ref, accessible_label=f"Reject {ref}"),
    )


def _small_print(content: PolicyContent) -> Block:
    loaded = f"loaded by {plain_text(content.loaded_by, 60)}"
    word = DECISIONS.get(content.state, "ended")
    decided = f"{word} by {plain_text(content.decided_by, 60)}" if content.decided_by else ""
    may = f"{plain_text(content.who_may, 300)}" if content.state is PolicyState.WAITING else ""
    agreed = f"{plain_text(', '.join(content.agreed), 120)} agreed" if content.agreed else ""
    return context(may, agreed, loaded, decided, f"*{content.state.upper()}* {content.ref}")

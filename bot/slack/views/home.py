"""The app's home tab, and the same as a private answer."""

from collections.abc import Sequence

from bot.core.action import Proposal
from bot.core.messages.replies import HomeReply, ListRow
from bot.core.text.untrusted import counted
from bot.slack.blocks import Block, Rendered, View, actions, button, context, header, section, when
from bot.slack.limits import LIMIT
from bot.slack.untrusted_text import name_text, plain_text

MAX_WAITING = 10
"""Proposals shown with their buttons; the rest is counted."""
MAX_SERVICES = 20


def render(content: HomeReply, *, decidable: bool = False) -> Rendered:
    """What waits, what is open, where the person is on call. `decidable`: with buttons to approve, on the home tab alone."""
    blocks = [*_waiting(content.waiting, decidable=decidable), *_open(content), _on_call(content)]
    controls = [button("Declare...", "declare", "-"), button("List", "list", "-"), button("Help", "help", "-")]
    blocks += [actions(*controls), context(f"`{content.slash} help` lists every verb; write to me in Messages or mention me")]
    return f"Waiting for you: {len(content.waiting)}", blocks


def home_view(content: HomeReply) -> View:
    """The home tab of one person."""
    _, blocks = render(content, decidable=True)
    return {"type": "home", "blocks": blocks[: LIMIT["view.blocks"]]}


def _waiting(proposals: Sequence[Proposal], *, decidable: bool) -> list[Block]:
    blocks = [header("Waiting for you")]
    for proposal in proposals[:MAX_WAITING]:
        until = f"until {when(proposal.expires_at)}"
        blocks.append(section(f"*{proposal.ref}* {plain_text(proposal.title, 150)} · {proposal.tier.label} · {until}"))
        blocks.append(actions(*_controls(proposal, decidable=decidable)))
    if not proposals:
        blocks.append(section("Nothing waits for your approval."))
    elif len(proposals) > MAX_WAITING:
        blocks.append(context(f"{counted(len(proposals) - MAX_WAITING, 'more proposal')}"))
    return blocks


def _controls(proposal: Proposal, *, decidable: bool) -> list[Block]:
    ref, value = proposal.ref, f"{proposal.ref}:{proposal.revision}"
    decide = [
        # It opens the dialog with the whole plan at every tier: none of it stands here.
        button("Approve...", "approve", value, style="primary", accessible_label=f"Approve {ref}, opens the plan"),
        button("Deny...", "deny", value, accessible_label=f"Deny {ref}"),
    ]
    return [*(decide if decidable else ()), button("Show", "show", ref, accessible_label=f"Show {ref}")]


def _open(content: HomeReply) -> list[Block]:
    blocks = [header("Open now")]
    for row in content.rows:
        blocks.append(section(_row(row)))
        ref = row.ref
        blocks.append(
            actions(
                button("Show", "show", ref, accessible_label=f"Show {ref}"),
                button("Acknowledge", "ack", ref, accessible_label=f"Acknowledge {ref}") if _waits(row) else None,
            )
        )
    if not content.rows:
        blocks.append(section("Nothing is open."))
    if content.more:
        blocks.append(context(f"More is open: `{content.slash} list`"))
    return blocks


def _waits(row: ListRow) -> bool:
    """Whether somebody has to take it; an incident without a group is led, not acknowledged."""
    return row.ref.startswith("AL-") and row.state in ("FIRING", "OPEN")


def _row(row: ListRow) -> str:
    ref = f"{row.incident} {row.ref}".strip()
    by = f", taken by {plain_text(row.assignee, 40)}" if row.assignee else ""
    where = name_text(row.service, 40) if row.service else "no service"
    return f"*{row.state}* {row.severity} {ref} · {where} · {name_text(row.title, 80)} · opened {when(row.opened_at)}{by}"


def _on_call(content: HomeReply) -> Block:
    if not content.configured:
        return context("You are not among `people` in tocsin.yaml: you may read, declare, acknowledge, note and stop.")
    texts = [f"On call now for {_named(content.on_call)}"] if content.on_call else []
    if content.unread:
        texts.append(f"Whether you are on call for {_named(content.unread)} is not known: the rota cannot be read")
    return context(". ".join(texts) or "You are not on call now")


def _named(services: Sequence[str]) -> str:
    more = f" and {len(services) - MAX_SERVICES} more" if len(services) > MAX_SERVICES else ""
    return ", ".join(name_text(service, 40) for service in services[:MAX_SERVICES]) + more

"""The approval card: rendered from the approved record only. All of it is visible, or there is no Approve button."""

import json

from bot.core.action import DecisionChoice, Proposal, ProposalState, Tier
from bot.core.approvals.policy_types import who_may
from bot.core.messages.proposals import ProposalContent
from bot.slack.blocks import (
    Block,
    Rendered,
    actions,
    button,
    code,
    context,
    fields,
    header,
    name_text,
    plain_text,
    quoted,
    section,
    titled,
    when,
)
from bot.slack.untrusted_text import code_lines
from bot.slack.view_context import ViewContext

MAX_CODE_CHARACTERS = 2800
"""Characters that one code block shows whole."""
_DECIDABLE = (ProposalState.PENDING, ProposalState.PARTLY_APPROVED)
_BY_HAND = (*_DECIDABLE, ProposalState.FAILED, ProposalState.UNKNOWN, ProposalState.STALE, ProposalState.EXPIRED)
_WORDS = {ProposalState.PENDING: "APPROVAL NEEDED", ProposalState.PARTLY_APPROVED: "PARTLY APPROVED"}
_APPROVALS = {Tier.ONE: "1 approval", Tier.TWO: "1 approval, not by the requester", Tier.THREE: "2 approvals, one by an owner"}


def render(content: ProposalContent, view: ViewContext) -> Rendered:
    """What is approved, who may, and who did."""
    proposal = content.proposal
    request = request_of(proposal)
    whole = len(code_lines(request, view.called_hosts)) <= MAX_CODE_CHARACTERS
    blocks: list[Block | None] = [
        header(f"{word_of(content)}: {plain_text(proposal.title, 110)}"),
        _outcome(proposal),
        _facts(content),
        section(f"*Why:* {titled(proposal.because, 400)}"),
        code(request, view.called_hosts),
        _controls(content, whole=whole),
        _small_print(content, view, whole=whole),
    ]
    return _fallback(content), [block for block in blocks if block]


def word_of(content: ProposalContent) -> str:
    """The state as a word, first on the card."""
    state = content.proposal.state
    return ("DONE BY HAND, " if content.manual else "") + _WORDS.get(state, state.value.upper())


def request_of(proposal: Proposal) -> str:
    """What is approved: action, arguments, targets, steps and dry run, exactly as the record has them."""
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


def _facts(content: ProposalContent) -> Block:
    proposal, tier = content.proposal, content.proposal.tier
    return fields(
        target=", ".join(name_text(target, 80) for target in sorted(proposal.targets)),
        risk=f"{tier.label}: {_APPROVALS.get(tier, 'not decided by people')}",
        reversible=f"yes, by {plain_text(proposal.undo, 60)}" if proposal.undo else "no undo configured",
        requester=_name(proposal.requester) if proposal.requester else "Suggested by Tocsin",
        expires=when(proposal.expires_at) if proposal.state in _DECIDABLE else "",
        decided=_decided(content),
    )


def _decided(content: ProposalContent) -> str:
    lines = [
        f"{d.verdict.past} by {_name(d.person)} {when(d.at)}" + (f": {titled(d.reason, 120)}" if d.reason else "")
        for d in content.decisions
        if d.revision == content.proposal.revision
    ]
    return "\n".join([*lines, "*SOLO*"] if content.solo else lines)


def _outcome(proposal: Proposal) -> Block | None:
    """How the signal is and what the call answered."""
    verdict, _, figures = proposal.verification.partition(": ")
    checked = f"*{plain_text(verdict, 40).capitalize()}:* {plain_text(figures)}" if figures else plain_text(verdict)
    ran = f"*Ran:* {quoted(proposal.outcome, 300)}" if proposal.outcome else ""
    return section("\n".join(filter(None, (checked, ran)))) if checked or ran else None


def _controls(content: ProposalContent, *, whole: bool) -> Block | None:
    proposal = content.proposal
    ref, now = proposal.ref, proposal.state
    value = f"{ref}:{proposal.revision}"
    may_approve = now in _DECIDABLE and whole and proposal.tier in _APPROVALS
    by_hand = now in _BY_HAND and not content.manual
    controls = [
        _approve(proposal, value) if may_approve else None,
        button("Deny...", DecisionChoice.DENY, value, accessible_label=f"Deny {ref}")
        if now in (*_DECIDABLE, ProposalState.APPROVED)
        else None,
        button("I ran it", "did", value, accessible_label=f"I ran {ref} by hand") if by_hand else None,
    ]
    return actions(*controls) if any(controls) else None


def _approve(proposal: Proposal, value: str) -> Block:
    ref = proposal.ref
    if proposal.tier.needs_form:
        return button("Approve...", "approve", value, style="primary", accessible_label=f"Approve {ref}, opens the plan")
    text = f"{plain_text(proposal.title, 90)}\nIt runs once, now."
    return button("Approve", "approve", value, accessible_label=f"Approve {ref}", confirm=(f"Approve {ref}?", text, "Approve"))


def _small_print(content: ProposalContent, view: ViewContext, *, whole: bool) -> Block:
    proposal, tier = content.proposal, content.proposal.tier
    open_now = proposal.state in _DECIDABLE
    unseen = "The plan does not fit whole on this card, so it cannot be approved here: run it by hand" if not whole else ""
    may_not = "May not: guests, bots, other workspaces" + (
        f", {_name(proposal.requester)}" if tier is Tier.TWO and proposal.requester else ""
    )
    state = f"*{word_of(content)}* {proposal.ref} revision {proposal.revision}"
    if not open_now:
        return context(state)
    return context(
        " ".join(f"<@{user}>" for user in approvers(content, view)),
        f"May approve: {plain_text(who_may(tier, proposal.service, proposal.requester), 300)}",
        may_not,
        unseen,
        state,
    )


def approvers(content: ProposalContent, view: ViewContext) -> list[str]:
    """Up to three Slack users to notify: on call, who leads, deputies; not the requester from tier 2 on."""
    proposal, people = content.proposal, view.people
    candidates = dict.fromkeys([*view.on_call, content.lead, *content.deputies])
    barred = {proposal.requester} if proposal.tier is Tier.TWO else set()
    users = [people[person].slack for person in candidates if person in people and person not in barred]
    return [user for user in users if user][:3]


def _fallback(content: ProposalContent) -> str:
    proposal = content.proposal
    return f"{word_of(content).capitalize()}: {plain_text(proposal.title, 120)}, {proposal.tier.label}, {proposal.ref}"


def _name(person: str) -> str:
    return plain_text(person, 40)

"""The approval card, at most 60 words: what will happen, the risk, who may, until when. The exact request is behind Details.

What is approved stands whole in the dialog that approves it, or there is no Approve button.
"""

import re
from collections.abc import Iterable
from datetime import datetime

from bot.core.action import SILENCES, WITHOUT_EFFECT, Autonomy, DecisionChoice, Proposal, ProposalState, Tier, VerificationState
from bot.core.approvals.policy_types import SOLO_AFTER, who_may, who_may_briefly
from bot.core.approvals.request import (
    TITLE,
    TITLE_BESIDE_MOMENT,
    confirmed_at_once,
    effect_text,
    may_be_approved,
    request_text,
)
from bot.core.config.actions import SoloMode
from bot.core.messages.proposals import ProposalContent
from bot.core.messages.replies import PlanReply
from bot.core.text.durations import duration_text
from bot.core.text.moments import clock_to_the_minute
from bot.core.text.word_counts import within_words, word_count
from bot.slack.blocks import Block, Rendered, actions, button, code, context, fields, header, section, when
from bot.slack.untrusted_text import code_lines, name_text, plain_text, prose, titled
from bot.slack.view_context import ViewContext
from bot.slack.views import plan_steps, rich_text
from bot.slack.views.rich_text import Line, bold, labelled, moment, paragraph, sentence, words

MAX_WORDS = 60
"""Of a card that waits for an answer, its buttons and small print with it."""
FEWEST_REASONS = 6
"""Words of the reason that stand there whatever else does."""
UNDO_WORDS = 3
_WORDS = {
    ProposalState.PENDING: "APPROVAL NEEDED",
    ProposalState.PARTLY_APPROVED: "PARTLY APPROVED",
    ProposalState.CLAIMED: "STARTING",
}
_APPROVALS = {Tier.ONE: "1 approval", Tier.TWO: "1 approval", Tier.THREE: "2 approvals"}
_BUTTONS = "Approve Deny Details"
_CITED = re.compile(r"(?:, E\d+)+(?=\)$)")
"""The evidence that a reason names at its end: it stands behind Details."""


def render(content: ProposalContent, view: ViewContext) -> Rendered:
    """What is approved, who may, and who did."""
    proposal = content.proposal
    title = f"{word_of(content)}: {plain_text(effect_text(proposal), 130)}"
    blocks: list[Block | None] = [
        header(title),
        plan_steps.progress(content),
        _outcome(proposal, answer=proposal.state is not ProposalState.SUCCEEDED),
        paragraph(
            [
                _risk_line(content),
                *_cleared(content),
                labelled("Because", _because(content, view, title)),
                *_by_hand(proposal),
                *_decisions(content),
            ]
        ),
        _controls(content, view),
        context(*_small_print(content, view)),
    ]
    return _fallback(content), [block for block in blocks if block]


def word_of(content: ProposalContent) -> str:
    """The state as a word, first on the card."""
    state = content.proposal.state
    if _only_suggested(content.proposal):
        return "RUN BY HAND"
    if _starts_by_itself(content):
        return "STARTS BY ITSELF"
    return ("DONE BY HAND, " if content.manual else "") + _WORDS.get(state, state.value.upper())


def _only_suggested(proposal: Proposal) -> bool:
    """Whether it waits for somebody to run it by hand: nobody approves it here."""
    return proposal.state.decidable and not proposal.autonomy.runs


def _risk(content: ProposalContent) -> str:
    """`tier 2, needs 1 approval · can be undone: Roll forward checkout · waits until 15:02`."""
    proposal = content.proposal
    undo = "cannot be undone here"
    if proposal.parts:
        undo = plan_steps.undo_words(proposal)
    elif proposal.undo:
        by = f": {plain_text(proposal.undo, 60)}" if word_count(proposal.undo) <= UNDO_WORDS else ""
        undo = f"can be undone{by}"
    state = _state_of_targets(proposal)
    if not proposal.state.decidable:
        return f"{proposal.tier.label} · {undo}{state}"
    approvals = _APPROVALS.get(proposal.tier)
    waits = approvals and proposal.autonomy.runs and not _starts_by_itself(content)
    needed = f"{proposal.tier.label}, needs {approvals}" if waits else proposal.tier.label
    return f"{needed} · {undo}{state} · waits until {clock_to_the_minute(proposal.expires_at)}"


def _risk_line(content: ProposalContent) -> Line:
    """The same with the moment in the reader's own time."""
    proposal = content.proposal
    text, until = _risk(content), clock_to_the_minute(proposal.expires_at)
    if not proposal.state.decidable:
        return [words(text)]
    return [words(text.removesuffix(until)), moment(proposal.expires_at, "{time}", until)]


def _cleared(content: ProposalContent) -> Iterable[Line]:
    """That no alert fires any more, before people decide."""
    if (at := content.alerts_cleared_at) and content.proposal.state.decidable:
        yield [bold("Alerts cleared"), words(" at "), moment(at, "{time}", clock_to_the_minute(at))]


def _state_of_targets(proposal: Proposal) -> str:
    """` · state: 40`, as the dry run found the targets: what it was approved for; "" where nothing says it."""
    states = sorted({version for version in proposal.targets.values() if version})
    return f" · state: {plain_text(', '.join(states), 60)}" if states else ""


def _because(content: ProposalContent, view: ViewContext, title: str) -> str:
    """The reason, as long as the card has words for it: all of it is behind Details."""
    proposal = content.proposal
    cleared = "Alerts cleared at 14:02 UTC" if any(_cleared(content)) else ""
    beside = f"{title} {_risk(content)} {cleared} because {_who(content, view)} {_BUTTONS} {_state_line(content)}"
    others = word_count(beside.replace("<@", " <@"))
    because = _CITED.sub("", proposal.because)
    return within_words(because, max(FEWEST_REASONS, MAX_WORDS - others))


def render_full(reply: PlanReply, view: ViewContext) -> Rendered:
    """The whole proposal for one reader: the exact request, the reason, who may and who may not."""
    content = reply.proposal
    proposal = content.proposal
    blocks: list[Block | None] = [
        section(f"*{word_of(content)}:* {prose(effect_text(proposal), 200)}"),
        _facts(content),
        section(f"*Why:* {titled(proposal.because, 400)}"),
        code(request_text(proposal), view.called_hosts),
        _outcome(proposal, answer=True),
        context("May not: guests, bots, other workspaces" + _barred(proposal), _how_to_record(proposal)),
    ]
    return f"Details of {proposal.ref}", [block for block in blocks if block]


def _how_to_record(proposal: Proposal) -> str:
    which, verb = ("a step", f"did {proposal.ref} 1") if proposal.parts else ("it", f"did {proposal.ref}")
    return f"Ran {which} by hand? Say `{verb}`"


def _barred(proposal: Proposal) -> str:
    return f", {_name(proposal.requester)}" if proposal.tier is Tier.TWO and proposal.requester else ""


def _facts(content: ProposalContent) -> Block:
    proposal, tier = content.proposal, content.proposal.tier
    return fields(
        target=", ".join(name_text(target, 80) for target in sorted(proposal.targets)),
        risk=f"{tier.label}: {_APPROVALS.get(tier, 'not decided by people')}",
        reversible=f"yes: {plain_text(proposal.undo, 60)}" if proposal.undo else "no undo configured",
        requester=_name(proposal.requester) if proposal.requester else "Suggested by Tocsin",
        autonomy=proposal.autonomy.value,
        expires=when(proposal.expires_at) if proposal.state.decidable else "",
        may_approve=plain_text(who_may(tier, proposal.service, proposal.requester), 300),
        dry_run=when(proposal.dry_run_at),
        decided=_decided(content),
    )


def _decided(content: ProposalContent) -> str:
    lines = [
        f"{d.verdict.past} by {_name(d.person)} {when(d.at)}" + (f": {titled(d.reason, 120)}" if d.reason else "")
        for d in content.decisions
        if d.revision == content.proposal.revision
    ]
    return "\n".join([*lines, f"*{alone}*"] if (alone := _alone(content)) else lines)


def _by_hand(proposal: Proposal) -> Iterable[Line]:
    """What to run, where Tocsin only suggests it: the exact request is behind Details."""
    if _only_suggested(proposal) and proposal.steps and not proposal.parts:
        yield labelled("Run by hand", proposal.steps[0])


def _decisions(content: ProposalContent) -> Iterable[Line]:
    """Who answered when, and with what words."""
    for decision in content.decisions:
        if decision.revision == content.proposal.revision:
            by = f"{decision.verdict.past} by {rich_text.name(decision.person, 40)} "
            reason = [words(f": {rich_text.title(decision.reason, 120)}")] if decision.reason else []
            yield [words(by), moment(decision.at), *reason]
    if alone := _alone(content):
        yield [bold(alone)]
    if content.standing_offer and content.standing_offer.used:
        yield [words(f"started by standing approval {content.standing_offer.grant}")]


def _alone(content: ProposalContent) -> str:
    """How one person alone could approve it; "" where it was approved as ever."""
    return "BREAK-GLASS" if content.break_glass else "SOLO" if content.solo else ""


def _outcome(proposal: Proposal, *, answer: bool) -> Block | None:
    """How the signal is and, with `answer`, what the call answered: of what worked that is behind Details."""
    verdict, _, figures = proposal.verification.partition(": ")
    checked = labelled(verdict.capitalize(), figures) if figures else sentence(verdict)
    if proposal.kind in SILENCES and verdict == VerificationState.RECOVERED:
        checked = sentence(figures)
    label = "Not run" if proposal.state in WITHOUT_EFFECT and not proposal.steps_begun else "Ran"
    ran = labelled(label, proposal.outcome) if answer and proposal.outcome else ()
    return paragraph([checked, ran]) if checked or ran else None


def _controls(content: ProposalContent, view: ViewContext) -> Block:
    """At most three: what is needed now, and Details."""
    proposal = content.proposal
    ref, now = proposal.ref, proposal.state
    value = f"{ref}:{proposal.revision}"
    may_deny = now.decidable or now is ProposalState.APPROVED
    lapsed = now.asks_by_hand and now is not ProposalState.UNKNOWN and not content.manual
    by_hand = (lapsed or _only_suggested(proposal)) and not proposal.parts
    return actions(
        approve_button(proposal, view, content.alerts_cleared_at),
        _stop_or_deny(content) if may_deny else None,
        button("I ran it", "did", value, accessible_label=f"I ran {ref} by hand") if by_hand else None,
        *(_came_of_it(ref, value) if now is ProposalState.UNKNOWN else ()),
        button("Details", "full", value, accessible_label=f"Details of {ref}, with the exact request"),
    )


def _stop_or_deny(content: ProposalContent) -> Block:
    ref, value = content.proposal.ref, f"{content.proposal.ref}:{content.proposal.revision}"
    if _starts_by_itself(content):
        return button("Stop", "veto", value, style="danger", accessible_label=f"Stop {ref}: it waits for people then")
    return button("Deny...", DecisionChoice.DENY, value, accessible_label=f"Deny {ref}")


def _starts_by_itself(content: ProposalContent) -> bool:
    """Whether a standing approval starts it soon, unless somebody stops it."""
    offer = content.standing_offer
    return offer is not None and content.proposal.state.decidable and not offer.stopped


def _came_of_it(ref: str, value: str) -> tuple[Block, Block]:
    """What only a person can find out of a run whose answer was lost."""
    return (
        button("It ran", "did", value, accessible_label=f"{ref} ran: watch its signal"),
        button("It did not", "did_not", value, accessible_label=f"{ref} did not run"),
    )


def approve_button(proposal: Proposal, view: ViewContext, alerts_cleared_at: datetime | None) -> Block | None:
    """The one control that approves, wherever the proposal is shown; None where it cannot be approved now."""
    ref, value = proposal.ref, f"{proposal.ref}:{proposal.revision}"
    if not (proposal.state.decidable and may_be_approved(proposal)):
        return None
    if not confirmed_at_once(proposal):
        return button("Approve...", "approve", value, style="primary", accessible_label=f"Approve {ref}, opens the plan")
    # Beside the moment there is room for half of the title: the dry run stands there whole.
    cleared = f"Alerts cleared at {clock_to_the_minute(alerts_cleared_at)}. " if alerts_cleared_at else ""
    title = plain_text(proposal.title, TITLE_BESIDE_MOMENT if cleared else TITLE)
    text = f"{title}\n{code_lines(proposal.dry_run, view.called_hosts)}\n{cleared}It runs once, now."
    label = f"Approve {ref}"
    return button("Approve", "approve", value, style="primary", accessible_label=label, confirm=(f"{label}?", text, "Approve"))


def _small_print(content: ProposalContent, view: ViewContext) -> list[str]:
    proposal = content.proposal
    if not proposal.state.decidable:
        return [_state_line(content)]
    if _only_suggested(proposal):
        return [_who(content, view), _state_line(content)]
    unseen = "The plan does not fit whole into a dialog, so it cannot be approved here: run it by hand"
    return [_who(content, view), "" if may_be_approved(proposal) else unseen, _state_line(content)]


def _who(content: ProposalContent, view: ViewContext) -> str:
    """Whom the card notifies, and who can approve."""
    proposal = content.proposal
    mentions = " ".join(f"<@{user}>" for user in approvers(content, view))
    if _starts_by_itself(content) and content.standing_offer:
        at = clock_to_the_minute(content.standing_offer.starts_at)
        return f"{mentions} Starts at {at} by standing approval {content.standing_offer.grant} unless somebody stops it".strip()
    if _only_suggested(proposal):
        steps = f"Run its steps by hand, then say did {proposal.ref} 1 of the first, and so on"
        how = steps if proposal.parts else "Run it by hand, then press I ran it"
        return f"{mentions} {plain_text(how, 100)}".strip()
    may = f"{plain_text(who_may_briefly(proposal.tier, proposal.service, proposal.requester), 300)} can approve"
    may += _requester_alone(proposal, view)
    return f"{mentions} · {may}" if mentions else may


def _requester_alone(proposal: Proposal, view: ViewContext) -> str:
    """That who asked may approve alone in the end, where the policy lets an on-call do so."""
    if proposal.tier is not Tier.TWO or view.solo is SoloMode.OFF or proposal.requester not in view.on_call:
        return ""
    wait = f" after {duration_text(SOLO_AFTER)} without an answer" if view.solo is SoloMode.AFTER else " too"
    return f"; {_name(proposal.requester)} alone{wait}"


def _state_line(content: ProposalContent) -> str:
    proposal = content.proposal
    usual = proposal.autonomy is Autonomy.APPROVE or not proposal.state.decidable
    autonomy = "" if usual else f" · autonomy: {proposal.autonomy.value}"
    return f"*{word_of(content)}* {proposal.ref} revision {proposal.revision}{autonomy}"


def approvers(content: ProposalContent, view: ViewContext) -> list[str]:
    """Up to three Slack users to notify: on call, who leads, deputies; not the requester at tier 2. At tier 3 an owner too.

    There one of those who agree has to be an owner.
    """
    proposal, people = content.proposal, view.people
    owners = view.owners if proposal.tier is Tier.THREE else ()
    candidates = dict.fromkeys([*view.on_call[:1], *owners[:1], *view.on_call, content.lead, *content.deputies])
    barred = {proposal.requester} if proposal.tier is Tier.TWO else set()
    users = [people[person].slack for person in candidates if person in people and person not in barred]
    return [user for user in users if user][:3]


def _fallback(content: ProposalContent) -> str:
    proposal = content.proposal
    return f"{word_of(content).capitalize()}: {plain_text(effect_text(proposal), 120)}, {proposal.tier.label}, {proposal.ref}"


def _name(person: str) -> str:
    return plain_text(person, 40)

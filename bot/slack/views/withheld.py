"""The notice about a message that its own channel refuses: nothing of what the message says, but whom it calls."""

from collections.abc import Sequence

from bot.core.messages.alerts import BacklogContent, CardContent, IncidentContent, StormContent
from bot.core.messages.proposals import ProposalContent
from bot.core.messages.withheld import WithheldContent, refusal_text
from bot.slack.blocks import Rendered, context, section
from bot.slack.view_context import ViewContext
from bot.slack.views.card import square_of
from bot.slack.views.proposal import approvers


def render(notice: WithheldContent, view: ViewContext) -> Rendered:
    """`SEV1 AL-7 cannot be shown in its own channel #..: Slack refuses it, because it is archived`, and what to do."""
    what = _what(notice)
    if not notice.reason:
        text = f"{what} can be shown again"
        return text, [context(text)]
    mentions = "".join(f"<@{user}> " for user in _called(notice, view))
    square = f"{square_of(notice.severity)} *{notice.severity}* " if notice.severity else ""
    why = refusal_text(notice.reason)
    sentence = f"{what} cannot be shown in its own channel"
    where = f"<#{notice.channel}>: Slack refuses it, because {why}."
    severity = f"Severity {notice.severity.removeprefix('SEV')}: " if notice.severity else ""
    return f"{severity}{sentence}: {why}", [section(f"{mentions}{square}{sentence} {where}"), context(_next_step(notice))]


def _what(notice: WithheldContent) -> str:
    match notice.original:
        case CardContent() | IncidentContent():
            return notice.ref
        case ProposalContent():
            return f"Proposal {notice.ref}"
        case StormContent():
            return "A storm of alerts"
        case BacklogContent():
            return "A summary of alerts"
    return f"A message about {notice.ref}" if notice.ref else "A message"


def _called(notice: WithheldContent, view: ViewContext) -> Sequence[str]:
    """Whom the message itself would notify."""
    original = notice.original
    if not isinstance(original, ProposalContent):
        return view.mention
    return approvers(original, view) if original.proposal.state.decidable and not notice.posted_before else ()


def _next_step(notice: WithheldContent) -> str:
    back = "Invite Tocsin there again, or make the channel usable: it appears there within five minutes."
    elsewhere = "For new alerts, `channel` in tocsin.yaml can name another one." if notice.severity else ""
    has_page = notice.ref.startswith(("AL-", "INC-"))
    here = f"Until then, `tocsin show {notice.ref}` on Tocsin's machine shows it." if has_page else ""
    return " ".join(filter(None, (back, elsewhere, here)))

"""The content behind each message, read in one session: what the views of the Slack adapter render."""

from collections.abc import Awaitable, Callable, Mapping

from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.messages.content import Content, MessageKind
from bot.store.approvals.policies.policies import policy_content
from bot.store.slack import alert_contents, investigation_contents
from bot.store.slack.proposal_contents import proposal_content

_LOADERS: Mapping[str, Callable[[AsyncSession, str], Awaitable[Content | None]]] = {
    MessageKind.CARD: alert_contents.card_content,
    MessageKind.INCIDENT_CARD: alert_contents.incident_content,
    MessageKind.STORM: alert_contents.storm_content,
    MessageKind.BACKLOG: alert_contents.backlog_content,
    MessageKind.LINE: alert_contents.line_content,
    MessageKind.RAISED: alert_contents.raised_content,
    MessageKind.RENEWED: alert_contents.renewed_content,
    MessageKind.REOPENED: alert_contents.reopened_content,
    MessageKind.TRIAGE: investigation_contents.triage_content,
    MessageKind.CAUSE: investigation_contents.cause_content,
    MessageKind.ANSWER: investigation_contents.answer_content,
    MessageKind.POSTMORTEM: investigation_contents.postmortem_content,
    MessageKind.PROPOSAL: proposal_content,
    MessageKind.POLICY: policy_content,
}


async def load(session: AsyncSession, kind: str, subject: str) -> Content | None:
    """The content of one message; None if its subject does not exist (any more)."""
    loader = _LOADERS.get(kind)
    return await loader(session, subject) if loader else None

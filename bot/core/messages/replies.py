"""What the private replies of commands show."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.core.action import Proposal
from bot.core.alerts.reasons import AlertReasons
from bot.core.evidence import Claim, Findings, Hypothesis
from bot.core.history.postmortem import PostmortemSection
from bot.core.messages.investigation import Ledger, ProposalLine, TriageContent
from bot.core.messages.proposals import ProposalContent
from bot.core.timeline import TimelineEntry


@dataclass(frozen=True, kw_only=True)
class ShowReply:
    """A group, incident or proposal in short."""

    ref: str
    title: str
    service: str
    severity: str
    state: str
    group: str = ""
    incident: str = ""
    lead: str = ""
    cause: str = ""
    findings: Findings | None = None
    proposal: ProposalContent | None = None
    """The proposal that is shown; None where it is a group or incident."""
    proposals: Sequence[ProposalLine] = ()
    reasons: AlertReasons | None = None
    timeline: Sequence[TimelineEntry] = ()


@dataclass(frozen=True, kw_only=True)
class WhyReply:
    """The evidence behind one hypothesis, number `n` of `count`."""

    ref: str
    n: int
    count: int
    hypothesis: Hypothesis
    ruled_out: Sequence[Claim] = ()
    evidence: Ledger
    reasons: AlertReasons | None = None


@dataclass(frozen=True, kw_only=True)
class GroupingReply:
    """Why the alerts of a group are one card, and which others are muted; `causes` says where the causes stand."""

    ref: str
    reasons: AlertReasons
    causes: str


@dataclass(frozen=True, kw_only=True)
class DetailsReply:
    """All that a triage found."""

    triage: TriageContent


@dataclass(frozen=True, kw_only=True)
class PlanReply:
    """A proposal in full."""

    proposal: ProposalContent


@dataclass(frozen=True, kw_only=True)
class ListRow:
    """One alert group, or an incident without one."""

    ref: str
    incident: str = ""
    """The incident of a group."""
    title: str
    service: str
    severity: str
    state: str
    assignee: str = ""
    """Who leads the incident, else who acknowledged the group."""
    opened_at: datetime


@dataclass(frozen=True, kw_only=True)
class ListReply:
    """Alert groups and incidents, the worst and newest first; one page of them is shown."""

    rows: Sequence[ListRow]
    title: str
    page: int = 1
    more: bool = False
    """Whether there are rows beyond these."""


@dataclass(frozen=True, kw_only=True)
class HomeReply:
    """What concerns one person now."""

    waiting: Sequence[Proposal] = ()
    """Proposals that the person may approve, oldest first."""
    rows: Sequence[ListRow] = ()
    """What is open, the worst and newest first."""
    more: bool = False
    """Whether more is open than these."""
    on_call: Sequence[str] = ()
    """Services for which the person is on call."""
    unread: Sequence[str] = ()
    """Services whose rota cannot be read: nobody knows whether the person is on it."""
    configured: bool = True
    """Among the configured people."""
    slash: str
    """The slash command, `/incident`."""


@dataclass(frozen=True, kw_only=True)
class PanelReply:
    """What can be done in a channel or thread."""

    ref: str = ""
    """The group or incident that is meant; "" in an ordinary channel."""
    title: str = ""
    state: str = ""
    commands: Sequence[str] = ()
    """Names of the commands that make sense now, in the order people need them."""
    slash: str
    """The slash command, `/incident`."""
    only_one: bool = False
    """`ref` is meant because nothing else is open in the channel."""
    open_here: Sequence[str] = ()
    """References that are open there, where they are several."""
    where: str = ""
    """" in this channel", where one is."""


@dataclass(frozen=True, kw_only=True)
class CommandHelp:
    """A command as help describes it."""

    name: str
    aliases: Sequence[str] = ()
    usage: str = ""
    summary: str
    text: str
    options: Sequence[str] = ()
    who: str


@dataclass(frozen=True, kw_only=True)
class HelpReply:
    """The commands that make sense now and all others; with `command`, that command in full."""

    commands: Sequence[CommandHelp]
    suggested: Sequence[str] = ()
    """Names of those that make sense now."""
    command: str = ""
    slash: str
    """The slash command, `/incident`."""
    where: str = ""
    """For which group, incident or channel they are suggested, in words."""


@dataclass(frozen=True, kw_only=True)
class PostmortemReply:
    """A whole postmortem draft for one reader; without sections its Markdown, to be copied."""

    ref: str
    n: int
    markdown: str
    sections: Sequence[PostmortemSection] = ()


ReplyContent = (
    ShowReply
    | WhyReply
    | GroupingReply
    | DetailsReply
    | PlanReply
    | ListReply
    | HomeReply
    | PanelReply
    | HelpReply
    | PostmortemReply
)

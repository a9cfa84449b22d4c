"""What the messages of an investigation show: the triage, the question for the cause, answers and postmortem drafts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from bot.core.action import Proposal, ProposalState
from bot.core.approvals.remedies import NoProposal
from bot.core.evidence import Findings, Hypothesis, LedgerEntry
from bot.core.history.past_incidents import ConfirmedCause
from bot.core.history.postmortem import PostmortemSection
from bot.core.incident import AlertGroup
from bot.core.investigation.triage_facts import TriageFacts
from bot.core.investigation.triage_state import TriageState
from bot.core.messages.alerts import OpenContent
from bot.core.messages.content import Content
from bot.core.questions.answering import QuestionAnswer

Ledger = Mapping[str, LedgerEntry]
"""Evidence by its id."""


class ProposalLine(NamedTuple):
    """A proposal as other messages name it."""

    ref: str
    state: ProposalState
    title: str = ""
    of_before: bool = False
    """Made for the cause of the outage before the present one, and still waiting or running."""

    @property
    def named(self) -> str:
        """`AP-1 (Roll back checkout)`."""
        return f"{self.ref} ({self.title})" if self.title else self.ref


@dataclass(frozen=True, kw_only=True)
class TriageContent(Content):
    """The newest attempt at the triage of one group."""

    group: AlertGroup
    attempt: int
    state: TriageState
    question: str = ""
    requester: str = ""
    facts: TriageFacts | None = None
    findings: Findings | None = None
    checks: Sequence[LedgerEntry] = ()
    """What this attempt has checked so far, oldest first."""
    evidence: Ledger
    """Of the whole group."""
    no_proposal: NoProposal | None = None
    """Why nothing was proposed; None where something was, or before that is known."""
    for_late_change: bool = False
    """A change that was reported late brought this attempt about."""
    shown_attempt: int = 0
    """The attempt whose facts and findings these are: one before, while this one has none; 0: this one."""
    is_retry: bool = False
    """It was made again by itself, as the one before came too early or could query no metric."""
    renewed: bool = False
    """It is about another outage than the first attempts: the group was about something new since."""
    started_at: datetime | None = None
    """When the first alert since then fired; None where nothing is new."""
    earlier_cause: Hypothesis | None = None
    """What was first before that."""
    earlier_onset: datetime | None = None
    """The onset that was told then."""
    earlier_fires: bool = False
    """An alert of the outage before fires on beside the new one."""
    recovered_after: str = ""
    """The proposal after which the service of that cause recovered, `AP-1`; "" for none."""
    over_at: datetime | None = None
    """When all alerts had ended, where the causes were not ranked by then; None else."""
    proposals: Sequence[ProposalLine] = ()
    waiting: Proposal | None = None
    """The newest of them, while people may decide it."""

    @property
    def hypotheses(self) -> Sequence[Hypothesis]:
        """The likeliest first; none before they are ranked."""
        return self.findings.hypotheses if self.findings else ()

    @property
    def service(self) -> str:
        return self.group.service

    @property
    def is_ranked_anew(self) -> bool:
        """Whether it runs, and what stands in the message meanwhile was ranked before."""
        return self.state.running and self.shown_attempt not in (0, self.attempt)

    @property
    def urgent_part(self) -> object:
        group = self.group
        alerts = group.state, group.severity, group.acknowledged_by
        waiting = self.waiting and (self.waiting.ref, self.waiting.revision)
        ranked = self.facts is not None, self.findings, self.no_proposal
        # While it is ranked once more people read what was ranked before: no edit is due for that.
        made = (TriageState.DONE, self.shown_attempt) if self.is_ranked_anew else (self.state, self.attempt)
        return alerts, *made, ranked, self.earlier_fires, self.recovered_after, self.proposals, waiting


@dataclass(frozen=True, kw_only=True)
class CauseContent(Content):
    """The question for the cause of a closed incident, and the answer once somebody gave it."""

    ref: str
    attempt: int
    """The attempt that ranked the hypothesis; 0 without one."""
    hypothesis: Hypothesis | None = None
    confirmed: ConfirmedCause | None = None

    @property
    def urgent_part(self) -> object:
        return self.attempt, self.confirmed


@dataclass(frozen=True, kw_only=True)
class AnswerContent(Content):
    """A question and its answer."""

    ref: str
    """The group or incident it is about; in words where that is all that is open."""
    question: str
    requester: str
    answer: QuestionAnswer | None
    failed: bool = False
    """No answer could be made, or a model's reading of the record failed."""
    evidence: Ledger
    cards: Sequence[OpenContent] = ()
    """Of an answer about all that is open: the worst of it."""
    others: int = 0
    """How much more was open."""
    next_step: str = ""
    """What to do now, where that is the question and it is known."""

    @property
    def urgent_part(self) -> object:
        return self.answer


@dataclass(frozen=True, kw_only=True)
class PostmortemContent(Content):
    """A postmortem draft."""

    ref: str
    n: int
    title: str
    sections: Sequence[PostmortemSection]
    graph: str = ""
    """The key of the stored picture; "" without one."""

    @property
    def urgent_part(self) -> object:
        return self.n

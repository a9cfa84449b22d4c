"""What the team learns from its incidents: closed ones are frozen as cases, and once a week Tocsin's accuracy is posted."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.core.evidence import Findings, GradedLead
from bot.core.history.frozen_cases import NEAR_MISS, Scorecard, scorecard
from bot.core.history.past_incidents import ConfirmedCause
from bot.core.text.moments import day
from bot.core.text.untrusted import counted
from bot.store.triage.frozen_cases import Cases

POSTED_FROM = timedelta(hours=8)
"""After the week's first moment, UTC: Monday morning."""
LONG_WEEKS = 12
MAX_LEADS = 60
"""Graded leads that go into a case, the newest first: older ones were made by other rules on other systems."""
LEAD_WEEKS = 52

Answered = Sequence[tuple[Findings, ConfirmedCause]]
"""The findings, and the cause that a person confirmed."""


class LearningTick:
    """Freezes what was closed and confirmed; posts the weekly line in the default channel."""

    def __init__(self, cases: Cases, channel: str) -> None:
        self.cases = cases
        self.channel = channel

    async def __call__(self) -> None:
        for incident_id in await self.cases.due_incidents():
            await self.cases.freeze(incident_id)
        await self._weekly()

    async def _weekly(self) -> None:
        now = self.cases.db.clock()
        monday = _monday(now)
        key = f"accuracy:{monday:%G-W%V}"
        if not self.channel or now < monday + POSTED_FROM or await self.cases.was_posted(key):
            return
        # A week without a confirmed cause has nothing to report.
        if week := await self.cases.graded_pairs(monday - timedelta(weeks=1), monday):
            long = await self.cases.graded_pairs(monday - timedelta(weeks=LONG_WEEKS), monday)
            await self.cases.post_once(key, self.channel, weekly_line(week, long, monday))


class LeadRecord:
    """What became of the analyst's leads in incidents whose cause a person confirmed."""

    def __init__(self, cases: Cases) -> None:
        self.cases = cases

    async def newest(self) -> tuple[GradedLead, ...]:
        """The newest graded leads: they correct how probable the next lead is."""
        now = self.cases.db.clock()
        return graded_leads(await self.cases.graded_pairs(now - timedelta(weeks=LEAD_WEEKS), now))


def graded_leads(answered: Answered) -> tuple[GradedLead, ...]:
    """The lead of each answer and whether it was right; answers without a lead or a confirmed service have none.

    The place has to be right, and a change that was named has to be the one that people confirmed: whoever blamed an innocent
    deploy of the right service was wrong.
    """
    newest = sorted(answered, key=lambda pair: pair[1].at, reverse=True)
    graded = (_graded(findings, cause) for findings, cause in newest)
    return tuple(lead for lead in graded if lead is not None)[:MAX_LEADS]


def _graded(findings: Findings, cause: ConfirmedCause) -> GradedLead | None:
    own = [h for h in findings.hypotheses if (h.named_by or findings.by) != "agent"]
    if findings.lead is None or not own or not cause.service:
        return None
    innocent = own[0].change_id and cause.kind and own[0].change_id != cause.change_id
    right = own[0].service == cause.service and not innocent
    return GradedLead(basis=findings.lead.basis, distance=findings.lead.distance, right=right, kind=own[0].kind)


def weekly_line(week: Answered, long: Answered, monday: datetime) -> str:
    """How right the answers were: in the week before this Monday, and over LONG_WEEKS weeks."""
    lately, longer = (_in_words(scorecard("", some)) for some in (week, long))
    since = day(monday - timedelta(weeks=1))
    return f"How right Tocsin was in the week from {since}: {lately}. Over {LONG_WEEKS} weeks: {longer}."


_GRADES = {
    "right": "right first",
    "near": f"right service among the first {NEAR_MISS}",
    "wrong": "wrong",
    "abstained": "without an answer",
}


def _in_words(card: Scorecard) -> str:
    """`12 incidents: 8 right first, 4 wrong; of 6 called likely 6 were right`; what there was none of is left out."""
    grades = ", ".join(f"{count} {words}" for grade, words in _GRADES.items() if (count := card.grades.get(grade)))
    right = f"{card.likely_right} {'was' if card.likely_right == 1 else 'were'} right"
    parts = (
        f"{counted(card.n, 'incident')}{f': {grades}' if grades else ''}",
        f"of {card.likely} called likely {right}" if card.likely else "",
        f"{card.ungraded} more whose cause names no service" if card.ungraded else "",
        f"${card.usd:.2f} for the AI model" if card.usd else "",
    )
    return "; ".join(filter(None, parts))


def _monday(now: datetime) -> datetime:
    return (now - timedelta(days=now.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)

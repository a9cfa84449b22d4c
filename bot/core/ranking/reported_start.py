"""Causes of a declared incident that began only after what a person reports: they may add to it, and did not start it."""

from collections.abc import Iterable

from bot.core.changes.recency import begins_after_report
from bot.core.evidence import Claim
from bot.core.ranking.candidates import Candidate
from bot.core.ranking.context import RankingContext

_TEXT = "It began well after the start that a person reports"


def weigh_reported_start(causes: Iterable[Candidate], context: RankingContext) -> None:
    """What began so late is not sure, and says why."""
    for cause in causes:
        if begins_after_report(cause.began or context.onset_of(cause.service), context.reported_at):
            cause.sure = False
            cause.against += [Claim(text=_TEXT, evidence=claim.evidence) for claim in cause.claims[:1]]

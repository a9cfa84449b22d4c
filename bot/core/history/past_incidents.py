"""Past incidents: which of them resemble a case, what people said caused them, and which fix was verified how often.

The likeness is a weighted sum, shown with each finding: 0.5 for the same alert, 0.3 for the same service, 0.2 times the
share of the case's words that the old incident holds. Nothing is reused that no person confirmed.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from bot.core.evidence import Case
from bot.core.questions.retrieval import Ranking

SAME_ALERT, SAME_SERVICE, SAME_WORDS = 0.5, 0.3, 0.2
ALIKE = 0.4
"""Likeness from which an old incident is worth showing: the same service alone is not enough."""


class ConfirmedCause(BaseModel):
    """What a person said it was. `service`, `kind` and `change_id` are empty where the words alone were given."""

    model_config = ConfigDict(frozen=True)

    text: str
    service: str = ""
    kind: str = ""
    """As a hypothesis': change, dependency, resource, ..."""
    change_id: str = ""
    said_by: str
    """A person key, or the Slack id of a member outside the roster."""
    at: datetime


def named_service(text: str, services: Iterable[str]) -> str:
    """The one service that the words name; "" if they name none or several."""
    words = set(re.findall(r"[\w.-]+\b", text.casefold()))
    named = [service for service in services if service.casefold() in words]
    return named[0] if len(named) == 1 else ""


class Fix(BaseModel):
    """One remediation that ran in an incident; `verified` if the signal was seen to recover after it."""

    model_config = ConfigDict(frozen=True)

    action: str
    service: str
    verified: bool


class PastIncident(BaseModel):
    """A resolved incident whose cause a person confirmed."""

    model_config = ConfigDict(frozen=True)

    ref: str
    group: str = ""
    title: str
    service: str
    alert_names: frozenset[str] = frozenset()
    resolved_at: datetime
    cause: ConfirmedCause
    fixes: tuple[Fix, ...] = ()


@dataclass(frozen=True)
class SimilarIncident:
    """A past incident with its likeness (0..1) and what makes it alike."""

    incident: PastIncident
    score: float
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class FixRecord:
    """How often one remediation ran in the given incidents, and how often the signal recovered after it."""

    action: str
    service: str
    ran: int
    verified: int


def similar_incidents(past: Sequence[PastIncident], case: Case, *, words: str = "", most: int = 5) -> list[SimilarIncident]:
    """The past incidents that resemble the case, the likest first, of equals the newest. The case's own is left out.

    `words` are compared instead of the case's summary if given.
    """
    others = [one for one in past if one.group != case.group or not case.group]
    ranking = Ranking({one.ref: f"{one.title}\n{one.cause.text}" for one in others})
    shares = dict(ranking.search(words or f"{case.summary}\n{case.alert_name}", limit=len(others)))
    found = [_alike(one, case, min(1.0, shares.get(one.ref, 0.0))) for one in others]
    kept = [alike for alike in found if alike.score >= ALIKE]
    return sorted(kept, key=lambda alike: (alike.score, alike.incident.resolved_at), reverse=True)[:most]


def _alike(past: PastIncident, case: Case, share: float) -> SimilarIncident:
    alert = case.alert_name in past.alert_names
    service = bool(case.service) and past.service == case.service
    score = SAME_ALERT * alert + SAME_SERVICE * service + SAME_WORDS * share
    told = (("same alert", alert), ("same service", service), (f"{share:.0%} of the words", share >= 0.1))
    return SimilarIncident(past, round(score, 3), tuple(reason for reason, holds in told if holds))


def fix_records(incidents: Iterable[PastIncident]) -> list[FixRecord]:
    """The fixes of these incidents, the most often verified first."""
    ran: Counter[tuple[str, str]] = Counter()
    verified: Counter[tuple[str, str]] = Counter()
    for incident in incidents:
        for fix in incident.fixes:
            ran[fix.action, fix.service] += 1
            verified[fix.action, fix.service] += fix.verified
    records = [FixRecord(action, service, many, verified[action, service]) for (action, service), many in ran.items()]
    return sorted(records, key=lambda record: (-record.verified, record.ran, record.action, record.service))

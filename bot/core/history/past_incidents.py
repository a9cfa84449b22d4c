"""Past incidents: which of them resemble a case, what people said caused them, and how often each fix was verified.

The similarity is a weighted sum, shown with each incident: 0.5 for the same alert, 0.3 for the same service, 0.2 times the
share of the case's words that the past incident holds. Only causes that a person confirmed are reused.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from bot.core.evidence import Case
from bot.core.questions.retrieval import Ranking
from bot.core.tuning import TUNING


class ConfirmedCause(BaseModel):
    """What a person said the cause was. `service`, `kind` and `change_id` are empty where only words were given."""

    model_config = ConfigDict(frozen=True)

    text: str
    service: str = ""
    kind: str = ""
    """As of a hypothesis: change, dependency, resource, ..."""
    change_id: str = ""
    confirmed_by: str = Field(validation_alias=AliasChoices("confirmed_by", "said_by"))
    """A person key, or the Slack id of a member outside the roster. `said_by` in older records."""
    at: datetime


def named_service(text: str, services: Iterable[str]) -> str:
    """The one service that the text names; "" if it names none or several."""
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
    """A past incident with its similarity (0..1) to a case, and what is similar."""

    incident: PastIncident
    similarity: float
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class FixRecord:
    """How often one remediation ran in the given incidents, and how often the signal recovered after it."""

    action: str
    service: str
    ran: int
    verified: int


def similar_incidents(past: Sequence[PastIncident], case: Case, *, words: str = "", most: int = 5) -> list[SimilarIncident]:
    """The past incidents that resemble the case, the most similar first, of equals the newest. The case's own is left out.

    `words` are compared instead of the case's summary if given.
    """
    others = [incident for incident in past if incident.group != case.group or not case.group]
    ranking = Ranking({incident.ref: f"{incident.title}\n{incident.cause.text}" for incident in others})
    shares = dict(ranking.search(words or f"{case.summary}\n{case.alert_name}", limit=len(others)))
    compared = [_similar(incident, case, min(1.0, shares.get(incident.ref, 0.0))) for incident in others]
    similar = [match for match in compared if match.similarity >= TUNING.past_incidents.similar]
    return sorted(similar, key=lambda match: (match.similarity, match.incident.resolved_at), reverse=True)[:most]


def _similar(past: PastIncident, case: Case, share: float) -> SimilarIncident:
    alert = case.alert_name in past.alert_names
    service = bool(case.service) and past.service == case.service
    weights = TUNING.past_incidents
    similarity = weights.alert * alert + weights.service * service + weights.words * share
    reasons = (("same alert", alert), ("same service", service), (f"{share:.0%} of the words", share >= 0.1))
    return SimilarIncident(past, round(similarity, 3), tuple(reason for reason, holds in reasons if holds))


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

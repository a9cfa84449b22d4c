"""Evidence: a finding with its query; and what may be concluded from it."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError
from pydantic.json_schema import SkipJsonSchema

from bot.core.errors import UnreadableEvidence
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.facts.fact import problem_of
from bot.core.tool_calls import could_not_check


class TimeWindow(BaseModel):
    """The span of time that was checked."""

    model_config = ConfigDict(frozen=True)

    start: datetime
    end: datetime


class Evidence(BaseModel):
    """What a tool returned. `ok=False` means "could not check": it supports no claim and is listed as not checked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    summary: str
    """One line that can be read aloud: numbers with unit and window."""
    query: str
    """How anyone can check again: a PromQL or LogQL query, or an address of Tocsin's API."""
    window: TimeWindow | None = None
    details: tuple[str, ...] = ()
    link: str = ""
    label: str = ""
    """What was checked, in the words of people: `health of checkout`. Empty in rows of older versions."""
    source: str = ""
    """Which system answered: "prometheus", "loki", "changes", "alerts", "runbooks", "catalogue"."""
    user_controllable: bool = False
    """True if users of the service can shape the text (paths, user agents, log messages)."""
    ok: bool = True
    unseen: tuple[str, ...] = ()
    """The parts of it that could not be checked: whole sentences, listed like checks that failed."""
    facts: EvidenceFacts = Field(default_factory=EvidenceFacts)
    """For code that reads the finding; never shown to the model as prose."""

    @property
    def blind_spots(self) -> tuple[str, ...]:
        """All that could not be checked: the whole, or parts of it."""
        return self.unseen if self.ok else (self.summary, *self.unseen)


class LedgerEntry(BaseModel):
    """Evidence with its id and where it came from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    """`E1`, `E2`, ... unique within one alert group."""
    group: str
    tool: str
    arguments: dict[str, Any] = Field(default_factory=dict)
    at: datetime
    evidence: Evidence


def parse_entry(stored: Mapping[str, object]) -> LedgerEntry:
    """An entry from its JSON, of this version or an older one. Raises UnreadableEvidence."""
    try:
        return LedgerEntry.model_validate(stored)
    except ValidationError as error:
        raise UnreadableEvidence(f"the stored evidence could not be read ({problem_of(error)})") from error


def without_repeated(ledger: Sequence[LedgerEntry], cited: Collection[str], *, since: datetime) -> list[LedgerEntry]:
    """A ledger, oldest first, without what was recorded before a moment by a call that was made again, unless `cited` (by id).

    What an attempt saw seconds after the alert is no reason against what the next one sees. A call that failed shows nothing.
    """
    again = {_call(one) for one in ledger if one.at >= since and one.evidence.ok}
    return [one for one in ledger if one.at >= since or one.id in cited or _call(one) not in again]


def _call(entry: LedgerEntry) -> str:
    return json.dumps([entry.tool, entry.arguments], sort_keys=True, default=str)


def failed_to_read(stored: Mapping[str, object], why: UnreadableEvidence) -> LedgerEntry:
    """A failed check in the place of an entry that cannot be read: nothing may be concluded from its absence."""
    evidence = Evidence(summary=could_not_check(str(stored["tool"]), str(why)), query="", source=str(stored["tool"]), ok=False)
    return LedgerEntry.model_validate({**stored, "evidence": evidence})


def entry_or_failure(stored: Mapping[str, object]) -> LedgerEntry:
    """An entry from its JSON; a failed check where that cannot be read."""
    try:
        return parse_entry(stored)
    except UnreadableEvidence as error:
        return failed_to_read(stored, error)


def missed(entries: Iterable[LedgerEntry]) -> list[str]:
    """What could not be checked, one line each: checks that failed, and the failed parts of those that did not."""
    return list(dict.fromkeys(line for entry in entries for line in entry.evidence.blind_spots))


class Claim(BaseModel):
    """One statement and the evidence it stands on."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(max_length=400)
    evidence: list[str] = Field(default_factory=list, max_length=8, description="Evidence ids, e.g. E3")
    change_id: SkipJsonSchema[str] = ""
    """Of a change that is ruled out, set by code; "" where it is about none, and in rows of older versions."""
    subject: SkipJsonSchema[str] = ""
    """What that change is called, set by code like its id."""


LEAD_ONLY = "Inconclusive: the causes are leads, no more."
"""The note where nothing ranked is likely."""

Basis = Literal["measured", "burst", "alerts"]
"""What a cause was ranked by: signals that left their normal range, in doublings, or a burst of alerts, in standard deviations.

"alerts" stands in rows of older versions, in bits: what they taught is not comparable, and is left aside.
"""


class Lead(BaseModel):
    """How far the analyst's first cause lies ahead, and how often causes that lay so far ahead were right."""

    model_config = ConfigDict(frozen=True)

    basis: Basis
    distance: float
    """Of its service (or component) from the next one: doublings, or standard deviations of a burst's bits of surprise."""
    probability: float = Field(ge=0, le=1)
    """On public incidents and those whose cause the team confirmed (core/ranking/calibration)."""


Confidence = Literal["likely", "possible", "unlikely", "unsupported"]
UNSUPPORTED_TEXT = "not shown by evidence"
NamedBy = Literal["", "analyst", "agent", "both"]
LeadStatus = Literal["", "best lead", "one of several"]
"""What "possible" means beside the other causes; "" for other confidences, and in rows of older versions."""
CauseKind = Literal["change", "dependency", "resource", "traffic", "external", "unknown"]


class Hypothesis(BaseModel):
    """A cause with evidence for and against."""

    model_config = ConfigDict(extra="forbid")

    cause: str = Field(max_length=300, description="One line: what is broken and why")
    service: str = Field(default="", max_length=120, description="The service at fault, as the catalogue names it")
    component: str = Field(default="", max_length=120, description="The pod or host at fault, where it is one and not all")
    kind: CauseKind = "unknown"
    change_id: str = Field(default="", max_length=200, description="The id of the change at fault, if one is")
    commit: str = Field(default="", max_length=64, description="The commit at fault, where the change brought several")
    confidence: Confidence = "possible"
    likelihood: float = Field(default=0.5, ge=0, le=1, validation_alias=AliasChoices("likelihood", "score"))
    """Kept as `score` in rows written before it had this name."""
    claims: list[Claim] = Field(default_factory=list, max_length=6)
    against: list[Claim] = Field(default_factory=list, max_length=6)
    not_checked: list[str] = Field(default_factory=list, max_length=8)
    check: str = Field(default="", max_length=300, description="The check that would confirm it")
    named_by: SkipJsonSchema[NamedBy] = ""
    """Who named it, set by code where the analyst's and the agent's answers were merged: no part of what a model answers."""
    lead_status: SkipJsonSchema[LeadStatus] = Field(default="", validation_alias=AliasChoices("lead_status", "standing"))
    """Of a possible cause, beside the others; set by code where an answer is judged. `standing` in older rows."""

    @property
    def confidence_text(self) -> str:
        """The confidence as people read it: likely, best lead, one of several, unlikely, not shown by evidence."""
        return self.lead_status or (UNSUPPORTED_TEXT if self.confidence == "unsupported" else self.confidence)


class Findings(BaseModel):
    """The result of one investigation, the likeliest hypothesis first."""

    hypotheses: list[Hypothesis] = Field(default_factory=list, max_length=5)
    ruled_out: list[Claim] = Field(default_factory=list)
    """Suspects that the evidence clears, e.g. an innocent newer deploy."""
    not_checked: list[str] = Field(default_factory=list)
    """What could not be checked, and why."""
    category: str = ""
    """The kind of cause (`core/verdict/category_signs.Category`), "healthy" if nothing is wrong; "" if nobody judged it."""
    because: list[Claim] = Field(default_factory=list)
    """What the category stands on."""
    answer: Claim | None = None
    """Yes, no or unknown to the question with which a person had it investigated, and why."""
    answer_untrusted: bool = False
    """Others can write its text: it is shown as a quotation."""
    by: Literal["analyst", "agent"] = "analyst"
    lead: Lead | None = None
    """Of the analyst's first cause; None where it was not ranked by distance, and in rows of older versions."""
    onset: datetime | None = None
    """When the incident began as the ranking saw it; None where no metric shows it, and in rows of older versions."""
    note: str = ""
    """What people should know beside the causes: that no model was called, that no metric shows the onset."""
    model: str = ""
    stop_reason: str = ""
    steps: int = 0
    seconds: float = 0.0
    tokens: int = 0
    usd: float = 0.0
    dropped: list[str] = Field(default_factory=list)
    """Claims that code removed, each with the reason."""

    @property
    def first_cause(self) -> Hypothesis | None:
        """The likeliest hypothesis, however sure it is; None without any."""
        return next(iter(self.hypotheses), None)

    @property
    def likely_cause(self) -> Hypothesis | None:
        """The first cause where it is called likely."""
        return self.first_cause if self.first_cause and self.first_cause.confidence == "likely" else None

    @property
    def cited(self) -> frozenset[str]:
        """The ids of all evidence on which something here stands."""
        of_causes = (claim for cause in self.hypotheses for claim in (*cause.claims, *cause.against))
        answer = (self.answer,) if self.answer else ()
        return frozenset(id for claim in (*of_causes, *self.ruled_out, *self.because, *answer) for id in claim.evidence)

    def noted(self, note: str) -> "Findings":
        """The same with one more thing that people should know, before what is noted already."""
        return self.model_copy(update={"note": f"{note} {self.note}".strip()})


def stored_findings(stored: Mapping[str, object] | None) -> Findings | None:
    """The findings of a stored attempt, None before there are any. Those that do not fit are a failed check, never none."""
    if not stored:
        return None
    try:
        return Findings.model_validate(stored)
    except ValidationError as error:
        return Findings(not_checked=[f"The causes of this attempt could not be read ({problem_of(error)})"])


def nothing_wrong(findings: Findings | None) -> str:
    """The words of findings that found nothing wrong; "" for others. No all-clear where a check failed."""
    if findings is None or findings.category != "healthy":
        return ""
    return "Nothing looks wrong in what could be checked" if findings.not_checked else "Nothing looks wrong"


class GradedLead(BaseModel):
    """One lead of the past and whether it was right, by the cause that a person confirmed."""

    model_config = ConfigDict(frozen=True)

    basis: Basis
    distance: float
    right: bool
    kind: CauseKind | None = None
    """Of the cause that was named; None in records of older versions."""


class EarlierOutage(BaseModel):
    """The outage before the present one: of the same group, or of another of the same service that just cleared or runs on."""

    model_config = ConfigDict(frozen=True)

    until: datetime
    """What deviates since before, or was changed before, belongs rather to it than to the present outage."""
    likely: tuple[CauseKind, str, str] | None = None
    """Kind, service and change of the cause that was likely; None where none was."""
    superseded: tuple[str, ...] = ()
    """Changes that were likely in a ranking before the one that found `likely`: that one knew of them, and found another."""
    began_at: datetime | None = None
    recovered_at: datetime | None = None
    """When the alert that leads now had cleared in it, or all alerts of its service where it had not fired; None: not all had.

    What was measured from `began_at` until then shows the outage before, and neither what is normal nor the present one.
    """
    runs_on: bool = False
    """Whether it had not ended, elsewhere at least, when the alert fired that leads now."""


class MeasuredOnset(BaseModel):
    """When a signal left its normal range, as an attempt measured it."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    not_before: datetime | None = None
    """Nothing was measured from here until `at`; None where the samples tell when it began."""
    signal: str = ""
    """Service and name of the signal; "" where it is not known."""
    evidence: str = ""


class FiringInterval(BaseModel):
    """From when to when something was wrong: from the measured onset on, else from the alert on, until the alert ended."""

    model_config = ConfigDict(frozen=True)

    began_at: datetime
    ended_at: datetime
    service: str = ""
    """Of another service than the case's: for what is measured of that one alone; "": for all that is measured."""
    same_readers: bool = False
    """Whether it is of a group that whoever reads the case reads too: of any other one a model learns nothing."""


class Case(BaseModel):
    """What an investigator gets: plain JSON, an argument of steps."""

    model_config = ConfigDict(frozen=True)

    group: str
    attempt: int = 1
    service: str = ""
    alert_name: str = ""
    severity: str = ""
    summary: str = ""
    labels: dict[str, str] = Field(default_factory=dict)
    expression: str = ""
    runbook_url: str = ""
    started_at: datetime
    """When the alert fired that leads now: signals are measured around it."""
    first_alert_at: datetime | None = None
    """When the first alert of the outage fired, where another may lead it by now."""
    declared: bool = False
    """A person declared it, and no alert has come: it began when the person says."""
    question: str = ""
    """The question of a person, or a hint; empty for the ordinary run."""
    graded_leads: tuple[GradedLead, ...] = ()
    """What became of the analyst's leads in this team's incidents, for its confidence."""
    earlier: EarlierOutage | None = None
    """Where the group was about another outage before, whose onset was measured."""
    firing_before: tuple[FiringInterval, ...] = ()
    """When alerts fired, that ended before the present outage, in groups of this service and then on each other one: none of
    that time is normal."""
    onset: MeasuredOnset | None = None
    """The first onset that an attempt before measured of the same outage: an outage has one, and better data only dates it
    earlier."""
    requester: str = ""

    @property
    def alerted_at(self) -> datetime:
        """When the first alert of the outage fired, or since when a person reports it: an outage has one, whichever leads."""
        return self.first_alert_at or self.started_at

    @property
    def reported_at(self) -> datetime | None:
        """Since when a person reports it; None where an alert tells of it."""
        return self.started_at if self.declared else None

    @property
    def overlap_began_at(self) -> datetime | None:
        """When the first alert fired of an outage that began while the one before ran on; None for any other.

        What was measured may then have left its normal range with the outage before.
        """
        return self.alerted_at if self.earlier and self.earlier.runs_on else None

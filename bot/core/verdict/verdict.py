"""What may be claimed: code, not a model, decides what the evidence carries and with how much confidence."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Self

from bot.core.evidence import Case, Claim, Confidence, Findings, Hypothesis, Lead, LeadStatus, LedgerEntry, missed
from bot.core.text.untrusted import one_line
from bot.core.tuning import TUNING
from bot.core.verdict.authors import without_wrong_authors
from bot.core.verdict.contradiction import contradiction, denial, known_services, services_in
from bot.core.verdict.corroboration import ADVICE_SOURCES
from bot.core.verdict.figures.evidence_figures import EvidenceFigures
from bot.core.verdict.figures.quoting import Quotation, check_quotes, has_struck
from bot.core.verdict.identity import changes_named, identify
from bot.core.verdict.measured import Measured, sources
from bot.core.verdict.support import support_of

CONFIDENCES: tuple[Confidence, ...] = ("likely", "possible", "unlikely", "unsupported")
"""The most confident first."""
_NAMES_OF_THINGS = frozenset({"version", "name", "quotation"})
"""What a sentence may not get wrong of a cause: a wrong figure is struck, a wrong name makes it another cause."""


def judge(
    findings: Findings,
    ledger: Sequence[LedgerEntry],
    *,
    group: str = "",
    onset: datetime | None = None,
    case: Case | None = None,
) -> Findings:
    """The findings with what the evidence does not carry struck or removed, and no more confident than it allows.

    Judging twice changes nothing.

    - A claim must cite evidence that exists, could be checked and belongs to `group` (by default the ledger's own).
      Figures, moments, versions, drawn names, authors of changes and quoted words of a hypothesis that do not stand in
      the evidence of the whole hypothesis are struck from their sentences (`core/verdict/figures`); what was struck goes
      to `dropped`. A claim of which nothing was confirmed stays to be read, and carries nothing.
    - A hypothesis without a claim that carries it is "unsupported" and last.
    - A model's cause gets the service and the change that it means as the records name them (`core/verdict/identity`).
    - A model's cause may be "likely" only by what the evidence shows of its kind (`core/verdict/support`), with two systems
      behind it, one of which users of the service cannot write to. Its words make nothing likely.
    - A change must be recorded before the onset, and its service or version must deviate. One after the onset is "unlikely".
    - What could not be checked is listed in `not_checked`.

    `onset` is the incident's onset if known; else the deviations of the change's own service say it. `case` is what is
    judged about: a change whose code explains the trouble came before it where it came before its alert, and of an outage that
    began while another ran on a change up to its alert may be the cause, by its moment alone.
    """
    group = group or (ledger[0].group if ledger else "")
    entries = {entry.id: entry for entry in ledger if entry.group == group}
    measured = Measured(entries.values(), onset, case, findings.onset)
    judgement = Judgement.of(findings, entries, {entry.id for entry in ledger} - set(entries), measured)
    judged = [judgement.judged(hypothesis) for hypothesis in findings.hypotheses]
    ruled_out = judgement.carried(findings.ruled_out, [claim for h in findings.hypotheses for claim in (*h.claims, *h.against)])
    not_checked = [*findings.not_checked, *missed(judgement.entries.values())]
    update = {
        "hypotheses": judged,
        "ruled_out": ruled_out,
        "not_checked": _once(not_checked),
        "dropped": _once(judgement.dropped),
    }
    return by_confidence(findings.model_copy(update=update))


def by_confidence(findings: Findings) -> Findings:
    """The hypotheses by confidence, equals in their order, and what each possible one is beside the others."""
    ordered = sorted(findings.hypotheses, key=lambda h: CONFIDENCES.index(h.confidence))
    best = _is_best_lead(ordered, findings)
    placed = [h.model_copy(update={"lead_status": _lead_status(h, best=best and n == 0)}) for n, h in enumerate(ordered)]
    return findings.model_copy(update={"hypotheses": placed})


def _lead_status(hypothesis: Hypothesis, *, best: bool) -> LeadStatus:
    if hypothesis.confidence != "possible":
        return ""
    return "best lead" if best else "one of several"


def _is_best_lead(ordered: Sequence[Hypothesis], findings: Findings) -> bool:
    """Whether the first cause stands out: it lies clearly ahead of the next, and such leads are right as often as not."""
    thresholds, possible = TUNING.confidence, [h for h in ordered if h.confidence == "possible"]
    if len(possible) < 2:
        return True
    clear = possible[0].likelihood >= thresholds.likely_margin * possible[1].likelihood
    measured = findings.lead is None or findings.by == "agent" or findings.lead.probability >= thresholds.best_lead
    return clear and measured


def _once(lines: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(lines))


@dataclass
class Judgement:
    """Judges one answer by the evidence of its incident; what it removes or lowers goes to `dropped`."""

    entries: Mapping[str, LedgerEntry]
    of_others: Set[str]
    """Evidence ids of other incidents."""
    measured: Measured
    by: str
    """Who answered. The analyst's causes are composed by code from measurements; a model's may be what it read."""
    dropped: list[str] = field(default_factory=list)
    figures: dict[tuple[frozenset[str], frozenset[str]], EvidenceFigures] = field(default_factory=dict)
    lead: Lead | None = None
    """The analyst's, whose confidence was measured on evidence like this, be it of one system."""

    @classmethod
    def of(cls, findings: Findings, entries: Mapping[str, LedgerEntry], of_others: Set[str], measured: Measured) -> Self:
        return cls(entries, of_others, measured, findings.by, list(findings.dropped), lead=findings.lead)

    # ------------------------------------------------------------ claims

    @cached_property
    def recorded(self) -> EvidenceFigures:
        """All evidence of the incident that could be checked."""
        return EvidenceFigures([entry for entry in self.entries.values() if entry.evidence.ok])

    @cached_property
    def services(self) -> Set[str]:
        """The services that the evidence speaks of."""
        return known_services(self.measured)

    def _figures(self, ids: Iterable[str], changes: Iterable[str]) -> EvidenceFigures:
        """Of this evidence and the records of these changes; kept, since claims and causes often cite the same."""
        key = frozenset(ids), frozenset(changes)
        if key not in self.figures:
            records = [self.measured.record_of(id) for id in sorted(key[1])]
            self.figures[key] = EvidenceFigures([*(self.entries[id] for id in dict.fromkeys(ids)), *records])
        return self.figures[key]

    def _changes_of(self, text: str) -> set[str]:
        """What a sentence that stands by itself may say: when a service that it names was changed, too."""
        named = services_in(text, self.services)
        changes = self.measured.observations.changes.values()
        return self._changes_named(text) | {change.id for change in changes if change.service in named}

    def _changes_named(self, *texts: str) -> set[str]:
        """Whoever names a recorded change cites its record."""
        return changes_named(texts, self.measured.observations.changes.values())

    def carried(self, claims: Sequence[Claim], beside: Iterable[Claim] = ()) -> list[Claim]:
        """The claims that stand by themselves: what their own evidence does not hold is struck; without the rest they go.

        They may compare moments with those of claims beside them: "three minutes after the pool began to fill".
        """
        cited = [(claim, ids) for claim in claims if (ids := self._valid_ids(claim))]
        everything = {id for claim in (*claims, *beside) for id in claim.evidence if not self._objection(id)}
        checked = []
        for claim, ids in cited:
            changes = self._changes_of(claim.text)
            checked.append(self._checked(claim, ids, self._figures(ids, changes), self._figures(everything, changes)))
        return [claim for claim, carries in checked if carries]

    def judged(self, hypothesis: Hypothesis) -> Hypothesis:
        """With what its evidence holds, and no more confidence than that allows."""
        refused = ""
        if self._by_model(hypothesis):
            identified = identify(hypothesis, self.measured)
            hypothesis, refused = identified.hypothesis, identified.refused
        claims = [(claim, ids) for claim in hypothesis.claims if (ids := self._valid_ids(claim))]
        against = [(claim, ids) for claim in hypothesis.against if (ids := self._valid_ids(claim))]
        cited = list(dict.fromkeys(id for _, ids in (*claims, *against) for id in ids))
        named = self._changes_named(hypothesis.change_id, hypothesis.cause, *(claim.text for claim, _ in (*claims, *against)))
        figures = self._figures(cited, named)
        checked = [self._checked(claim, ids, figures) for claim, ids in claims]
        # The sentence of the cause cites nothing itself, and a person may look anything up that was recorded.
        cause = self._authored(check_quotes(hypothesis.cause, self.recorded, limit=300, services=self.services), self.recorded)
        self._note_struck(hypothesis.cause, cause, ["any evidence"])
        confidence = self._confidence(hypothesis, checked, cause, refused)
        update = {
            "cause": cause.text,
            "claims": [claim for claim, _ in checked],
            "against": [self._checked(claim, ids, figures)[0] for claim, ids in against],
            "confidence": confidence,
        }
        return hypothesis.model_copy(update=update)

    def _valid_ids(self, claim: Claim) -> list[str]:
        """The evidence that a claim may stand on; without any the claim is removed."""
        objections = {id: why for id in claim.evidence if (why := self._objection(id))}
        valid = [id for id in dict.fromkeys(claim.evidence) if id not in objections]
        if not valid:
            reason = next(iter(objections.values()), "cites no evidence")
            self.dropped.append(f"{one_line(claim.text, 200)} ({reason})")
        else:
            self.dropped.extend(f"{why}, cited for: {one_line(claim.text, 160)}" for why in objections.values())
        return valid

    def _objection(self, id: str) -> str:
        """Why evidence carries nothing; "" if it may."""
        if id in self.of_others:
            return f"{id} belongs to another incident"
        if id not in self.entries:
            return f"there is no evidence {one_line(id, 20)}"
        return "" if self.entries[id].evidence.ok else f"{id} could not be checked"

    def _checked(
        self, claim: Claim, ids: Sequence[str], figures: EvidenceFigures, dated: EvidenceFigures | None = None
    ) -> tuple[Claim, bool]:
        """The claim with its valid evidence and without what that does not hold; and whether it carries anything."""
        quotation = self._authored(check_quotes(claim.text, figures, services=self.services, dated=dated), figures)
        self._note_struck(claim.text, quotation, ids)
        # What was struck before, of an answer that is judged again, was missing as well.
        carries = quotation.supported > 0 or not (quotation.missing or has_struck(claim.text))
        return claim.model_copy(update={"text": quotation.text, "evidence": list(ids)}), carries

    def _authored(self, quotation: Quotation, figures: EvidenceFigures) -> Quotation:
        return without_wrong_authors(quotation, self.measured.observations.changes.values(), self.services, figures)

    def _note_struck(self, text: str, quotation: Quotation, ids: Sequence[str]) -> None:
        for part in quotation.missing:
            self.dropped.append(f"{one_line(text, 200)} ({one_line(part, 60)} does not stand in {', '.join(ids)})")

    # ------------------------------------------------------------ confidence

    def _by_model(self, hypothesis: Hypothesis) -> bool:
        return (hypothesis.named_by or self.by) == "agent"

    def _confidence(
        self, hypothesis: Hypothesis, claims: Sequence[tuple[Claim, bool]], cause: Quotation, refused: str
    ) -> Confidence:
        carrying = [claim for claim, carries in claims if carries]
        if not carrying:
            return "unsupported"
        cited = list(dict.fromkeys(id for claim in carrying for id in claim.evidence))
        allowed: Confidence
        allowed, reason = ("possible", refused) if refused else self._highest(hypothesis, cited, cause)
        # `CONFIDENCES` begins with the most confident: the later of the two is the lower one.
        confidence = max(hypothesis.confidence, allowed, key=CONFIDENCES.index)
        if reason and confidence != hypothesis.confidence:
            self.dropped.append(f'"{hypothesis.confidence}" for {one_line(cause.text, 160)} ({one_line(reason, 200)})')
        return confidence

    def _highest(self, hypothesis: Hypothesis, cited: Sequence[str], cause: Quotation) -> tuple[Confidence, str]:
        """The highest confidence that the evidence allows, and what keeps it from more."""
        support = support_of(hypothesis, self.measured)
        if support.too_late:
            return "unlikely", support.reason
        by_model = self._by_model(hypothesis)
        if by_model and (denied := denial(hypothesis, self.measured)):
            return "unlikely", denied
        # The analyst weighs rivals itself; of a change that it names, the record and the deviation are checked again.
        unshown = hypothesis.kind == "change" and support.strength < 2
        if support.reason and (by_model or unshown):
            return "possible", support.reason
        if by_model and (struck := cause.kinds & _NAMES_OF_THINGS):
            return "possible", f"its sentence names a {sorted(struck)[0]} that is not in its evidence"
        if by_model and (other := contradiction(hypothesis, self.measured)):
            return "possible", other
        if self.lead and not by_model:
            return "likely", ""
        ids = {*cited, *support.evidence}
        if len(sources(self.entries, ids)) < 2:
            return "possible", "only one system saw it"
        observed = [self.entries[id] for id in ids if self.entries[id].evidence.source not in ADVICE_SOURCES]
        if all(entry.evidence.user_controllable for entry in observed):
            return "possible", "users of the service can write all of its evidence"
        return "likely", ""

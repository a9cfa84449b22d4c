"""What may be claimed: code, not a model, decides what the evidence carries and with how much confidence."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from bot.core.change import Change
from bot.core.changes.nearness import ONSET_TOLERANCE
from bot.core.evidence import Claim, Confidence, Findings, Hypothesis, LedgerEntry, missed
from bot.core.metrics.deviation import Deviation
from bot.core.ranking.attribution import SYMPTOMS
from bot.core.text.untrusted import one_line
from bot.core.tuning import TUNING
from bot.core.verdict.corroboration import ADVICE_SOURCES, uncorroborated
from bot.core.verdict.quoting import first_unsupported

_ORDER: tuple[Confidence, ...] = ("likely", "possible", "unlikely", "unsupported")


def judge(findings: Findings, ledger: Sequence[LedgerEntry], *, group: str = "", onset: datetime | None = None) -> Findings:
    """The findings without claims that the evidence does not carry, and no more confident than it allows.

    Judging twice changes nothing.

    - A claim must cite evidence that exists, could be checked and belongs to `group` (by default the ledger's own), and
      its numbers, moments, versions and quoted words must stand there. Other claims go to `dropped` with the reason.
    - A hypothesis without a claim left is "unsupported" and last.
    - "likely" needs two systems as evidence, one of which users of the service cannot write to; of a model's cause also
      that a measurement shows what it names; of a change also a moment before the onset and a deviation of its service
      or version. Being the newest change is no evidence. Otherwise it is "possible". A change that came after the onset
      is "unlikely".
    - What could not be checked is listed in `not_checked`.

    `onset` is the incident's onset if known; else the deviations of the change's own service say it.
    """
    judgement = _Judgement.of(findings, ledger, group or (ledger[0].group if ledger else ""), onset)
    judged = [judgement.judged(hypothesis) for hypothesis in findings.hypotheses]
    ruled_out = judgement.carried(findings.ruled_out)
    not_checked = [*findings.not_checked, *missed(judgement.entries.values())]
    update = {
        "hypotheses": judged,
        "ruled_out": ruled_out,
        "not_checked": _once(not_checked),
        "dropped": _once(judgement.dropped),
    }
    return by_confidence(findings.model_copy(update=update))


def by_confidence(findings: Findings) -> Findings:
    """The hypotheses by confidence; equals keep their order."""
    ordered = sorted(findings.hypotheses, key=lambda h: _ORDER.index(h.confidence))
    return findings.model_copy(update={"hypotheses": ordered})


def _once(lines: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(lines))


@dataclass(frozen=True)
class _Judgement:
    """Judges one answer by the evidence of its incident; what it removes or lowers goes to `dropped`."""

    entries: Mapping[str, LedgerEntry]
    of_others: Set[str]
    """Evidence ids of other incidents."""
    onset: datetime | None
    by_model: bool
    """The analyst's causes are composed by code; a model's may be what it read."""
    dropped: list[str]

    @classmethod
    def of(cls, findings: Findings, ledger: Sequence[LedgerEntry], group: str, onset: datetime | None) -> Self:
        entries = {entry.id: entry for entry in ledger if entry.group == group}
        of_others = {entry.id for entry in ledger} - set(entries)
        return cls(entries, of_others, onset, findings.by == "agent", list(findings.dropped))

    def carried(self, claims: Iterable[Claim]) -> list[Claim]:
        """The claims that the evidence carries."""
        carried = []
        for claim in claims:
            if reason := _objection(claim, self.entries, self.of_others):
                self.dropped.append(f"{one_line(claim.text, 200)} ({reason})")
            else:
                carried.append(claim)
        return carried

    def judged(self, hypothesis: Hypothesis) -> Hypothesis:
        """With the claims that are carried, and no more confidence than they allow."""
        claims, against = self.carried(hypothesis.claims), self.carried(hypothesis.against)
        confidence = self._confidence(hypothesis, claims) if claims else "unsupported"
        return hypothesis.model_copy(update={"claims": claims, "against": against, "confidence": confidence})

    def _confidence(self, hypothesis: Hypothesis, claims: Sequence[Claim]) -> Confidence:
        cited = [self.entries[e] for e in dict.fromkeys(e for claim in claims for e in claim.evidence)]
        allowed, reason = self._highest(hypothesis, cited)
        # `_ORDER` begins with the most confident: the later of the two is the lower one.
        confidence = max(hypothesis.confidence, allowed, key=_ORDER.index)
        if reason and confidence != hypothesis.confidence:
            self.dropped.append(f'"{hypothesis.confidence}" for {one_line(hypothesis.cause, 160)} ({reason})')
        return confidence

    def _highest(self, hypothesis: Hypothesis, cited: Sequence[LedgerEntry]) -> tuple[Confidence, str]:
        """The highest confidence that the cited evidence allows, and what keeps it from more."""
        if hypothesis.kind == "change" or hypothesis.change_id:
            allowed, reason = _change_allows(hypothesis, cited, self.entries, self.onset)
            if allowed != "likely":
                return allowed, reason
        corroborating = [entry for entry in cited if entry.evidence.source not in ADVICE_SOURCES]
        if len({entry.evidence.source or entry.tool for entry in corroborating}) < 2:
            return "possible", "only one system saw it"
        if all(entry.evidence.user_controllable for entry in corroborating):
            return "possible", "users of the service can write all of its evidence"
        services = {str(entry.arguments.get("service", "")) for entry in self.entries.values() if entry.evidence.ok}
        if self.by_model and uncorroborated(hypothesis.cause, cited, {hypothesis.service, *services}):
            return "possible", "nothing that was measured shows what it names"
        return "likely", ""


def _objection(claim: Claim, entries: Mapping[str, LedgerEntry], of_others: Set[str]) -> str:
    """Why a claim is not carried; "" if it is."""
    if not claim.evidence:
        return "cites no evidence"
    for cited in claim.evidence:
        if cited in of_others:
            return f"{cited} belongs to another incident"
        if cited not in entries:
            return f"there is no evidence {one_line(cited, 20)}"
        if not entries[cited].evidence.ok:
            return f"{cited} could not be checked"
    if missing := first_unsupported(claim.text, [entries[cited] for cited in claim.evidence]):
        return f"{one_line(missing, 60)} does not stand in {', '.join(claim.evidence)}"
    return ""


def _change_allows(
    hypothesis: Hypothesis, cited: Sequence[LedgerEntry], entries: Mapping[str, LedgerEntry], onset: datetime | None
) -> tuple[Confidence, str]:
    changes = [
        c
        for c in _changes(cited)
        if c.id == hypothesis.change_id or (not hypothesis.change_id and c.service == hypothesis.service)
    ]
    if not changes:
        return "possible", "the change itself stands in none of the cited evidence"
    service = hypothesis.service or changes[0].service
    began = onset or _onset_of(service, cited) or _onset_of(service, entries.values())
    if began and all(change.at > began + ONSET_TOLERANCE for change in changes):
        return "unlikely", "the change came after the onset"
    if not began:
        return "possible", "when it began is not known, so the change may have come after it"
    if not _deviates(service, {c.version for c in changes if c.version}, cited):
        return "possible", f"none of its evidence shows {one_line(service, 60)} or its version out of its normal range"
    return "likely", ""


def _changes(entries: Iterable[LedgerEntry]) -> list[Change]:
    return [change for entry in entries for change in entry.evidence.facts.changes or ()]


def _onset_of(service: str, entries: Iterable[LedgerEntry]) -> datetime | None:
    """When one service began to fail: the first onset of its errors and latency, else of whatever left its normal range.

    A queue or a cache may drift long before; that is not when the service began to fail.
    """
    onsets = [
        (d.family not in SYMPTOMS, d.onset)
        for d in _deviations(entries)
        if d.service == service and d.doublings > 0 and d.onset
    ]
    return min(onsets)[1] if onsets else None


def _deviations(entries: Iterable[LedgerEntry]) -> list[Deviation]:
    return [Deviation.of_fact(row) for e in entries if e.evidence.ok for row in e.evidence.facts.deviations]


def _deviates(service: str, versions: set[str], cited: Sequence[LedgerEntry]) -> bool:
    if any(d.service == service and d.doublings > 0 for d in _deviations(cited)):
        return True
    rows = [row for entry in cited for row in entry.evidence.facts.breakdown]
    grown = TUNING.verdict.version_growth
    return any(versions & set(row.labels.values()) and (row.after or 0) > grown * (row.before or 0) for row in rows)

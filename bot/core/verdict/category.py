"""The kind of cause of one incident, from what was measured, logged and said; "nothing is wrong" is one of the answers."""

from collections import defaultdict
from collections.abc import Iterable, Sequence, Set
from dataclasses import replace
from datetime import timedelta
from typing import Literal

from bot.core.change import Change
from bot.core.evidence import LEAD_ONLY, Case, Claim, Findings, Hypothesis, LedgerEntry
from bot.core.ranking.observations import Observations, observe
from bot.core.text.untrusted import cut, one_line
from bot.core.verdict.signs import Category, Sign, category_of, ended_in, sign_in

_OF_KIND = {
    "resource": Category.RESOURCE,
    "traffic": Category.RESOURCE,
    "dependency": Category.DEPENDENCY,
    "external": Category.DEPENDENCY,
}
_OF_CHANGE = {"config": Category.CONFIGURATION, "flag": Category.CONFIGURATION}
"""Any other change brings new code."""
_WORTH = {"likely": 3.0, "possible": 1.0}
_SAID = 0.5
"""The alert's own words are what somebody expected when the rule was written, not what was seen."""
_LEAST = 1.0
_ODD = 1.0
"""Twice its normal reach; of twenty signals one may well be a little out of its range."""
_PRESENT = timedelta(minutes=5)
"""What fails goes on failing: a restart loop, the slowest of them, comes back within five minutes."""
_SHOWN = 4
_MOST_TEXT = 500
_LEAD = 0.3
_WORDS = {
    Category.RESOURCE: "Something ran out",
    Category.CONFIGURATION: "A wrong configuration",
    Category.DEPENDENCY: "Something it depends on fails",
    Category.CODE: "A defect in the code",
    Category.INFRASTRUCTURE: "The infrastructure below it fails",
    Category.DATA: "Broken data",
}


def categorize(findings: Findings, case: Case, ledger: Sequence[LedgerEntry]) -> Findings:
    """The findings with their category and what it stands on.

    Each sign counts its weight (3 names a cause, 2 suggests one), signs of the alert's own words half, a resource that
    left its normal range 1 to 2, the first ranked cause 3 if likely and 1 if possible; the heaviest category wins, and
    below 1 it is unknown. Healthy needs a look at the service that shows nothing: no signal beyond its bound or twice
    its normal reach, no line that names a cause (unless a later one tells its end), none of the last five minutes that
    speaks of any trouble, no other alert on it. The alert alone does not make it ill. Where metrics rank nothing, the
    signs are the lead.

    A model's answer is to be judged before. Its first cause counts where the ledger bears its kind out, not by its word
    alone. Where nothing is wrong by these signs it may still have seen what they do not read, so that its causes stand, but
    none is likely.
    """
    seen = observe(ledger)
    told = [*_logged(ledger), *_beyond(ledger)]
    if _nothing_wrong(case, seen, ledger, told):
        if not _stands(findings):
            return _healthy(findings, case, seen)
        findings = _capped(findings)
    signs = [*told, *_measured(seen)]
    category, because = _heaviest([*signs, *_said(case, ledger), *_ranked(findings, case, seen, ledger, signs)])
    judged = findings.model_copy(update={"category": category, "because": [_claim(sign) for sign in because][:_SHOWN]})
    # What the alert is called is no lead: it was known before anybody looked.
    leading = [sign for sign in told if sign.category is category] or told
    return judged if findings.hypotheses or not leading else _lead(judged, case, category, leading)


def _logged(ledger: Iterable[LedgerEntry]) -> list[Sign]:
    """Signs in the kinds of lines that came now; the same kind counts once, however often it came."""
    came = [
        (row, row.template, row.last or entry.at, entry)
        for entry in ledger
        if entry.evidence.ok
        for row in entry.evidence.facts.templates
        if row.count
    ]
    ended = {category: at for _, text, at, _ in sorted(came, key=lambda one: one[2]) if (category := ended_in(text))}
    found = []
    for row, text, at, entry in came:
        if sign := sign_in(text, entry.id):
            # A person wants the image's tag and the host's name; what varies is masked in the kind.
            words = row.example or text
            # Trouble of no known kind is over when it does not come again; what names a cause stands until its end is told.
            stands = sign.category is not Category.UNKNOWN or entry.at - at <= _PRESENT
            found.append(replace(sign, text=words, present=stands and at >= ended.get(sign.category, at)))
    return found


def _beyond(ledger: Iterable[LedgerEntry]) -> list[Sign]:
    """Signals that are beyond the bound their owners set."""
    rows = [(row, e.id) for e in ledger if e.evidence.ok for row in e.evidence.facts.beyond or ()]
    return [Sign(category_of(row.signal), 1.0, row.text, id) for row, id in rows]


def _measured(seen: Observations) -> list[Sign]:
    moved = [d for d in seen.all_signals.values() if d.doublings > 0]
    return [
        Sign(
            category_of(d.signal),
            1 + min(1.0, d.doublings / 2),
            f"{d.service} {d.signal} left the normal range",
            seen.id_of(d),
        )
        for d in moved
    ]


def _said(case: Case, ledger: Iterable[LedgerEntry]) -> list[Sign]:
    """The words of the case's own alert, as the list of alerts tells it."""
    told = next((e.id for e in ledger if e.evidence.ok and e.evidence.facts.alerts is not None), "")
    if not told:
        return []
    found = [sign_in(text[:_MOST_TEXT], told) for text in dict.fromkeys((case.alert_name, case.summary)) if text]
    return [Sign(s.category, s.weight * _SAID, s.text, s.evidence) for s in found if s]


def _ranked(
    findings: Findings, case: Case, seen: Observations, ledger: Iterable[LedgerEntry], signs: Iterable[Sign]
) -> list[Sign]:
    first = next(iter(findings.hypotheses), None)
    if first is None or first.confidence not in _WORTH or not first.claims:
        return []
    change = seen.changes.get(first.change_id)
    category = _OF_CHANGE.get(change.kind, Category.CODE) if change else _OF_KIND.get(first.kind)
    if category is None:
        return []
    cited = {id for claim in first.claims for id in claim.evidence}
    if findings.by == "agent":
        borne_out = _tells(change, cited, ledger) if change else _shown(first, category, cited, case, seen, signs)
        if not borne_out:
            return []
    return [Sign(category, _WORTH[first.confidence], first.claims[0].text, first.claims[0].evidence[0])]


def _tells(change: Change, cited: Set[str], ledger: Iterable[LedgerEntry]) -> bool:
    """Whether the change stands in what is cited for it."""
    rows = (row for entry in ledger if entry.id in cited for row in entry.evidence.facts.changes or ())
    return any(row.id == change.id for row in rows)


def _shown(
    first: Hypothesis, category: Category, cited: Set[str], case: Case, seen: Observations, signs: Iterable[Sign]
) -> bool:
    """Whether the cited evidence, or what was measured of the service that is named, is of this category."""
    if any(sign.category is category and sign.evidence in cited for sign in signs):
        return True
    moved = seen.signals.get(first.service, {})
    if category is Category.DEPENDENCY:
        return bool(moved) and first.service != case.service
    return first.kind in moved or any(category_of(d.signal) is category for d in moved.values())


def _stands(findings: Findings) -> bool:
    """Whether a model's answer says that something is wrong, and evidence carries it."""
    return findings.by == "agent" and any(h.confidence in _WORTH and h.claims for h in findings.hypotheses)


def _capped(findings: Findings) -> Findings:
    why = "nothing that was looked at is beyond its bound or far out of its normal range"
    dropped = [f'"likely" for {one_line(h.cause, 160)} ({why})' for h in findings.hypotheses if h.confidence == "likely"]
    modest = [h.model_copy(update={"confidence": "possible"}) if h.confidence == "likely" else h for h in findings.hypotheses]
    return findings.model_copy(update={"hypotheses": modest, "dropped": [*findings.dropped, *dropped]})


def _nothing_wrong(case: Case, seen: Observations, ledger: Iterable[LedgerEntry], signs: Sequence[Sign]) -> bool:
    others = [
        alert
        for entry in ledger
        if entry.evidence.ok
        for alert in entry.evidence.facts.alerts or ()
        if alert.service == case.service and alert.name != case.alert_name
    ]
    ill = _farthest(seen) >= _ODD or any(sign.present for sign in signs) or others
    return bool(case.service) and case.service in seen.looked_at and not ill


def _farthest(seen: Observations) -> float:
    """The highest score of anything that was measured; below `_ODD` one of many is there by chance."""
    return max((d.doublings for d in seen.all_signals.values()), default=0.0)


def _healthy(findings: Findings, case: Case, seen: Observations) -> Findings:
    """Nothing is wrong, and the little that was ranked is no more than chance."""
    text = f"{case.service}: nothing that was looked at is beyond its bound or far out of its normal range"
    because = [Claim(text=one_line(text, 400), evidence=[seen.looked_at[case.service]])]
    chance = [h.model_copy(update={"confidence": "unlikely"}) for h in findings.hypotheses]
    note = f"What was ranked is no more than chance. {findings.note.replace(LEAD_ONLY, '')}" if chance else findings.note
    return findings.model_copy(
        update={"category": Category.HEALTHY, "because": because, "hypotheses": chance, "note": one_line(note, 600)}
    )


def _heaviest(signs: Iterable[Sign]) -> tuple[Category, list[Sign]]:
    """The category with the most weight and its signs, the heaviest first."""
    by_category: dict[Category, list[Sign]] = defaultdict(list)
    for sign in signs:
        if sign.category is not Category.UNKNOWN:
            by_category[sign.category].append(sign)
    weights = {category: sum(sign.weight for sign in found) for category, found in by_category.items()}
    best = max(weights, key=lambda category: (weights[category], category), default=Category.UNKNOWN)
    if weights.get(best, 0.0) < _LEAST:
        return Category.UNKNOWN, []
    return best, sorted(by_category[best], key=lambda sign: -sign.weight)


def _claim(sign: Sign) -> Claim:
    return Claim(text=one_line(sign.text, 400), evidence=[sign.evidence])


def _lead(findings: Findings, case: Case, category: Category, signs: Sequence[Sign]) -> Findings:
    """Nothing was ranked, but something was said: that is the lead, and "nothing looks wrong" is not."""
    first = max(signs, key=lambda sign: sign.weight)
    kinds: dict[Category, Literal["resource", "dependency"]] = {
        Category.RESOURCE: "resource",
        Category.DEPENDENCY: "dependency",
    }
    cause = f"{_WORDS.get(category, 'Not known yet what')}: {one_line(first.text, 200)}"
    lead = Hypothesis(
        cause=cut(cause, 300),
        service=case.service[:120],
        kind=kinds.get(category, "unknown"),
        confidence="possible",
        score=_LEAD,
        claims=[_claim(sign) for sign in signs][:_SHOWN],
        check=f"What else does {one_line(case.service, 80) or 'the service'} log at that moment, and what changed before it?",
    )
    return findings.model_copy(update={"hypotheses": [lead], "note": LEAD_ONLY})

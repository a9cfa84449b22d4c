"""The kind of cause of one incident, from measurements, log lines and alerts; "nothing is wrong" is one of the answers."""

from collections import defaultdict
from collections.abc import Iterable, Sequence, Set
from dataclasses import replace
from datetime import timedelta
from typing import Literal

from bot.core.change import Change
from bot.core.evidence import LEAD_ONLY, Case, Claim, Findings, Hypothesis, LedgerEntry
from bot.core.ranking.observations import Observations, observe
from bot.core.text.untrusted import cut, one_line
from bot.core.tuning import TUNING
from bot.core.verdict.category_signs import Category, CategorySign, category_of, ended_in, sign_in

_OF_KIND = {
    "resource": Category.RESOURCE,
    "traffic": Category.RESOURCE,
    "dependency": Category.DEPENDENCY,
    "external": Category.DEPENDENCY,
}
_OF_CHANGE = {"config": Category.CONFIGURATION, "flag": Category.CONFIGURATION, "data": Category.DATA}
"""Any other change brings new code."""
_WEIGHTS = TUNING.categories
_OF_CONFIDENCE = {"likely": _WEIGHTS.likely, "possible": _WEIGHTS.possible}
_PRESENT = timedelta(minutes=5)
"""What fails keeps failing: a restart loop, the slowest of such faults, logs again within five minutes."""
_MAX_CLAIMS = 4
_MAX_ALERT_TEXT = 500
_CAUSE_TEXTS = {
    Category.RESOURCE: "Something ran out",
    Category.CONFIGURATION: "A wrong configuration",
    Category.DEPENDENCY: "Something it depends on fails",
    Category.CODE: "A defect in the code",
    Category.INFRASTRUCTURE: "The infrastructure below it fails",
    Category.DATA: "Broken data",
}


def categorize(
    findings: Findings, case: Case, ledger: Sequence[LedgerEntry], observations: Observations | None = None
) -> Findings:
    """The findings with their category and the claims that it rests on.

    Each sign counts its weight: texts that name or suggest a cause, the alert's own words, signals outside their normal
    range, the first ranked cause (all in CategoryWeights). The heaviest category wins; if it is too light it is
    unknown. "Healthy" needs a check of the service that shows nothing: no signal beyond its threshold or at twice its
    normal range, no line that names a cause (unless a later one reports its end), no line of the last five minutes that
    speaks of trouble, no other alert on it. The case's own alert alone does not make it unhealthy. Where metrics rank
    nothing, the signs are the lead.

    A model's answer has to be judged before. Its first cause counts only if the ledger supports that kind of cause. Where
    nothing is wrong by these signs the model may have read something that they do not: its causes stay, but none is likely.
    `observations` are those of the ledger, where they were read before.
    """
    observations = observations or observe(ledger, alert=case.alert_name)
    recorded = [*_in_log_lines(ledger), *_beyond_thresholds(ledger)]
    if _nothing_wrong(case, observations, ledger, recorded):
        if not _names_trouble(findings):
            return _healthy(findings, case, observations)
        findings = _capped(findings)
    signs = [*recorded, *_deviations(observations)]
    more = [*_in_alert_text(case, ledger), *_of_first_cause(findings, case, observations, ledger, signs)]
    category, because = _heaviest([*signs, *more])
    claims = [_claim(sign) for sign in because][:_MAX_CLAIMS]
    categorized = findings.model_copy(update={"category": category, "because": claims})
    # The name of the alert is no lead: it was there before anything was checked.
    leading = [sign for sign in recorded if sign.category is category] or recorded
    return categorized if findings.hypotheses or not leading else _lead(categorized, case, category, leading)


def _in_log_lines(ledger: Iterable[LedgerEntry]) -> list[CategorySign]:
    """Signs in the templates of lines that were logged now; each counts once, however often it was logged."""
    logged = [
        (row, row.template, row.last or entry.at, entry)
        for entry in ledger
        if entry.evidence.ok
        for row in entry.evidence.facts.templates
        if row.count
    ]
    ends = {category: at for _, text, at, _ in sorted(logged, key=lambda line: line[2]) if (category := ended_in(text))}
    signs = []
    for row, text, at, entry in logged:
        if sign := sign_in(text, entry.id):
            # People need the image's tag and the host's name, which the template masks.
            example = row.example or text
            # Trouble of no known kind is over once it is not logged again; a named cause lasts until its end is reported.
            lasts = sign.category is not Category.UNKNOWN or entry.at - at <= _PRESENT
            signs.append(replace(sign, text=example, present=lasts and at >= ends.get(sign.category, at)))
    return signs


def _beyond_thresholds(ledger: Iterable[LedgerEntry]) -> list[CategorySign]:
    """Signals that are beyond the threshold that their owners set."""
    rows = [(row, e.id) for e in ledger if e.evidence.ok for row in e.evidence.facts.beyond or ()]
    return [CategorySign(category_of(row.signal), _WEIGHTS.beyond_threshold, row.text, id) for row, id in rows]


def _deviations(observations: Observations) -> list[CategorySign]:
    moved = [d for d in observations.all_signals.values() if d.doublings > 0]
    return [
        CategorySign(
            category_of(d.signal),
            _WEIGHTS.deviation + min(1.0, d.doublings / 2),
            f"{d.service} {d.signal} left the normal range",
            observations.id_of(d),
        )
        for d in moved
    ]


def _in_alert_text(case: Case, ledger: Iterable[LedgerEntry]) -> list[CategorySign]:
    """Signs in the words of the case's own alert; the list of alerts is their evidence."""
    evidence = next((e.id for e in ledger if e.evidence.ok and e.evidence.facts.alerts is not None), "")
    if not evidence:
        return []
    signs = [sign_in(text[:_MAX_ALERT_TEXT], evidence) for text in dict.fromkeys((case.alert_name, case.summary)) if text]
    return [CategorySign(s.category, s.weight * _WEIGHTS.alert_text, s.text, s.evidence) for s in signs if s]


def _of_first_cause(
    findings: Findings, case: Case, observations: Observations, ledger: Iterable[LedgerEntry], signs: Iterable[CategorySign]
) -> list[CategorySign]:
    first = findings.first_cause
    if first is None or first.confidence not in _OF_CONFIDENCE or not first.claims:
        return []
    change = observations.changes.get(first.change_id)
    category = _OF_CHANGE.get(change.kind, Category.CODE) if change else _OF_KIND.get(first.kind)
    if category is None:
        return []
    cited = {id for claim in first.claims for id in claim.evidence}
    if findings.by == "agent":
        supported = (
            _is_recorded(change, cited, ledger) if change else _is_shown(first, category, cited, case, observations, signs)
        )
        if not supported:
            return []
    return [CategorySign(category, _OF_CONFIDENCE[first.confidence], first.claims[0].text, first.claims[0].evidence[0])]


def _is_recorded(change: Change, cited: Set[str], ledger: Iterable[LedgerEntry]) -> bool:
    """Whether the cited evidence lists the change."""
    rows = (row for entry in ledger if entry.id in cited for row in entry.evidence.facts.changes or ())
    return any(row.id == change.id for row in rows)


def _is_shown(
    first: Hypothesis,
    category: Category,
    cited: Set[str],
    case: Case,
    observations: Observations,
    signs: Iterable[CategorySign],
) -> bool:
    """Whether the cited evidence, or a deviation of the service that is named, is of this category."""
    if any(sign.category is category and sign.evidence in cited for sign in signs):
        return True
    moved = observations.signals.get(first.service, {})
    if category is Category.DEPENDENCY:
        return bool(moved) and first.service != case.service
    return first.kind in moved or any(category_of(d.signal) is category for d in moved.values())


def _names_trouble(findings: Findings) -> bool:
    """Whether a model's answer says that something is wrong, and evidence carries it."""
    return findings.by == "agent" and any(h.confidence in _OF_CONFIDENCE and h.claims for h in findings.hypotheses)


def _capped(findings: Findings) -> Findings:
    why = "nothing that was checked is beyond its threshold or far out of its normal range"
    dropped = [f'"likely" for {one_line(h.cause, 160)} ({why})' for h in findings.hypotheses if h.confidence == "likely"]
    capped = [h.model_copy(update={"confidence": "possible"}) if h.confidence == "likely" else h for h in findings.hypotheses]
    return findings.model_copy(update={"hypotheses": capped, "dropped": [*findings.dropped, *dropped]})


def _nothing_wrong(
    case: Case, observations: Observations, ledger: Iterable[LedgerEntry], signs: Sequence[CategorySign]
) -> bool:
    others = [
        alert
        for entry in ledger
        if entry.evidence.ok
        for alert in entry.evidence.facts.alerts or ()
        if alert.service == case.service and alert.name != case.alert_name
    ]
    unhealthy = _most_doublings(observations) >= _WEIGHTS.odd or any(sign.present for sign in signs) or others
    return bool(case.service) and case.service in observations.checked and not unhealthy


def _most_doublings(observations: Observations) -> float:
    return max((d.doublings for d in observations.all_signals.values()), default=0.0)


def _healthy(findings: Findings, case: Case, observations: Observations) -> Findings:
    """Nothing is wrong, and the little that was ranked is no more than chance."""
    text = f"{case.service}: nothing that was checked is beyond its threshold or far out of its normal range"
    because = [Claim(text=one_line(text, 400), evidence=[observations.checked[case.service]])]
    chance = [h.model_copy(update={"confidence": "unlikely"}) for h in findings.hypotheses]
    note = f"What was ranked is no more than chance. {findings.note.replace(LEAD_ONLY, '')}" if chance else findings.note
    return findings.model_copy(
        update={"category": Category.HEALTHY, "because": because, "hypotheses": chance, "note": one_line(note, 600)}
    )


def _heaviest(signs: Iterable[CategorySign]) -> tuple[Category, list[CategorySign]]:
    """The category with the most weight and its signs, the heaviest first."""
    by_category: dict[Category, list[CategorySign]] = defaultdict(list)
    for sign in signs:
        if sign.category is not Category.UNKNOWN:
            by_category[sign.category].append(sign)
    weights = {category: sum(sign.weight for sign in own) for category, own in by_category.items()}
    best = max(weights, key=lambda category: (weights[category], category), default=Category.UNKNOWN)
    if weights.get(best, 0.0) < _WEIGHTS.least:
        return Category.UNKNOWN, []
    return best, sorted(by_category[best], key=lambda sign: -sign.weight)


def _claim(sign: CategorySign) -> Claim:
    return Claim(text=one_line(sign.text, 400), evidence=[sign.evidence])


def _lead(findings: Findings, case: Case, category: Category, signs: Sequence[CategorySign]) -> Findings:
    """The findings with the heaviest sign as their cause: nothing was ranked, but something was logged."""
    first = max(signs, key=lambda sign: sign.weight)
    kinds: dict[Category, Literal["resource", "dependency"]] = {
        Category.RESOURCE: "resource",
        Category.DEPENDENCY: "dependency",
    }
    cause = f"{_CAUSE_TEXTS.get(category, 'Not known yet what')}: {one_line(first.text, 200)}"
    lead = Hypothesis(
        cause=cut(cause, 300),
        service=case.service[:120],
        kind=kinds.get(category, "unknown"),
        confidence="possible",
        likelihood=_WEIGHTS.lead,
        claims=[_claim(sign) for sign in signs][:_MAX_CLAIMS],
        check=f"What else does {one_line(case.service, 80) or 'the service'} log at that moment, and what changed before it?",
    )
    return findings.model_copy(update={"hypotheses": [lead], "note": LEAD_ONLY})

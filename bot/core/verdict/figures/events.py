"""What a sentence says of when something was changed or began: a moment of something else, or the wrong order."""

import re
from collections.abc import Iterator, Sequence, Set
from datetime import datetime

from bot.core.change import Change
from bot.core.verdict.figures.clauses import Clause, Sentence, Span, service_pattern
from bot.core.verdict.figures.evidence_text import of_day
from bot.core.verdict.figures.quantities import MOMENT_SLACK, Dimension, Quantity, span_bounds
from bot.core.verdict.figures.roles import Roles
from bot.core.verdict.figures.signals import signals_in

_KINDS = {
    "deploy": r"deploy\w*|releas\w+|roll(?:ed)?[ -]?out|went (?:out|live)|shipped",
    "config": r"config\w*(?: edit| change)?",
    "flag": r"flag(?: flip)?|flipped|switched on",
    "model": r"(?:new )?model",
    "": r"changes?|changed",
}
"""What changes of each kind are called; "" for what any of them may be called."""
_ANY_KIND = "|".join(_KINDS.values())
_CHANGE = re.compile(rf"\b(?:{_ANY_KIND})\b", re.I)
_BEGAN = re.compile(
    r"\b(?:began|begun|begins?|start(?:s|ed)?|onset|set in|jump(?:s|ed)?|rose|climb(?:s|ed)?|fail(?:s|ed|ing)? since)\b", re.I
)
_SYMPTOM = re.compile(r"\b(?:onset|errors?|fail\w*|outage|trouble|incident|symptoms?|deviat\w+)\b", re.I)
_SINCE = re.compile(r"\bsince\b", re.I)
"""What has gone on since then is not always named."""
_ALERT = re.compile(r"\b(?:alert\w*|paged?|pages)\b", re.I)
_ORDER = re.compile(r"\b(?:before|after|(?:later|earlier) than|ahead of|prior to)\b", re.I)
_LATER = ("after", "later than")
_BY = re.compile(r"\bby\s+(?:about |around |some |~ ?)?$", re.I)
_UNTOLD = re.compile(r"\b(?:not|never|no|neither|nor|whether|if|would|could|should)\b|n['’]t\b", re.I)


def misplaced_moments(sentence: Sentence, roles: Roles) -> Iterator[Span]:
    """The times of day that are those of something else than the clause says: of another service's deploy, of the onset.

    Only where the part of the clause that tells the time names one thing alone, and the evidence dates that thing.
    """
    for clause in (part for whole in sentence.clauses for part in whole.parted(_ORDER)):
        if len(clause.clocks) != 1:
            continue
        span, clock = clause.clocks[0]
        own = _dated(clause, sentence, roles)
        if own and not _at(own, clock) and _at(_others(roles, own), clock):
            yield span


def _dated(clause: Clause, sentence: Sentence, roles: Roles) -> list[datetime]:
    """When that happened what the clause dates; none where it names two things, or nothing of which a moment is known."""
    change, symptom = bool(_CHANGE.search(clause.text) or clause.versions), bool(_BEGAN.search(clause.text))
    if change == symptom or _SINCE.search(clause.text) or _ALERT.search(clause.text):
        return []
    if symptom:
        return _onsets(clause.text, sentence, roles)
    changes = _changes(clause, sentence, roles)
    return [one.at for one in changes or ([] if sentence.named_in(clause.text) or clause.versions else roles.changes)]


def _onsets(text: str, sentence: Sentence, roles: Roles) -> list[datetime]:
    """The onsets that a text speaks of, with the first lines of new kinds."""
    services = sentence.named_in(text)
    named = signals_in(text, {row.signal for row in roles.deviations})
    if "errors" in named:
        named |= {row.signal for row in roles.deviations if row.family == "errors"}
    onsets = roles.onsets(services, named) or roles.onsets(services, ())
    return [*onsets, *(row.first for row in roles.templates if row.first)] if onsets else []


def _changes(clause: Clause, sentence: Sentence, roles: Roles, *, of: Set[str] = frozenset()) -> list[Change]:
    """The changes that a clause speaks of: of its versions, or of the service that it says was changed; else none.

    `of`: the services that a pronoun stands for.
    """
    if versions := clause.versions:
        return [change for change in roles.changes if change.version.casefold() in versions]
    services = {name for name in sentence.named_in(clause.text) if _is_changed(name, clause.text)} or of
    kinds = {kind for kind, words in _KINDS.items() if kind and re.search(rf"\b(?:{words})\b", clause.text, re.I)}
    changes = [change for change in roles.changes if change.service in services]
    return [change for change in changes if not kinds or change.kind in kinds]


def _is_changed(service: str, text: str) -> bool:
    """Whether a text says that this service was changed: what a deploy broke is not what was deployed."""
    name = service_pattern(service).pattern
    return bool(
        re.search(rf"\b(?:{_ANY_KIND})\s+(?:of|to|on|for|in)\s+{name}", text, re.I)
        or re.search(
            rf"{name}(?:['’]s)?\s+(?:new(?:est)?\s+|last\s+)?(?:(?:was|got|is)\s+(?:\w+ly\s+)?)?(?:{_ANY_KIND})\b", text, re.I
        )
    )


def _others(roles: Roles, own: Sequence[datetime]) -> list[datetime]:
    all_moments = [change.at for change in roles.changes] + roles.onsets((), ())
    return [moment for moment in all_moments if moment not in own]


def _at(moments: Sequence[datetime], clock: tuple[int, int, int | None]) -> bool:
    hour, minute, second = clock
    named = 3600 * hour + 60 * minute + (second or 0)
    before, after = (MOMENT_SLACK, MOMENT_SLACK) if second is not None else (30.0, 60.0)
    return any(named - before <= of_day(moment) <= named + after for moment in moments)


def misordered_in(sentence: Sentence, roles: Roles) -> Iterator[Span]:
    """Where the sentence has one thing come before another that it came after: the span between them, else the word itself."""
    for clause in sentence.clauses:
        orders = list(_ORDER.finditer(clause.text))
        if len(orders) != 1 or _UNTOLD.search(clause.text):
            continue
        order = orders[0]
        first = Clause(clause.start, clause.text[: order.start()])
        second = Clause(clause.start + order.end(), clause.text[order.end() :])
        later = order.group().casefold() in _LATER
        gap = next(_told_gaps(sentence, first, second), None)
        if gap is not None and gap.dimension is not Dimension.TIME:
            continue
        gaps = _gaps(first, second, sentence, roles)
        if gaps and not _holds(gaps, gap, later=later) and _holds(gaps, gap, later=not later):
            yield (gap.start, gap.end) if gap else (clause.start + order.start(), clause.start + order.end())


def _told_gaps(sentence: Sentence, first: Clause, second: Clause) -> Iterator[Quantity]:
    """The figure right before the word of order: `38 s before the onset`; or behind `by`: `before the onset by 38 s`."""
    yield from (f for f in sentence.figures_of(first) if not sentence.text[f.end : first.end].strip())
    yield from (f for f in sentence.figures_of(second) if _BY.search(sentence.text[second.start : f.start]))


def _gaps(first: Clause, second: Clause, sentence: Sentence, roles: Roles) -> list[float]:
    """Seconds by which the first comes after the second, of all that they may mean."""
    subjects = _moments(first, sentence, roles)
    objects = _moments(second, sentence, roles, of=sentence.named_in(first.text))
    if not objects and _CHANGE.search(first.text) and not _SYMPTOM.search(second.text):
        # "storefront's deploy came 17 s before inventory's": of the same kind of thing.
        named = sentence.named_in(second.text)
        objects = [change.at for change in roles.changes if change.service in named]
    return [(a - b).total_seconds() for a in subjects for b in objects]


def _moments(part: Clause, sentence: Sentence, roles: Roles, *, of: Set[str] = frozenset()) -> list[datetime]:
    """When that was what one side of an order names: changes, onsets or alerts; none where it names several of these."""
    change = bool(_CHANGE.search(part.text) or part.versions)
    signals = signals_in(part.text, {row.signal for row in roles.deviations})
    symptom = bool(_BEGAN.search(part.text) or _SYMPTOM.search(part.text) or signals)
    if change + symptom + bool(_ALERT.search(part.text)) != 1:
        return []
    if change:
        pronoun = of if re.search(r"\b(?:its|their)\b", part.text, re.I) else frozenset[str]()
        changes = _changes(part, sentence, roles, of=pronoun)
        return [one.at for one in changes] or ([] if sentence.named_in(part.text) else [one.at for one in roles.changes])
    if symptom:
        own = sentence.named_in(part.text) or of
        named = roles.onsets(own, signals) if signals else []
        return named or roles.onsets(own, ()) or roles.onsets((), ())
    return []


def _holds(gaps: Sequence[float], figure: Quantity | None, *, later: bool) -> bool:
    signed = [gap if later else -gap for gap in gaps]
    if figure is None:
        return any(gap >= 0 for gap in signed)
    low, high = span_bounds(figure)
    return any(max(low, 0.0) <= gap <= high for gap in signed)

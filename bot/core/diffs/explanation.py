"""How far a diff explains what is observed: new and vanished log lines, error texts, signals that left their normal range."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from bot.core.diffs.effect_kinds import LOADS, SHOWN_BY_OTHERS
from bot.core.diffs.effect_text import effect_text
from bot.core.diffs.effects.dropped_indexes import looks_up
from bot.core.diffs.identifiers import contains_identifier, is_distinctive, word_stems
from bot.core.diffs.reason import Reason
from bot.core.diffs.symptoms.code_text import frames, without_values
from bot.core.diffs.symptoms.expected_symptoms import CHANGED, EXPECTED_SYMPTOMS, LESS, MORE, change_of
from bot.core.diffs.symptoms.lines_about_effects import (
    line_about_variable,
    line_missing,
    line_missing_call,
    line_of_refused_row,
    line_with_both,
    line_with_field,
    line_with_new_limit,
    line_with_setting,
    line_with_whole_setting,
    line_without_image,
    says_missing,
)
from bot.core.diffs.symptoms.lines_about_packages import by_dependency
from bot.core.diffs.symptoms.refused_values import refused_values
from bot.core.diffs.symptoms.slow_commands import new_slow_command
from bot.core.diffs.symptoms.stack_frames import ARISES, by_frames
from bot.core.diffs.symptoms.stated_causes import may_bring_about, sets_host
from bot.core.diffs.symptoms.symptoms import Symptoms, SymptomText
from bot.core.facts.code import DiffFact, EffectFact, EffectKind
from bot.core.metrics.signal_names import counts_served
from bot.core.text.untrusted import one_line
from bot.core.tuning import TUNING
from bot.core.tuning.changes import DiffWeights

_WHOLE_TEXT = re.compile(r"\s|\d|\w[:/.]\w")
"""What makes a text more than a word that stands in any line."""
_LONG_NUMBER = re.compile(r"\d{3,}")
"""Shorter ones stand in any line."""
_MAX_QUOTED = 70
_SAYS_HOW = re.compile(r"\bseq\b|ready replicas|no endpoints|throttl|\bmiss|\bhits?\b|\bseries\b", re.I)
"""Signals that tell how something is done, and not only that it hurts."""
_ANSWERED_BY = re.compile(
    r"\b(?:413|429) (?:\w+ ){0,3}(?:from|by) (?:(?-i:[A-Z]{3,7}) )?(?:https?://)?(?!\d+\.\d)[\w-]+[.:]\w|"
    r"[\w-]\.\w+ (?:answered|returned|responded|replied)\b.{0,20}\b(?:413|429)\b",
    re.I,
)
"""Another host answers; a bare address is rather that of a client."""
FITS = "which fits"
"""Before the line or signal that an effect brings about."""
_SENTENCE = 4
"""Words from which on a text of the diff counts as a sentence of the program."""


@dataclass
class Explanation:
    """How strongly a diff explains the symptoms, and by what: each reason with the evidence of the symptom, the best first."""

    strength: float = 0.0
    firm: float = 0.0
    """The points of it that nobody can have typed into a request."""
    reasons: list[Reason] = field(default_factory=list)
    """Points, words, evidence."""

    @property
    def best(self) -> float:
        """The points of its strongest reason: small ones may add up, and tell of nothing by themselves."""
        return max((points for points, _, _ in self.reasons), default=0.0)

    @property
    def at_frame(self) -> bool:
        """Whether it changes the very code in which a new failure arises, by the stack frames of that."""
        return any(reason.endswith(f", {ARISES}") for _, reason, _ in self.reasons)

    def add(self, points: float, reason: str, evidence: str) -> None:
        self.reasons.append(Reason(points, reason, evidence))

    def add_lead(self, points: float, reason: str, evidence: str) -> None:
        """One more reason that may be a chance: it explains, and makes nothing sure."""
        self.reasons = sorted([*self.reasons, Reason(points, reason, evidence)], key=lambda reason: -reason.points)
        self.strength = max(self.strength, self.firm + points)

    def add_surely(self, points: float, reason: str, evidence: str) -> None:
        """One more reason that nobody can have typed: it goes first if it counts more than the others."""
        self.reasons = sorted([*self.reasons, Reason(points, reason, evidence)], key=lambda reason: -reason.points)
        self.firm += points
        self.strength = max(self.strength, self.firm)


def explain(diff: DiffFact, symptoms: Symptoms, weights: DiffWeights = TUNING.diffs, *, service: str = "") -> Explanation:
    """Points for names that the lines hold, effects that bring such symptoms about, and shared words; 0 for an inert diff.

    `service`: whose code it is. What a kind of effect brings about counts less in names of signals and in other services.
    The strongest point counts whole, further ones half: several effects of one commit tell of the same trouble.
    Names that only log lines without a failure hold never explain it by themselves.
    """
    explanation = Explanation()
    if diff.inert:
        return explanation
    usual = frozenset(word for line in symptoms.usual for word in word_stems(line))
    telling = [*_by_names(diff, symptoms, weights, service), *_by_effects(diff, symptoms, weights, usual, service)]
    telling += _by_slow_commands(diff, symptoms, weights)
    firm = [*telling, *by_frames(diff, symptoms, weights, service)]
    refused = list(_by_refused_values(diff, symptoms, weights))
    mentions = [*_by_mentions(diff, symptoms, weights, service), *_by_values(diff, symptoms, weights), *refused]
    for reason in sorted((*firm, *mentions), key=lambda reason: -reason.points):
        explanation.add(*reason)
    new = symptoms.with_reliable_names()
    shared = _shared_words(diff, [without_values(symptom.text) for symptom in new if not symptom.mentions_only], weights, usual)
    shared_with_typed = _shared_words(diff, [symptom.text for symptom in new], weights, usual)
    # A value that code refuses and that this diff brings into the world is more than a word: a lead, and never a sure one.
    most = weights.explained if refused else weights.most_of_mentions
    with_mentions = most if refused else min(_points((*firm, *mentions), weights) + shared_with_typed, most)
    points = _points(firm, weights) + shared
    if max((reason.points for reason in telling), default=0.0) < weights.related:
        # The words that they share with the line of a frame are its own: who met a failure need not have brought it about.
        points = min(points, weights.most_of_mentions)
    explanation.firm = points * (weights.moved if diff.moved else 1.0)
    explanation.strength = max(explanation.firm, with_mentions * (weights.moved if diff.moved else 1.0))
    return explanation


def _points(reasons: Iterable[Reason], weights: DiffWeights) -> float:
    points = sorted((reason.points for reason in reasons), reverse=True)
    return (points[0] + weights.further * sum(points[1:3])) if points else 0.0


def _by_names(diff: DiffFact, symptoms: Symptoms, weights: DiffWeights, service: str) -> Iterable[Reason]:
    """Whole names that stand in lines: what is added in new lines, what is removed in lines that fell silent."""
    silent = [symptom for symptom in symptoms.texts if symptom.gone]
    for name in (name for name in diff.removed if is_distinctive(name)):
        if line := _holding(silent, name):
            yield Reason(weights.gone_name, f"removes {name}, which the lines that fell silent name", line.evidence)
    yield from (
        # What only tells that something is missing took nothing away.
        Reason(weights.mention if len(name.split()) > 1 and says_missing(name) else weights.name, reason, line.evidence)
        for name, reason in _named_by(diff, symptoms, service)
        if (line := _written_in(symptoms.with_reliable_names(), name))
    )


def _by_slow_commands(diff: DiffFact, symptoms: Symptoms, weights: DiffWeights) -> Iterable[Reason]:
    """A command that the diff sends and did not send before, and that a store lists among its slow ones."""
    for symptom in (symptom for symptom in symptoms.new() if not symptom.alert):
        if sent := new_slow_command(diff, symptom.text, symptoms.usual):
            command, name = sent
            yield Reason(weights.effect, f"calls {name}, and the slow log holds {command}", symptom.evidence)
            return


def _by_values(diff: DiffFact, symptoms: Symptoms, weights: DiffWeights) -> Iterable[Reason]:
    """Numbers that the diff sets or takes away and that new failures hold: programs print the limit that they ran into.

    Somebody may have typed them as well, so they explain nothing by themselves.
    """
    failures = [symptom for symptom in symptoms.new() if not symptom.mentions_only]
    usual = "\n".join(symptoms.usual)
    for effect in diff.effects:
        for value in (effect.after, effect.before) if effect.kind not in ("dependency", "guard", "name") else ():
            number = _LONG_NUMBER.match(value)
            line = _holding(failures, number.group()) if number and not contains_identifier(usual, number.group()) else None
            if line and number:
                yield Reason(weights.mention, f"{effect_text(effect)}, and new failures hold {number.group()}", line.evidence)


def _by_refused_values(diff: DiffFact, symptoms: Symptoms, weights: DiffWeights) -> Iterable[Reason]:
    """Values that the diff adds and that new lines refuse: who reads them does not know them."""
    usual = "\n".join(symptoms.usual)
    brought = {*diff.literals, *(name for name in diff.added if not name.islower())}
    for symptom in (symptom for symptom in symptoms.new() if not symptom.mentions_only):
        for value in refused_values(symptom.text):
            if value in brought and not contains_identifier(usual, value):
                yield Reason(weights.mention, f"adds the value {value}, which new lines refuse", symptom.evidence)


def _by_mentions(diff: DiffFact, symptoms: Symptoms, weights: DiffWeights, service: str) -> Iterable[Reason]:
    """Whole names that stand in new lines where somebody may have typed them."""
    new = symptoms.with_reliable_names()
    for name, reason in _named_by(diff, symptoms, service):
        if not _written_in(new, name) and (line := _holding(new, name)):
            yield Reason(weights.mention, reason, line.evidence)


def _named_by(diff: DiffFact, symptoms: Symptoms, service: str) -> Iterable[tuple[str, str]]:
    """Names and texts of the diff that no usual line holds, each with what the diff does to it; not its service's own name."""
    usual = "\n".join(symptoms.usual)
    named = [
        *((name, f"adds {name}, which new lines name") for name in diff.added if is_distinctive(name)),
        *((text, f"adds the text {text}, which new lines hold") for text in diff.literals if _is_whole(text)),
        *((name, f"removes {name}, which new lines name") for name in diff.removed if is_distinctive(name)),
    ]
    return ((name, reason) for name, reason in named if name != service and not contains_identifier(usual, name))


def _is_whole(text: str) -> bool:
    return is_distinctive(text) or bool(_WHOLE_TEXT.search(text))


def _written_in(lines: Iterable[SymptomText], name: str) -> SymptomText | None:
    """A line in which the program wrote the name; or a sentence of so many words that nobody types it by chance."""
    sentence = len(name.split()) >= _SENTENCE
    return next(
        (
            symptom
            for symptom in lines
            if contains_identifier(symptom.by_code, name)
            or (sentence and not symptom.mentions_only and contains_identifier(without_values(symptom.text), name))
        ),
        None,
    )


def _holding(texts: Iterable[SymptomText], name: str) -> SymptomText | None:
    return next((symptom for symptom in texts if contains_identifier(symptom.text, name)), None)


def _by_effects(
    diff: DiffFact, symptoms: Symptoms, weights: DiffWeights, usual: frozenset[str], service: str
) -> Iterable[Reason]:
    for effect in diff.effects:
        if reason := _by_effect(effect, symptoms, weights, usual, service):
            yield reason


def _by_effect(
    effect: EffectFact, symptoms: Symptoms, weights: DiffWeights, usual: frozenset[str], service: str
) -> Reason | None:
    text = effect_text(effect)
    if effect.kind == "dependency":
        return by_dependency(effect, symptoms, weights, usual)
    if reason := _by_line_about_it(effect, symptoms, weights, usual):
        return reason
    direction, size = change_of(effect, weights)
    less = effect.kind in ("timeout", "limit", "pool") and direction == LESS
    if less and (line := line_with_whole_setting(effect, symptoms)):
        return Reason(weights.effect, f"{text}, and a failure names that setting", line.evidence)
    for family, pattern in EXPECTED_SYMPTOMS.get(effect.kind, ()):
        line = (
            _matching(symptoms, pattern, service, effect, weights)
            if direction == CHANGED or family in (CHANGED, direction)
            else None
        )
        if line:
            base = weights.accumulation if effect.kind == "accumulation" else weights.effect
            return Reason(
                base
                * size
                * _directness(line, symptoms, service, effect.kind, weights, fewer=_brings_fewer(effect, direction)),
                f"{text}, {FITS} {_beginning(line.text)}",
                line.evidence,
            )
    return None


def _by_line_about_it(effect: EffectFact, symptoms: Symptoms, weights: DiffWeights, usual: frozenset[str]) -> Reason | None:
    """By a line that names what the effect changed, misses it, or needs it."""
    text = effect_text(effect)
    if effect.kind == "index":
        line = next((symptom for symptom in symptoms.new() if looks_up(symptom.text, effect)), None)
        return Reason(weights.effect, f"{text}, and new lines hold a statement that needs it", line.evidence) if line else None
    if effect.kind in ("query", "schema", "name") and (line := line_missing(effect, symptoms)):
        return Reason(weights.missing, f"{text}, and new lines miss it", line.evidence)
    if effect.kind == "schema" and (line := line_of_refused_row(effect, symptoms)):
        return Reason(weights.name, f"{text}, and it refuses rows", line.evidence)
    if line := line_without_image(effect, symptoms):
        return Reason(weights.missing, f"{text}, and new lines miss it", line.evidence)
    if effect.kind == "variable" and (line := line_about_variable(effect, symptoms, usual)):
        return Reason(weights.effect, f"{text}, {FITS} {_beginning(line.text)}", line.evidence)
    if line := line_with_both(effect, symptoms):
        return Reason(weights.name, f"{text}, and a failure holds both", line.evidence)
    if line := line_with_field(effect, symptoms):
        return Reason(weights.name, f"{text}, and new lines name it", line.evidence)
    if effect.before and effect.after and (line := line_with_setting(effect, symptoms)):
        return Reason(weights.name, f"{text}, and new lines name it", line.evidence)
    if effect.kind == "call":
        line = line_missing_call(effect, symptoms, usual)
        return Reason(weights.missing_call, f"{text}, and new lines miss what it brings in", line.evidence) if line else None
    if effect.before and (line := line_with_new_limit(effect, symptoms)):
        return Reason(weights.effect, f"{text}, and a failure states that limit", line.evidence)
    return None


def _matching(symptoms: Symptoms, pattern: str, service: str, effect: EffectFact, weights: DiffWeights) -> SymptomText | None:
    """The most direct text that fits: a line of the service itself before signals, and before what others say."""
    of_other_hosts = symptoms.of_several_hosts() if sets_host(effect) else []
    matches = [
        symptom
        for symptom in symptoms.texts
        if not symptom.gone
        and symptom not in of_other_hosts
        # That a request is served comes more often with whatever brings more requests.
        and not (symptom.usual and symptom.mentions_only)
        and re.search(pattern, without_values(symptom.text), re.I)
        and may_bring_about(effect, symptom.text)
        and not (effect.kind in LOADS and _counts_own_requests(symptom, service))
        # What somebody else refuses is not within a limit of one's own.
        and not (effect.kind == "limit" and symptom.service == service and _ANSWERED_BY.search(symptom.text))
        # A crash arises in the code of the service that logs it.
        and not (effect.kind == "guard" and _of_another(symptom, service) and frames(symptom.text))
    ]

    def order(symptom: SymptomText) -> tuple[float, bool, bool]:
        tells = _directness(symptom, symptoms, service, effect.kind, weights)
        return -tells, _of_another(symptom, service), symptom.signal or symptom.alert

    return min(matches, key=order, default=None)


def _counts_own_requests(text: SymptomText, service: str) -> bool:
    """Whether it counts the requests to the service itself: more calls of its own reach what it calls."""
    return text.signal and text.service == service and counts_served(text.text)


def _of_another(text: SymptomText, service: str) -> bool:
    return bool(service and text.service) and text.service != service and not contains_identifier(text.text, service)


def _brings_fewer(effect: EffectFact, direction: int) -> bool:
    """Whether it brings fewer calls about: larger batches are felt by others by chance."""
    return effect.kind == "batch" and direction == MORE


def _directness(
    text: SymptomText, symptoms: Symptoms, service: str, kind: EffectKind, weights: DiffWeights, *, fewer: bool = False
) -> float:
    """Less for names of signals, for the alert's own words and for what others say, unless only they can tell.

    Others alone tell of more calls, and of a quiet service; signals alone of what a container may use, which says nothing of
    being slowed down.
    """
    silent = not any(other.service == service for other in symptoms.texts)
    by_others = kind in SHOWN_BY_OTHERS and not fewer
    elsewhere = weights.shown_by_another if (by_others or silent) and not text.apart else weights.of_another
    seen_by_others = kind in ("record_key", "format", "connection_state", "draining")
    if seen_by_others or (kind == "lock" and silent and not text.apart):
        # Who sends something, locks what others wait for, or closes, is another than who fails of it, and sees nothing of it.
        elsewhere = 1.0
    # Where a service says what failed, what else it says is a lead.
    failures = (o for o in symptoms.new() if o.log and o.service == text.service and not o.mentions_only)
    beside = weights.beside_failures if text.mentions_only and any(failures) else 1.0
    names_hurt = text.alert or (
        text.signal
        and kind not in LOADS | {"memory", "backtracking", "record_key", "verbosity"}
        and not _SAYS_HOW.search(text.text)
    )
    return beside * (weights.signal if names_hurt else 1.0) * (elsewhere if _of_another(text, service) else 1.0)


def _beginning(text: str) -> str:
    """The first words of a text; no number is cut in two."""
    line = one_line(text, 400)
    return line if len(line) <= _MAX_QUOTED else line[:_MAX_QUOTED].rpartition(" ")[0]


def _shared_words(diff: DiffFact, texts: Iterable[str], weights: DiffWeights, usual: frozenset[str]) -> float:
    """Points for words that changed names share with lines of the trouble."""
    described = frozenset(word for text in texts for word in word_stems(text)) - usual
    net = frozenset(word for name in (*diff.removed, *diff.added) for word in word_stems(name))
    near = frozenset(word for name in (*diff.touched, *diff.paths) for word in word_stems(name)) - net
    points = weights.word * len(net & described) + weights.nearby_word * len(near & described)
    return min(weights.most_of_words, points)

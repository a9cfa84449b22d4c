"""How far a diff explains what is observed: new and vanished log lines, error texts, signals that left their normal range."""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from bot.core.diffs.code_text import code_names, without_values
from bot.core.diffs.effects import is_small_step
from bot.core.diffs.names import holds_name, is_telling, words
from bot.core.diffs.requests import reports_failure
from bot.core.facts.code import DiffFact, EffectFact, EffectKind
from bot.core.text.untrusted import one_line
from bot.core.tuning import TUNING
from bot.core.tuning.changes import DiffWeights

_MISSING = re.compile(
    r"not (found|registered|defined|exist|configured|initiali[sz]ed|available|mapped|supported|recogni[sz]ed)|doesn.t exist|"
    r"no (such|mapping|route|handler|provider|table|column|field|method|bean|module)|unknown|undefined|missing|unresolved|"
    r"unrecogni[sz]ed|cannot (find|resolve)|is required",
    re.I,
)
"""What a program says of a name that it does not find."""
_BRINGS_IN = re.compile(
    r"regist|init|load|seed|populat|mount|bind|configur|provid|migrat|setup|subscrib|install|enabl|add|boot|start|connect|creat",
    re.I,
)
"""Calls without which something is missing later."""
_MORE, _LESS, _CHANGED = 1, -1, 0
_Signs = tuple[tuple[int, str], ...]
_SYMPTOMS: dict[EffectKind, _Signs] = {
    "accumulation": ((_CHANGED, r"memory(?! address)|\brss|heap|\boom|out of memory|\bgc\b"),),
    "release": (
        (
            _CHANGED,
            r"memory(?! address)|heap|\boom|connection|pool|too many|descriptor|goroutine|thread|\block|leak|disk|space",
        ),
    ),
    "verbosity": ((_MORE, r"disk|no space|inode|ingest|log.{0,20}(volume|throughput|lps|bytes|rate|lines|size)|volume"),),
    "timeout": (
        (_LESS, r"time.?d?.?out|deadline|expired|cancel|aborted|too early|premature|probe failed|not ready"),
        (_MORE, r"latenc|duration|p9\d|wait|pool|thread|queue|hang|stuck"),
    ),
    "retry": (
        (_LESS, r"retr|attempt|exhaust|gave up|giving up|budget"),
        (_MORE, r"retr|storm|overload|amplif|requests?_|rps|qps|traffic|throttl|429|too many"),
    ),
    "pool": (
        (_LESS, r"pool|connection|acquire|exhaust|wait|queue|backlog|lag|saturat|busy|timed? ?out|rejected"),
        (_MORE, r"too many|max_connections|connection slots|memory|cpu|contention|lock|deadlock|load|context switch"),
    ),
    "cache": (
        (_LESS, r"cache|miss|hit|origin|quer(y|ies)|load|database|\bdb|qps|latenc|cpu"),
        (_MORE, r"stale|outdated|old (value|data|price)|inconsisten|revoked"),
    ),
    "limit": (
        (
            _LESS,
            r"limit|exceed|too (large|many|long|big)|quota|throttl|429|413|reject|truncat|dropp|\bfull\b|overflow|insufficient",
        ),
        (_MORE, r"memory(?! address)|heap|\boom|overload|cpu|disk|too (large|many)|saturat"),
    ),
    "memory": ((_LESS, r"memory|\boom|heap|cpu|throttl|evict|killed"),),
    "schedule": ((_LESS, r"load|overlap|cpu|qps|requests?_|lock|quota|throttl"), (_MORE, r"lag|backlog|stale|queue|delay|age")),
    "batch": (
        (_LESS, r"throttl|capacity|quota|requests?_|round.?trips|quer(y|ies)|rate|latenc|backlog|lag"),
        (_MORE, r"too large|memory|time.?d?.?out|payload|exceed|lock"),
    ),
    "query": ((_CHANGED, r"\bsql|relation|column|slow quer|full scan|seq.?scan|\block (wait|time)|deadlock|database|\bdb\b"),),
    "schema": ((_CHANGED, r"column|relation|table|constraint|null value|migration|\bsql|\block|slow quer|scan|index"),),
    "lock": ((_CHANGED, r"deadlock|\block|stuck|\brace\b|concurrent|contention|hang"),),
    "spawn": ((_CHANGED, r"goroutine|thread|memory(?! address)|\boom|too many|\brace\b|concurrent|leak"),),
    "guard": (
        (_LESS, r"null|\bnil\b|none.?type|undefined|panic|exception|out of (range|bounds)|overflow|divi|segfault|traceback"),
        (_MORE, r"invalid|reject|forbidden|denied|unauthori|40[013]|validation|required|refused"),
    ),
}
"""What each kind of effect brings about, by whether it means more, less or just another."""
_NOTHING = re.compile(r"\bnil\b|\bnull\b|\bnone\b|undefined|empty|\blen\(|\.length|isPresent|exists", re.I)
"""Conditions without which code works on what is not there."""
_DOES_NOT_START = re.compile(
    r"exec (format|/|user process)|glibc|shared object|import ?error|module ?not ?found|nosuchmethod|classnotfound|"
    r"incompatible|undefined symbol|cannot find module|unsupported (class|version)|crash.?loop|failed to start|startup",
    re.I,
)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_MAX_QUOTED = 70
_SENTENCE = 4
"""Words from which on a text of the diff counts as a sentence of the program."""
_VERBOSE = ("off", "never", "fatal", "error", "warn", "warning", "info", "debug", "trace")


@dataclass(frozen=True)
class SymptomText:
    """A log line, an alert's words or the name of a signal that tells of the trouble."""

    text: str
    evidence: str
    service: str = ""
    """Whose it is; "" for what belongs to the incident as a whole."""
    gone: bool = False
    """True for lines that fell silent."""
    signal: bool = False
    """True for the name of a signal: it tells what is hurt and seldom which code."""
    log: bool = False
    """True for a log line: users of the service may have written a part of it."""

    @property
    def mentions_only(self) -> bool:
        """Whether what it says may be there because a user wrote it: a log line that tells of no failure."""
        return self.log and not reports_failure(self.text)

    @property
    def by_code(self) -> str:
        """The names in it that the program wrote; the others somebody may have typed."""
        return "" if self.mentions_only else code_names(self.text)


@dataclass(frozen=True)
class Symptoms:
    """What is observed of an incident, in words."""

    texts: Sequence[SymptomText] = ()
    usual: Sequence[str] = ()
    """Lines as they come on any day: their words tell nothing."""

    def new(self) -> list[SymptomText]:
        """Lines and words that came with the trouble."""
        return [symptom for symptom in self.texts if not symptom.gone and not symptom.signal]


@dataclass
class Explanation:
    """How strongly a diff explains the symptoms, and by what: each reason with the evidence of the symptom, the best first."""

    strength: float = 0.0
    reasons: list[tuple[float, str, str]] = field(default_factory=list)
    """Points, words, evidence."""

    def add(self, points: float, reason: str, evidence: str) -> None:
        self.reasons.append((points, reason, evidence))


def explain(diff: DiffFact, symptoms: Symptoms, weights: DiffWeights = TUNING.diffs, *, service: str = "") -> Explanation:
    """Points for names that the lines hold, effects that bring such symptoms about, and shared words; 0 for an inert diff.

    `service`: whose code it is. What a kind of effect brings about counts less in names of signals and in other services.
    The strongest point counts whole, further ones half: several effects of one commit tell of the same trouble.
    Names that only log lines without a failure hold never explain it by themselves.
    """
    explanation = Explanation()
    if diff.inert:
        return explanation
    usual = frozenset(word for line in symptoms.usual for word in words(line))
    firm = [*_by_names(diff, symptoms, weights), *_by_effects(diff, symptoms, weights, usual, service)]
    mentions = list(_by_mentions(diff, symptoms, weights))
    for reason in sorted((*firm, *mentions), key=lambda scored: -scored[0]):
        explanation.add(*reason)
    new = symptoms.new()
    shared = _shared_words(diff, [without_values(symptom.text) for symptom in new if not symptom.mentions_only], weights, usual)
    shared_with_typed = _shared_words(diff, [symptom.text for symptom in new], weights, usual)
    with_mentions = min(_points((*firm, *mentions), weights) + shared_with_typed, weights.most_of_mentions)
    total = max(_points(firm, weights) + shared, with_mentions)
    explanation.strength = total * (weights.moved if diff.moved else 1.0)
    return explanation


def _points(reasons: "Iterable[_Reason]", weights: DiffWeights) -> float:
    points = sorted((reason[0] for reason in reasons), reverse=True)
    return (points[0] + weights.further * sum(points[1:3])) if points else 0.0


_Reason = tuple[float, str, str]


def _by_names(diff: DiffFact, symptoms: Symptoms, weights: DiffWeights) -> Iterable[_Reason]:
    """Whole names that stand in lines: what is added in new lines, what is removed in lines that fell silent."""
    silent = [symptom for symptom in symptoms.texts if symptom.gone]
    for name in (name for name in diff.removed if is_telling(name)):
        if line := _holding(silent, name):
            yield weights.gone_name, f"removes {name}, which the lines that fell silent name", line.evidence
    yield from (
        (weights.name, reason, line.evidence)
        for name, reason in _named_by(diff, symptoms)
        if (line := _written_in(symptoms.new(), name))
    )


def _by_mentions(diff: DiffFact, symptoms: Symptoms, weights: DiffWeights) -> Iterable[_Reason]:
    """Whole names that stand in new lines where somebody may have typed them."""
    new = symptoms.new()
    yield from (
        (weights.mention, reason, line.evidence)
        for name, reason in _named_by(diff, symptoms)
        if not _written_in(new, name) and (line := _holding(new, name))
    )


def _named_by(diff: DiffFact, symptoms: Symptoms) -> Iterable[tuple[str, str]]:
    """Names and texts of the diff that no usual line holds, each with what the diff does to it."""
    usual = "\n".join(symptoms.usual)
    named = [
        *((name, f"adds {name}, which new lines name") for name in diff.added if is_telling(name)),
        *((text, f"adds the text {text}, which new lines hold") for text in diff.literals),
        *((name, f"removes {name}, which new lines name") for name in diff.removed if is_telling(name)),
    ]
    return ((name, reason) for name, reason in named if not holds_name(usual, name))


def _written_in(lines: Iterable[SymptomText], name: str) -> SymptomText | None:
    """A line in which the program wrote the name; or a sentence of so many words that nobody types it by chance."""
    sentence = len(name.split()) >= _SENTENCE
    return next(
        (
            symptom
            for symptom in lines
            if holds_name(symptom.by_code, name)
            or (sentence and not symptom.mentions_only and holds_name(without_values(symptom.text), name))
        ),
        None,
    )


def _holding(texts: Iterable[SymptomText], name: str) -> SymptomText | None:
    return next((symptom for symptom in texts if holds_name(symptom.text, name)), None)


def _by_effects(
    diff: DiffFact, symptoms: Symptoms, weights: DiffWeights, usual: frozenset[str], service: str
) -> Iterable[_Reason]:
    for effect in diff.effects:
        if reason := _by_effect(effect, symptoms, weights, usual, service):
            yield reason


def _by_effect(
    effect: EffectFact, symptoms: Symptoms, weights: DiffWeights, usual: frozenset[str], service: str
) -> _Reason | None:
    text = effect_text(effect)
    if effect.kind == "dependency":
        return _by_dependency(effect, symptoms, weights, usual)
    if effect.kind in ("query", "schema", "name") and (line := _naming(effect, symptoms)):
        return weights.missing, f"{text}, and new lines miss it", line.evidence
    if effect.kind == "call":
        line = _missing_for(effect, symptoms, usual)
        return (weights.missing_call, f"{text}, and new lines miss what it brings in", line.evidence) if line else None
    direction, size = _change_of(effect, weights)
    for family, pattern in _SYMPTOMS.get(effect.kind, ()):
        line = _matching(symptoms, pattern, service) if family in (_CHANGED, direction) else None
        if line:
            base = weights.accumulation if effect.kind == "accumulation" else weights.effect
            return (
                base * size * _directness(line, service, weights),
                f"{text}, which fits {_beginning(line.text)}",
                line.evidence,
            )
    return None


def _by_dependency(effect: EffectFact, symptoms: Symptoms, weights: DiffWeights, usual: frozenset[str]) -> _Reason | None:
    own = words(effect.name) - usual
    line = next((symptom for symptom in symptoms.new() if own & words(_by_program(symptom))), None)
    if line is None:
        starting = next((symptom for symptom in symptoms.new() if _DOES_NOT_START.search(symptom.text)), None)
        large = starting is not None and not is_small_step(effect.before, effect.after)
        return (
            (weights.startup, f"{effect_text(effect)}, and it does not start", starting.evidence)
            if large and starting
            else None
        )
    points = weights.small_step if is_small_step(effect.before, effect.after) else weights.dependency
    return points, f"{effect_text(effect)}, which new lines name", line.evidence


def _by_program(text: SymptomText) -> str:
    """What the program wrote of a text: nearly all of a line that it left behind when it did not start."""
    return f"{text.by_code}\n{without_values(text.text)}" if _DOES_NOT_START.search(text.text) else text.by_code


def _naming(effect: EffectFact, symptoms: Symptoms) -> SymptomText | None:
    """A line that misses the name."""
    names = [name for name in (effect.name, effect.name.rpartition(".")[2]) if len(name) > 2]
    missing = [symptom for symptom in symptoms.new() if _MISSING.search(symptom.text)]
    return next((symptom for symptom in missing for name in names if holds_name(symptom.by_code, name)), None)


def _missing_for(effect: EffectFact, symptoms: Symptoms, usual: frozenset[str]) -> SymptomText | None:
    if not _BRINGS_IN.search(effect.name):
        return None
    own = words(effect.name)
    missing = [symptom for symptom in symptoms.new() if _MISSING.search(symptom.text)]
    return next((symptom for symptom in missing if (words(without_values(symptom.text)) & own) - usual), None)


def _matching(symptoms: Symptoms, pattern: str, service: str) -> SymptomText | None:
    """The most direct text that fits: a line of the service itself before signals, and before what others say."""
    matches = [
        symptom for symptom in symptoms.texts if not symptom.gone and re.search(pattern, without_values(symptom.text), re.I)
    ]
    return min(matches, key=lambda symptom: (_of_another(symptom, service), symptom.signal), default=None)


def _of_another(text: SymptomText, service: str) -> bool:
    return bool(service and text.service) and text.service != service


def _directness(text: SymptomText, service: str, weights: DiffWeights) -> float:
    return (weights.signal if text.signal else 1.0) * (weights.of_another if _of_another(text, service) else 1.0)


def _beginning(text: str) -> str:
    """The first words of a text; no number is cut in two."""
    line = one_line(text, 400)
    return line if len(line) <= _MAX_QUOTED else line[:_MAX_QUOTED].rpartition(" ")[0]


def _change_of(effect: EffectFact, weights: DiffWeights) -> tuple[int, float]:
    """More or less, and how much of it counts, 0 to 1: eight to two counts whole, three to four little."""
    if effect.kind in ("accumulation", "release", "query", "schema", "lock"):
        return _CHANGED, 1.0
    if effect.kind == "spawn":
        return _CHANGED, weights.spawn
    if effect.kind == "guard":
        return (_MORE if effect.after else _LESS), 1.0 if _NOTHING.search(effect.before) else weights.guard
    if effect.kind in ("batch", "cache") and not (effect.before or effect.after):
        return _LESS, 1.0
    before, after = _level(effect.before), _level(effect.after)
    if effect.after and not effect.before:
        return (_MORE if effect.kind in ("verbosity", "cache") else _LESS), weights.new_setting
    if effect.before and not effect.after:
        return _LESS, 1.0
    if before is None or after is None or before == after:
        return _CHANGED, weights.unread_setting
    size = abs(math.log2(after / before)) / weights.whole_from if before > 0 and after > 0 else 1.0
    return (_MORE if after > before else _LESS), min(1.0, size)


def _level(text: str) -> float | None:
    folded = text.casefold()
    if folded in _VERBOSE:
        return 2.0 ** _VERBOSE.index(folded)
    if folded in ("true", "on", "always", "false", "off"):
        return float(folded in ("true", "on", "always"))
    match = _NUMBER.search(text)
    return float(match.group()) * _unit(text[match.end() :]) if match else None


def _unit(rest: str) -> float:
    """Seconds of a unit of time, bytes of a unit of memory; 1 for none."""
    units = (
        (r"^\s*\*?\s*(time\.)?milli|^ms", 0.001), (r"^\s*\*?\s*(time\.)?minute|^m(in)?$", 60.0),
        (r"^\s*\*?\s*(time\.)?hour|^h", 3600.0), (r"^d(ay)?", 86400.0), (r"^ki?b?$", 1e3), (r"^mi?b?$", 1e6), (r"^gi?b?$", 1e9),
    )  # fmt: skip
    return next((factor for pattern, factor in units if re.search(pattern, rest, re.I)), 1.0)


def effect_text(effect: EffectFact) -> str:
    """An effect in words that stand in the tool's own lines."""
    name = one_line(effect.name, 80)
    if effect.kind == "guard":
        return f"{'adds' if effect.after else 'removes'} the condition {name}"
    if effect.before and effect.after:
        return f"changes {name} from {one_line(effect.before, 40)} to {one_line(effect.after, 40)}"
    if effect.before:
        return f"removes {name} ({one_line(effect.before, 40)})"
    if effect.after:
        return f"adds {name} ({one_line(effect.after, 40)})"
    plain = {
        "accumulation": f"lets {name} grow without a limit",
        "release": f"no longer does {name}",
        "lock": f"locks or unlocks elsewhere ({name})",
        "spawn": f"starts work beside ({name})",
        "cache": f"keys a cache by {name}",
        "query": f"queries {name}",
        "schema": f"changes the schema of {name}",
        "batch": f"no longer does {name} for many at once",
    }
    return plain.get(effect.kind, f"removes {name}")


def _shared_words(diff: DiffFact, texts: Iterable[str], weights: DiffWeights, usual: frozenset[str]) -> float:
    """Points for words that changed names share with lines of the trouble."""
    described = frozenset(word for text in texts for word in words(text)) - usual
    net = frozenset(word for name in (*diff.removed, *diff.added) for word in words(name))
    near = frozenset(word for name in (*diff.touched, *diff.paths) for word in words(name)) - net
    points = weights.word * len(net & described) + weights.nearby_word * len(near & described)
    return min(weights.most_of_words, points)

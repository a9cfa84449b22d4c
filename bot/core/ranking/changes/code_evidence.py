"""What the code of a change says of the trouble: whether its diffs explain it, have nothing to do with it, or were not read."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core.change import Change
from bot.core.diffs.consequence import consequence_of
from bot.core.diffs.effect_kinds import BITES_LATE, ON_CALLEES
from bot.core.diffs.effect_text import effect_text
from bot.core.diffs.effects.settings import CONFIGURATION
from bot.core.diffs.explanation import FITS, Explanation, explain
from bot.core.diffs.identifiers import contains_identifier
from bot.core.diffs.levels import level_of, unit_of
from bot.core.diffs.schedules import came_due
from bot.core.diffs.symptoms.request_text import without_requests
from bot.core.diffs.symptoms.symptoms import Symptoms, SymptomText
from bot.core.evidence import Claim
from bot.core.facts.code import DiffFact, EffectFact
from bot.core.metrics.deviation import FULL_SHARE, Deviation
from bot.core.ranking.changes.commit_owners import head_of, in_own_folder, is_code_of, went_out
from bot.core.ranking.context import DETECTION_DELAY, RankingContext
from bot.core.ranking.observations import Observations
from bot.core.text.moments import clock
from bot.core.text.untrusted import one_line

BENEATH = re.compile(
    r"network|polic(y|ies)|(^|[^a-z])dns|mesh|istio|cilium|calico|firewall|security.?group|cluster|iptables|terraform|"
    r"\.tf$",
    re.I,
)
"""Names and files of what all services run on."""
_SCHEMA_IS_USED = timedelta(minutes=10)
"""So long after a migration every usual query has met the new schema."""
_DAY = 86_400.0
_WITH_THE_DAY = timedelta(seconds=90)
_ROUNDS = 10
"""Rounds after which work at another interval has shown what that does."""
_OF_MEMORY = re.compile(r"mem|heap|oom|\brss\b|\bgc\b|killed", re.I)
_NUMBER = re.compile(r"\d+")
_IN_QUOTES = re.compile(r"\"[^\"]*\"|'[^']*'")
_ROLL_OUT = re.compile(r"roll(?:ed|ing)?[ _-]?out|deploy|releas|promot|upgrad|\bimage\b|\bsync", re.I)
"""Who logs a roll-out names its service and its version."""
_NUMBERS = 3
"""Numbers of a version from which on no line holds it by chance."""
_SLIGHT = 1.3
"""So many times as much of a resource is still as on other days."""
_MAX_TEXT = 600


@dataclass(frozen=True)
class CodeReading:
    """The diffs that one change brought, judged by what is observed."""

    read: bool = False
    """False where the code could not be read, or holds no diff: nothing may be concluded.

    A part of it can explain the trouble, but never show that the change has nothing to do with it.
    """
    diff: DiffFact | None = None
    """The commit that explains the trouble best, else one with a consequence; None if none has anything to do with it."""
    explanation: Explanation | None = None
    commits: int = 0
    unread: float = 1.0
    """Share of the commits that may matter of which something was not read: the cause may lie there."""
    explained_from: float = 0.0
    related_from: float = 0.0
    evidence: str = ""
    inert: bool = False
    """Nothing of what was read of it can change behaviour."""
    its_own: bool = False
    """`diff` is the commit that the change was rolled out for, or lies in its service's folder; others may only hold it too."""
    consequence: str = ""
    """What `diff` surely changes, where nothing that is observed tells of it; "" where it explains something."""

    @property
    def strength(self) -> float:
        return self.explanation.strength if self.explanation else 0.0

    @property
    def explains(self) -> bool:
        """Whether the diff explains the trouble; by one reason at least that counts: small ones add up in any code."""
        best = self.explanation.best if self.explanation else 0.0
        return self.read and self.strength >= self.explained_from and best >= self.related_from

    @property
    def explains_firmly(self) -> bool:
        """Whether it explains the trouble also without what users may have written into lines."""
        return self.explains and self.explanation is not None and self.explanation.firm >= self.explained_from

    @property
    def lets_grow(self) -> bool:
        """Whether what it does uses up something little by little."""
        return self.diff is not None and any(effect.kind in ("accumulation", "release") for effect in self.diff.effects)

    @property
    def fills_memory(self) -> bool:
        """Whether what it explains best is that memory runs out, and not connections or descriptors."""
        _, reason, _ = self.explanation.reasons[0] if self.explanation and self.explanation.reasons else (0.0, "", "")
        return _OF_MEMORY.search(reason.rpartition(FITS)[2]) is not None

    @property
    def unrelated(self) -> bool:
        """Whether the code was read, and has neither to do with the trouble nor a consequence of any kind."""
        return self.read and self.apart and not self.consequence

    @property
    def apart(self) -> bool:
        """Whether what was read of it has nothing to do with the trouble."""
        return self.strength < self.related_from

    @property
    def bites_late(self) -> bool:
        """Whether what it does needs time until it hurts: also of code in which a failure arises that was reached only then."""
        if self.explanation is not None and self.explanation.at_frame:
            return True
        return self.diff is not None and any(effect.kind in BITES_LATE for effect in self.diff.effects)

    @property
    def hurts_callees(self) -> bool:
        """Whether what it does is felt by what its service calls."""
        return self.diff is not None and any(effect.kind in ON_CALLEES for effect in self.diff.effects)

    @property
    def claim(self) -> Claim | None:
        """The best reason, or the consequence, as a claim; None without one."""
        if self.diff is None:
            return None
        commit = f"commit {self.diff.commit[:12]} " if self.commits > 1 else "its diff "
        if self.consequence:
            text = f"{commit}{self.consequence}, which may matter though nothing that was seen tells of it"
            return Claim(text=one_line(text, 400), evidence=[self.evidence])
        if self.explanation is None or not self.explanation.reasons:
            return None
        _, reason, symptom = self.explanation.reasons[0]
        return Claim(text=one_line(f"{commit}{reason}", 400), evidence=list(dict.fromkeys([self.evidence, symptom])))


def _explained(diff: DiffFact, symptoms: Symptoms, change: Change, context: RankingContext) -> Explanation:
    """How far a diff explains what is observed; also by the moment at which a schedule that it sets comes due."""
    weights, observations = context.tuning.diffs, context.observations
    resting = {text.service for text in symptoms.texts} if _lies_beneath(change.service, diff, symptoms) else set[str]()
    own = {*observations.callees(change.service), *resting}
    related = symptoms.since(change.at - DETECTION_DELAY).relative_to(change.service, own)
    explanation = explain(diff, related, weights, service=change.service)
    if not diff.inert and (line := _naming_version(change, related, observations)):
        explanation.add_lead(
            weights.explained, f"went out as {change.version}, which new lines of {line.service} name", line.evidence
        )
    clear = context.tuning.confidence.sure
    failing = {context.start, *dict(context.suspects())}
    moved = (d for d in observations.all_signals.values() if d.service in failing and d.doublings >= clear)
    onsets = {deviation.onset: observations.id_of(deviation) for deviation in moved if deviation.onset}
    for effect in diff.effects:
        if due := came_due(effect, onsets, change.at):
            began = min(onsets, key=lambda onset: abs(onset - due))
            explanation.add_surely(weights.came_due, f"{effect_text(effect)}, due at {clock(due)}, as it began", onsets[began])
        if effect.kind == "clock" and (midnight := next(filter(_is_midnight, onsets), None)):
            explanation.add_surely(weights.at_midnight, f"{effect_text(effect)}, and it began at midnight", onsets[midnight])
    return explanation


def _naming_version(change: Change, symptoms: Symptoms, observations: Observations) -> SymptomText | None:
    """A new line of another service that names the version, where no other service has it: that fails of what it made.

    None where usual lines name it or the one before: then all lines name what they were made by.
    """
    changes = observations.changes.values()
    shared = any(other.version == change.version and other.service != change.service for other in changes)
    usual = "\n".join(symptoms.usual)
    on_any_day = any(version and version in usual for version in (change.version, change.previous_version))
    if shared or on_any_day or len(_NUMBER.findall(change.version)) < _NUMBERS:
        return None
    named = re.compile(rf"(?<![\w./-]){re.escape(change.version)}(?!\.?[\w-])")
    others = (text for text in symptoms.texts if text.log and not text.gone and not _is_of(text.service, change.service))
    failing = (t for t in others if not (contains_identifier(t.text, change.service) and _ROLL_OUT.search(t.text)))
    return next((text for text in failing if text.service and named.search(_IN_QUOTES.sub(" ", text.text))), None)


def _is_of(service: str, owner: str) -> bool:
    return service == owner or service.startswith(f"{owner}-")


def _is_midnight(onset: datetime) -> bool:
    """Whether something began with a day of UTC, to within a sample or two."""
    near = onset + _WITH_THE_DAY
    return near - near.replace(hour=0, minute=0, second=0, microsecond=0) < 2 * _WITH_THE_DAY


def _lies_beneath(service: str, diff: DiffFact, symptoms: Symptoms) -> bool:
    """Whether a change is of what all services rest on, and which says nothing itself: others alone tell of it.

    A service of policies is none, nor is code that calls a network: all that was changed is configuration.
    """
    silent = not any(text.service == service for text in symptoms.texts)
    configured = all(CONFIGURATION.search(path) for path in diff.paths)
    return silent and configured and any(BENEATH.search(text) for text in (service, *diff.paths))


def _without_past(diff: DiffFact, change: Change, context: RankingContext) -> DiffFact:
    """The diff without what had shown what it does before the onset: another schema, and work done every few minutes."""
    clear = context.tuning.confidence.sure
    suspects = dict(context.suspects())
    onsets = (d.onset for d in context.observations.all_signals.values() if d.service in suspects and d.doublings >= clear)
    # What it hurts first need not be what alerts: a store that is asked more may have left its normal range long before.
    first = min((onset for onset in onsets if onset and onset >= change.at), default=context.onset_for(change))
    ran = min(first, context.onset_for(change)) - change.at
    dropped = {effect.name for effect in diff.effects if effect.kind == "index"}
    # What looked things up by an index is slow at once, and fails only with more of it.
    effects = tuple(effect for effect in diff.effects if effect.name in dropped or not ran > _shows_within(effect))
    return diff if len(effects) == len(diff.effects) else diff.model_copy(update={"effects": effects})


def _shows_within(effect: EffectFact) -> timedelta:
    """After how long what an effect does has been seen; endless where it may come late."""
    if effect.kind == "schema":
        return _SCHEMA_IS_USED
    interval = effect.kind == "schedule" and effect.before and effect.after and " " not in effect.after.strip("\"' ")
    seconds = level_of(effect.after, effect.name) if interval else None
    seconds = seconds * unit_of(effect.name) if seconds else 0.0
    # Below 0 it is switched off, and what comes once in a year has not been seen.
    return timedelta(seconds=_ROUNDS * seconds) if 0 < seconds < _DAY else timedelta.max


def read_code(context: RankingContext, change: Change, symptoms: Symptoms) -> CodeReading:
    """What the diffs of a change explain of the symptoms; nothing is concluded where no diff was read."""
    code = next((fact for fact in context.observations.code if is_code_of(fact, change)), None)
    if code is None or not code.diffs:
        return CodeReading()
    weights = context.tuning.diffs
    # Commits that were made after the roll-out are not part of it, whatever the branch holds by now.
    diffs = [diff for diff in code.diffs if diff.at <= change.at and went_out(diff, code, change, context)]
    diffs = [_without_past(diff, change, context) for diff in diffs]
    explained = [(_explained(diff, symptoms, change, context), diff) for diff in diffs]
    best = max(explained, key=lambda pair: pair[0].strength, default=None)
    explanation, diff = best if best and best[0].strength > 0 else (None, None)
    consequence = ""
    if explanation is None or explanation.strength < weights.related:
        consequential = next(((diff, effect) for diff in diffs if (effect := consequence_of(diff, weights))), None)
        diff, consequence = (consequential[0], effect_text(consequential[1])) if consequential else (diff, "")
    whole = not code.partial and not any(diff.partial and not diff.inert for diff in diffs)
    read = whole or (explanation is not None and explanation.strength >= weights.explained)
    unread = 0.0 if read else _unread(diffs)
    return CodeReading(
        read,
        diff,
        explanation,
        len(code.diffs),
        unread,
        weights.explained,
        weights.related,
        code.evidence,
        inert=whole and all(diff.inert for diff in diffs),
        its_own=diff is not None and (diff.commit == head_of(code) or in_own_folder(diff, change.service)),
        consequence=consequence,
    )


def _unread(diffs: Sequence[DiffFact]) -> float:
    matter = [diff for diff in diffs if not diff.inert]
    return sum(diff.partial for diff in matter) / len(matter) if any(diff.partial for diff in matter) else 1.0


def _is_slight(deviation: Deviation) -> bool:
    """Whether a resource is used a little more or less than usual, which hurts nobody; of a share nobody knows."""
    if deviation.family != "saturation" or deviation.unit in FULL_SHARE or deviation.before <= 0:
        return False
    return 1 / _SLIGHT < deviation.after / deviation.before < _SLIGHT


def symptoms_of(observations: Observations, summary: str = "") -> Symptoms:
    """New and vanished lines, signals that deviate, and the alert's own words."""
    texts: list[SymptomText] = []
    usual_lines: list[str] = []
    for template in observations.templates:
        text = without_requests(one_line(template.example or template.text, _MAX_TEXT))
        if template.trend in ("new", "surging"):
            usual = template.trend == "surging"
            texts.append(SymptomText(text, template.evidence, template.service, log=True, usual=usual))
        elif template.trend == "vanished":
            texts.append(SymptomText(text, template.evidence, template.service, gone=True, log=True))
        if template.before > 0 and template.trend != "surging":
            usual_lines.append(template.text)
    for deviation in observations.all_signals.values():
        if deviation.doublings > 0 and not _is_slight(deviation):
            name, service = deviation.signal.replace("_", " "), deviation.service
            texts.append(SymptomText(name, observations.id_of(deviation), service, signal=True, began=deviation.onset))
    if summary and observations.alert_evidence:
        texts.append(SymptomText(one_line(summary, _MAX_TEXT), observations.alert_evidence, alert=True))
    return Symptoms(texts, usual_lines)

"""What the code of a change says of the trouble: whether its diffs explain it, have nothing to do with it, or were not read."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from bot.core.change import Change
from bot.core.diffs.brought_about import ON_CALLEES
from bot.core.diffs.consequence import consequence_of
from bot.core.diffs.effect_text import effect_text
from bot.core.diffs.explanation import Explanation, explain
from bot.core.diffs.requests import without_requests
from bot.core.diffs.symptoms import Symptoms, SymptomText
from bot.core.evidence import Claim
from bot.core.facts.code import DiffFact, EffectKind
from bot.core.ranking.context import RankingContext
from bot.core.ranking.observations import Observations, ObservedCode
from bot.core.text.untrusted import one_line

BITES_LATE: frozenset[EffectKind] = frozenset(
    {
        "accumulation",
        "release",
        "verbosity",
        "cache",
        "cache_key",
        "schedule",
        "batch",
        "pool",
        "limit",
        "retry",
        "clock",
        "pattern",
        "order",
        "lock",
    }
)
"""Effects that need time, or load, until they hurt: for them age clears no change."""
_FRONT_END = re.compile(r"(^|[/-])(web|website|www|ui|frontend|mobile|ios|android)([/-]|$)|\.(tsx|jsx|vue|svelte|swift)$", re.I)
_MAX_TEXT = 400


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
    consequence: str = ""
    """What `diff` surely changes, where nothing that is observed tells of it; "" where it explains something."""

    @property
    def strength(self) -> float:
        return self.explanation.strength if self.explanation else 0.0

    @property
    def explains(self) -> bool:
        """Whether the diff explains the trouble."""
        return self.read and self.strength >= self.explained_from

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
        """Whether what it does needs time until it hurts."""
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


def read_code(context: RankingContext, change: Change, symptoms: Symptoms) -> CodeReading:
    """What the diffs of a change explain of the symptoms; nothing is concluded where no diff was read."""
    code = next((fact for fact in context.observations.code if _brought(fact, change)), None)
    if code is None or not code.diffs:
        return CodeReading()
    weights = context.tuning.diffs
    # Commits that were made after the roll-out are not part of it, whatever the branch holds by now.
    diffs = [diff for diff in code.diffs if diff.at <= change.at and not _of_another(diff, change.service, context)]
    explained = [(explain(diff, symptoms, weights, service=change.service), diff) for diff in diffs]
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
        consequence=consequence,
    )


def _unread(diffs: Sequence[DiffFact]) -> float:
    matter = [diff for diff in diffs if not diff.inert]
    return sum(diff.partial for diff in matter) / len(matter) if any(diff.partial for diff in matter) else 1.0


def _brought(code: ObservedCode, change: Change) -> bool:
    return code.service == change.service and bool(change.version) and code.version == change.version


def _of_another(diff: DiffFact, service: str, context: RankingContext) -> bool:
    """Whether all files of a commit belong to others: one repository may hold many services.

    Those lie in folders named after other services, or are of a front end, which runs with whoever looks at it.
    """
    observations = context.observations
    changed = {change.service for change in observations.changes.values()}
    services = frozenset({service, *observations.services, *observations.depends_on, *observations.checked, *changed})
    owners = [_owner(path, services) for path in diff.paths]
    front = bool(_FRONT_END.search(service))
    return bool(owners) and all(
        owner not in ("", service) or (not owner and not front and _FRONT_END.search(path))
        for owner, path in zip(owners, diff.paths, strict=True)
    )


@lru_cache(maxsize=4_096)
def _owner(path: str, services: frozenset[str]) -> str:
    """The service that a folder on the path is named after; "" for shared code."""
    folders = [_bare(folder) for folder in path.split("/")[:-1]]
    return next((service for folder in folders for service in sorted(services) if folder and folder == _bare(service)), "")


def _bare(name: str) -> str:
    """`order` of `orderservice`, `order-svc` and `order_service`."""
    folded = name.casefold().replace("_", "-")
    for ending in ("-service", "service", "-svc", "svc", "-api", "-server"):
        if folded.endswith(ending) and len(folded) > len(ending) + 1:
            return folded.removesuffix(ending).rstrip("-")
    return folded


def symptoms_of(observations: Observations, summary: str = "") -> Symptoms:
    """New and vanished lines, signals that deviate, and the alert's own words."""
    texts: list[SymptomText] = []
    usual: list[str] = []
    for template in observations.templates:
        text = without_requests(one_line(template.example or template.text, _MAX_TEXT))
        if template.trend in ("new", "surging"):
            texts.append(SymptomText(text, template.evidence, template.service, log=True))
        elif template.trend == "vanished":
            texts.append(SymptomText(text, template.evidence, template.service, gone=True, log=True))
        if template.before > 0 and template.trend != "surging":
            usual.append(template.text)
    for deviation in observations.all_signals.values():
        if deviation.doublings > 0:
            name, service = deviation.signal.replace("_", " "), deviation.service
            texts.append(SymptomText(name, observations.id_of(deviation), service, signal=True))
    if summary and observations.alert_evidence:
        texts.append(SymptomText(one_line(summary, _MAX_TEXT), observations.alert_evidence, alert=True))
    return Symptoms(texts, usual)

"""Whether the sentence of a cause names something else than its fields, clears them, or blames what was measured and is normal.

Words never make a cause likely. They only keep one from it: where the sentence names other services or another version than
the fields that were checked, and where all it names was measured and none of it left its normal range.
"""

import re
from collections.abc import Iterable

from bot.core.change import Change
from bot.core.evidence import CauseKind, Hypothesis
from bot.core.verdict.measured import Measured

FROM_OUTSIDE: tuple[CauseKind, ...] = ("external", "traffic")
"""Kinds of cause that lie outside the own system."""
_VERSION = re.compile(r"\bv?(\d+(?:\.\d+){1,}[\w.+-]*)", re.I)
_RESOURCES = {
    "memory": r"memor|heap|\bram\b|\boom\b|\brss\b|garbage|leak",
    "cpu": r"\bcpus?\b|processor|\bcores?\b|throttl",
    "connection": r"connection|\bpools?\b",
    "disk": r"\bdisks?\b|storage|volume|filesystem|\binodes?\b|out of space",
    "queue": r"\bqueues?\b|backlog|consumer lag",
    "thread": r"\bthreads?\b|worker pool",
    "descriptor": r"descriptor|open files",
}
"""What a sentence, or the name of a signal, may call a resource."""
_MEMORY = r"memor|heap|\bram\b|\boom\b|\brss\b|garbage"
_SLOW = r"\bslow\w*|\blatency\b"
_MECHANISMS = {**{words: resource for resource, words in _RESOURCES.items()}, _SLOW: "latency"}
_SAYS_NORMAL = re.compile(r"\bnormal|stayed within|unchanged|steady|\bas usual|\bno\b|\bnot\b|n['’]t\b", re.I)
_OUTSIDE = re.compile(r"provider|third.part|outside|external|upstream vendor|payment gateway|\bdns\b|certificate|\btls\b", re.I)
_NETWORK = re.compile(r"\bnetwork|packet|on the wire|\bmtu\b|round.?trip", re.I)
_SURGE = re.compile(r"\btraffic\b|\bsurge|flood|crawler|\bddos\b|too many requests|more requests", re.I)

_CLAUSES = re.compile(r"[;:.!?](?:\s+|$)|,\s+|\s+[-–—]\s+|\s+\b(?:but|although|while|whereas)\b\s+", re.I)
_NOT = r"(?:\s+not|n['’]t|\s+never|\s+no longer)"
_CAUSE_WORDS = r"(?:the|a|our|its)?\s*(?:root\s+)?(?:cause|culprit|reason|trigger|source|problem|fault|issue)\b"
_OF_SUBJECT = re.compile(
    rf"\b(?:is|was|are|were|cannot be|can{_NOT} be|seems|looks){_NOT}?\s+(?:{_CAUSE_WORDS}|to blame|at fault|responsible|"
    rf"guilty|related|involved|behind)|\b(?:did|does|do|could|can|would|has|had)(?:{_NOT}|not)\s+(?:cause[d]?|br(?:eak|oke|oken)|"
    rf"explain(?:ed)?|trigger(?:ed)?|introduce[d]?|bring|brought|lead|led)\b",
    re.I,
)
_NEGATED = re.compile(rf"{_NOT}|cannot", re.I)
_CLEARED = re.compile(
    r"\b(?:is|was|are|were|looks|seems)\s+(?:\w+\s+)?(?:innocent|unrelated|exonerated|harmless|ruled out|cleared|a red herring|"
    r"a coincidence|coincidental|fine|healthy)\b|\b(?:has|have|had) (?:nothing|no\w* \w+) to do with\b|\bnot guilty\b|"
    r"\bno (?:link|relation|connection) (?:to|with)\b",
    re.I,
)
_PRONOUN = re.compile(r"\s*(?:it|this|that|which|the service)?\s*", re.I)
_OF_OBJECT = re.compile(
    rf"(?:\b(?:is|was|are|were|does|did){_NOT}|^not|\bcannot be|\brather than|\binstead of)\s+(?:\w+\s+)?"
    r"(?:caused by|due to|because of|from|come from|came from|the fault of|explained by|broken by|related to|the|a)\b",
    re.I,
)
KINDS_OF_CHANGE = {
    "deploy": r"deploy|release|roll.?out|new version|new image|new code|\bbuild\b|upgrade",
    "config": r"config|setting",
    "flag": r"\bflag|toggle|experiment",
    "model": r"new model|model version|retrain",
    "data": r"new data\b|data ?set|data version|feature (?:version|set|view|table)",
    "scale": r"scal(?:ed|ing)",
}
"""What a sentence may call a change of each kind."""


def contradiction(hypothesis: Hypothesis, measured: Measured) -> str:
    """What the sentence names beside what was checked; "" if nothing."""
    return (
        denial(hypothesis, measured)
        or _two_kinds(hypothesis)
        or _other_services(hypothesis, measured)
        or _other_version(hypothesis, measured)
        or _normal_causes(hypothesis, measured)
        or wrong_mechanism(hypothesis, measured)
    )


def wrong_mechanism(hypothesis: Hypothesis, measured: Measured) -> str:
    """That what the sentence says of how a change broke its service was measured there and is normal; "" if it was not.

    The change may be the cause all the same: "deploy 3.5.0 leaks memory" where memory stayed normal. What its code or new log
    lines explain stands.
    """
    own = measured.observations.changes.get(hypothesis.change_id)
    service = own.service if own else hypothesis.service
    if not service or (own is None and hypothesis.kind not in FROM_OUTSIDE) or (own and measured.code_of(own).explains):
        return ""
    if own and hypothesis.kind == "resource" and not measured.short_resources(service):
        return f"no resource of {service} ran short before it failed"
    lines = [line.text for line in measured.new_lines(service)]
    text = hypothesis.cause.replace(own.title, " ") if own and own.title else hypothesis.cause
    clauses = [clause for clause in filter(None, _CLAUSES.split(text)) if not _SAYS_NORMAL.search(clause)]
    clauses = [clause for clause in clauses if not services_in(clause, known_services(measured)) - {service}]
    named = [words for words in _MECHANISMS if any(re.search(words, clause, re.I) for clause in clauses)]
    if len(named) > 1:
        # What leaks may be connections: the word alone is of memory only where nothing else is named.
        named = [words for words in named if words != _RESOURCES["memory"] or re.search(_MEMORY, text, re.I)]
    shown = {words: _moved(words, service, measured) for words in named}
    normal = [words for words, moved in shown.items() if moved is False and not any(re.search(words, x, re.I) for x in lines)]
    if not normal or any(shown.values()):
        return ""
    return f"nothing shows that {_MECHANISMS[normal[0]]} left its normal range on {service}"


def _moved(words: str, service: str, measured: Measured) -> bool | None:
    """Whether a signal of the service whose name holds these words left its normal range; None where none was measured."""
    signals = (d for (name, _), d in measured.observations.all_signals.items() if name == service)
    fitting = [
        d for d in signals if re.search(words, d.signal.replace("_", " "), re.I) or (words == _SLOW and d.family == "latency")
    ]
    return any(d.doublings > 0 for d in fitting) if fitting else None


def denial(hypothesis: Hypothesis, measured: Measured) -> str:
    """That the sentence clears what its fields accuse; "" if it does not."""
    return "its sentence says that this is not the cause" if _denies_itself(hypothesis, measured) else ""


def _two_kinds(hypothesis: Hypothesis) -> str:
    """A change of the own system and somebody outside are two causes: what speaks for the one never carries the other."""
    accuses_both = bool(hypothesis.change_id) and hypothesis.kind in FROM_OUTSIDE
    return "it names a change, and says that somebody outside or the traffic is at fault" if accuses_both else ""


def _other_services(hypothesis: Hypothesis, measured: Measured) -> str:
    own = measured.observations.changes.get(hypothesis.change_id)
    fields = {hypothesis.service, own.service if own else ""} - {""}
    named = services_in(hypothesis.cause, known_services(measured))
    if not fields or named & fields or (own and _names(hypothesis.cause, _of_change(own))):
        return ""
    # Who calls the service suffers with it: "storefront fails because a provider is down" names nobody else as the cause.
    others = named - set().union(*map(measured.all_callers, fields))
    if hypothesis.kind == "resource" and re.search(_RESOURCES["connection"], hypothesis.cause, re.I):
        # Connections lie between a service and what it calls: "the pool to orders-db is exhausted".
        others -= set(measured.observations.depends_on.get(hypothesis.service, ()))
    return f"its sentence is about {', '.join(sorted(others))}" if others else ""


def _other_version(hypothesis: Hypothesis, measured: Measured) -> str:
    own = measured.observations.changes.get(hypothesis.change_id)
    if own is None or not own.version:
        return ""
    versions = {c.version.lstrip("v") for c in measured.observations.changes.values() if c.version}
    named = {version.lstrip("v") for version in _VERSION.findall(hypothesis.cause)} & versions
    own_versions = {own.version.lstrip("v"), own.previous_version.lstrip("v")}
    return f"its sentence is about version {', '.join(sorted(named))}" if named and not named & own_versions else ""


def _normal_causes(hypothesis: Hypothesis, measured: Measured) -> str:
    """Of a cause whose fields name no single change: all that its sentence names as the cause was measured and is normal."""
    if hypothesis.kind not in ("resource", "dependency") or hypothesis.change_id:
        return ""
    named = list(_named_causes(hypothesis, measured))
    if not named or any(shown for _, shown in named):
        return ""
    return f"nothing shows that {' or '.join(name for name, _ in named)} left its normal range there"


def _named_causes(hypothesis: Hypothesis, measured: Measured) -> Iterable[tuple[str, bool]]:
    """What the sentence names as the cause, and whether it left its normal range on the service."""
    text, moved = hypothesis.cause, measured.deviations(hypothesis.service)
    for resource, words in _RESOURCES.items():
        if re.search(words, text, re.I):
            yield resource, any(re.search(words, d.signal.replace("_", " "), re.I) for d in moved)
    families = {d.family for d in moved}
    if _OUTSIDE.search(text):
        yield "somebody outside", "external" in families
    if _NETWORK.search(text):
        yield "the network", "network" in families
    if _SURGE.search(text):
        yield "traffic", "traffic" in families


def known_services(measured: Measured) -> set[str]:
    """Every service that the evidence speaks of."""
    observed = measured.observations
    named = {*observed.services, *observed.signals, *observed.checked, *observed.health_evidence, *observed.alerting}
    named |= {*observed.depends_on, *observed.dependents, *(c.service for c in observed.changes.values())}
    named |= {name for names in (*observed.depends_on.values(), *observed.dependents.values()) for name in names}
    named |= {str(entry.arguments.get("service") or "") for entry in measured.entries.values()}
    named |= {name for entry in measured.entries.values() for name in entry.evidence.facts.further}
    return named - {""}


def services_in(text: str, services: Iterable[str]) -> set[str]:
    """The services that a sentence names as whole words; `orders` in `orders-db` is none."""
    folded = text.casefold()
    return {name for name in services if re.search(rf"(?<![\w-]){re.escape(name.casefold())}(?![\w]|-\w)", folded)}


# ---------------------------------------------------------------- what it clears


def _denies_itself(hypothesis: Hypothesis, measured: Measured) -> bool:
    """Whether the sentence clears what its fields accuse."""
    for clause in filter(None, _CLAUSES.split(hypothesis.cause)):
        cleared = _cleared_subject(clause)
        if cleared is not None and (_PRONOUN.fullmatch(cleared) or _is_own(cleared, hypothesis, measured)):
            return True
        negated = _OF_OBJECT.search(clause)
        if negated and _is_own(clause[negated.end() :], hypothesis, measured):
            return True
    return False


def _cleared_subject(clause: str) -> str | None:
    """What a clause says is not the cause; None if it says that of nothing."""
    for match in (_OF_SUBJECT.search(clause), _CLEARED.search(clause)):
        if match and (match.re is _CLEARED or _NEGATED.search(match.group())):
            return clause[: match.start()]
    return None


def _is_own(text: str, hypothesis: Hypothesis, measured: Measured) -> bool:
    """Whether a part of the sentence means the service or change of the fields: by name, or as "the deploy" of nobody else."""
    own = measured.observations.changes.get(hypothesis.change_id)
    if _names(text, {hypothesis.service, *(_of_change(own) if own else ())}):
        return True
    if own is None or services_in(text, known_services(measured)):
        return False
    kinds = rf"\bchanges?\b|\bversions?\b|{KINDS_OF_CHANGE.get(own.kind, 'changes?')}"
    return re.search(kinds, text, re.I) is not None


def _of_change(change: Change) -> set[str]:
    return {change.id, change.version, change.title}


def _names(text: str, names: Iterable[str]) -> bool:
    folded = text.casefold()
    return any(re.search(rf"(?<![\w.-]){re.escape(name.casefold())}(?![\w-])", folded) for name in names if name)

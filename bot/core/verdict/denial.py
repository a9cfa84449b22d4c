"""Whether the sentence of a cause says of itself that it is not the cause.

The fields of a hypothesis accuse a service and a change; a sentence that clears them ("deploy 2.3.1 is not the cause") says the
contrary, and must never stand for them.
"""

import re
from collections.abc import Collection

from bot.core.evidence import Hypothesis

_CLAUSES = re.compile(r"[;:.!?](?:\s+|$)|,\s+|\s+[-–—]\s+|\s+\b(?:but|although|while|whereas)\b\s+", re.I)
_NOT = r"(?:\s+not|n['’]t|\s+never|\s+no longer)"
_BLAME = r"(?:the|a|our|its)?\s*(?:root\s+)?(?:cause|culprit|reason|trigger|source|problem|fault|issue)\b"
_OF_SUBJECT = re.compile(
    rf"\b(?:is|was|are|were|cannot be|can{_NOT} be|seems|looks){_NOT}?\s+(?:{_BLAME}|to blame|at fault|responsible|"
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
_KINDS_OF_CHANGE = re.compile(
    r"\b(?:deploy(?:ment|s)?|releases?|roll.?outs?|versions?|changes?|flags?|config(?:uration)?s?|settings?)\b", re.I
)


def denies_itself(hypothesis: Hypothesis, names: Collection[str]) -> bool:
    """Whether the sentence clears what its fields accuse. `names`: of the service, and version, title and id of the change."""
    for clause in filter(None, _CLAUSES.split(hypothesis.cause)):
        cleared = _cleared_subject(clause)
        if cleared is not None and (_PRONOUN.fullmatch(cleared) or _is_own(cleared, hypothesis, names)):
            return True
        negated = _OF_OBJECT.search(clause)
        if negated and _is_own(clause[negated.end() :], hypothesis, names):
            return True
    return False


def _cleared_subject(clause: str) -> str | None:
    """What a clause says is not the cause; None if it says that of nothing."""
    for match in (_OF_SUBJECT.search(clause), _CLEARED.search(clause)):
        if match and (match.re is _CLEARED or _NEGATED.search(match.group())):
            return clause[: match.start()]
    return None


def _is_own(text: str, hypothesis: Hypothesis, names: Collection[str]) -> bool:
    folded = text.casefold()
    if any(re.search(rf"(?<![\w.-]){re.escape(name.casefold())}(?![\w-])", folded) for name in names if name):
        return True
    return bool(hypothesis.change_id) and _KINDS_OF_CHANGE.search(text) is not None

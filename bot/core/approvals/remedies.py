"""Which remediations of the catalogue fit a cause. Where none fits there is no proposal."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.core.change import Change
from bot.core.config.actions import ActionConfig
from bot.core.config.plans import PlanConfig
from bot.core.evidence import Findings, Hypothesis
from bot.core.text.moments import clock
from bot.core.text.untrusted import one_line
from bot.core.tuning import TUNING

Entry = ActionConfig | PlanConfig
_NONE_FITS = "No action of the catalogue fits: "
"""How the stored text begins where that is why; it has stood there in words from the first version on."""
OUTDATED = "the causes were ranked again, and it does not help against the one that is first now"
"""Why a proposal that nobody decided on was superseded."""


@dataclass(frozen=True)
class Remedy:
    """A catalogue entry with the arguments and the reason with which it would be proposed."""

    entry: str
    service: str
    arguments: dict[str, str] = field(default_factory=dict)
    because: str = ""


@dataclass(frozen=True)
class NoProposal:
    """Why nothing was proposed, as a sentence for people."""

    why: str
    none_fits: bool = False
    """No action of the catalogue fits; else one does, and something keeps it from being proposed."""

    @property
    def stored(self) -> str:
        """The text that the database keeps and people read."""
        return f"{_NONE_FITS}{self.why}" if self.none_fits else self.why


def parse_no_proposal(stored: str) -> NoProposal | None:
    """The reason behind a stored text; None for ""."""
    why = stored.removeprefix(_NONE_FITS)
    return NoProposal(why, none_fits=why != stored) if stored else None


OVER = NoProposal("The outage is over.")
"""What is put to people then would change what is well again."""


@dataclass(frozen=True)
class Fitted:
    """The proposal that fits, or why there is none."""

    ref: str = ""
    none: NoProposal | None = None


def fitting(findings: Findings, service: str, actions: Mapping[str, Entry], changes: Mapping[str, Change]) -> list[Remedy]:
    """The entries that help against the first hypothesis, the most specific first; empty if its evidence is too thin.

    `service` is the alerting one, used when the hypothesis names none; `changes` holds the reported changes by id, with the
    newest of the same service and kind: what nobody reported cannot be taken back, nor what somebody took back already.
    """
    if not has_enough_evidence(findings):
        return []
    first = findings.hypotheses[0]
    change = changes.get(first.change_id) if first.change_id else None
    if change and _taken_back(change, changes):
        return []
    target = change.service if change else first.service or service
    fits = [name for name, entry in actions.items() if _fits(entry, first, change, target)]
    arguments = {"change_id": change.id} if change else {}
    because = _because(first)
    ranked = sorted(fits, key=lambda name: (not actions[name].change_kinds, not actions[name].services, name))
    return [Remedy(name, target, arguments, because) for name in ranked]


def why_none(findings: Findings, service: str, actions: Mapping[str, Entry], changes: Mapping[str, Change]) -> NoProposal:
    """Why `fitting` is empty: the first condition that is not met."""
    change = changes.get(findings.hypotheses[0].change_id) if has_enough_evidence(findings) else None
    if change and (back := _taken_back(change, changes)):
        what = f"{change.kind} {one_line(change.version, 60)} of {one_line(change.service, 60)}"
        return NoProposal(f"{what} was taken back already, at {clock(back.at)}.")
    return NoProposal(f"{_missing(findings, service, actions, changes)}.", none_fits=True)


def _missing(findings: Findings, service: str, actions: Mapping[str, Entry], changes: Mapping[str, Change]) -> str:
    if not findings.hypotheses or findings.category == "healthy":
        return "no cause was found"
    first = findings.hypotheses[0]
    if not has_enough_evidence(findings):
        return f"the first cause is not sure enough ({first.confidence_text})"
    if not actions:
        return "it has none yet"
    change = changes.get(first.change_id) if first.change_id else None
    kind = "change" if change is not None else first.kind
    helping = [entry for entry in actions.values() if kind in entry.helps]
    if not helping:
        return f"none helps against {_AGAINST[kind]}"
    if kind == "change" and change is None:
        return "nobody reported the change at fault, so it cannot be taken back"
    target = change.service if change else first.service or service
    here = [entry for entry in helping if not entry.services or target in entry.services]
    if not here:
        return f"none that helps against {_AGAINST[kind]} lists {one_line(target, 60) or 'a service'}"
    return f"none takes back a {change.kind} change of {one_line(target, 60)}" if change else "none is for this cause"


_AGAINST = {
    "change": "a change",
    "dependency": "a failing dependency",
    "resource": "a resource that ran out",
    "traffic": "too much traffic",
    "external": "a cause outside",
    "unknown": "a cause that is not known",
}


def has_enough_evidence(findings: Findings) -> bool:
    """Whether the first hypothesis has enough to act on."""
    if not findings.hypotheses:
        return False
    first = findings.hypotheses[0]
    cited = {evidence for claim in first.claims for evidence in claim.evidence}
    enough = len(cited) >= TUNING.remedies.evidence and first.likelihood >= TUNING.remedies.likelihood
    return first.confidence == "likely" or (first.confidence == "possible" and enough)


def _fits(entry: Entry, hypothesis: Hypothesis, change: Change | None, target: str) -> bool:
    kind = "change" if change is not None else hypothesis.kind
    if kind not in entry.helps or (entry.services and target not in entry.services):
        return False
    if kind != "change":
        return True
    return change is not None and (not entry.change_kinds or change.kind in entry.change_kinds)


def _taken_back(change: Change, changes: Mapping[str, Change]) -> Change | None:
    """The newest change of the same service and kind, where it brought back the version that this one had replaced."""
    later = [one for one in changes.values() if (one.service, one.kind) == (change.service, change.kind) and one.at > change.at]
    newest = max(later, key=lambda one: one.at, default=None)
    return newest if newest and newest.version and newest.version == change.previous_version else None


def _because(hypothesis: Hypothesis) -> str:
    cited = sorted({e for claim in hypothesis.claims for e in claim.evidence}, key=lambda e: (len(e), e))
    return f"{hypothesis.cause} ({hypothesis.confidence_text}, {', '.join(cited)})"

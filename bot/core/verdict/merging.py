"""Merges the model's and the analyst's answers into the one that people see: what they share is joined, what not is ordered."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.core.evidence import LEAD_ONLY, Case, CauseKind, Claim, Findings, Hypothesis, LedgerEntry, NamedBy
from bot.core.ranking.changes.exoneration import exonerated_changes
from bot.core.ranking.observations import observe
from bot.core.text.untrusted import one_line
from bot.core.verdict.category import categorize
from bot.core.verdict.contradiction import FROM_OUTSIDE, contradiction, wrong_mechanism
from bot.core.verdict.disputes import MAX_AGAINST, MAX_RULED_OUT, NAMED, with_exonerated
from bot.core.verdict.identity import identify
from bot.core.verdict.measured import Measured, sources
from bot.core.verdict.support import support_of
from bot.core.verdict.verdict import CONFIDENCES, by_confidence, judge

__all__ = ["MAX_RULED_OUT", "merge", "same_cause", "views_text"]

MAX_CLAIMS = 6
MAX_CAUSES = 5
_UNSPECIFIC = ("unknown", "dependency")
"""Kinds that say where a failure lies, not what it is."""


def merge(
    by_agent: Findings,
    by_analyst: Findings,
    case: Case,
    ledger: Sequence[LedgerEntry],
    *,
    now: datetime,
    services: Collection[str] = (),
) -> Findings:
    """One answer of two, judged. `services` are those of the inventory, besides the ones that the evidence speaks of.

    - A cause of the model that names a service or change that nobody knows is refused; one that no evidence carries falls.
    - The same cause of both is joined: both evidences, and the stronger of both confidences with the words that earned it;
      the model's where they are equal. Where the analyst only says that a service fails, the model's cause there takes its
      place, if it is as confident.
    - Where they disagree both are shown, first the more confident, then the one that the evidence carries further. Of two
      that would be likely only that one stays so: the analyst's unless the evidence carries the model's further.
    - The changes that the evidence clears are ruled out; a cause of the model that accuses one is in dispute.

    Without any carried cause of the model the analyst's answer stands, with why and what the model cost.
    """
    identified, refused = _identified(by_agent, Measured(ledger), {*services, case.service} - {""})
    # A model tells no onset: it is the one that was measured.
    identified = identified.model_copy(update={"onset": by_analyst.onset})
    carried = judge(identified, ledger, case=case)
    if all(hypothesis.confidence == "unsupported" for hypothesis in carried.hypotheses):
        return _instead(carried, by_analyst, refused)
    suspected = {h.change_id for h in by_analyst.hypotheses if h.confidence in NAMED}
    observations = observe(ledger, alert=case.alert_name)
    exonerated = {
        id: exoneration for id, exoneration in exonerated_changes(case, observations, now=now).items() if id not in suspected
    }
    disputed = judge(with_exonerated(carried, exonerated, observations.changes), ledger, case=case)
    own = judge(by_analyst, ledger, case=case)
    measured = Measured(ledger, case=case, ranked_onset=by_analyst.onset)
    merged = _merged(disputed, own, measured, {entry.id: entry for entry in ledger})
    note = _note(merged, refused)
    merged = merged.model_copy(update={"note": note, "lead": by_analyst.lead})
    return by_confidence(categorize(merged, case, ledger, observations))


def same_cause(by_agent: Hypothesis, by_analyst: Hypothesis) -> bool:
    """Whether two causes are the same: the same service and the same change, or without a change the same kind.

    A cause that names a change and says that somebody outside or the traffic is at fault is another one.

    A model's cause of unknown kind is nobody else's: only its words say what it is. "The service itself fails" is one cause,
    whether the analyst found it below the alerting service (dependency) or at it (unknown).
    """
    if by_agent.service != by_analyst.service or by_agent.change_id != by_analyst.change_id:
        return False
    if by_agent.change_id:
        return not _contrary(by_agent.kind, by_analyst.kind)
    kinds = _UNSPECIFIC if by_agent.kind == "dependency" else (by_agent.kind,)
    return by_agent.kind != "unknown" and by_analyst.kind in kinds


def _contrary(kind: CauseKind, other: CauseKind) -> bool:
    """Whether one of two kinds says that the own system is at fault and the other that it is not."""
    return (kind in FROM_OUTSIDE) != (other in FROM_OUTSIDE) and not {kind, other} & set(_UNSPECIFIC)


def views_text(findings: Findings) -> str:
    """Whether the model and the analyst agree on the first cause, as one sentence; "" where only one of them answered."""
    if not findings.hypotheses or not findings.hypotheses[0].named_by:
        return ""
    first, *others = findings.hypotheses
    if first.named_by == "both":
        return "The AI model and the built-in analyst agree on this cause."
    names = {"agent": "the AI model", "analyst": "the built-in analyst"}
    rival = "analyst" if first.named_by == "agent" else "agent"
    position = next((n for n, other in enumerate(others, 2) if other.named_by in (rival, "both")), 0)
    if not position:
        text = f"{names[first.named_by]} names this cause, {names[rival]} names none."
        return text[:1].upper() + text[1:]
    other = findings.hypotheses[position - 1]
    same = " on the same service" if other.service == first.service else ""
    return (
        f"They disagree: {names[first.named_by]} names this cause first, {names[rival]} names cause {position}{same}"
        f" ({other.confidence_text})."
    )


def disagree(findings: Findings) -> str:
    """Who else names another cause than the first, in a few words; "" where they agree or only one of them answered."""
    if not findings.hypotheses or findings.hypotheses[0].named_by not in ("agent", "analyst"):
        return ""
    other = "the built-in analyst" if findings.hypotheses[0].named_by == "agent" else "the AI model"
    rivals = ("analyst", "both") if findings.hypotheses[0].named_by == "agent" else ("agent", "both")
    names = any(hypothesis.named_by in rivals for hypothesis in findings.hypotheses[1:])
    return f"{other} names {'another cause' if names else 'none'}"


# ---------------------------------------------------------------- what is refused


def _identified(by_agent: Findings, measured: Measured, services: Collection[str]) -> tuple[Findings, list[str]]:
    """The model's causes as the inventory and the records name them, and why others are refused."""
    # Who named a cause is for code to say.
    own = [hypothesis.model_copy(update={"named_by": ""}) for hypothesis in by_agent.hypotheses]
    identified = [identify(hypothesis, measured, services) for hypothesis in own]
    refused = [cause.refused for cause in identified if cause.refused]
    dropped = [f"{one_line(cause.hypothesis.cause, 160)} ({cause.refused})" for cause in identified if cause.refused]
    accepted = [cause.hypothesis for cause in identified if not cause.refused]
    update = {"hypotheses": accepted, "dropped": [*by_agent.dropped, *dropped], "by": "agent"}
    return by_agent.model_copy(update=update), refused


def _instead(by_agent: Findings, by_analyst: Findings, refused: Sequence[str]) -> Findings:
    if refused and not by_agent.hypotheses:
        note = _refusal(refused)
    elif by_agent.hypotheses:
        note = "The evidence carries nothing of the model's answer."
    elif by_agent.stop_reason == "answered":
        note = "The model named no cause."
    else:
        note = f"Model not available ({by_agent.stop_reason or 'no usable answer'})."
    # The turns that are shown took the model's time as well.
    seconds = round(by_analyst.seconds + by_agent.seconds, 2)
    spent = {
        "model": by_agent.model,
        "steps": by_agent.steps,
        "tokens": by_agent.tokens,
        "usd": by_agent.usd,
        "seconds": seconds,
    }
    outcome = {"stop_reason": by_agent.stop_reason, "dropped": by_agent.dropped}
    return by_confidence(by_analyst.noted(note).model_copy(update={**outcome, **spent}))


def _refusal(refused: Sequence[str]) -> str:
    count = "A cause" if len(refused) == 1 else f"{len(refused)} causes"
    return f"{count} of the model {'was' if len(refused) == 1 else 'were'} refused: {'; '.join(dict.fromkeys(refused))}."


def _note(merged: Findings, refused: Sequence[str]) -> str:
    lead = LEAD_ONLY if merged.hypotheses and merged.hypotheses[0].confidence != "likely" else ""
    notes = (_refusal(refused) if refused else "", merged.note.replace(LEAD_ONLY, "").strip(), lead)
    return one_line(" ".join(filter(None, notes)), 600)


# ---------------------------------------------------------------- one list of two


@dataclass(frozen=True)
class _Weighed:
    """A cause with how far the evidence carries it."""

    hypothesis: Hypothesis
    strength: int
    systems: int
    """Systems that saw what its claims cite."""

    @property
    def order(self) -> tuple[int, int, int, bool]:
        """The one to show first is the smallest. Where all is equal the model's, which saw the analyst's answer."""
        confidence = CONFIDENCES.index(self.hypothesis.confidence)
        return confidence, -self.strength, -self.systems, self.hypothesis.named_by == "analyst"


def _merged(by_agent: Findings, by_analyst: Findings, measured: Measured, entries: Mapping[str, LedgerEntry]) -> Findings:
    """The model's findings with the causes of both, joined and ordered."""
    own = [h.model_copy(update={"named_by": "agent"}) for h in by_agent.hypotheses if h.confidence != "unsupported"]
    others = [h.model_copy(update={"named_by": "analyst"}) for h in by_analyst.hypotheses if h.confidence != "unsupported"]
    joined = _joined(own, others, measured)
    weighed = sorted((_weigh(h, measured, entries) for h in joined), key=lambda cause: cause.order)
    hypotheses, lowered = _one_likely(weighed)
    first = hypotheses[0]
    update = {
        "hypotheses": _both_first(hypotheses)[:MAX_CAUSES],
        "by": "analyst" if first.named_by == "analyst" else "agent",
        "not_checked": list(dict.fromkeys([*by_agent.not_checked, *by_analyst.not_checked])),
        "dropped": [*by_agent.dropped, *lowered],
    }
    return by_agent.model_copy(update=update)


def _weigh(hypothesis: Hypothesis, measured: Measured, entries: Mapping[str, LedgerEntry]) -> _Weighed:
    cited = [id for claim in hypothesis.claims for id in claim.evidence]
    strength = support_of(hypothesis, measured).strength
    if hypothesis.named_by != "agent" and hypothesis.confidence == "likely" and strength <= 1:
        # What the analyst is sure of on other signs (an alert burst, new lines), and nothing measured speaks against.
        strength = 3
    return _Weighed(hypothesis, strength, len(sources(entries, cited)))


def _joined(own: Sequence[Hypothesis], others: Sequence[Hypothesis], measured: Measured) -> list[Hypothesis]:
    """The causes of both lists; the same cause once. A sentence about something else than its fields is another cause."""
    left, joined = list(others), []
    for hypothesis in own:
        wrong = wrong_mechanism(hypothesis, measured)
        candidates = [] if not wrong and contradiction(hypothesis, measured) else left
        match = next((o for o in candidates if same_cause(hypothesis, o)), None)
        if match is None and not wrong:
            match = next((o for o in candidates if _covered(o, hypothesis)), None)
        if match is not None:
            left.remove(match)
        joined.append(hypothesis if match is None else _join(hypothesis, match, analyst_words=bool(wrong)))
    return joined + left


def _covered(by_analyst: Hypothesis, by_agent: Hypothesis) -> bool:
    """Whether the analyst only says that a service fails, and the model what fails there; never where it says so as likely.

    A weaker cause of the model takes no place: else calling everything unlikely would remove the analyst's leads.
    """
    if _is_more_confident(by_analyst, by_agent):
        return False
    vague = by_analyst.kind in _UNSPECIFIC and not by_analyst.change_id and by_analyst.confidence != "likely"
    specific = by_agent.kind not in _UNSPECIFIC or bool(by_agent.change_id)
    return by_analyst.service == by_agent.service and vague and specific


def _join(by_agent: Hypothesis, by_analyst: Hypothesis, *, analyst_words: bool = False) -> Hypothesis:
    """One cause in the words of the more confident, the model's where both are equal, with both evidences.

    `analyst_words`: in the analyst's, because the model's say what was measured otherwise.
    The claims of the one whose sentence stands come first.
    """
    same = same_cause(by_agent, by_analyst)
    # The model's sentence may say the opposite of its fields: it never gets a confidence that only the analyst's cause has.
    analyst_words = analyst_words and not _is_more_confident(by_agent, by_analyst)
    first = by_analyst if analyst_words or (same and _is_more_confident(by_analyst, by_agent)) else by_agent
    second = by_agent if first is by_analyst else by_analyst
    update = {
        "likelihood": by_analyst.likelihood if same else by_agent.likelihood,
        "component": first.component or by_analyst.component,
        "claims": _both(first.claims, second.claims, MAX_CLAIMS),
        "against": _both(first.against, second.against, MAX_AGAINST),
        "not_checked": list(dict.fromkeys([*by_agent.not_checked, *by_analyst.not_checked]))[:8],
        "check": first.check or by_analyst.check,
        "named_by": _accuser(by_agent, by_analyst) if same else "agent",
    }
    return first.model_copy(update=update)


def _accuser(by_agent: Hypothesis, by_analyst: Hypothesis) -> NamedBy:
    """Who holds the cause for the cause: who only lists it as unlikely does not."""
    if by_agent.confidence in NAMED and by_analyst.confidence in NAMED:
        return "both"
    return "analyst" if by_analyst.confidence in NAMED else "agent"


def _is_more_confident(hypothesis: Hypothesis, other: Hypothesis) -> bool:
    return CONFIDENCES.index(hypothesis.confidence) < CONFIDENCES.index(other.confidence)


def _both(own: Sequence[Claim], further: Sequence[Claim], most: int) -> list[Claim]:
    """The own claims, and of the others first those on evidence that no own claim cites; room is left for two of these."""
    cited = {id for claim in own for id in claim.evidence}
    texts = {claim.text for claim in own}
    new = [claim for claim in further if claim.text not in texts]
    ordered = sorted(new, key=lambda claim: set(claim.evidence) <= cited)
    free = max(most - len(own), min(2, len(ordered)))
    return [*own[: most - min(free, len(ordered))], *ordered[:free]][:most]


def _one_likely(weighed: Sequence[_Weighed]) -> tuple[list[Hypothesis], list[str]]:
    """Of several likely causes one stays so: one of the analyst's, unless the evidence carries another further."""
    likely = [cause for cause in weighed if cause.hypothesis.confidence == "likely"]
    if len(likely) < 2:
        return [cause.hypothesis for cause in weighed], []
    strongest = max(cause.strength for cause in likely)
    chosen = min(
        (cause for cause in likely if cause.strength == strongest),
        key=lambda cause: ("both", "analyst", "agent").index(cause.hypothesis.named_by or "agent"),
    )
    others = [cause for cause in likely if cause is not chosen]
    lowered = [
        f'"likely" for {one_line(cause.hypothesis.cause, 160)} (the evidence carries another cause at least as far)'
        for cause in others
    ]
    possible = [cause.hypothesis.model_copy(update={"confidence": "possible"}) for cause in others]
    rest = [cause.hypothesis for cause in weighed if cause.hypothesis.confidence != "likely"]
    return [chosen.hypothesis, *possible, *rest], lowered


def _both_first(hypotheses: Sequence[Hypothesis]) -> list[Hypothesis]:
    """Right behind the first cause the other's first one, if they disagree and it is as confident as what stands there."""
    first, *rest = hypotheses
    if first.named_by == "both" or not rest:
        return list(hypotheses)
    other = next((h for h in rest if h.named_by != first.named_by), None)
    if other is None or other.confidence != rest[0].confidence:
        return list(hypotheses)
    return [first, other, *(h for h in rest if h is not other)]

"""What a triage says before Details: what broke, the first cause, what speaks for and against it, and what next."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from bot.core.action import WITHOUT_EFFECT, Proposal, ProposalState
from bot.core.evidence import Findings, Hypothesis, nothing_wrong
from bot.core.incident import GroupState
from bot.core.investigation.triage_facts import TriageFacts
from bot.core.messages.investigation import TriageContent
from bot.core.text.moments import clock
from bot.core.text.untrusted import counted
from bot.core.text.word_counts import within_words, word_count
from bot.core.tool_calls import without_lead
from bot.core.verdict.merging import disagree

MAX_WORDS = 90
"""Of a triage message before Details, its buttons and its small print with it."""
FIXED_WORDS, APPROVE_WORDS, ATTEMPT_WORDS, AGAIN_WORDS = 16, 1, 4, 5
"""Of these for the buttons and the small print: always, where a proposal waits, in a further attempt, and where that one has
nothing to show yet: `; ranking it again was stopped`."""
BROKE, CAUSE, EVIDENCE, AGAINST, NOT_CHECKED, NEXT, EARLIER = 13, 18, 12, 10, 8, 8, 13
"""The most words of each line, with its label: one long sentence of a model must not push the others out of sight.

The next step gets what the others leave as well; the cause of before stands only where they leave words for it.
"""
LONGER = 7
"""More words of each piece of evidence, and of what speaks against it, where the others leave them: what is cut in its middle
has to be read twice."""
EARLIER_FIRES = "Earlier, still firing"
"""Before the cause of an outage that a new one has not replaced: two are to be looked after."""
NO_CAUSE = "nothing that was checked explains it"


class Line(NamedTuple):
    """A sentence and the word before it; the text is untrusted."""

    label: str
    text: str

    @property
    def words(self) -> int:
        return word_count(f"{self.label} {self.text}")


@dataclass(frozen=True, kw_only=True)
class Summary:
    """The lines of a triage message, from the state of its triage alone. All texts are untrusted."""

    over: Line | None = None
    """That no alert fires any more, where all had ended before the causes were ranked."""
    broke: str = ""
    """`storefront left the normal range at 22:55:04 UTC: errors 0.3 % → 46.7 %`."""
    earlier: Line | None = None
    """The first cause of the outage before, where this one is about something new."""
    cause: Line | None = None
    """How sure it is (`Likely`, `Best lead`, `One of 2`, `Not known`) and what it is; None before causes are ranked."""
    evidence: Sequence[str] = ()
    """The strongest first."""
    caveats: Sequence[Line] = ()
    """What speaks against it, and what could not be checked."""
    next_step: Line | None = None
    more: Sequence[Line] = ()
    """What else fits."""


def summarize(triage: TriageContent) -> Summary:
    """The summary of a triage whose causes are ranked: what must be said, and then what fits."""
    findings = triage.findings
    if findings is None:
        return Summary(over=over(triage), broke=broke(triage.facts))
    first = None if nothing_wrong(findings) else findings.first_cause
    evidence = [claim.text for claim in first.claims] if first else []
    summary = Summary(
        over=over(triage),
        broke=broke(triage.facts),
        cause=_cause(findings, first),
        evidence=[within_words(text, EVIDENCE) for text in evidence[:1]],
        caveats=[*_against(findings, first), *not_checked(findings.not_checked)],
    )
    fixed = _fixed_words(triage)
    summary = replace(summary, next_step=_within(next_step(triage), _words_left(summary, fixed)))
    summary = replace(summary, earlier=_earlier(triage, _words_left(summary, fixed)))
    summary = replace(summary, evidence=[_longer(text, EVIDENCE + _words_left(summary, fixed)) for text in evidence[:1]])
    longer = AGAINST + max(0, min(LONGER, _words_left(summary, fixed)))
    summary = replace(summary, caveats=[*_against(findings, first, longer), *not_checked(findings.not_checked)])
    before = triage.earlier_cause if summary.earlier else None
    more = [*_others(findings, first, before), *_ruled_out(findings), *_no_action(triage)]
    return _with_more(summary, evidence[1:2], more, _words_left(summary, fixed))


def over(triage: TriageContent) -> Line | None:
    """That it tells of an outage that has ended, or that people called resolved."""
    if triage.over_at is None:
        return None
    group, at = triage.group, clock(triage.over_at)
    if group.firing:
        return Line("Over", f"resolved by hand at {at} while {counted(group.firing, 'alert')} fired")
    return Line("Over", f"resolved by hand at {at}" if group.declared else f"no alert fires since {at}")


def broke(facts: TriageFacts | None) -> str:
    """What broke since when."""
    if facts is None:
        return ""
    return within_words(facts.onset_text, BROKE)


def certainty(cause: Hypothesis, others: Sequence[Hypothesis] = ()) -> str:
    """How sure a cause is, in words: `Likely`, `Best lead`, `One of 2`, `Not known`."""
    if cause.confidence == "likely":
        return "Likely"
    if cause.confidence != "possible":
        return "Not known"
    if cause.lead_status != "one of several":
        return "Best lead"
    possible = sum(other.confidence == "possible" for other in others)
    return f"One of {possible}" if possible > 1 else "One of several"


def _cause(findings: Findings, first: Hypothesis | None) -> Line:
    if well := nothing_wrong(findings):
        because = next((claim.text for claim in findings.because), "")
        warned = (
            f", which is no all-clear: {counted(len(findings.not_checked), 'check')} failed" if findings.not_checked else ""
        )
        return Line(f"{well}{warned}", within_words(because, EVIDENCE))
    if first is None:
        return Line("Not known", NO_CAUSE)
    label = certainty(first, findings.hypotheses)
    weak = "weak lead: " if label == "Not known" else ""
    return Line(label, within_words(f"{weak}{first.cause}", CAUSE - word_count(label)))


def _longer(text: str, words_left: int) -> str:
    """A piece of evidence, in more words than it has to itself where there is room for them."""
    return within_words(text, max(EVIDENCE, min(EVIDENCE + LONGER, words_left)))


def _against(findings: Findings, first: Hypothesis | None, most: int = AGAINST) -> Iterable[Line]:
    """The first thing that speaks against it in so many words, and how many more do; where two answers disagree, that."""
    if first is None:
        return
    others = [claim.text for claim in first.against]
    if disagreement := disagree(findings):
        others.insert(0, disagreement)
    if others:
        more = f" ({len(others) - 1} more)" if len(others) > 1 else ""
        yield Line("Against", within_words(others[0], most - 1 - word_count(more)) + more)


def not_checked(lines: Sequence[str]) -> Iterable[Line]:
    """The first check that failed and fits, and how many more did: "could not check" is never passed over.

    Without why where that does not fit: half a reason is none.
    """
    if lines:
        more = f" ({len(lines) - 1} more)" if len(lines) > 1 else ""
        most = NOT_CHECKED - 2 - word_count(more)
        texts = [text if word_count(text) <= most else text.partition(": ")[0] for text in map(without_lead, lines)]
        text = next((text for text in texts if word_count(text) <= most), texts[0])
        yield Line("Not checked", within_words(text, most) + more)


def next_step(triage: TriageContent) -> Line | None:
    """What to do now: a proposal that waits, how one ended, or what would confirm the cause; nothing once it is resolved."""
    findings, resolved = triage.findings, triage.group.state is GroupState.RESOLVED
    unfinished = triage.state.running and not triage.is_ranked_anew
    if resolved or unfinished or findings is None or nothing_wrong(findings):
        return None
    first = findings.first_cause
    check = first.check if first else ""
    over = "it is over. Resolve once it holds" if triage.over_at else ""
    text = _of_proposal(triage, check) or over or check or _by_hand(triage, first) or _proposed_anew(triage)
    return Line("Next", text) if text else None


def waiting(proposals: Sequence[Proposal]) -> Proposal | None:
    """The proposal that is the next step while people may decide it: the newest that is in force."""
    newest = next((proposal for proposal in reversed(proposals) if proposal.state not in WITHOUT_EFFECT), None)
    return newest if newest and newest.state.decidable else None


def _within(line: Line | None, words_left: int) -> Line | None:
    return line._replace(text=within_words(line.text, max(NEXT, words_left) - 1)) if line else None


def _same_as_before(triage: TriageContent) -> bool:
    """Whether the first cause is that of the outage before: what was put to people for that one helps against this one too."""
    first, before = next(iter(triage.hypotheses), None), triage.earlier_cause
    return first is not None and before is not None and _names_the_same(first, before)


def _names_the_same(one: Hypothesis, other: Hypothesis) -> bool:
    return (one.kind, one.service, one.change_id) == (other.kind, other.service, other.change_id)


def _of_proposal(triage: TriageContent, check: str) -> str:
    """The newest proposal that waits or had an effect, as the next step; "" if there is none."""
    in_force = [proposal for proposal in triage.proposals if proposal.state not in WITHOUT_EFFECT]
    if not in_force:
        return ""
    newest = in_force[-1]
    if newest.state.decidable and newest.of_before and check and not triage.group.cleared and not _same_as_before(triage):
        end = "" if check.endswith(("?", ".", "!")) else "."
        return f"{check}{end} {newest.ref} is for the earlier cause"
    if newest.state.decidable:
        cleared = f"the alerts have cleared. Deny {newest.named} if it is no longer needed"
        return cleared if triage.group.cleared else f"approve or deny {newest.named}"
    if newest.state is ProposalState.SUCCEEDED:
        if not triage.group.firing:
            return f"{newest.named} worked. Resolve once it stays well"
        # That the signal which it watched is well is one thing; what alerts is another.
        return f"{newest.named} ran. {'The earlier outage still fires' if triage.earlier_fires else 'Alerts still fire'}"
    if not newest.state.final or not check:
        return f"{newest.named}: {newest.state}"
    return f"{newest.ref}: {newest.state}. {check}"


def _by_hand(triage: TriageContent, first: Hypothesis | None) -> str:
    """Where the evidence has decided already and no action was found to fit."""
    none_fits = triage.no_proposal is not None and triage.no_proposal.none_fits
    by_hand = none_fits and first and first.kind == "change" and first.confidence == "likely"
    return "take the change back by hand: no action here fits" if by_hand else ""


def _proposed_anew(triage: TriageContent) -> str:
    """What was denied, or nobody decided in time, can be asked for once more while it fires."""
    newest = next(reversed(triage.proposals), None)
    if newest is None or newest.of_before or newest.state not in WITHOUT_EFFECT or triage.group.cleared:
        return ""
    return f"{newest.ref} {newest.state}: propose it anew if needed"


def _others(findings: Findings, first: Hypothesis | None, before: Hypothesis | None) -> Iterable[Line]:
    """Other causes that are as possible; the one of `before` has a line of its own, in whatever words."""

    def is_before(cause: Hypothesis) -> bool:
        same = before is not None and (cause.cause == before.cause or (cause.change_id and _names_the_same(cause, before)))
        return bool(same)

    causes = (cause for cause in findings.hypotheses if cause is not first and not is_before(cause))
    possible = [cause for cause in causes if cause.confidence in ("likely", "possible")]
    if possible:
        more = f" ({len(possible) - 1} more)" if len(possible) > 1 else ""
        yield Line("Also possible", f"{possible[0].cause}{more}")


def _ruled_out(findings: Findings) -> Iterable[Line]:
    """The first change that the evidence clears, without what clears it, and how many more there are."""
    if findings.ruled_out:
        first, more = findings.ruled_out[0], len(findings.ruled_out) - 1
        name = first.subject or _before_details(first.text)
        yield Line("Ruled out", within_words(name, AGAINST) + (f" and {more} more" if more else ""))


def _before_details(text: str) -> str:
    """Of a model's claim, and in rows of older versions: what stands before the first detail. A version may hold a colon."""
    return text.partition(": ")[0].partition(" at ")[0].partition(" (")[0]


def _no_action(triage: TriageContent) -> Iterable[Line]:
    in_force = any(proposal.state not in WITHOUT_EFFECT for proposal in triage.proposals)
    if triage.no_proposal and not (in_force or triage.over_at):
        yield Line("No proposal", triage.no_proposal.why.rstrip("."))


def _earlier(triage: TriageContent, words_left: int) -> Line | None:
    earlier, first = triage.earlier_cause, next(iter(triage.hypotheses), None)
    if earlier is None or words_left < EARLIER // 2 or (first and first.cause == earlier.cause):
        return None
    label = EARLIER_FIRES if triage.earlier_fires else "Earlier"
    if triage.recovered_after:
        # Its alerts end some minutes later.
        label = f"Earlier, recovered after {triage.recovered_after}"
    most = EARLIER - 1 + word_count(label)
    return Line(label, within_words(earlier.cause, min(most, words_left) - word_count(label)))


def _fixed_words(triage: TriageContent) -> int:
    """Of its buttons and small print."""
    further = ATTEMPT_WORDS if triage.attempt > 1 else 0
    further += AGAIN_WORDS if triage.shown_attempt not in (0, triage.attempt) else 0
    return FIXED_WORDS + further + (APPROVE_WORDS if triage.waiting else 0)


def _words_left(summary: Summary, fixed: int) -> int:
    """Words that the message has left beside its buttons and small print."""
    lines = [line for line in (summary.over, summary.earlier, summary.cause, *summary.caveats, summary.next_step) if line]
    texts = map(word_count, (summary.broke, *summary.evidence))
    return MAX_WORDS - fixed - sum(texts) - sum(line.words for line in lines)


def _with_more(summary: Summary, evidence: Sequence[str], lines: Iterable[Line], words_left: int) -> Summary:
    """With a second piece of evidence and further lines, each as long as it leaves the message within its words."""
    shown, more = list(summary.evidence), list[Line]()
    for text in (_longer(text, words_left) for text in evidence):
        if word_count(text) <= words_left:
            shown.append(text)
            words_left -= word_count(text)
    for line in lines:
        if line.words <= words_left:
            more.append(line)
            words_left -= line.words
    return replace(summary, evidence=shown, more=more)

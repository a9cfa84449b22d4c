"""What became of a proposal: who approved or denied it, whether it ran, and whether that helped."""

import re
from collections.abc import Sequence
from enum import StrEnum

from bot.core.action import DecisionChoice, ProposalState
from bot.core.questions.answer_facts import AnswerFacts, ProposalRecord, cited_by
from bot.core.questions.parsing.forms import wants_yes_or_no
from bot.core.questions.parsing.subjects import Subject, subjects_in
from bot.core.questions.parsing.topics import canonical, named_in, without_services
from bot.core.questions.parsing.unread_words import is_turned, words_with_meaning
from bot.core.questions.yes_no.qualifiers import undecided
from bot.core.questions.yes_no.verdicts import FOR_PEOPLE, MAX_TEXT, ShortAnswer, Verdict, by_record, unknown
from bot.core.text.moments import clock_to_the_minute
from bot.core.text.untrusted import one_line


class _Aspect(StrEnum):
    """What of a proposal is asked for."""

    APPROVED = (
        r"(?:press|push|hit|click|tapp)(?:ed)?\s+(?:on\s+)?(?:the\s+)?approve(?:\s+button)?|app?roved?|okayed"
        r"|signed\s+(?:it\s+)?off"
        r"|g[ai]ven?\s+(?:it\s+)?(?:(?:the|an|a)\s+)?(?:ok(?:ay)?|go(?:[- ]ahead)?|green\s+light|approval)(?:\s+(?:for|to)\b)?"
    )
    DENIED = r"den(?:y|ied)|reject(?:ed)?|declined?"
    RAN = r"ran|run|executed?|started|happen(?:ed)?|done|applied|(?:go|went|gone)\s+through|carried\s+out"
    WORKED = r"work(?:ed)?|help(?:ed)?|succeed(?:ed)?|successful"
    FAILED = r"fail(?:ed)?"
    WAITING = r"wait(?:s|ing)?|pending|undecided"


_ASPECTS = {aspect: re.compile(rf"\b(?:{aspect.value})\b", re.IGNORECASE) for aspect in _Aspect}
_REFERENCE = re.compile(r"\bAP-\d+\b", re.IGNORECASE)
_ANY = re.compile(r"\b(?:proposals?|actions?|remediations?|plan|approvals?|fix|mitigations?)\b", re.IGNORECASE)
_PRONOUN = re.compile(r"\b(?:it|that|this|anything|something|any|the\s+(?:proposal|action|remediation|plan))\b", re.IGNORECASE)
_AUTOMATION = r"(?:automat\w+|actions?|remediations?|autopilot|tocsin|bot)"
_NO_OBJECT = r"\b(?!\s+(?:the|an?|it|them|this|that|our|my|(?:any|every)(?:thing|one|body)|\w+ing)\b)"
"""What the bot stopped, or a deploy froze, is no pause of the automation."""
_PAUSED = re.compile(
    rf"\b{_AUTOMATION}\s+(?:\w+\s+){{0,2}}?(?:paused?|on\s+hold|halted|suspended|stopped){_NO_OBJECT}"
    rf"|\bpaused?\s+(?!by\b)(?:\w+\s+){{0,2}}?{_AUTOMATION}\b"
    rf"|\b(?:anything|everything|we)\s+(?:\w+\s+){{0,2}}?(?:paused?|on\s+hold){_NO_OBJECT}"
    r"|\b(?:in|under|during)\s+(?:an?\s+|the\s+)?(?:\w+\s+)?freeze\b"
    rf"|\b(?:changes?|code|deploy\w*)\s+(?:\w+\s+)?(?:freezes?|frozen){_NO_OBJECT}",
    re.IGNORECASE,
)
_AGAIN = re.compile(r"\b(?:again|twice)\b", re.IGNORECASE)
"""It came back, or it was done once more: another question than what became of a proposal."""
_WHO_DECIDED = re.compile(
    r"^\W*(?:(?:and|so|but|ok)\s+)?who\b(?!\s+(?:can|could|may|should|must|will|has\s+to|needs)\b)", re.IGNORECASE
)
_WHO = re.compile(r"^\W*(?:who|why|when)\b", re.IGNORECASE)
_DID_IT_WORK = re.compile(
    r"^\W*(?:(?:so|and|but|ok)\s+)*(?:did|has)\s+(?:it|that|this)\s+(?:work|help)(?:ed)?\W*$", re.IGNORECASE
)
"""Asks of what was done, and not how the service is."""
_HAS = re.compile(r"^\W*(?:has|have)\b", re.IGNORECASE)
_PAST = re.compile(r"^\W*(?:(?:hey|hi|tocsin|so|and|but|ok)\W+)*(?:did|was|were|is|has|have|had)\b", re.IGNORECASE)
_DECIDES = re.compile(
    r"\b(?:did|has)\s+@?[a-z][\w.-]*\s+(?=(?:already\s+)?(?:(?:press|hit|click)(?:ed)?\s+)?(?:approve|den(?:y|ied)|reject|decline))"
    r"|\b(?:approved|denied|rejected|declined|signed\s+off)\s+by\s+@?[a-z][\w.-]*",
    re.IGNORECASE,
)
"""Whoever is asked of is no part of which proposal is meant."""
_BY = re.compile(r"\bby\b", re.IGNORECASE)

_APPROVED_STATES = frozenset(
    {
        ProposalState.APPROVED,
        ProposalState.CLAIMED,
        ProposalState.EXECUTING,
        ProposalState.VERIFYING,
        ProposalState.SUCCEEDED,
        ProposalState.NOT_RECOVERED,
        ProposalState.COULD_NOT_VERIFY,
        ProposalState.FAILED,
        ProposalState.UNKNOWN,
    }
)
_RAN_STATES = frozenset(
    {
        ProposalState.VERIFYING,
        ProposalState.SUCCEEDED,
        ProposalState.NOT_RECOVERED,
        ProposalState.COULD_NOT_VERIFY,
    }
)
_UNSURE_STATES = frozenset({ProposalState.EXECUTING, ProposalState.FAILED, ProposalState.UNKNOWN})


def answer_about_proposals(question: str, facts: AnswerFacts) -> ShortAnswer | None:
    """What became of the proposals that a question means; None where it means none."""
    aspects = [aspect for aspect, pattern in _ASPECTS.items() if pattern.search(question)]
    refs = [ref.upper() for ref in _REFERENCE.findall(question)]
    if not (aspects or refs) or undecided(question) == FOR_PEOPLE or (_AGAIN.search(question) and not refs):
        return None
    records = _meant(question, aspects, refs, facts)
    if not records and _DID_IT_WORK.match(question):
        return unknown("no action ran here, and what people did elsewhere is not recorded", opening="Not known:")
    if not records:
        decided = {_Aspect.APPROVED, _Aspect.DENIED} & set(aspects)
        return _no_such(refs, facts) if refs else _nobody(facts) if decided and _WHO_DECIDED.search(question) else None
    text = "; ".join(_history(record) for record in records)
    verdict = _verdict(question, aspects, records[0], facts) if len(records) == 1 else Verdict.UNKNOWN
    return ShortAnswer(
        verdict=verdict,
        text=one_line(text, MAX_TEXT),
        evidence=[record.ref for record in records],
        untrusted=True,
        opening="Recorded:" if verdict is Verdict.UNKNOWN else "",
        complete=True,
    )


def answer_about_holds(question: str, facts: AnswerFacts) -> ShortAnswer | None:
    """Whether people hold automated actions back, and who; None for another question, and where that was not read."""
    if facts.holds is None or not _PAUSED.search(question):
        return None
    text = one_line("; ".join(facts.holds) or "No pause, stop or freeze holds automated actions back here", MAX_TEXT)
    verdict = Verdict.UNKNOWN if not wants_yes_or_no(question) else Verdict.YES if facts.holds else Verdict.NO
    opening = "Recorded:" if verdict is Verdict.UNKNOWN else ""
    return ShortAnswer(verdict=verdict, text=text, untrusted=bool(facts.holds), opening=opening, complete=True)


def proposed_act(activities: frozenset[str], facts: AnswerFacts) -> ShortAnswer | None:
    """What became of the proposals to do what is asked of, where nothing records it as done; None where none would do it."""
    records = [record for record in facts.proposal_records if activities & canonical(record.title)]
    if not records:
        return None
    text = f"{'; '.join(map(_history, records))}; what people did elsewhere is not recorded"
    refs = [record.ref for record in records]
    return ShortAnswer(
        verdict=Verdict.UNKNOWN, text=one_line(text, MAX_TEXT), evidence=refs, untrusted=True, opening="Recorded:"
    )


def whether_undo_waits(question: str, facts: AnswerFacts) -> ShortAnswer:
    """Whether a proposal waits that may undo it, and who may approve; else what became of those before. People decide."""
    services = named_in(question, facts.names)
    waiting = [one for one in facts.proposals if services <= named_in(one.text, facts.names)]
    if waiting:
        short = unknown(" ".join(one.text for one in waiting), (one.ref for one in waiting), untrusted=True, opening=FOR_PEOPLE)
    else:
        short = _nothing_waits(services, facts)
    return by_record(short)


def _nothing_waits(services: frozenset[str], facts: AnswerFacts) -> ShortAnswer:
    """What became of the newest proposal, and the likely cause, which is what would be undone."""
    over = [one for one in facts.proposal_records if not one.state.decidable and services <= named_in(one.title, facts.names)]
    where = f" on {', '.join(sorted(services))}" if services else ""
    parts = [f"no proposal{where} waits for approval", *map(_history, over[-1:])]
    ids, untrusted = [one.ref for one in over[-1:]], bool(over)
    if likely := facts.likely_cause:
        cause_ids, is_quotation = cited_by(likely.claims, likely.cause, facts)
        parts, ids, untrusted = [*parts, f"likely cause: {likely.cause}"], [*ids, *cause_ids], untrusted or is_quotation
    return unknown("; ".join(parts), ids, untrusted=untrusted, opening=FOR_PEOPLE)


def _nobody(facts: AnswerFacts) -> ShortAnswer:
    listed = "; ".join(f"{one.ref} ({one_line(one.title, 80)})" for one in facts.proposal_records)
    about = facts.group or "this incident"
    text = f"of {about}: {listed}" if listed else f"{about} has no proposal; what people approved elsewhere is not recorded"
    opening = "No such proposal is recorded. Those that are," if listed else "Nobody here:"
    short = unknown(text, [one.ref for one in facts.proposal_records], untrusted=bool(listed), opening=opening)
    return by_record(short)


def _no_such(refs: Sequence[str], facts: AnswerFacts) -> ShortAnswer:
    text = f"{' and '.join(refs)} is no proposal of {facts.group or 'this incident'}"
    return ShortAnswer(verdict=Verdict.UNKNOWN, text=text, opening="Not known:", complete=True)


def _meant(question: str, aspects: Sequence[_Aspect], refs: Sequence[str], facts: AnswerFacts) -> list[ProposalRecord]:
    """Those that are named, by reference or by what they do; all of them for "was it approved?"."""
    records = facts.proposal_records
    if refs:
        return [record for record in records if record.ref in refs]
    words, services = _words(_DECIDES.sub(" ", question), facts), named_in(question, facts.names)
    if words or services:
        return [
            record
            for record in records
            if words and words <= canonical(record.title) and services <= named_in(record.title, facts.names)
        ]
    decided = {_Aspect.APPROVED, _Aspect.DENIED} & set(aspects)
    of_any = _PRONOUN.search(question) or _ANY.search(question) or _WHO.search(question) or decided
    if not of_any or subjects_in(_without_aspects(question)) - {Subject.PROPOSAL, Subject.ERRORS, Subject.HEALTH}:
        # "Are requests denied?" is about what the service does.
        return []
    if decided:
        return list(records)
    ran = [record for record in records if record.state in _RAN_STATES | _UNSURE_STATES]
    if not re.match(r"^\W*did\b", question, re.IGNORECASE) and not (_Aspect.WORKED in aspects and _HAS.match(question)):
        return []
    return ran or (list(records) if _ANY.search(question) or _Aspect.WORKED in aspects else [])


def _words(question: str, facts: AnswerFacts) -> frozenset[str]:
    """What says which proposal, as canonical stems."""
    rest = _without_aspects(_ANY.sub(" ", _REFERENCE.sub(" ", question)))
    people = {decision.person.lower() for record in facts.proposal_records for decision in record.decisions}
    meaning = words_with_meaning(without_services(rest, facts.names) if facts.names else rest.lower())
    return frozenset(stem for word in meaning if word not in people for stem in canonical(word))


def _without_aspects(question: str) -> str:
    for pattern in _ASPECTS.values():
        question = pattern.sub(" ", question)
    return question


def _history(record: ProposalRecord) -> str:
    """`AP-1 (Roll back checkout) approved by alice at 10:04: POST answered 200; recovered: errors 0 %`."""
    named = f"{record.ref} ({one_line(record.title, 80)})"
    answers = " and ".join(
        f"{DecisionChoice(one.verdict).past} by {one.person} at {clock_to_the_minute(one.at)}"
        + (f" ({one_line(one.reason, 60)})" if one.reason else "")
        for one in record.decisions
    )
    if record.state is ProposalState.PENDING:
        return f"{named} waits for approval" + (f": {answers}" if answers else "; nobody has decided")
    if record.state is ProposalState.PARTLY_APPROVED:
        return f"{named}: {answers}; it waits for another approval"
    came_of_it = "; ".join(one_line(text.rstrip("."), 100) for text in (record.outcome, record.verification) if text)
    state = "" if record.state.value in came_of_it or record.state is ProposalState.DENIED else record.state.value
    return f"{named}: " + "; ".join(filter(None, (answers, state, came_of_it)))


def _verdict(question: str, aspects: Sequence[_Aspect], record: ProposalRecord, facts: AnswerFacts) -> Verdict:
    """Yes or no where one thing is asked for, in the past, and every word of it was read."""
    unread = _words(question, facts) - canonical(record.title)
    if len(aspects) != 1 or unread or is_turned(question) or not (wants_yes_or_no(question) and _PAST.search(question)):
        return Verdict.UNKNOWN
    people = {one.person for one in record.decisions if re.search(rf"\b{re.escape(one.person)}\b", question, re.IGNORECASE)}
    if people or _BY.search(question):
        return _of_people(aspects[0], record) if people else Verdict.UNKNOWN
    return _of_state(aspects[0], record)


def _of_people(aspect: _Aspect, record: ProposalRecord) -> Verdict:
    """Whether the one person who decided did so: of several the story tells who did what."""
    choices = {_Aspect.APPROVED: DecisionChoice.APPROVE, _Aspect.DENIED: DecisionChoice.DENY}
    if aspect not in choices or len(record.decisions) != 1:
        return Verdict.UNKNOWN
    return Verdict.YES if record.decisions[0].verdict == choices[aspect] else Verdict.NO


def _of_state(aspect: _Aspect, record: ProposalRecord) -> Verdict:
    state, approved = record.state, any(one.verdict == DecisionChoice.APPROVE for one in record.decisions)
    ended = state.final and not record.steps_begun and state not in _RAN_STATES | _UNSURE_STATES
    yes, no = {
        _Aspect.APPROVED: (
            approved and state in _APPROVED_STATES,
            state in (ProposalState.PENDING, ProposalState.DENIED) or (ended and not approved),
        ),
        _Aspect.DENIED: (state is ProposalState.DENIED, state in _APPROVED_STATES or state.decidable),
        _Aspect.RAN: (state in _RAN_STATES, ended or state.decidable),
        _Aspect.WORKED: (state is ProposalState.SUCCEEDED, state in (ProposalState.NOT_RECOVERED, ProposalState.FAILED)),
        _Aspect.FAILED: (state is ProposalState.FAILED, state is ProposalState.SUCCEEDED),
        _Aspect.WAITING: (state.decidable, not state.decidable),
    }[aspect]
    return Verdict.YES if yes else Verdict.NO if no else Verdict.UNKNOWN

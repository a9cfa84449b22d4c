"""How severe it is, when it ended, how long it lasted, when it will be over, who works on it: the state that is recorded."""

import re
from collections.abc import Callable
from datetime import datetime

from bot.core.questions.answer_facts import AnswerFacts, IncidentStatus, cited_by
from bot.core.questions.parsing.forms import without_opening
from bot.core.questions.parsing.topics import named_in
from bot.core.questions.parsing.unread_words import words_with_meaning
from bot.core.questions.yes_no.activities import is_by_person, runs
from bot.core.questions.yes_no.verdicts import ShortAnswer, Verdict, by_record, unknown
from bot.core.text.durations import elapsed_text
from bot.core.text.moments import clock, date_and_clock
from bot.core.text.untrusted import counted
from bot.core.timeline import EntryKind

_IT = (
    r"(?:(?:this|that)\s+one|it|this|that|they|things|everything|we"
    r"|(?:the|our|this|that)\s+(?:incident|outage|issue|problem|alerts?|errors?|fire|thing|site|shop|service))"
)
_TROUBLE = r"(?:it|this|that|(?:the|our|this|that)\s+(?:incident|outage|issue|problem|alerts?))"
"""What somebody owns who works on it; a service has its owners always."""
_BETWEEN = (
    r"(?:(?:be|been|being|all|finally|fully|get|getting|got|come|came|go|went|going|to|really|completely|actually|again|likely"
    r"|probably)\s+){0,3}"
)
_ENDS = r"(?:stop\w*|end(?:s|ed)?|finish\w*|ceased?)"
_ENDED_AS = (
    rf"(?:{_ENDS}|over|fixed|resolved?|recover\w*|solved|clear(?:ed)?|gone|away|done|back(?:\s+(?:up|online|to\s+normal))?"
    r"|up\s+again|subsided?)"
)
_OVER = rf"(?:{_ENDED_AS}|up|ok(?:ay)?|work(?:s|ing)?|normal|good|fine)"
"""How it is once it has ended; "when was it fine?" asks for a moment before it began."""
_FIX = r"(?:(?:a|an|the)\s+)?(?:fix|recovery|resolution|end)"


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


_SEVERITY = _pattern(r"\bsev(?:erity)?[-\s]*(?P<level>[1-4])\b|\bsev(?:erity)?\b(?:\s+level)?|\bhow\s+severe\b")
_WORDS_BESIDE_SEVERITY = """
    a an and are current currently do does for has have here how incident is it its now of on or our outage so still that the
    this to us we what which"""
_BESIDE_SEVERITY = frozenset(_WORDS_BESIDE_SEVERITY.split())
"""What may stand beside the severity: of "should we make it a SEV1?" another thing is asked."""
_ENDED = _pattern(
    rf"\b(?:since\s+when\s+(?:is|are|has|have|was)|(?:when|what\s+time)\s+(?:did|was|were|has|have|had))"
    rf"\s+{_IT}\s+{_BETWEEN}{_ENDED_AS}\b"
)
_DURATION = _pattern(
    rf"\bhow\s+long\s+(?:did|has|have|had|was|were|is|are)\s+{_IT}"
    rf"(?:\s+{_BETWEEN}(?:last\w*|on\b|happening|down|broken|failing|firing|fire|like\s+this|out|ongoing|burning|been\b))?"
    rf"|^\W*(?:(?:the|total|outage|incident)\s+)*duration(?:\s+of\s+{_IT})?\W*$"
    r"|^\W*how\s+long(?:\s+(?:so\s+far|now|already))?\W*$"
)
_ESTIMATE = _pattern(
    rf"\b(?:eta|etr|estimate)\b(?:\s+(?:for|on|of|to|till|until)\b)?(?:\s+(?:{_IT}|{_FIX}))?"
    rf"|\bwhen\s+{_IT}\s+(?:will|is|are)\s+{_BETWEEN}{_OVER}\b"
    rf"|\bwhen\s+(?:will|would|do|does|can|could|is|are|should|might)\s+{_IT}\s+{_BETWEEN}{_OVER}\b"
    rf"|\bwhen\s+(?:do|does|can|could|should|will)\s+(?:you|we|i|they)\s+(?:expect|think|get|have|see)\s+"
    rf"(?:{_IT}\s+(?:will\s+|is\s+|are\s+)?{_BETWEEN}{_OVER}|{_FIX})\b"
    rf"|\bhow\s+(?:much\s+)?long(?:er)?\s+(?:until|till|til|before|to|for)\s+"
    rf"(?:(?:{_IT}|it['’]?s)\s+(?:is\s+|are\s+)?{_BETWEEN}{_OVER}|{_FIX}(?:\s+(?:it|this))?)\b"
    rf"|\bhow\s+(?:much\s+longer|soon)\b(?:\s+(?:will|is|are|can|does)\s+{_IT}\s+{_BETWEEN}(?:take|last|on|down|{_OVER})\b)?"
    rf"|\bhow\s+long\s+(?:(?:will|would)\s+{_IT}|is\s+{_IT}\s+going\s+to)\s+{_BETWEEN}(?:take|last|on|down|out)\b"
)
_WHO_IS_ON_IT = _pattern(
    rf"\bwho\s+(?:(?:is|are|has|have|had|was|else|already|currently)\s+)*(?:ack(?:s|ed)?|acknowledged|on\s+{_IT}|investigating"
    rf"|looking\s+(?:at|into)\s+{_IT}"
    rf"|working\s+on\s+{_IT}|handling\s+{_IT}|dealing\s+with\s+{_IT}|taking\s+care\s+of\s+{_IT}"
    rf"|got\s+{_IT}|has\s+{_IT}|picked\s+(?:up\s+{_IT}|{_IT}\s+up)|took\s+{_IT}(?!\s+(?:down|offline|out)\b)"
    rf"|owns?\s+{_TROUBLE}(?!\s+(?:service|site|shop|app)\b))(?:\s+{_IT})?\b"
)
_WHO_LEADS = _pattern(
    rf"\bwho\s+(?:(?:is|are|was|currently)\s+)*(?:leading|leads|in\s+charge"
    rf"|(?:the\s+)?(?:incident\s+)?(?:lead|commander|ic))(?:\s+(?:of\s+)?{_IT})?\b"
)
_ACKNOWLEDGES = _pattern(r"\back(?:s|ed)?\b|\backnowledge")
_BESIDE = frozenset(("exactly", "actually", "altogether", "far", "itself", "total", "roughly", "approximately"))
_ACTS_OF_PEOPLE = (EntryKind.DECISION, EntryKind.ACTION, EntryKind.INCIDENT, EntryKind.NOTE)


def answer_about_status(question: str, facts: AnswerFacts) -> ShortAnswer | None:
    """What the state of the group or incident says of a question about it; None for another question, or another service."""
    status = facts.status
    if status is None:
        return None
    named = named_in(question, facts.names)
    of_others = named - {facts.own_service}
    for name in (facts.group, status.incident, *sorted(named, key=len, reverse=True)):
        question = re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w-])", "it", question, flags=re.IGNORECASE) if name else question
    if not of_others and (severity := _severity(question, status, facts)):
        return severity
    for pattern, answer_of in _ANSWERS.items():
        match = pattern.search(question)
        if match is None or _unread(question, match) or (named and _is_ambiguous(pattern, match)):
            continue
        # Nobody estimated when another service recovers either; when that one stopped is not the end of this group's alerts.
        fires = status.ended_at is None and status.resolved_at is None
        return answer_of(facts, status) if not of_others or (pattern is _ESTIMATE and fires) else None
    return None


def whether_anyone_works_on_it(question: str, facts: AnswerFacts, status: IncidentStatus) -> ShortAnswer:
    """Whether somebody acknowledged or leads it. What a person did here without either leaves it open."""
    if re.search(r"\belse\b", question, re.IGNORECASE):
        return unknown(_people_text(status), opening="Recorded:")  # beside whom is not said
    if status.acknowledged_by:
        return ShortAnswer(verdict=Verdict.YES, text=_people_text(status))
    if status.commander and not _ACKNOWLEDGES.search(question):
        text = f"{status.commander} leads {status.incident}; nobody has acknowledged it"
        return ShortAnswer(verdict=Verdict.YES, text=text)
    newest = next((e for e in reversed(facts.timeline) if e.kind in _ACTS_OF_PEOPLE and is_by_person(e)), None)
    if newest is None or _ACKNOWLEDGES.search(question):
        return ShortAnswer(verdict=Verdict.NO, text=_people_text(status))
    by = f" ({newest.author})" if newest.author else ""
    text = f"{_moment(newest.at, status.now)} {newest.text}{by}"
    return unknown(text, [newest.id], untrusted=True, opening="Nobody has acknowledged it; the last that a person did here:")


def _unread(question: str, match: re.Match[str]) -> list[str]:
    rest = without_opening(f"{question[: match.start()]} {question[match.end() :]}")
    return [word for word in words_with_meaning(rest) if word not in _BESIDE] + re.findall(rf"\b{_OVER}\b", rest, re.IGNORECASE)


def _is_ambiguous(pattern: re.Pattern[str], match: re.Match[str]) -> bool:
    """Whether it may ask when a service went down ("when did checkout stop?") or who has built it ("who owns checkout?")."""
    ends = pattern is _ENDED and re.search(rf"\b{_ENDS}$", match[0], re.IGNORECASE)
    return bool(ends or (pattern is _WHO_IS_ON_IT and re.search(r"\bowns?\b", match[0], re.IGNORECASE)))


def _severity(question: str, status: IncidentStatus, facts: AnswerFacts) -> ShortAnswer | None:
    matches = list(_SEVERITY.finditer(question))
    rest = re.findall(r"[\w']+", without_opening(_SEVERITY.sub(" ", question)).lower())
    if not matches or set(rest) - _BESIDE_SEVERITY:
        return None
    text = f"{facts.group or status.incident} is {status.severity}"
    levels = {status.severity}
    if status.incident_severity and status.incident_severity != status.severity:
        text += f"; {status.incident} was declared as {status.incident_severity}"
        levels.add(status.incident_severity)
    if len(matches) > 1 or len(levels) > 1 or not matches[0]["level"]:
        return by_record(unknown(text, opening="Severity:"))
    verdict = Verdict.YES if f"SEV{matches[0]['level']}" in levels else Verdict.NO
    return ShortAnswer(verdict=verdict, text=text, complete=True)


def _end(facts: AnswerFacts, status: IncidentStatus) -> ShortAnswer:
    if status.ended_at is None and not status.resolved_at:
        return by_record(unknown(_state_text(facts, status), opening="It has not ended:"))
    return by_record(unknown(_state_text(facts, status), opening="Recorded:"))


def _duration(facts: AnswerFacts, status: IncidentStatus) -> ShortAnswer:
    """Of its alerts; what was measured of its beginning stands below."""
    if status.ended_at is None:
        return unknown(_state_text(facts, status), opening="Recorded:" if status.resolved_at else "So far:")
    if not status.end_confirmed:
        return unknown(_state_text(facts, status), opening="Recorded:")
    start, end = _moment(status.began_at, status.now), _moment(status.ended_at, status.now)
    text = f"from {start}, when the first alert of {facts.group} began, to {end}, when the last one ended"
    return unknown(text, opening=f"{elapsed_text(status.ended_at - status.began_at)}:")


def _estimate(facts: AnswerFacts, status: IncidentStatus) -> ShortAnswer:
    """That nobody estimated it, with how it stands: no moment is promised."""
    if status.ended_at or status.resolved_at:
        return by_record(unknown(_state_text(facts, status), opening="Recorded:"))
    parts, ids = [_state_text(facts, status)], list[str]()
    if facts.proposals:
        parts, ids = [*parts, facts.proposals[0].text.rstrip(".")], [facts.proposals[0].ref]
    elif ran := runs(facts.timeline):
        newest = ran[-1]
        parts, ids = [*parts, f"{newest.named} at {clock(newest.at)}: {newest.outcome.rstrip('.')}"], list(newest.entries)
    if likely := facts.likely_cause:
        parts, ids = [*parts, f"likely cause: {likely.cause}"], [*ids, *cited_by(likely.claims, likely.cause, facts)[0]]
    return by_record(unknown("; ".join(parts), ids, opening="No estimate is recorded. How it stands:", untrusted=bool(ids)))


def _people(_: AnswerFacts, status: IncidentStatus) -> ShortAnswer:
    return by_record(unknown(_people_text(status), opening="Recorded:"))


def _lead(facts: AnswerFacts, status: IncidentStatus) -> ShortAnswer:
    if not status.incident:
        return by_record(
            unknown(f"{facts.group} is no declared incident, which alone has one", opening="No incident commander:")
        )
    return by_record(unknown(f"{status.commander or 'nobody'} leads {status.incident}", opening="Recorded:"))


_ANSWERS: dict[re.Pattern[str], Callable[[AnswerFacts, IncidentStatus], ShortAnswer]] = {
    _ENDED: _end,
    _ESTIMATE: _estimate,
    _DURATION: _duration,
    _WHO_IS_ON_IT: _people,
    _WHO_LEADS: _lead,
}


def _people_text(status: IncidentStatus) -> str:
    parts = ["Nobody has acknowledged it"]
    if status.acknowledged_by:
        at = f" at {_moment(status.acknowledged_at, status.now)}" if status.acknowledged_at else ""
        parts = [f"Acknowledged by {status.acknowledged_by}{at}"]
    if status.incident:
        parts.append(f"{status.commander or 'nobody'} leads {status.incident}")
    return "; ".join(parts)


def _state_text(facts: AnswerFacts, status: IncidentStatus) -> str:
    """`3 alerts of AL-1 fire; the first since 22:55:04 UTC (8 min)`, or when the last one ended, and who resolved it."""
    since = f"{_moment(status.began_at, status.now)} ({elapsed_text(status.now - status.began_at)})"
    resolution = _resolution(facts, status)
    if facts.case is None or facts.case.declared:
        return resolution or f"{status.incident or facts.group} is open since {since}"
    if status.ended_at is not None:
        return "; ".join(filter(None, (_end_text(facts, status, status.ended_at), resolution)))
    alerts = f"{counted(facts.firing, 'alert')} of {facts.group}"
    if resolution:
        return f"{resolution} while {alerts} still fired"
    return f"{alerts} {'fires' if facts.firing == 1 else 'fire'}; the first since {since}"


def _resolution(facts: AnswerFacts, status: IncidentStatus) -> str:
    by = f" by {status.resolved_by}" if status.resolved_by else ""
    at = _moment(status.resolved_at, status.now) if status.resolved_at else ""
    return f"{status.incident or facts.group} was resolved{by} at {at}" if at else ""


def _end_text(facts: AnswerFacts, status: IncidentStatus, ended_at: datetime) -> str:
    end = _moment(ended_at, status.now)
    if not status.end_confirmed:
        why = f"{status.unmeasured} is no longer measured" if status.unmeasured else "Prometheus could not be read"
        return f"no alert of {facts.group} is reported since {end}; not confirmed, since {why}"
    return f"the last alert of {facts.group} ended at {end}, {elapsed_text(ended_at - status.began_at)} after the first began"


def _moment(at: datetime, now: datetime) -> str:
    """A time of day, with its date where that is not today's."""
    return clock(at) if at.date() == now.date() else f"{date_and_clock(at)} UTC"

"""How a service is or was: yes, no or unknown by its measured values."""

from bot.core.evidence import LedgerEntry
from bot.core.facts.measured import DeviationFact
from bot.core.questions.parsing.forms import direction_in, good_is_yes
from bot.core.questions.parsing.subjects import MEASURED, SYMPTOMS, Subject
from bot.core.questions.yes_no.named_in_record import named_in_record
from bot.core.questions.yes_no.question_reading import QuestionReading, ids_of
from bot.core.questions.yes_no.verdicts import MAX_TEXT, ShortAnswer, Verdict, unknown
from bot.core.text.untrusted import one_line
from bot.core.tuning import TUNING

MAX_NAMED = 3
"""Signals named one by one."""
_SURE = TUNING.confidence.sure
"""Doublings from which on a deviation counts as sure, as for a cause: 50 ms that become 53 ms are no illness."""


NO_STATE_NAMED = "Measured:"


def answer_about_state(reading: QuestionReading) -> ShortAnswer:
    """How a service is: by its newest values where the question asks for now, else by what left its normal range.

    "And cart?" names no state that a yes could be about: what was measured is told alone.
    """
    short = _yes_or_no(reading)
    if reading.subjects or short.verdict is Verdict.UNKNOWN:
        return short
    return short.model_copy(update={"verdict": Verdict.UNKNOWN, "opening": NO_STATE_NAMED})


def _yes_or_no(reading: QuestionReading) -> ShortAnswer:
    bad, slight, judged = _current_state(reading) if reading.asks_for_now else _past_state(reading)
    if Subject.DATABASE in reading.subjects and not bad and (troubled := reading.troubled_database):
        entry, text = troubled
        return ShortAnswer(verdict=Verdict.YES, text=one_line(text, MAX_TEXT), evidence=[entry.id], untrusted=True)
    inverted = good_is_yes(reading.question, of_signal=bool(reading.subjects & MEASURED - {Subject.HEALTH}))
    yes, no = (Verdict.NO, Verdict.YES) if inverted else (Verdict.YES, Verdict.NO)
    if thing := reading.unmeasured_thing or reading.unmeasured_state:
        return named_in_record(reading) or _not_of_thing(thing, bad)
    if bad:
        text = "; ".join(dict.fromkeys(text for _, text in bad[:MAX_NAMED]))
        return ShortAnswer(verdict=yes, text=one_line(text, MAX_TEXT), evidence=ids_of(entry for entry, _ in bad))
    if slight:
        text = "; ".join(dict.fromkeys(text for _, text in slight[:MAX_NAMED]))
        return unknown(text, ids_of(entry for entry, _ in slight), opening="Barely outside its usual range:")
    where = f" on {', '.join(sorted(reading.services_meant)[:MAX_NAMED])}" if reading.services_meant else ""
    ids = ids_of(entry for entry, _ in judged)
    if not judged and reading.subjects & MEASURED - SYMPTOMS and (named := named_in_record(reading)):
        return named
    if not judged:
        return unknown(
            f"nothing that was checked measures {subjects_text(reading) or 'that'}{where}",
            ids_of(reading.blind(reading.services_meant)),
        )
    if elsewhere := _bad_elsewhere(reading):
        text = f"{'; '.join(text for _, text in judged[:1])}; elsewhere: {elsewhere[0][1]}"
        return unknown(text, [*ids, elsewhere[0][0].id])
    if blind := reading.blind(reading.services_meant):
        return unknown(f"what could be checked{where} is normal, but not all could be", [*ids, *ids_of(blind)])
    text = "; ".join(dict.fromkeys(text for _, text in judged[:MAX_NAMED]))
    return ShortAnswer(verdict=no, text=one_line(text, MAX_TEXT), evidence=ids)


def _not_of_thing(thing: str, bad: "_Lines") -> ShortAnswer:
    """What was measured is another thing's: told, and no yes."""
    measured = "; ".join(dict.fromkeys(text for _, text in bad[:MAX_NAMED]))
    text = f"nothing that was checked measures {thing}" + (f"; what was measured: {measured}" if measured else "")
    return unknown(text, ids_of(entry for entry, _ in bad))


_Lines = list[tuple[LedgerEntry, str]]


def _current_state(reading: QuestionReading) -> tuple[_Lines, _Lines, _Lines]:
    rows = list(reading.current())
    direction = _requested_direction(reading)
    bad = [(entry, fact.text) for entry, fact in rows if (fact.state == direction if direction else fact.trouble)]
    return bad, [], [(entry, fact.text) for entry, fact in rows if fact.state != "unknown"]


def _past_state(reading: QuestionReading) -> tuple[_Lines, _Lines, _Lines]:
    """What is bad, what is barely outside its usual range, and all that was judged."""
    rows = list(reading.deviations(reading.services_meant))
    direction = {"high": "up", "low": "down"}.get(_requested_direction(reading), "")
    moved = [
        (entry, fact)
        for entry, fact in rows
        if fact.doublings > 0 and (not direction or fact.direction == direction) and _is_trouble(reading, fact)
    ]
    bad = [(entry, signal_line(entry, fact)) for entry, fact in moved if fact.doublings >= _SURE]
    slight = [(entry, signal_line(entry, fact)) for entry, fact in moved if fact.doublings < _SURE]
    if not direction:
        bad += [(entry, text) for entry, fact in rows if fact.doublings <= 0 and (text := beyond_now(entry, fact))]
    measured = reading.subjects & MEASURED
    for entry in reading.entries if not direction and measured <= SYMPTOMS else ():
        if str(entry.arguments.get("service") or "") in reading.services_meant and Subject.HEALTH in measured:
            bad += [(entry, beyond.text) for beyond in entry.evidence.facts.beyond or ()]
    return bad, slight, [(entry, signal_line(entry, fact)) for entry, fact in rows]


SYMPTOM_FAMILIES = frozenset({"errors", "latency", "client", "external"})


def _is_trouble(reading: QuestionReading, fact: DeviationFact) -> bool:
    """Whether what moved is trouble: of health only what its callers meet. More requests or calls are no failure."""
    of_health = Subject.HEALTH in reading.subjects and reading.subjects & MEASURED <= {Subject.HEALTH, Subject.DATABASE}
    return not of_health or fact.family in SYMPTOM_FAMILIES


def _bad_elsewhere(reading: QuestionReading) -> _Lines:
    """Where no service is named: what of the subject left its normal range on others than the alerting one."""
    if reading.services or reading.asks_for_now or not reading.subjects & MEASURED - SYMPTOMS:
        return []
    return [(entry, signal_line(entry, fact)) for entry, fact in reading.deviations() if fact.doublings > 0]


def _requested_direction(reading: QuestionReading) -> str:
    """`high` or `low` where the question says which way traffic went: less of it is no trouble by itself."""
    if Subject.TRAFFIC not in reading.subjects:
        return ""
    return {"up": "high", "down": "low"}.get(direction_in(reading.question), "")


def beyond_now(entry: LedgerEntry, fact: DeviationFact) -> str:
    """That the newest value of a signal is beyond its owners' threshold: then it is no "no", whatever it was before."""
    return next((beyond.text for beyond in entry.evidence.facts.beyond or () if beyond.signal == fact.signal), "")


def signal_line(entry: LedgerEntry, fact: DeviationFact) -> str:
    """The evidence's own line about a signal."""
    name = f"{fact.service} {fact.signal}"
    lines = (line for line in entry.evidence.details if line.startswith((f"{name} ", f"{name}: ")))
    moved = "left its normal range" if fact.doublings > 0 else "stayed normal"
    return next(lines, f"{name} {moved}").partition(" [")[0]


def subjects_text(reading: QuestionReading) -> str:
    subjects = sorted(subject.value for subject in reading.subjects if subject not in (Subject.HEALTH, Subject.RECOVERY))
    return " and ".join(subjects[:2])

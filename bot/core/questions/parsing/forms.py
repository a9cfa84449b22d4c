"""The form of a question: whether it wants yes or no, whether it asks how things are now, and whether good news is a yes."""

import re
from collections.abc import Collection, Sequence

from bot.core.questions.parsing.subjects import MEASURED, SYMPTOM_WORDS, SYMPTOMS, Subject, subjects_in
from bot.core.questions.parsing.topics import named_in, without_services

_WORD = re.compile(r"[a-z']+")
_AUXILIARY_VERBS = """
    is are was were am do does did has have had can could should would will any isn't aren't wasn't weren't don't doesn't didn't
    hasn't haven't can't couldn't shouldn't won't still already anything anyone anybody"""
_AUXILIARIES = frozenset(_AUXILIARY_VERBS.split())
_QUESTION_WORDS = frozenset(("what", "why", "when", "who", "whom", "whose", "which", "how", "where"))
_PRESENT = frozenset(("is", "are", "isn't", "aren't", "do", "does", "don't", "doesn't", "can", "any"))
_OPENING = re.compile(
    r"^\W*(?:(?:hey|hi|hello|ok|so|and|but|tocsin|please|now|then|well|can you|could you|would you|do you know|any idea"
    r"|tell me|tell us|check|see|find out|say)\b\W*)+",
    re.IGNORECASE,
)
_WHETHER = re.compile(r"^(?:if|whether)\b", re.IGNORECASE)
_NOW = re.compile(
    r"\b(?:now|currently|current|still|at the moment|right now|yet|today|again|by now|back\s+(?:up|online|to\s+normal)"
    r"|(?:getting|going)\s+(?:any\s+)?(?:worse|better)|improving|worsening|recovering)\b",
    re.IGNORECASE,
)
_NOTES = re.compile(r"\b(?:notes?|noted|said|says|wrote|write|written|mentioned|told|tried)\b", re.IGNORECASE)
_GOOD = re.compile(r"\b(?:up|healthy|ok|okay|fine|alive|working|works?|normal|well|good)\b", re.IGNORECASE)
_GOOD_SIGNAL = re.compile(r"\b(?:healthy|ok|okay|fine|normal|normally|good|as usual)\b", re.IGNORECASE)
_THAN = re.compile(r"\bthan\s+(?:\w+\s+)?(?:normal|usual)\w*|\bnormal\s+range\b|\b(?:not|ab)\s*normal\b", re.IGNORECASE)
_FELL = re.compile(r"\b(?:down|low|lower|dropped|drop|drops|fell|fallen|falling|decreased|less|lost)\b", re.IGNORECASE)
_ROSE = re.compile(r"\b(?:up|high|higher|rose|risen|rising|spike|spiked|surge|surged|increased|more)\b", re.IGNORECASE)
_ITS_CAUSE = re.compile(
    r"\b(?:is|was|isn't|wasn't|could|might|can|be)\s+(?:it|this|that)\b"
    r"|\b(?:it|this|that)(?:['’]?s(?!\s+own\b)|\s+is)\b|\bcaused?\b|\bbecause of\b|\bdue to\b|\bto blame\b"
    r"|\bculprit\b|\bbottleneck\b|\broot (?:cause|of)\b|\bfault\b|\bresponsible\b|\bbr(?:oke|eaks?)\b"
    r"|\b(?!(?:so|and|but|or|ok|hey|we|you|i)\b)[\w'’.-]+\s+(?:do|did|done)\s+(?:all\s+)?(?:it|this|that)(?=\s*(?:[?,]|$|to\b))"
    r"|\b(?:the|our)\s+(?:problem|issue|reason|cause)\b|\bbe\s+an?\s+(?:problem|issue|cause)\b"
    r"|\b(?:broke|breaks?|broken)\s+(?:it|this|that|us|everything|things|[\w.-]+)\s*\?",
    re.IGNORECASE,
)


_BECAUSE = re.compile(r"\b(?:because\s+of|because|due\s+to|caused\s+by|as\s+a\s+result\s+of)\b", re.IGNORECASE)
_STATE = re.compile(SYMPTOM_WORDS, re.IGNORECASE)
_NOUN = re.compile(r"[A-Za-z][\w.-]*")
_PRONOUN_WORDS = """
    anybody anyone anything everybody everyone everything he i it nobody she somebody someone something that there they this
    those we you"""
_PRONOUNS = frozenset(_PRONOUN_WORDS.split())
_WORDS_FOR_ALL = """
    a all an any api app application client clients customer customers every go got get his its keep more my of one
    other our people prod production rate ratio run shop show site some stay system systems the their these user users website
    whole your"""
_NO_THING = _AUXILIARIES | frozenset(_WORDS_FOR_ALL.split())


_WHY_NOT = re.compile(
    r"^\W*(?:(?:and|but|so)\s+)?why\s+(?:not|(?:is|was)n['’]?t\s+it|(?:is|was)\s+it\s+not|could(?:n['’]?t| not) it be)\s+(.+)$",
    re.IGNORECASE,
)
_MAX_SUBJECT_WORDS = 5
_VERSION = re.compile(r"\bv?\d+(?:\.\d+)+\b", re.IGNORECASE)
_APPROVERS = re.compile(
    r"\bwho\s+(?:may|can|could|must|should|has to|is allowed to|needs to|will)\s+(?:\w+\s+)?approve\b|\bapprovers?\b"
    r"|\b(?:can|may|could|if)\s+(?:i|we|you|anyone|anybody)\s+approve\b|\b(?:any|some)(?:one|body)\s+approving\b"
    r"|\b(?:proposals?|approvals?)\b[^?]*\bexpires?\b",
    re.IGNORECASE,
)


_ON_CALL = re.compile(
    r"\bwho(?:['’]s|se|\s+(?:is|are|else is))?\s+(?:currently\s+|now\s+)?on[- ]?(?:call|duty)\b|\bwhose (?:shift|turn)\b"
    r"|^\W*on[- ]?call\b(?=\W*(?:$|for\b|now\b|right\b))",
    re.IGNORECASE,
)
_PERSON_ON_CALL = re.compile(
    r"\b(?:is|isn['’]?t)\s+@?([a-z][\w.-]*)\s+(?:currently\s+|now\s+|still\s+)?on[- ]?(?:call|duty)\b",
    re.IGNORECASE,
)
_CAUSE_KNOWN = re.compile(
    r"\bcause\b.*\b(?:known|found|identified|confirmed|clear|understood|established)\b"
    r"|\b(?:know|found|identified|confirmed|understand|understood|have)\s+(?:\w+\s+)?(?:a|the|what|its?|any)\s+(?:\w+\s+)?cause[ds]?\b"
    r"|\b(?:do|does)\s+(?:we|anyone|anybody|someone|they)\s+(?:\w+\s+)?know\s+(?:why|what\s+(?:caused|happened|broke|went\s+wrong))\b"
    r"|^\W*(?:(?:the|any|a)\s+)?(?:root\s+)?cause\s*(?:yet|now)?\W*$"
    r"|\bwas\s+(?:a|the)\s+(?:root\s+)?cause\s+found\b|\b(?:is|was)\s+there\s+a\s+(?:known\s+|root\s+)*cause\b",
    re.IGNORECASE,
)
_AMOUNT = re.compile(r"\bhow\s+(?:many|much|long|deep|big|large|full|high)\b", re.IGNORECASE)
_WHOEVER = r"(?:you|we|they|tocsin|the bot|it|any(?:one|body)|some(?:one|body)|people|folks|everyone|the team)"
_SO_FAR = r"(?=(?:\s+(?:yet|so\s+far|already|here|now|about\s+(?:it|this|that)))*\W*$)"
"""Nothing more is asked: "did the bot do anything on its own?" is another question."""
_RUNS = re.compile(
    rf"\bwhat\s+(?:did|have|has)\s+{_WHOEVER}\s+(?:already\s+|just\s+|all\s+)?(?:do|done|run|try|tried)\b"
    rf"|\b(?:did|have|has)\s+{_WHOEVER}\s+(?:already\s+|even\s+)?(?:do|done|try|tried)\s+(?:anything|something){_SO_FAR}"
    rf"|\b(?:anything|something)\s+(?:that\s+)?(?:{_WHOEVER}\s+|been\s+)?(?:have\s+|has\s+|already\s+)*(?:did|done|tried){_SO_FAR}"
    r"|\bwhat\s+(?:was|has been|have been|is been)\s+(?:already\s+)?(?:done|run|tried|executed)\b"
    r"|\b(?:what|which)\s+actions?\s+(?:ran|run|were|was|have|has|did)\b",
    re.IGNORECASE,
)
_OF_BOT = re.compile(r"\b(?:did|have|has)\s+(?:you|tocsin|the bot)\b|\bactions?\b", re.IGNORECASE)
_UNDONE = (
    r"(?:undo|undone|roll(?:ed)?\s+(?:(?:it|this|that)\s+)?back|rollback|revert(?:ed)?|back(?:ed)?\s+(?:(?:it|this|that)\s+)?out"
    r"|(?:take|taken)\s+(?:(?:it|this|that)\s+)?back|go\s+back(?=\s+to\s+(?:v?\d|the\s+(?:old|previous|last)\b)))"
)
_CAN_UNDO = re.compile(
    r"\b(?:can|could|may|might)\s+(?!the\s+roll|the\s+undo|the\s+revert|a\b|an\b)(?:(?:the|our|this|that)\s+)?(?:[\w.-]+\s+){1,2}?"
    rf"(?:(?:just|still|safely|simply|be)\s+)*{_UNDONE}\b"
    rf"|\b(?:possible|able|way|option)\s+to\s+{_UNDONE}\b|\b{_UNDONE}\s+(?:still\s+)?possible\b"
    rf"|^\W*(?:(?:is|are)\s+(?:it|this|that)\s+(?:reversible|revertible|revertable)|{_UNDONE}(?:\s+(?:it|this|that))?)\W*\?\W*$",
    re.IGNORECASE,
)
_SHOULD_UNDO = re.compile(
    r"\b(?:should|shall|must|need(?:s)? to|would|ought to)\b.*\b(?:roll(?:ing|ed)?\s*back|rollback|revert(?:ing|ed)?)\b",
    re.IGNORECASE,
)
_NEXT_STEP = re.compile(
    r"\bwhat\s+(?:should|can|shall|could|must|do|to)\s+(?:(?:i|we|you)\s+)?(?:do|try|check|revert|undo|restart|roll\s*back)\b"
    r"|\b(?:what|which)\s+\w+\s+(?:should|can|shall|could|must|do)\s+(?:i|we|you)\s+(?:revert|undo|restart|roll\s*back)\b"
    r"|\bwhat\s+(?:now|next)\b|\bwhat(?:'s|’s|\s+is)\s+next\b|\bnext\s+steps?\b"
    r"|\bhow\s+(?:do|can|should|could)\s+(?:i|we)\s+(?:fix|mitigate|solve|stop|help)\b",
    re.IGNORECASE,
)


def as_cause_question(question: str, services: Collection[str]) -> str:
    """`why not the database?` as `is it the database?`: whether this is the cause is what both ask; others as they are."""
    match = _WHY_NOT.match(question)
    if match is None or len(match.group(1).split()) > _MAX_SUBJECT_WORDS:
        return question
    rest = without_services(match.group(1), services)
    causes = subjects_in(rest) & (MEASURED | {Subject.CHANGE}) - SYMPTOMS
    return f"is it {match.group(1)}" if causes or named_in(match.group(1), services) else question


def cause_in_question(question: str, services: Collection[str]) -> str:
    """`is cart slow because of the deploy?` as `is it the deploy?`: that it is slow is granted; others as `as_cause_question`.

    "Something it calls" keeps who "it" is. `should we roll cart back?` asks whether its change is the cause.
    """
    if wants_yes_or_no(question) and asks_to_undo(question):
        named = " ".join(named_in(question, services))
        kind = next((word for word in ("config", "flag", "migration", "model", "deploy") if word in question.lower()), "change")
        versions = " ".join(_VERSION.findall(question))
        return " ".join(filter(None, ("is it the", kind, versions, f"of {named}" if named else ""))) + "?"
    match = _BECAUSE.search(question) if wants_yes_or_no(question) else None
    if match is None:
        return as_cause_question(question, services)
    cause = question[match.end() :]
    suspects = named_in(cause, services)
    if suspects and subjects_in(without_services(cause, services)) <= SYMPTOMS:
        # "because cart is broken": whether cart is the cause.
        cause = " ".join(sorted(suspects))
    caller = " ".join(named_in(question[: match.start()], services)) if Subject.CALLEE in subjects_in(cause) else ""
    return " ".join(filter(None, ("is it", cause.strip().rstrip("?").strip(), f"of {caller}" if caller else ""))) + "?"


def thing_in(question: str) -> str:
    """The noun between the verb and the word that says how it is: Prometheus of "is Prometheus down?"; "" for "is it down?".

    Words for all of it (the shop, customers) and for what is measured (requests) are no thing of their own.
    """
    rest = _OPENING.sub("", question)
    state = _STATE.search(rest)
    verb, *words = (_NOUN.findall(rest[: state.start()]) if state else []) or [""]
    if verb.lower() not in _AUXILIARIES or (words and words[0].lower() in _PRONOUNS):
        return ""
    return " ".join(word for word in words if word.lower() not in _NO_THING and not subjects_in(word))


def wants_next_step(question: str) -> bool:
    """Whether it asks what to do: the next step answers it, not the cause."""
    return bool(_NEXT_STEP.search(question))


def wants_on_call(question: str) -> bool:
    """Whether it asks who is on call, or whether somebody is."""
    return bool(_ON_CALL.search(question) or _PERSON_ON_CALL.search(question))


def person_on_call(question: str) -> tuple[str, str]:
    """The person of whom it asks whether that is on call, and the rest of the question; "" where it names none."""
    match = _PERSON_ON_CALL.search(question)
    if match is None or match[1].lower() in _PRONOUNS | _QUESTION_WORDS:
        return "", question
    return match[1], question[: match.start()] + question[match.end() :]


def asks_if_cause_is_known(question: str) -> bool:
    """Whether it asks if the cause is known: "do we know the root cause?", "is the cause confirmed?"."""
    return wants_yes_or_no(question) and bool(_CAUSE_KNOWN.search(question))


def wants_amount(question: str) -> bool:
    """Whether it asks how much of something there is: "how many restarts?"."""
    return bool(_AMOUNT.search(question))


def wants_runs(question: str) -> bool:
    """Whether it asks what was done: the actions that ran."""
    return bool(_RUNS.search(question)) and not wants_next_step(question)


def asks_what_bot_did(question: str) -> bool:
    """Whether it asks what the bot did, and not what people did: "what did you do?"."""
    return bool(_OF_BOT.search(question))


def wants_undo(question: str) -> bool:
    """Whether it asks if something can be rolled back, which a proposal answers and no measurement."""
    return bool(_CAN_UNDO.search(question))


def asks_to_undo(question: str) -> bool:
    """Whether it asks if something should be rolled back."""
    return bool(_SHOULD_UNDO.search(question))


def wants_approvers(question: str) -> bool:
    """Whether it asks who may approve, until when, or what comes of it."""
    return bool(_APPROVERS.search(question))


def wants_yes_or_no(question: str) -> bool:
    """Whether yes, no or unknown answers it: "is it the network?", "any deploys?"; not "what changed?", nor a choice of two."""
    rest = _OPENING.sub("", question)
    if _WHETHER.match(rest):
        return True
    words = _WORD.findall(rest.lower().replace("’", "'"))
    if not words or words[0] in _QUESTION_WORDS or _has_choice(words):
        return False
    return words[0] in _AUXILIARIES or (question.rstrip().endswith("?") and not _QUESTION_WORDS & set(words))


def is_statement(text: str) -> bool:
    """Whether it states something: neither a verb nor a question word stands first, and more than one word does."""
    words = _WORD.findall(_OPENING.sub("", text).lower().replace("’", "'"))
    return (
        len(words) > 1
        and words[0] not in _AUXILIARIES - {"any", "anything", "anyone", "anybody", "still", "already"}
        and words[0] not in _QUESTION_WORDS
    )


def begins_with_verb(question: str) -> bool:
    """Whether a verb of yes-or-no questions stands first."""
    words = _WORD.findall(_OPENING.sub("", question).lower().replace("’", "'"))
    return bool(words) and words[0] in _AUXILIARIES


def names_question_word(text: str) -> bool:
    """Whether a question word stands in it: "it was bob who deployed it"."""
    return bool(_QUESTION_WORDS & set(_WORD.findall(text.lower())))


def wants_choice(question: str) -> bool:
    """Whether it asks which of two: "is it the deploy or the database?"."""
    words = _WORD.findall(_OPENING.sub("", question).lower().replace("’", "'"))
    return bool(words) and words[0] in _AUXILIARIES and _has_choice(words)


def _has_choice(words: Sequence[str]) -> bool:
    return "or" in words and words[-2:] != ["or", "not"]


def wants_current_values(question: str) -> bool:
    """Whether it asks how things are now, so that what was recorded earlier does not answer it."""
    return bool(_NOW.search(question)) or (wants_yes_or_no(question) and Subject.RECOVERY in subjects_in(question))


def without_opening(question: str) -> str:
    """Without "hey tocsin, can you check"."""
    return _OPENING.sub("", question)


def is_present(question: str) -> bool:
    """Whether it asks how things are, and not how they were: "is checkout down?", "checkout ok?"."""
    words = _WORD.findall(_OPENING.sub("", question).lower().replace("’", "'"))
    return bool(words) and (words[0] in _PRESENT or words[0] not in _AUXILIARIES | _QUESTION_WORDS)


def wants_value(question: str) -> bool:
    """Whether it names what it wants to know of now: "error rate now?", where a yes would answer nothing."""
    words = _WORD.findall(_OPENING.sub("", question).lower().replace("’", "'"))
    if not words or Subject.RECOVERY in subjects_in(question):
        return False
    return bool(_NOW.search(question)) and words[0] not in _AUXILIARIES and not _WHETHER.match(question)


def wants_cause(question: str) -> bool:
    """Whether it asks if something is the cause: "is it the database?"."""
    return bool(_ITS_CAUSE.search(question))


def good_is_yes(question: str, *, of_signal: bool = False) -> bool:
    """Whether yes would be good news: "is checkout up?", "is its memory ok?". `of_signal`: of one that goes up and down."""
    words = _THAN.sub(" ", question)
    return bool(_GOOD_SIGNAL.search(words) if of_signal else _GOOD.search(words))


def direction_in(question: str) -> str:
    """`up` or `down` where the question says which way; else ""."""
    return "down" if _FELL.search(question) else "up" if _ROSE.search(question) else ""


def is_about_notes(question: str) -> bool:
    """Whether it asks what people wrote or tried."""
    return bool(_NOTES.search(question))

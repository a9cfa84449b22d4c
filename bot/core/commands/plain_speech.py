"""Whether a line that begins with no known verb is plain language: a question or a sentence, and no mistyped verb."""

import re
from collections.abc import Iterable, Sequence

from bot.core.commands.verb_line import Line, distance, is_reference, nearest
from bot.core.text.stemming import STOP_WORDS

_MORE_OPENERS = """
    all am any anything anybody anyone arent aren't didnt didn't does doesnt doesn't dont don't everything explain had
    hasnt hasn't havent haven't hello hey hi hows how's i isnt isn't its it's maybe must please should since so still
    tell thats that's there theres there's wasnt wasn't werent whats what's whens when's wheres where's whose whos who's
    why whys why's"""
_OPENERS = (STOP_WORDS - {"no", "not"}) | frozenset(_MORE_OPENERS.split())
"""Words that open a sentence. They are near some verb (how, show) and yet no mistyped one; `not` for `note` is left out."""
_VERBS_OF_QUESTIONS = frozenset({"why", "did"})
"""Verbs that are words of questions too: `why 2` shows evidence, "did the rollback help?" is_question."""
_WORDS_THAT_ASK = """
    how hows how's what whats what's when where wheres where's which who whos who's whose why whys why's"""
_QUESTION_WORDS = frozenset(_WORDS_THAT_ASK.split())
"""With one word more they ask: "who acked"."""
_NOUNS_THAT_ASK = frozenset({"duration", "eta", "etr", "on-call", "oncall", "sev", "severity"})
"""Alone they are half a question ("eta?"), and no mistyped verb though they are short enough to be near one."""
_WORDS_FOR_A_SUBJECT = """
    anybody anyone anything he i it she somebody someone something that they this we you"""
_PRONOUNS = frozenset(_WORDS_FOR_A_SUBJECT.split())
_DETERMINERS = frozenset(("a", "an", "any", "her", "his", "its", "my", "our", "that", "the", "their", "these", "those", "your"))
_OF_SOMEBODY = _PRONOUNS | _DETERMINERS
"""Behind `did` they begin a question, and no name of an action: "did the rollback work"."""
_ASKS_WITH = frozenset(["am", "are", "do", "does", "has", "have", "is", "was", "were"])
_ASKS_OF_ME = frozenset(["can", "could", "may", "might", "must", "shall", "should"])
"""Before "i" they ask for leave; before "you" they are a request."""
_POLITE = """
    again all also and anyone bot can could do everybody everyone folks go guys ahead have hello hey hi i just kindly let lets
    maybe must need now ok okay one please pls plz quickly so somebody someone team then there tocsin to us want we
    will would you yes"""
_BEFORE_A_REQUEST = frozenset(_POLITE.split())
"""What may stand before the verb of a request: "hey, can you please stop it"."""
_CLAIM = re.compile(
    r"(?:(?:i'?m|i am) )?(?:on|taking|looking (?:at|into)|handling) (?:it|this)|mine|(?:it's|this is|that's) mine"
    r"|(?:i|i've|i have) (?:got|have) (?:it|this)|(?:i'll|i will|i can|let me) take (?:it|this)"
    r"|(?:i|i'll|i will) own (?:it|this)"
)
_WORDS_BESIDE = "all everyone folks guys hello hey hi now ok okay one team thanks thx tocsin"
_BESIDE_A_CLAIM = frozenset(_WORDS_BESIDE.split())
_REMEDIES = """
    abort delete disable drain enable escalate execute failover fix flip kill mitigate mute reboot redeploy reject remediate
    restart restore revert roll rollback rollforward run scale silence snooze switch turn undo unmute upgrade"""
_ACTS = frozenset(_REMEDIES.split())
"""What people call remediations, besides the verbs that propose them."""
_ANSWERED = frozenset({"ask", "cause", "did", "gaps", "help", "list", "new", "show", "whoami", "why"})
"""Verbs that a question may hold, and which an answer fulfils: "please show what changed"."""
MIN_LETTERS_FOR_TYPO = 5
"""A verb of a request this long is recognised with one typo."""
MIN_WORDS_OF_SENTENCE = 3
"""A line of this many words is a sentence even without a question mark."""


def is_speech(line: Line, verbs: Iterable[str]) -> bool:
    """Whether the line asks or says something in plain language. `verbs`: the verbs and their aliases.

    A word that is near a verb is a mistyped verb and never speech, whatever follows: it must not be swallowed. The small
    words that open English sentences are the exception, if more than a reference follows. A request ("please stop the
    rollback") is no question either: nothing would be done, and the answer would look as if it had been.
    """
    words, is_question = line.rest.split(), line.rest.endswith("?")
    plain = [word for word in words if not is_reference(word.strip(".,;:!?"))]
    first = _bare(line.verb)
    if not line.verb or is_reference(first) or (line.options and not is_question):
        return False
    asks = is_question or _is_inverted([first, *words])
    if line.verb in _VERBS_OF_QUESTIONS:
        return bool(plain) and (asks or (line.verb == "why" and len(plain) + 1 >= MIN_WORDS_OF_SENTENCE))
    if line.verb in set(verbs) or (not asks and _is_request([line.verb, *words], verbs)):
        return False
    if first in _OPENERS:
        if not plain:
            return line.verb.endswith("?") and not words and not nearest(first, verbs)
        return asks or first in _QUESTION_WORDS or len(words) + 1 >= MIN_WORDS_OF_SENTENCE
    if first.lower() in _NOUNS_THAT_ASK:
        return is_question or line.verb.endswith("?") or len(plain) + 1 >= MIN_WORDS_OF_SENTENCE
    if nearest(first, verbs):
        return False
    if plain and _bare(plain[-1]).lower() == "fault":
        return True  # "carts fault": half a question
    return is_question or line.verb.endswith("?") or len(plain) + 1 >= MIN_WORDS_OF_SENTENCE


def _is_inverted(words: Sequence[str]) -> bool:
    """Whether a verb and then its subject begin it, as in a question: "did the rollback work", "can I close this"."""
    first, second = ([_bare(word).lower() for word in words] + ["", ""])[:2]
    return (
        (first == "did" and second in _OF_SOMEBODY)
        or (first in _ASKS_WITH and second in _PRONOUNS)
        or (first in _ASKS_OF_ME and second == "i")
    )


def claims_it(line: str) -> bool:
    """Whether a line says that its author takes care of it, and nothing else: "I'm on it", "mine", "I got this"."""
    words = [_bare(word) for word in line.lower().replace("’", "'").split()]
    return bool(_CLAIM.fullmatch(" ".join(word for word in words if word and word not in _BESIDE_A_CLAIM))) and "?" not in line


def requested_verb(words: Iterable[str]) -> str:
    """The word that says what is asked for: `stop` of "please stop the rollback"; "" if there is none."""
    return next((word for word in (_bare(word.lower()) for word in words) if word not in _BEFORE_A_REQUEST), "")


def means_remediation(word: str) -> bool:
    """Whether a word is what people call a remediation: those are put to people with `propose`, and no verbs."""
    return word in _ACTS


def _is_request(words: Iterable[str], verbs: Iterable[str]) -> bool:
    """Whether the first word that says something is a verb of ours, with a slip perhaps, or what people call an action."""
    verb = requested_verb(words)
    actions = set(verbs) - _ANSWERED | _ACTS
    mistyped = (
        len(verb) >= MIN_LETTERS_FOR_TYPO and verb not in _ANSWERED and any(distance(verb, action) == 1 for action in actions)
    )
    return verb in actions or mistyped


def _bare(word: str) -> str:
    return word.strip(".,;:!?'\"")

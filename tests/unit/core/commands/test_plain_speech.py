"""What is taken as a question, and what stays a mistyped verb."""

import pytest

from bot.commands.__main__ import verbs
from bot.core.commands.plain_speech import is_speech
from bot.core.commands.verb_line import parse_line

KNOWN = sorted({word for verb in verbs().values() for word in (verb.name, *verb.aliases)})

QUESTIONS = [
    "is it the database?",
    "what changed on cart",
    "how bad is it?",
    "who acknowledged this",
    "the database?",
    "database?",
    "why is checkout slow",
    "why?!? is it down?",
    "did the rollback help?",
    "is error_rate=0.3 normal?",
    "Are we sure that it is not the pool?",
    "I think it is the pool",
    "payments looks fine to me",
    "was AL-2 the same?",
    "please tell me what changed",
    "please show me what changed",
    "so why is checkout slow",
    "hey is it the database",
    "can you stop it now?",
    "should the rollback have helped by now?",
    "should we roll back checkout",
    "we think that a restart helped",
    "did the rollback work",
    "did anyone deny it",
    "did it happen again",
    "can i close this",
    "do i need to approve something",
    "have we approved it",
    "who acked",
    "whos leading",
    "isnt it the db",
    "still?",
    "all clear?",
    "sev?",
    "eta?",
    "ETA for the fix?",
    "eta on checkout please",
    "oncall?",
    "catalogues fault",
]
VERBS = [
    "aprove AP-3",
    "aprove AP-3?",
    "aprove AP-3 please now",
    "aproov the rollback please?",
    "approve, AP-3 it is fine?",
    "dney AP-3 it is not the cause",
    "acknowlege this one please",
    "stop!",
    "stop everything now?",
    "shwo AL-3",
    "how AL-3",
    "how AL-3?",
    "who",
    "not we restarted the pool",
    "rezolve INC-3 it was the deploy",
    "investigat why the cart fails",
    "restart",
    "",
    "AL-3",
    "why",
    "why 2",
    "why #2 AL-3",
    "did rollback service=checkout",
    "did rollback checkout",
    "did not AP-3",
    "did AP-3 2",
    "ask what changed?",
    "note is it the database?",
    "please stop the rollback",
    "Please, stop the rollback!",
    "please aprove the rollback",
    "can you stop it now",
    "could we please roll back checkout",
    "hey resolve this incident",
    "hey tocsin, restart checkout please",
    "so please go ahead and approve AP-3",
    "roll back checkout now",
    "now rollback checkout",
    "ok scale it up to six",
    "AL-3?",
    "AL-3!",
    "al-3, what is it?",
]


@pytest.mark.parametrize("line", QUESTIONS)
def test_plain_speech_is_a_question(line: str) -> None:
    assert is_speech(parse_line(line), KNOWN)


@pytest.mark.parametrize("line", VERBS)
def test_a_verb_and_a_mistyped_verb_are_never_one(line: str) -> None:
    assert not is_speech(parse_line(line), KNOWN)


@pytest.mark.parametrize("verb", ["approve", "deny", "cancel", "stop", "resume", "propose", "resolve", "admin"])
def test_no_verb_that_decides_is_taken_as_speech_with_a_letter_missing_doubled_or_swapped(verb: str) -> None:
    for at in range(len(verb) - 1):
        missing, doubled = verb[:at] + verb[at + 1 :], verb[: at + 1] + verb[at:]
        swapped = verb[:at] + verb[at + 1] + verb[at] + verb[at + 2 :]
        for slip in (missing, doubled, swapped):
            assert not is_speech(parse_line(f"{slip} AP-3 is that fine?"), KNOWN), slip

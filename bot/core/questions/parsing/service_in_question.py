"""The service whose trouble a question asks for, which tells of several open groups the one that is meant."""

from collections.abc import Collection

from bot.core.questions.parsing.forms import cause_in_question, wants_cause, wants_yes_or_no, without_opening
from bot.core.questions.parsing.spelling import spelled_out
from bot.core.questions.parsing.topics import named_in


def service_in_question(question: str, services: Collection[str]) -> str:
    """payments of "why is payments failing?"; "" where it names none or several, or one as the cause of something else.

    "Is it payments?" and "did payments break it?" ask about what payments may have broken. `services`: all names.
    """
    text = without_opening(spelled_out(question))
    named = named_in(text, services)
    as_cause = cause_in_question(text, services)
    is_suspect = wants_yes_or_no(as_cause) and wants_cause(as_cause)
    return "" if is_suspect or len(named) != 1 else next(iter(named))

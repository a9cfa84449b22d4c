"""The expected errors; every other exception is a bug and gets an id at a boundary."""

from collections.abc import Sequence


class TocsinError(Exception):
    """Base of all expected errors. `str(error)` says what was wrong, what it means and what to do."""


class ConfigurationError(TocsinError):
    """A broken tocsin.yaml or TOCSIN_* variable; names the file, the line and the key."""

    def __init__(self, problem: str, *, file: str = "", line: int | None = None, key: str = "") -> None:
        position = f"{file}:{line}" if line is not None else file
        super().__init__(": ".join(part for part in (position, key, problem) if part))
        self.problem, self.file, self.line, self.key = problem, file, line, key


class UnreadableBody(TocsinError):
    """A webhook body that cannot be read; `field` is where (JSON path), never the content."""

    def __init__(self, problem: str, *, field: str = "") -> None:
        super().__init__(f"{field}: {problem}" if field else problem)
        self.field = field


class TooManyItems(UnreadableBody):
    """A body with more items than the limit: answered with 413."""


class QueryFailed(TocsinError):
    """A system could not be queried (down, slow, refused, unreadable). It never means "nothing found"."""


class PartialResult(QueryFailed):
    """Some of the systems answered: `answers` holds what these said, the text the errors of the others."""

    def __init__(self, text: str, answers: Sequence[object]) -> None:
        super().__init__(text)
        self.answers = answers


class InvalidQuery(QueryFailed):
    """The question names what is not there or cannot be read: another question may succeed, and no access is missing."""


class NothingMeasured(QueryFailed):
    """The system answered, and holds no metric that fits: nothing was seen, and the same query a little later tells no more."""


class AnswerTooLarge(QueryFailed):
    """An answer was larger than its limit: a narrower query may succeed."""


class UnreadableEvidence(TocsinError):
    """Stored evidence that does not fit its model: a check that failed, never one that showed nothing."""


class PagerFailed(TocsinError):
    """The pager did not take the page; it stays to be sent again."""


class ActionFailed(TocsinError):
    """A remediation was refused or failed before it changed anything."""


class OutcomeUnknown(TocsinError):
    """The remote side may or may not have acted (time-out, cut connection): never repeat, ask a person."""


class NotAllowed(TocsinError):
    """A person may not do this; the text names the rule and who may. Shown privately and audited."""

    def __init__(self, text: str, *, audited: bool = False) -> None:
        """`audited`: the refusal is written down already, in the transaction that refused."""
        super().__init__(text)
        self.audited = audited


class NotFound(TocsinError):
    """No such incident, group, proposal, verb or evidence."""


class JournalMismatch(BaseException):
    """A workflow's journal no longer fits its code.

    A BaseException, because it must pass through every `except Exception` on its way to the engine.
    """

"""Secrets in logs, runbooks, commits and messages: none is stored, sent to the model, shown, logged or written up."""

from collections.abc import Iterator

from bot.core.redaction.redaction import redact
from tests.attacks.judging import Seen
from tests.attacks.kinds import Kind
from tests.attacks.twins import line_is_kept, twin


def settles(seen: Seen) -> Iterator[str]:
    """Redacting what is redacted changes nothing more."""
    once = redact(seen.item.text)
    if redact(once) != once:
        yield f"NO_SECRET: changes again: {once[:60]!r}"


KIND = Kind("secret", (settles,), twin("secret", line_is_kept))
